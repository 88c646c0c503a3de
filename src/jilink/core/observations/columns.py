"""The latest values of all assets: one numpy column a field, one row an asset, updated a batch at a time.

A later-measured fix wins; where a terminal's clock is ahead, its receipt counts (see `rules.happened`). One that arrives late (sent
from a terminal's memory, redelivered, overtaken) never overwrites a newer one. So the order and number of deliveries make no
difference to the result.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jilink.core.observations import rules
from jilink.core.observations.rules import Bools, Int64s, Order
from jilink.spine.measurements import LATEST, POSITIONS

FIRST_CAPACITY = 1024
SWEEP_MS = 2000
_EXTRA: dict[str, npt.DTypeLike] = {
    "happened_ms": np.int64,
    "received_ms": np.int64,
    "number": np.int64,
    "seen_ms": np.int64,
    "opened_ms": np.int64,
    "closed_ms": np.int64,
    "located_happened_ms": np.int64,
    "located_received_ms": np.int64,
    "located_number": np.int64,
    "located_latitude": np.int32,
    "located_longitude": np.int32,
    "alarms": np.uint32,
    "lasting": np.uint8,
    "flash_ms": np.int64,
}
"""What is kept besides the fix itself: order of the newest and of the newest located fix, sessions, open device alarms, who says that
another alarm lasts (bits of `rules.SAFETY` and `rules.RULED`), and until when one that only happened colours the asset."""

Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An alarm began (`raised`) or ended. Place in 1e-6 degrees WGS-84, None where not positioned."""

    organisation: int
    asset: int
    condition: str
    raised: bool
    at: datetime
    latitude: int | None
    longitude: int | None
    ended_at: datetime | None = None
    level: int | None = None
    label: str = ""
    rule: int | None = None
    title: str = ""


