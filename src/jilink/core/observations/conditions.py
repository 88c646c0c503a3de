"""Rules as data: what an organisation wants to be told of, as typed structures that are stored as JSON and read back the same.

Numbers are in the units of `spine.measurements.POSITIONS` (km/h, km, L, degrees WGS-84), durations in seconds. A null value neither raises
nor clears: it says nothing.
"""

from typing import Annotated, Literal

import msgspec
import shapely

from jilink.kernel.errors import Refused
from jilink.spine.measurements import POSITIONS

MOST_CORNERS = 2000
LONGEST_S = 7 * 86_400
Seconds = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_S)]
SCALES = {
    field.name: float(field.metadata[b"scale"])
    for field in POSITIONS
    if field.name
    in (
        "speed",
        "recorder_speed",
        "altitude",
        "odometer",
        "fuel",
        "cabin_temperature",
        "network_signal",
        "satellites",
        "analog0",
        "analog1",
    )
}
"""Values that a threshold or a rate may look at, and what their stored integers are multiplied by."""
WORDS = ("alarm", "status", "signals", "io", "video_alarm", "video_lost", "video_masked")
"""Words of bits that a rule may look at."""


class RuleRefused(Refused):
    """The rule contradicts itself or asks for what cannot be known."""


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="threshold"):
    """A value lies beyond a limit for some time; it is over once it lies on the other side of `clear` (hysteresis)."""

    value: str
    side: Literal["above", "below"]
    limit: float
    clear: float
    for_s: Seconds = 0


class Geofence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="geofence"):
    """An asset is inside a polygon, or outside of it, for some time. `area` says which area the polygon was copied from; 0: drawn."""

    polygon: tuple[tuple[tuple[float, float], ...], ...]
    """Rings of one or more polygons as (longitude, latitude); each ring is filled, a ring inside another is a hole."""
    side: Literal["inside", "outside"] = "inside"
    for_s: Seconds = 0
    area: int = 0


class Silence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="silence"):
    """Nothing was heard of an asset for some time: neither position nor heartbeat."""

    for_s: Annotated[int, msgspec.Meta(ge=60, le=LONGEST_S)]


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rate"):
    """A value changes by more than so much a minute between two reports that lie at least `over_s` apart, for example fuel that falls."""

    value: str
    side: Literal["rising", "falling"]
    per_minute: Annotated[float, msgspec.Meta(gt=0)]
    over_s: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 60


class Flags(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="flags"):
    """Any of the bits of `mask` in a device's word is set (or none of them, with `set_` false) for some time."""

    word: str
    mask: Annotated[int, msgspec.Meta(gt=0, lt=1 << 32)]
    set_: bool = msgspec.field(default=True, name="set")
    for_s: Seconds = 0


Condition = Threshold | Geofence | Silence | Rate | Flags
_decoder: msgspec.json.Decoder[Condition] = msgspec.json.Decoder(Condition)


def load(text: str | bytes) -> Condition:
    """Return the condition that `dump` wrote. Raises RuleRefused."""
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise RuleRefused("This is not a rule of a known kind.") from error


def dump(condition: Condition) -> str:
    """Return the condition as JSON."""
    return msgspec.json.encode(condition).decode()


def check(condition: Condition) -> Condition:
    """Return the condition where it makes sense. Raises RuleRefused with what is wrong."""
    load(dump(condition))  # bounds of numbers, which a structure made in Python has not been asked for
    if isinstance(condition, Threshold | Rate) and condition.value not in SCALES:
        raise RuleRefused("There is no such value to look at.")
    if isinstance(condition, Threshold):
        beyond = condition.clear > condition.limit if condition.side == "above" else condition.clear < condition.limit
        if beyond:
            raise RuleRefused("The value that ends the alarm must not lie beyond the limit that raises it.")
    if isinstance(condition, Flags) and condition.word not in WORDS:
        raise RuleRefused("There is no such word of flags.")
    if isinstance(condition, Geofence):
        shape(condition)
    return condition


def shape(fence: Geofence) -> shapely.Geometry:
    """Return the fence as a prepared geometry. Raises RuleRefused where the rings are none."""
    corners = sum(len(ring) for ring in fence.polygon)
    if not fence.polygon or any(len(ring) < 3 for ring in fence.polygon) or corners > MOST_CORNERS:
        raise RuleRefused("A fence needs at least three corners, and at most 2,000.")
    if any(not (-180 <= lon <= 180 and -90 <= lat <= 90) for ring in fence.polygon for lon, lat in ring):
        raise RuleRefused("A corner of the fence lies outside of the world.")
    made = shapely.Polygon(fence.polygon[0])
    for ring in fence.polygon[1:]:
        made = made.symmetric_difference(shapely.make_valid(shapely.Polygon(ring))) if made.is_valid else made
    if not made.is_valid or made.is_empty:
        raise RuleRefused("The sides of the fence cross each other.")
    shapely.prepare(made)
    return made
