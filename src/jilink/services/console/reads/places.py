"""Where something lies, in words; whether that is in doubt; and which open cases lie near."""

from dataclasses import dataclass
from datetime import datetime
from math import cos, hypot, radians

from jilink.core.areas import reads as areas
from jilink.core.areas.reads import AreaView
from jilink.core.cases.reads import CaseRow, Filter, cases
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import CHINA

NEAR_M = 300.0
METRES_A_DEGREE = 111_195.0


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


@dataclass(frozen=True, slots=True)
class Near:
    """An open case and how far away it lies (metres)."""

    row: CaseRow
    metres: int


def near(actor: Actor, longitude: float, latitude: float, *, kind: str, path: str, now: datetime) -> list[Near]:
    """Return open cases of a type within 300 m of a point, the nearest first, among the newest 200 of its county."""
    county = "/".join(path.split("/")[:4]) + "/" if path.count("/") > 4 else path
    rows = cases(actor, Filter(types=(kind,), area=county), now=now, limit=200).rows
    found = []
    for row in rows:
        if row.latitude is None or row.longitude is None:
            continue
        north, east = row.latitude - latitude, (row.longitude - longitude) * cos(radians(latitude))
        metres = hypot(north, east) * METRES_A_DEGREE
        if metres <= NEAR_M:
            found.append(Near(row, round(metres)))
    return sorted(found, key=lambda each: each.metres)[:6]
