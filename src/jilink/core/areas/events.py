"""What happened to areas, for those who react."""

from typing import ClassVar

from jilink.spine.events import Event


class LayerLoaded(Event, frozen=True, kw_only=True):
    """A new edition of an organisation's areas holds from `valid_from` (ISO date)."""

    NOUN: ClassVar[str] = "areas"
    OUTWARD: ClassVar[bool] = True
    layer: int
    key: str
    edition: int
    valid_from: str


class ResponsibilityChanged(Event, frozen=True, kw_only=True):
    """Another unit, or none (0), answers for a category in an area."""

    NOUN: ClassVar[str] = "areas"
    OUTWARD: ClassVar[bool] = True
    layer_key: str
    area_code: str
    category: str
    unit: int
