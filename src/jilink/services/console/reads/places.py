"""Where something lies, in words, and whether that is in doubt."""

from dataclasses import dataclass
from datetime import datetime

from jilink.core.areas import reads as areas
from jilink.core.areas.reads import AreaView
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import CHINA


@dataclass(frozen=True, slots=True)
class Where:
    """The areas of a point from large to small, and those it may lie in instead."""

    areas: tuple[AreaView, ...] = ()
    doubtful: tuple[AreaView, ...] = ()

    @property
    def path(self) -> str:
        """Return the path of the smallest area, "" where there is none."""
        return self.areas[-1].path if self.areas else ""


def where(actor: Actor, longitude: float, latitude: float, accuracy_m: float | None, now: datetime) -> Where:
    """Return where a point (degrees, WGS-84) lies; nowhere for whoever may not see areas."""
    try:
        found = areas.locate(actor, longitude, latitude, on=now.astimezone(CHINA).date(), accuracy_m=accuracy_m or 0.0)
    except NotFound:
        return Where()
    smallest = found.areas[-1].level if found.areas else ""
    return Where(found.areas, tuple(each for each in found.doubtful if each.level == smallest))


def path_in_words(actor: Actor, path: str, language: str, now: datetime) -> str:
    """Return the names of the areas of a path, from large to small."""
    codes = path.strip("/").split("/") if path else []
    if not codes:
        return ""
    try:
        named = [each for each in areas.find(actor, codes[-1], on=now.astimezone(CHINA).date()) if each.path == path]
        line = areas.above(actor, named[0]) if named else []
    except NotFound:
        return ""
    return " ".join(each.name.in_(language) for each in line)
