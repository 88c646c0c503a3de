"""The stored form of positions: the canonical schema widened to types every engine has, plus `day` and `cell`.

Delta Lake (protocol, "Primitive Types") knows no unsigned integers and no millisecond timestamps: u8 becomes short, u16 integer, u32
long, times microseconds UTC. Values stay the scaled integers of `measurements.POSITIONS`; unit, scale and
description travel in the field metadata.
"""

import datetime as dt

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jilink.history import cells
from jilink.history.identity import identities, moments
from jilink.kernel.clock import CHINA
from jilink.spine.measurements import POSITIONS

DAY_MS = 86_400_000
OLDEST_MS = 90 * DAY_MS
NEWEST_MS = DAY_MS
_CHINA_MS = 8 * 3_600_000
_EPOCH = dt.date(1970, 1, 1)
_WIDER = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.timestamp("ms", tz="UTC"): pa.timestamp("us", tz="UTC"),
}
_NO_FIX = np.int32(-1)


def _stored_schema() -> pa.Schema:
    fields = [pa.field(f.name, _WIDER.get(f.type, f.type), nullable=f.nullable, metadata=f.metadata) for f in POSITIONS]
    doc = {"doc": "1/128 degree square of the position as a Morton code, see cells; null where not positioned", "unit": "", "scale": "1"}
    return pa.schema([*fields, pa.field("cell", pa.int32(), metadata=doc)])


STORED = _stored_schema()
"""Columns inside the files."""

PARTITION = pa.field(
    "day",
    pa.date32(),
    nullable=False,
    metadata={"doc": "UTC+8 day measured, or received where the terminal's clock is off", "unit": "", "scale": "1"},
)
TABLE = pa.schema([*STORED, PARTITION])
"""Columns of the table: the partition's value is in the path and the log, not in the files."""


class Rows:
    """Positions ready to be stored: the stored columns, and for each row its UTC+8 day number since 1970 and its identity."""

    __slots__ = ("days", "identities", "table")

    def __init__(self, table: pa.Table, days: npt.NDArray[np.int32], identities: npt.NDArray[np.uint64]) -> None:
        self.table, self.days, self.identities = table, days, identities

    def take(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Rows":
        """Return the rows of that index or mask."""
        kept = self.table.filter(pa.array(index)) if index.dtype == np.bool_ else self.table.take(pa.array(index))
        return Rows(kept, self.days[index], self.identities[index])


def prepare(positions: pa.Table) -> Rows:
    """Return positions (schema POSITIONS) in their stored form."""
    plain = positions.combine_chunks()
    received = _int64(plain["received_at"])
    measured, _ = moments(plain)
    plausible = (measured >= received - OLDEST_MS) & (measured <= received + NEWEST_MS)
    at = measured if plausible.all() else np.where(plausible, measured, received)
    days = ((at + _CHINA_MS) // DAY_MS).astype(np.int32)
    arrays = [_widen(plain[f.name], f.type) for f in STORED if f.name != "cell"]
    arrays.append(_cell_column(plain))
    table = pa.Table.from_arrays(arrays, schema=STORED)
    return Rows(table, days, identities(plain))


def restore(stored: pa.Table) -> pa.Table:
    """Return rows read from the table (any columns more are dropped) in schema POSITIONS."""
    columns = [stored[f.name].cast(f.type) if stored[f.name].type != f.type else stored[f.name] for f in POSITIONS]
    return pa.Table.from_arrays(columns, schema=POSITIONS)


def happened_ms(table: pa.Table) -> npt.NDArray[np.int64]:
    """Return when each stored row happened, ms since 1970 UTC: measured where the terminal's clock is believed, else received."""
    received = table["received_at"].cast(pa.int64()).to_numpy() // 1000
    measured = table["measured_at"].cast(pa.int64()).fill_null(0).to_numpy() // 1000
    at: npt.NDArray[np.int64] = np.where((measured >= received - OLDEST_MS) & (measured <= received + NEWEST_MS), measured, received)
    return at


def day_from_number(number: int) -> dt.date:
    """Return the day that many days after 1970-01-01."""
    return _EPOCH + dt.timedelta(days=number)


def china_day(moment: dt.datetime) -> dt.date:
    """Return the UTC+8 day of an aware time."""
    return moment.astimezone(CHINA).date()


def milliseconds(moment: dt.datetime) -> int:
    """Return the milliseconds from 1970 UTC to an aware time."""
    return int(moment.timestamp() * 1000)


def _int64(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    values: npt.NDArray[np.int64] = _one(column).view(pa.int64()).to_numpy(zero_copy_only=False)
    return values


def _one(column: pa.ChunkedArray) -> pa.Array:
    """The only chunk of a combined column."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() if column.num_chunks else pa.array([], column.type)


def _widen(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    array = _one(column)
    if array.type == kind:
        return array
    if array.null_count == len(array):
        return pa.nulls(len(array), kind)
    return array.cast(kind, safe=False)  # every target is wider than its source


def _cell_column(plain: pa.Table) -> pa.Array:
    latitude, longitude = _one(plain["latitude"]), _one(plain["longitude"])
    if latitude.null_count == 0 and longitude.null_count == 0:
        return pa.array(cells.encode(latitude.to_numpy(), longitude.to_numpy()))
    unknown = latitude.is_null().to_numpy(zero_copy_only=False) | longitude.is_null().to_numpy(zero_copy_only=False)
    codes = cells.encode(latitude.fill_null(0).to_numpy(zero_copy_only=False), longitude.fill_null(0).to_numpy(zero_copy_only=False))
    return pa.array(codes, mask=unknown)
