"""The shapes of an edition, read from the database once and held: an edition never changes after it is loaded."""

from dataclasses import dataclass
from functools import lru_cache

import shapely

from jilink.core.areas.models import Area
from jilink.core.areas.rules import ORDER
from jilink.core.areas.shapes import ShapeIndex


@dataclass(frozen=True, slots=True)
class Sheet:
    """The areas of one level of an edition that have a shape: their rows' ids, and the index in the same order."""

    level: str
    ids: tuple[int, ...]
    index: ShapeIndex


@lru_cache(maxsize=64)
def sheets(layer: int, digest: str) -> tuple[Sheet, ...]:
    """Return the levels of an edition, from large to small. `digest` is the edition's, so that no other is ever taken for it."""
    by_level: dict[str, list[tuple[int, bytes]]] = {}
    rows = Area.objects.filter(layer_id=layer).exclude(shape=None).order_by("code").values_list("pk", "level", "shape")
    for pk, level, shape in rows.iterator():  # ordered, so that a point on a common border always falls to the same side
        by_level.setdefault(level, []).append((pk, bytes(shape or b"")))
    return tuple(
        Sheet(level, tuple(pk for pk, _ in by_level[level]), ShapeIndex(shapely.from_wkb([shape for _, shape in by_level[level]])))
        for level in sorted(by_level, key=ORDER.__getitem__)
    )
