"""Where a vehicle has been. A track is sensitive: each read of one leaves an audit row."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jilink.core.assets import reads as assets
from jilink.core.observations import reads as observations
from jilink.core.observations.reads import AlarmView
from jilink.core.parties import audit
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.history.columns import prepare
from jilink.history.reads import in_units
from jilink.history.summaries import summarise, total
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.services.vehicles import link, watching
from jilink.services.vehicles.rules import Stop, stops

LONGEST = timedelta(days=7)
MOST_POINTS = 200_000
TAIL = timedelta(hours=1)
COLUMNS = ("latitude", "longitude", "speed", "course", "odometer", "alarm", "status")


class TimeRefused(Refused):
    """The time asked for is empty, or longer than a track may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a vehicle did in a time (formulas in `history.summaries`); None where unknown."""

    points: int
    distance_odometer_km: float | None
    distance_geometry_km: float | None
    driving_s: float | None
    idle_s: float | None
    top_speed_kmh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One UTC+8 day of a vehicle."""

    day: date
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A vehicle's way, oldest first.

    Columns of equal length: `t` in ms since 1970 UTC, the others in their units (degrees WGS-84), NaN where not available.
    """

    asset: AssetId
    plate: str
    start: datetime
    end: datetime
    t: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    speed_kmh: np.ndarray
    course: np.ndarray
    odometer_km: np.ndarray
    alarm: np.ndarray
    """True where any bit of the alarm word was set."""
    stops: list[Stop]
    alarms: list[AlarmView]
    totals: Totals | None
    """Of all the time asked for; None where nothing was received."""
    cut: bool
    """True where there were more than MOST_POINTS and the end is missing."""


def track(actor: Actor, asset: AssetId, start: datetime, end: datetime, now: datetime) -> Track:
    """Return the fixes that have a position, from start to before end. Raises NotFound, TimeRefused, Unavailable."""
    view = assets.asset(actor, asset, Permission.VIEW_TRACKS)
    _check(start, end)
    audit.record(actor, "track.read", f"asset:{asset}", view.organisation, detail=f"{start.isoformat()}/{end.isoformat()}", at=now)
    found = link.history().track(view.organisation, asset, start, end, _tail(view.organisation, asset, start, end, now))
    rows = found.filter(pc.and_(pc.is_valid(found["latitude"]), pc.is_valid(found["longitude"])))
    cut = rows.num_rows > MOST_POINTS
    rows = rows.slice(0, MOST_POINTS)
    measured = pc.coalesce(rows["measured_at"], rows["received_at"])
    columns = in_units(rows.select(COLUMNS))
    t = measured.cast(pa.int64()).to_numpy()
    speed = _floats(columns["speed"])
    latitude, longitude = _floats(columns["latitude"]), _floats(columns["longitude"])
    return Track(
        asset=asset,
        plate=view.label,
        start=start,
        end=end,
        t=t,
        latitude=latitude,
        longitude=longitude,
        speed_kmh=speed,
        course=_floats(columns["course"]),
        odometer_km=_floats(columns["odometer"]),
        alarm=columns["alarm"].to_numpy(zero_copy_only=False) != 0,
        stops=stops(t, speed, latitude, longitude),
        totals=_total_of(found),
        alarms=observations.between(actor, asset, start, end),
        cut=cut,
    )


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _check(start: datetime, end: datetime) -> None:
    if end <= start:
        raise TimeRefused("The end must be after the beginning.")
    if end - start > LONGEST:
        raise TimeRefused("Choose at most seven days.")


def _tail(organisation: OrganisationId, asset: AssetId, start: datetime, end: datetime, now: datetime) -> pa.Table | None:
    return watching.tail(organisation, asset, start, end) if end > now - TAIL else None


def days(actor: Actor, asset: AssetId, first: date, last: date) -> list[Day]:
    """Return the days with fixes, newest first. Raises NotFound, Refused, Unavailable."""
    view = assets.asset(actor, asset, Permission.VIEW_TRACKS)
    table = link.history().daily_summary(view.organisation, asset, first, last)
    return [Day(day=row["day"], totals=_totals(row)) for row in reversed(table.to_pylist())]


def _totals(row: dict[str, object]) -> Totals:
    def number(name: str, divisor: float = 1) -> float | None:
        value = row.get(name)
        return value / divisor if isinstance(value, int | float) else None

    return Totals(
        points=int(number("fixes") or 0),
        distance_odometer_km=number("odometer_distance", 10),
        distance_geometry_km=number("geometry_distance", 1000),
        driving_s=number("driving"),
        idle_s=number("idle"),
        top_speed_kmh=number("top_speed", 10),
    )


def _total_of(found: pa.Table) -> Totals | None:
    rows = total(summarise(prepare(found).table)).to_pylist() if found.num_rows else []
    return _totals(rows[0]) if rows else None
