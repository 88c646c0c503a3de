"""What a vehicle did in a day, from its fixes: pure arithmetic over columns, formulas stated once here.

A *step* is a pair of neighbouring fixes of one asset within one UTC+8 day; it lasts `dt`. Its state is that of its first fix.

- driving: speed >= 3 km/h. idle: slower with the ignition (ACC, bit 0 of the status word, JT/T 808-2019 table 25) on. parked: slower with
  it off. A step longer than 10 min counts as none of them: the terminal was silent.
- distance by odometer: sum of the increases of item 0x01. An increase that would need more than 220 km/h (0.2 km are forgiven, twice
  the unit) and every decrease (a terminal was reset or exchanged) count as nothing.
- distance by geometry: sum of great-circle lengths (haversine, radius 6371008.8 m, IUGG mean) between neighbouring fixes that have a
  position. A step that would need more than 220 km/h (50 m are forgiven) is a jump of the receiver, one shorter than 20 m between two
  fixes slower than 3 km/h is drift; both count as nothing.
- top speed: the greatest speed reported, at most 220 km/h.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jilink.history.columns import DAY_MS, happened_ms

MOVING = 30
"""3 km/h in the unit of `speed`."""
SILENCE_MS = 600_000
LIMIT_KMH = 220
ODOMETER_SLACK = 2
GEOMETRY_SLACK_M = 50.0
DRIFT_M = 20.0
RADIUS_M = 6_371_008.8
COLUMNS = ("organisation", "asset", "received_at", "measured_at", "status", "latitude", "longitude", "speed", "odometer")
"""What `summarise` needs of the stored columns."""
_CHINA_MS = 8 * 3_600_000
_ACC = 1


def _field(name: str, kind: pa.DataType, doc: str, unit: str = "", scale: str = "1") -> pa.Field:
    return pa.field(name, kind, metadata={"doc": doc, "unit": unit, "scale": scale})


SUMMARY = pa.schema(
    [
        _field("organisation", pa.int64(), "owner"),
        _field("asset", pa.int64(), "asset"),
        _field("day", pa.date32(), "UTC+8 day"),
        _field("fixes", pa.int64(), "fixes of the day, each once"),
        _field("odometer_distance", pa.int64(), "by odometer; null where no fix carried it", "km", "0.1"),
        _field("geometry_distance", pa.int64(), "by geometry; null where no fix had a position", "m"),
        _field("driving", pa.int64(), "time driving", "s"),
        _field("idle", pa.int64(), "time standing with ignition on", "s"),
        _field("parked", pa.int64(), "time standing with ignition off", "s"),
        _field("top_speed", pa.int64(), "greatest speed reported; null where none was", "km/h", "0.1"),
        _field("first_at", pa.timestamp("ms", tz="UTC"), "first fix of the day"),
        _field("last_at", pa.timestamp("ms", tz="UTC"), "last fix of the day"),
    ],
    metadata={"schema": "position-summary.1"},
)
"""One row a day and asset (and owner). Days without a fix have no row."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def summarise(rows: pa.Table) -> pa.Table:
    """Return schema SUMMARY for stored rows that are sorted by asset and time, each fix once."""
    if rows.num_rows == 0:
        return SUMMARY.empty_table()
    at = happened_ms(rows)
    asset, organisation = rows["asset"].to_numpy(), rows["organisation"].to_numpy()
    day = (at + _CHINA_MS) // DAY_MS
    begins = np.ones(len(at), np.bool_)
    begins[1:] = (asset[1:] != asset[:-1]) | (day[1:] != day[:-1]) | (organisation[1:] != organisation[:-1])
    group = np.cumsum(begins) - 1
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], len(at)) - 1
    count = len(starts)
    speed, has_speed = _values(rows, "speed")
    driving, idle, parked = _times(at, group, np.where(has_speed, speed, 0), rows["status"].to_numpy(), count)
    odometer, has_odometer = _by_odometer(rows, at, group, count)
    geometry, has_position = _by_geometry(rows, at, group, np.where(has_speed, speed, 0), count)
    top = np.zeros(count, np.int64)
    believed = has_speed & (speed <= LIMIT_KMH * 10)
    np.maximum.at(top, group[believed], speed[believed])
    moment = pa.timestamp("ms", tz="UTC")
    columns = [
        pa.array(organisation[starts]),
        pa.array(asset[starts]),
        pa.array(day[starts].astype(np.int32)).cast(pa.date32()),
        pa.array(ends - starts + 1),
        pa.array(odometer, mask=~has_odometer),
        pa.array(np.round(geometry).astype(np.int64), mask=~has_position),
        *(pa.array(values // 1000) for values in (driving, idle, parked)),
        pa.array(top, mask=np.bincount(group[believed], minlength=count) == 0),
        pa.array(at[starts]).view(moment),
        pa.array(at[ends]).view(moment),
    ]
    return pa.Table.from_arrays(columns, schema=SUMMARY)


def total(summaries: pa.Table) -> pa.Table:
    """Return one row an asset (and owner): the sums of its days, the greatest of its top speeds, first and last of all; without `day`."""
    sums = ["fixes", "odometer_distance", "geometry_distance", "driving", "idle", "parked"]
    wanted = [*((name, "sum") for name in sums), ("top_speed", "max"), ("first_at", "min"), ("last_at", "max"), ("day", "count")]
    grouped = summaries.group_by(["organisation", "asset"]).aggregate(wanted)
    names = ["organisation", "asset", *(f"{name}_{how}" for name, how in wanted)]
    fields = [SUMMARY.field(n) for n in ("organisation", "asset", *sums, "top_speed", "first_at", "last_at")]
    schema = pa.schema([*fields, _field("days", pa.int64(), "days with a fix")])
    return grouped.select(names).rename_columns(schema.names).cast(schema).sort_by([("organisation", "ascending"), ("asset", "ascending")])


def _values(rows: pa.Table, name: str) -> tuple[Ints, Bools]:
    """A column as integers with zeros for nulls, and where it has values."""
    column = rows[name].combine_chunks()
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    return column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), valid


def _sums(group: Ints, values: npt.NDArray[np.float64] | Ints, count: int) -> npt.NDArray[np.float64]:
    return np.bincount(group, weights=values, minlength=count).astype(np.float64)


def _times(at: Ints, group: Ints, speed: Ints, status: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    dt = np.diff(at)
    heard = (group[1:] == group[:-1]) & (dt <= SILENCE_MS)
    moving = speed[:-1] >= MOVING
    ignition = status[:-1] & _ACC != 0
    states = (moving, ~moving & ignition, ~moving & ~ignition)
    sums = [_sums(group[1:], np.where(heard & state, dt, 0), count).astype(np.int64) for state in states]
    return sums[0], sums[1], sums[2]


def _by_odometer(rows: pa.Table, at: Ints, group: Ints, count: int) -> tuple[Ints, Bools]:
    value, valid = _values(rows, "odometer")
    value, at, group = value[valid], at[valid], group[valid]
    step: Ints = np.diff(value)
    dt: Ints = np.diff(at)
    counts = (group[1:] == group[:-1]) & (step > 0) & (step <= ODOMETER_SLACK + dt * (LIMIT_KMH * 10) / 3_600_000)
    return _sums(group[1:], np.where(counts, step, 0), count).astype(np.int64), np.bincount(group, minlength=count) > 0


def _by_geometry(rows: pa.Table, at: Ints, group: Ints, speed: Ints, count: int) -> tuple[npt.NDArray[np.float64], Bools]:
    latitude, has_latitude = _values(rows, "latitude")
    longitude, has_longitude = _values(rows, "longitude")
    valid = has_latitude & has_longitude
    at, group, slow = at[valid], group[valid], speed[valid] < MOVING
    metres = _great_circle(latitude[valid], longitude[valid])
    possible = metres <= GEOMETRY_SLACK_M + np.diff(at) * (LIMIT_KMH / 3600)
    drift = slow[1:] & slow[:-1] & (metres < DRIFT_M)
    counts = (group[1:] == group[:-1]) & possible & ~drift
    return _sums(group[1:], np.where(counts, metres, 0.0), count), np.bincount(group, minlength=count) > 0


def _great_circle(latitude: Ints, longitude: Ints) -> npt.NDArray[np.float64]:
    """Metres between neighbours; inputs in 1e-6 degrees."""
    micro = np.pi / 180e6
    phi = latitude.astype(np.float64) * micro
    cosine = np.cos(phi)
    half = np.sin(np.diff(phi) / 2) ** 2 + cosine[1:] * cosine[:-1] * np.sin(np.diff(longitude).astype(np.float64) * (micro / 2)) ** 2
    metres: npt.NDArray[np.float64] = 2 * RADIUS_M * np.arcsin(np.minimum(np.sqrt(half), 1.0))
    return metres
