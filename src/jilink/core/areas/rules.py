"""Order among areas, and who answers: pure decisions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How large an area is, from large to small."""

    PROVINCE = "province"
    PREFECTURE = "prefecture"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"
    GRID = "grid"


ORDER = {level.value: rank for rank, level in enumerate(Level)}
_BY_LENGTH = {2: Level.PROVINCE, 4: Level.PREFECTURE, 6: Level.COUNTY, 9: Level.TOWNSHIP, 12: Level.VILLAGE}
"""Digits of the statistical division codes (the National Bureau of Statistics' rules of 2009, clause 4)."""


def level_of_code(code: str) -> Level:
    """Return the level of a division code of 2, 4, 6, 9 or 12 digits. Raises KeyError for another length."""
    return _BY_LENGTH[len(code)]


def path_of_code(code: str) -> str:
    """Return the codes above a division code and itself, as a path (``/22/2201/220102/``)."""
    return "/" + "".join(f"{code[:length]}/" for length in _BY_LENGTH if length <= len(code))


@dataclass(frozen=True, slots=True)
class Duty:
    """That a unit answers for a category (or all that begin with it) in an area."""

    layer_key: str
    area_code: str
    category: str
    unit: int


@dataclass(frozen=True, slots=True)
class Spot:
    """An area in which a point lies, and how deep it is among them (0 the largest)."""

    layer_key: str
    area_code: str
    depth: int


def who_answers(duties: Iterable[Duty], spots: Sequence[Spot], category: str) -> Duty | None:
    """Return the duty that decides: the smallest area first, in it the longest category that `category` begins with."""
    depths = {(spot.layer_key, spot.area_code): spot.depth for spot in spots}
    fitting = [duty for duty in duties if (duty.layer_key, duty.area_code) in depths and _covers(duty.category, category)]
    return max(fitting, key=lambda duty: (depths[duty.layer_key, duty.area_code], len(duty.category), -duty.unit), default=None)


def _covers(wide: str, narrow: str) -> bool:
    """Return whether a category is `wide` itself or lies below it (``road`` covers ``road.manhole``)."""
    return not wide or narrow == wide or narrow.startswith(f"{wide}.")