class Fleet:
    """All assets that were ever heard of. Not thread-safe: the watch's loop owns it."""

    def __init__(self) -> None:
        self.count = 0
        self.capacity = FIRST_CAPACITY
        self.columns: dict[str, Column] = {f.name: np.zeros(self.capacity, _dtype(f.type)) for f in POSITIONS}
        self.extra: dict[str, Column] = {name: np.zeros(self.capacity, kind) for name, kind in _EXTRA.items()}
        self.valid: dict[str, Bools] = {f.name: np.zeros(self.capacity, np.bool_) for f in POSITIONS if f.nullable}
        self.online = np.zeros(self.capacity, np.bool_)
        self.state = np.zeros(self.capacity, np.uint8)
        self.dirty = np.zeros(self.capacity, np.bool_)
        self.left: set[int] = set()
        """Organisations that an asset has left since the boards last looked."""
        self._swept_ms = 0
        self._ids: Int64s = np.zeros(0, np.int64)
        self._rows: Int64s = np.zeros(0, np.int64)

    # finding rows

    def rows_of(self, assets: Int64s) -> Int64s:
        """Return the row of each asset, -1 where unknown."""
        if not self._ids.size:
            return np.full(len(assets), -1, np.int64)
        place = np.minimum(np.searchsorted(self._ids, assets), self._ids.size - 1)
        found: Int64s = np.where(self._ids[place] == assets, self._rows[place], -1)
        return found

    def all_rows(self) -> Int64s:
        """Return the rows of all assets in the order of their ids."""
        return self._rows

    def of_organisations(self, organisations: list[int]) -> Int64s:
        """Return the rows of those organisations' assets in the order of their ids."""
        return self._rows[np.isin(self.numbers("organisation")[self._rows], organisations)]

    def numbers(self, name: str) -> Int64s:
        """Return a column of whole numbers, also beyond `count`."""
        return self.columns[name] if name in self.columns else self.extra[name]

    # taking in

    def apply_positions(self, batch: pa.RecordBatch) -> list[Edge]:
        """Take in a batch of schema POSITIONS; return the alarm edges it brings, in the order they happened."""
        if batch.num_rows == 0:
            return []
        assets = _numbers(batch, "asset")
        received = _numbers(batch, "received_at")
        rows = self._rows_made(assets, _numbers(batch, "organisation"))
        order = Order(
            rules.happened(_numbers(batch, "measured_at"), received),
            received,
            _numbers(batch, "serial") << 16 | _numbers(batch, "part"),
        )
        sequence = np.lexsort((order.number, order.received, order.happened, rows))
        found = self._edges(batch, rows, order, sequence)
        np.maximum.at(self.extra["seen_ms"], rows, received)
        self.dirty[rows] = True
        self._update_located(batch, rows, order, sequence)
        self._update_newest(batch, rows, order, sequence)
        return found

    def apply_sessions(self, batch: pa.RecordBatch) -> None:
        """Take in a batch of schema SESSIONS."""
        if batch.num_rows == 0:
            return
        rows = self._rows_made(_numbers(batch, "asset"), _numbers(batch, "organisation"))
        at = _numbers(batch, "at")
        began = batch.column("online").to_numpy(zero_copy_only=False)
        ended = ~began & np.array([reason != rules.REPLACED for reason in batch.column("reason").to_pylist()])
        self.dirty[rows] = True
        np.maximum.at(self.extra["opened_ms"], rows[began], at[began])
        np.maximum.at(self.extra["closed_ms"], rows[ended], at[ended])

    def refresh(self, now_ms: int) -> None:
        """Bring who is online and every state up to date, and mark the rows whose state has changed.

        Rows that were heard of are looked at each time; the silent ones every `SWEEP_MS`.
        """
        if 0 <= now_ms - self._swept_ms < SWEEP_MS:
            rows: Int64s | slice = np.flatnonzero(self.dirty[: self.count])
        else:
            rows, self._swept_ms = slice(0, self.count), now_ms
        extra = self.extra
        self.online[rows] = rules.online(extra["seen_ms"][rows], extra["opened_ms"][rows], extra["closed_ms"][rows], now_ms)
        speed = np.where(self.valid["speed"][rows], self.columns["speed"][rows], 0)
        alarmed = (extra["alarms"][rows] != 0) | (extra["lasting"][rows] != 0) | (extra["flash_ms"][rows] > now_ms)
        fresh = rules.states(self.online[rows], extra["located_happened_ms"][rows] != 0, speed, alarmed)
        self.dirty[rows] |= fresh != self.state[rows]
        self.state[rows] = fresh

    def set_owners(self, assets: Int64s, organisations: Int64s) -> None:
        """Make these the assets there are (ids ascending) and their owners: the others are forgotten.

        Assets not heard of yet get their rows now, so that their first fix is an ordinary change for viewers.
        """
        made = self.count
        self._rows_made(assets, organisations)
        self.dirty[made : self.count] = True
        place = np.minimum(np.searchsorted(assets, self._ids), max(assets.size - 1, 0))
        kept: Bools = assets[place] == self._ids if assets.size else np.zeros(self._ids.size, np.bool_)
        owners = self.numbers("organisation")
        gone = self._rows[~kept]
        moved = self._rows[kept]
        fresh = organisations[place[kept]] if assets.size else organisations[:0]
        changed = owners[moved] != fresh
        self.left |= set(owners[gone].tolist()) | set(owners[moved[changed]].tolist())
        owners[moved] = fresh
        self.dirty[moved[changed]] = True
        owners[gone] = 0
        self.dirty[gone] = False
        self._ids, self._rows = self._ids[kept], self._rows[kept]

    def set_open_alarms(self, words: dict[int, int], organisations: dict[int, int]) -> None:
        """Say which device alarms are open (alarm word by asset) where nothing else is known: at the first start."""
        assets = np.array(sorted(words), np.int64)
        rows = self._rows_made(assets, np.array([organisations.get(asset, 0) for asset in assets.tolist()], np.int64))
        self.extra["alarms"][rows] = np.array([words[asset] for asset in assets.tolist()], np.uint32)

    def set_lasting(self, source: int, assets: Iterable[int]) -> None:
        """Say for which assets, and no others, a lasting alarm of the source (`rules.SAFETY`, `rules.RULED`) is open."""
        wanted = self.rows_of(np.array(sorted(assets), np.int64))
        fresh = self.extra["lasting"] & np.uint8(~source & 0xFF)
        fresh[wanted[wanted >= 0]] |= np.uint8(source)
        self.dirty |= fresh != self.extra["lasting"]
        self.extra["lasting"] = fresh

    def flash(self, ends_ms: Mapping[int, int]) -> None:
        """Show assets as alarmed until those times: something happened there that does not last."""
        assets = np.array(sorted(ends_ms), np.int64)
        rows, ends = self.rows_of(assets), np.array([ends_ms[asset] for asset in assets.tolist()], np.int64)
        known = rows >= 0
        np.maximum.at(self.extra["flash_ms"], rows[known], ends[known])
        self.dirty[rows[known]] = True

    # giving out

    def latest(self, rows: Int64s) -> pa.RecordBatch:
        """Return a batch of schema LATEST of those rows that ever sent a fix."""
        rows = rows[self.numbers("happened_ms")[rows] != 0]
        unlocated = self.numbers("located_happened_ms")[rows] == 0
        off = self.valid["measured_at"][rows] & ~rules.believed(self.numbers("measured_at")[rows], self.numbers("received_at")[rows])
        arrays = [self._array(field, rows) for field in POSITIONS]
        arrays += [pa.array(self.online[rows]), pa.array(self.state[rows])]
        arrays.append(pa.array(self.numbers("located_happened_ms")[rows], pa.int64(), mask=unlocated).cast(LATEST.field("located_at").type))
        arrays += [pa.array(self.extra[name][rows], pa.int32(), mask=unlocated) for name in ("located_latitude", "located_longitude")]
        arrays.append(pa.array(off))
        return pa.RecordBatch.from_arrays(arrays, schema=LATEST)

    def export(self) -> pa.RecordBatch:
        """Return everything as one batch, for `restored`."""
        rows = self._rows
        arrays = [self._array(field, rows) for field in POSITIONS] + [pa.array(self.extra[name][rows]) for name in _EXTRA]
        return pa.RecordBatch.from_arrays(arrays, names=[*POSITIONS.names, *_EXTRA])

    @classmethod
    def restored(cls, batch: pa.RecordBatch) -> "Fleet":
        """Return the fleet that `export` wrote. Raises KeyError where the batch is not of this layout."""
        fleet = cls()
        rows = fleet._rows_made(_numbers(batch, "asset"), _numbers(batch, "organisation"))
        for name in _EXTRA:
            fleet.extra[name][rows] = batch.column(name).to_numpy(zero_copy_only=False)
        fleet._write(batch.select(POSITIONS.names), rows)
        return fleet

    # inside

    def _rows_made(self, assets: Int64s, organisations: Int64s) -> Int64s:
        rows = self.rows_of(assets)
        if (rows < 0).any():
            fresh, first = np.unique(assets[rows < 0], return_index=True)
            self._grow(self.count + fresh.size)
            made = np.arange(self.count, self.count + fresh.size)
            self.columns["asset"][made] = fresh
            self.columns["organisation"][made] = organisations[rows < 0][first]
            self.count += fresh.size
            ids = np.concatenate([self._ids, fresh])
            order = np.argsort(ids)
            self._ids, self._rows = ids[order], np.concatenate([self._rows, made])[order]
            rows = self.rows_of(assets)
        return rows

    def _grow(self, wanted: int) -> None:
        if wanted <= self.capacity:
            return
        while self.capacity < wanted:
            self.capacity *= 2
        for group in (self.columns, self.extra):
            for name, column in group.items():
                group[name] = _grown(column, self.capacity)
        self.valid = {name: _grown(column, self.capacity) for name, column in self.valid.items()}
        self.online = _grown(self.online, self.capacity)
        self.state = _grown(self.state, self.capacity)
        self.dirty = _grown(self.dirty, self.capacity)

    def _stored(self, rows: Int64s, prefix: str = "") -> Order:
        return Order(*(self.numbers(f"{prefix}{name}")[rows] for name in ("happened_ms", "received_ms", "number")))

    def _store(self, rows: Int64s, order: Order, picked: Int64s, prefix: str = "") -> None:
        for name, column in zip(("happened_ms", "received_ms", "number"), order, strict=True):
            self.extra[f"{prefix}{name}"][rows] = column[picked]

    def _edges(self, batch: pa.RecordBatch, rows: Int64s, order: Order, sequence: Int64s) -> list[Edge]:
        word = batch.column("alarm").to_numpy()
        quiet = (word & rules.DEVICE_BITS) == self.extra["alarms"][rows]
        if quiet.all():
            return []
        sequence = sequence[rules.newer(Order(*(c[sequence] for c in order)), self._stored(rows[sequence]))]
        if not sequence.size:
            return []
        row, after = rows[sequence], word[sequence] & np.uint32(rules.DEVICE_BITS)
        first = np.ones(row.size, np.bool_)
        first[1:] = row[1:] != row[:-1]
        before = np.where(first, self.extra["alarms"][row].astype(np.uint32), np.roll(after, 1))
        began, ended = rules.edges(before, after)
        last = np.roll(first, -1)
        last[-1] = True
        self.extra["alarms"][row[last]] = after[last]
        found = []
        for place in np.flatnonzero(began | ended).tolist():
            index = int(sequence[place])
            for raised, bits in ((False, int(ended[place])), (True, int(began[place]))):
                for condition in rules.conditions(bits):
                    found.append(self._edge(batch, index, int(row[place]), condition, raised, int(order.happened[index])))
        return found

    def _edge(self, batch: pa.RecordBatch, index: int, row: int, condition: str, raised: bool, at_ms: int) -> Edge:
        return Edge(
            organisation=int(self.numbers("organisation")[row]) or batch.column("organisation")[index].as_py(),
            asset=int(self.numbers("asset")[row]),
            condition=condition,
            raised=raised,
            at=datetime.fromtimestamp(at_ms / 1000, UTC),
            latitude=batch.column("latitude")[index].as_py(),
            longitude=batch.column("longitude")[index].as_py(),
        )

    def _update_newest(self, batch: pa.RecordBatch, rows: Int64s, order: Order, sequence: Int64s) -> None:
        picked = _last_of_each(rows, sequence)
        picked = picked[rules.newer(Order(*(c[picked] for c in order)), self._stored(rows[picked]))]
        if not picked.size:
            return
        target = rows[picked]
        self._store(target, order, picked)
        self._write(batch.take(pa.array(picked)), target)

    def _update_located(self, batch: pa.RecordBatch, rows: Int64s, order: Order, sequence: Int64s) -> None:
        place = batch.column("latitude").is_valid().to_numpy(zero_copy_only=False)
        place &= batch.column("longitude").is_valid().to_numpy(zero_copy_only=False)
        picked = _last_of_each(rows, sequence[place[sequence]])
        picked = picked[rules.newer(Order(*(c[picked] for c in order)), self._stored(rows[picked], "located_"))]
        target = rows[picked]
        self._store(target, order, picked, "located_")
        for name in ("latitude", "longitude"):
            self.extra[f"located_{name}"][target] = _numbers(batch, name)[picked]

    def _write(self, batch: pa.RecordBatch, rows: Int64s) -> None:
        owners = self.numbers("organisation")
        fresh = _numbers(batch, "organisation")
        if (changed := owners[rows] != fresh).any():
            self.left |= set(owners[rows[changed]].tolist())
        for field, column in zip(POSITIONS, batch.columns, strict=True):
            if field.nullable:
                self.valid[field.name][rows] = column.is_valid().to_numpy(zero_copy_only=False)
            self.columns[field.name][rows] = _values(column)

    def _array(self, field: pa.Field, rows: Int64s) -> pa.Array:
        values = self.columns[field.name][rows]
        mask = ~self.valid[field.name][rows] if field.nullable else None
        if pa.types.is_timestamp(field.type):
            return pa.array(values, pa.int64(), mask=mask).cast(field.type)
        return pa.array(values, field.type, mask=mask)


def _dtype(kind: pa.DataType) -> npt.DTypeLike:
    if pa.types.is_timestamp(kind):
        return np.int64
    if pa.types.is_binary(kind):
        return object
    result: npt.DTypeLike = kind.to_pandas_dtype()
    return result


def _grown(column: Column, capacity: int) -> Column:
    larger = np.zeros(capacity, column.dtype)
    larger[: column.size] = column
    return larger


def _values(column: pa.Array) -> Column:
    if pa.types.is_binary(column.type):
        result: Column = np.array([*column.to_pylist(), None], object)[:-1]
        return result
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    if column.null_count:
        column = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
    result = column.to_numpy(zero_copy_only=False)
    return result


def _numbers(batch: pa.RecordBatch, name: str) -> Int64s:
    return _values(batch.column(name)).astype(np.int64)


def _last_of_each(rows: Int64s, sequence: Int64s) -> Int64s:
    """Return, of indices sorted by row and order, the last of each row."""
    ordered = rows[sequence]
    last = np.ones(ordered.size, np.bool_)
    last[:-1] = ordered[1:] != ordered[:-1]
    return sequence[last]
