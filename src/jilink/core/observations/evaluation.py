"""Rules over latest values, for whole columns at once: which alarms begin and end with a batch. Pure; times are arguments.

Each rule has its state as columns over the assets it has seen. A report that is not later than the last one of its asset changes nothing,
so that deliveries again make no difference, and an edge's time depends on the reports alone: two evaluators that see the same tell the
same.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from jilink.core.observations import rules
from jilink.core.observations.conditions import SCALES, Condition, Flags, Geofence, Rate, Silence, Threshold, shape
from jilink.core.observations.rules import Bools, Int64s

Floats = npt.NDArray[np.float64]
STATE = pa.schema(
    [
        pa.field("rule", pa.int64(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("asset", pa.int64(), nullable=False),
        pa.field("since_ms", pa.int64(), nullable=False),
        pa.field("last_ms", pa.int64(), nullable=False),
        pa.field("open", pa.bool_(), nullable=False),
        pa.field("from_ms", pa.int64(), nullable=False),
        pa.field("from_value", pa.float64(), nullable=False),
    ]
)
"""The state of all rules: since when a condition holds (0: it does not), up to which report it was looked at, whether its alarm is open,
and the report that a rate is counted from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as the evaluator knows it: of which organisations, and which edition of it."""

    id: int
    version: int
    organisations: frozenset[int]
    condition: Condition

    @property
    def name(self) -> str:
        """The condition of its alarms."""
        return name_of(self.id)


class Change(NamedTuple):
    """An alarm of a rule begins or ends. `row` is the row of the batch that shows it, -1 where silence does."""

    rule: int
    asset: int
    raised: bool
    at_ms: int
    row: int


def name_of(rule: int) -> str:
    """Return the condition of a rule's alarms."""
    return f"rule.{rule}"


class Reports(NamedTuple):
    """One report of each of some assets, in columns; values as floats in their units, NaN where not available."""

    assets: Int64s
    at_ms: Int64s
    rows: Int64s
    batch: pa.RecordBatch

    def value(self, name: str) -> Floats:
        """Return a measured value of these rows."""
        column = self.batch.column(name).take(pa.array(self.rows)).cast(pa.float64())
        result: Floats = column.to_numpy(zero_copy_only=False) * SCALES[name]
        return result

    def word(self, name: str) -> tuple[Int64s, Bools]:
        """Return a word of bits of these rows, and where it is known."""
        column = self.batch.column(name).take(pa.array(self.rows)).cast(pa.int64())
        return column.fill_null(0).to_numpy(), column.is_valid().to_numpy(zero_copy_only=False)

    def place(self) -> tuple[Floats, Floats]:
        """Return longitude and latitude of these rows in degrees, NaN where not positioned."""
        found = [self.batch.column(n).take(pa.array(self.rows)).cast(pa.float64()) for n in ("longitude", "latitude")]
        return found[0].to_numpy(zero_copy_only=False) / 1e6, found[1].to_numpy(zero_copy_only=False) / 1e6


class Standing:
    """One rule with the state of every asset it has looked at."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.ids: Int64s = np.zeros(0, np.int64)
        self.since: Int64s = np.zeros(0, np.int64)
        self.last: Int64s = np.zeros(0, np.int64)
        self.open: Bools = np.zeros(0, np.bool_)
        self.from_ms: Int64s = np.zeros(0, np.int64)
        self.from_value: Floats = np.zeros(0, np.float64)
        self._test = _test_of(rule.condition)

    def slots(self, assets: Int64s) -> Int64s:
        """Return the place of each asset in the columns, made where it is new."""
        fresh = np.setdiff1d(assets, self.ids)
        if fresh.size:
            ids = np.concatenate([self.ids, fresh])
            order = np.argsort(ids)
            self.ids = ids[order]
            for name in ("since", "last", "open", "from_ms", "from_value"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros(fresh.size, column.dtype)])[order])
        return np.searchsorted(self.ids, assets)

    def look(self, reports: Reports) -> list[Change]:
        """Look at one report of each of some assets."""
        slots = self.slots(reports.assets)
        later = reports.at_ms > self.last[slots]
        slots, reports = slots[later], Reports(reports.assets[later], reports.at_ms[later], reports.rows[later], reports.batch)
        if not slots.size:
            return []
        self.last[slots] = reports.at_ms
        holds, over = self._test(self, reports, slots)
        since, was = self.since[slots], self.open[slots]
        since = np.where(holds & (since == 0), reports.at_ms, since)
        begins = holds & ~was & (reports.at_ms - since >= getattr(self.rule.condition, "for_s", 0) * 1000)
        ends = over & was
        self.since[slots] = np.where(over, 0, since)
        self.open[slots] = (was | begins) & ~ends
        return [
            Change(self.rule.id, int(reports.assets[k]), bool(begins[k]), int(reports.at_ms[k]), int(reports.rows[k]))
            for k in np.flatnonzero(begins | ends).tolist()
        ]

    def listen(self, assets: Int64s, heard_ms: Int64s, now_ms: int) -> list[Change]:
        """Look at who was heard of when, for a rule of silence."""
        limit = getattr(self.rule.condition, "for_s", 0) * 1000
        slots = self.slots(assets)
        silent = (heard_ms > 0) & (now_ms - heard_ms >= limit)
        begins, ends = silent & ~self.open[slots], ~silent & self.open[slots] & (heard_ms > self.since[slots])
        self.since[slots] = np.where(begins, heard_ms + limit, self.since[slots])
        self.open[slots] = (self.open[slots] | begins) & ~ends
        at = np.where(begins, heard_ms + limit, heard_ms)
        return [Change(self.rule.id, int(assets[k]), bool(begins[k]), int(at[k]), -1) for k in np.flatnonzero(begins | ends).tolist()]

    def ends(self, which: Bools, now_ms: int) -> list[Change]:
        """Return the ends of some alarms now, and never before their last report."""
        at = np.maximum(self.last, now_ms)
        return [Change(self.rule.id, int(self.ids[k]), False, int(at[k]), -1) for k in np.flatnonzero(which).tolist()]

    def set_open(self, asset: int, at_ms: int) -> None:
        """Take an alarm as open since then, as the database says."""
        slot = self.slots(np.array([asset], np.int64))
        self.open[slot] = True
        self.since[slot] = at_ms
        self.last[slot] = np.maximum(self.last[slot], at_ms)


Test = Callable[[Standing, Reports, Int64s], tuple[Bools, Bools]]
"""Returns where a condition holds, and where it is over; neither where nothing can be said."""


def _test_of(condition: Condition) -> Test:
    if isinstance(condition, Threshold):
        return _threshold(condition)
    if isinstance(condition, Geofence):
        return _fence(condition)
    if isinstance(condition, Rate):
        return _rate(condition)
    if isinstance(condition, Flags):
        return _flags(condition)
    return lambda _standing, reports, _slots: (np.zeros(reports.assets.size, np.bool_), np.zeros(reports.assets.size, np.bool_))


def _threshold(condition: Threshold) -> Test:
    def test(_standing: Standing, reports: Reports, _slots: Int64s) -> tuple[Bools, Bools]:
        value = reports.value(condition.value)
        if condition.side == "above":
            return value > condition.limit, value <= condition.clear
        return value < condition.limit, value >= condition.clear

    return test


def _fence(condition: Geofence) -> Test:
    fence = shape(condition)

    def test(_standing: Standing, reports: Reports, _slots: Int64s) -> tuple[Bools, Bools]:
        longitude, latitude = reports.place()
        known = ~np.isnan(longitude) & ~np.isnan(latitude)
        inside = shapely.contains_xy(fence, longitude, latitude)
        holds = inside if condition.side == "inside" else ~inside
        return holds & known, ~holds & known

    return test


def _rate(condition: Rate) -> Test:
    def test(standing: Standing, reports: Reports, slots: Int64s) -> tuple[Bools, Bools]:
        value = reports.value(condition.value)
        known = ~np.isnan(value)
        began, first = standing.from_ms[slots], standing.from_value[slots]
        apart = reports.at_ms - began
        due = known & (began > 0) & (apart >= condition.over_s * 1000)
        change = np.where(due, (value - first) * 60_000 / np.maximum(apart, 1), 0.0)
        holds = due & ((change if condition.side == "rising" else -change) > condition.per_minute)
        anew = due | (known & (began == 0))
        standing.from_ms[slots] = np.where(anew, reports.at_ms, began)
        standing.from_value[slots] = np.where(anew, np.nan_to_num(value), first)
        return holds, due & ~holds

    return test


def _flags(condition: Flags) -> Test:
    def test(_standing: Standing, reports: Reports, _slots: Int64s) -> tuple[Bools, Bools]:
        word, known = reports.word(condition.word)
        holds = ((word & condition.mask) != 0) == condition.set_
        return holds & known, ~holds & known

    return test


class Evaluation:
    """All rules with their states. `open_assets` says where an alarm of a rule is open."""

    def __init__(self) -> None:
        self.standings: dict[int, Standing] = {}

    def set_rules(self, wanted: Iterable[Rule], now_ms: int) -> list[Change]:
        """Make these the rules, and return the ends of alarms whose rule is gone, was changed or no longer concerns anyone."""
        fresh = {rule.id: rule for rule in wanted}
        ended: list[Change] = []
        for number, standing in list(self.standings.items()):
            rule = fresh.get(number)
            if rule is not None and rule.version == standing.rule.version and rule.condition == standing.rule.condition:
                standing.rule = rule
                continue
            ended += standing.ends(standing.open, now_ms)
            del self.standings[number]
        for number, rule in fresh.items():
            if number not in self.standings:
                self.standings[number] = Standing(rule)
        return ended

    def take(self, batch: pa.RecordBatch, owners: Int64s) -> list[Change]:
        """Look at a batch of schema POSITIONS, its rows' owners beside it; return what begins and ends, in order of time."""
        active = [each for each in self.standings.values() if not isinstance(each.rule.condition, Silence)]
        if not active or not batch.num_rows:
            return []
        assets = batch.column("asset").to_numpy().astype(np.int64)
        received = batch.column("received_at").cast(pa.int64()).to_numpy()
        measured = batch.column("measured_at").cast(pa.int64()).fill_null(0).to_numpy()
        at_ms = rules.happened(measured, received)
        changes: list[Change] = []
        for standing in active:
            rows = np.flatnonzero(np.isin(owners, list(standing.rule.organisations)))
            for turn in _turns(assets, at_ms, rows):
                changes += standing.look(Reports(assets[turn], at_ms[turn], turn, batch))
        return sorted(changes, key=lambda change: change.at_ms)

    def listen(self, assets: Int64s, owners: Int64s, heard_ms: Int64s, now_ms: int) -> list[Change]:
        """Look at when every asset was last heard of; return which silences begin and end."""
        changes: list[Change] = []
        for standing in self.standings.values():
            if isinstance(standing.rule.condition, Silence):
                mine = np.isin(owners, list(standing.rule.organisations))
                changes += standing.listen(assets[mine], heard_ms[mine], now_ms)
        return changes

    def open_assets(self) -> set[int]:
        """Return the assets with an open alarm of any rule."""
        return {int(asset) for each in self.standings.values() for asset in each.ids[each.open]}

    def keep(self, assets: Int64s, owners: Int64s, now_ms: int) -> list[Change]:
        """Forget assets that are gone or belong to none of a rule's organisations any more; return the ends of their open alarms."""
        ended: list[Change] = []
        for each in self.standings.values():
            mine = assets[np.isin(owners, list(each.rule.organisations))]
            kept = np.isin(each.ids, mine)
            if not kept.all():
                ended += each.ends(each.open & ~kept, now_ms)
                for name in ("ids", "since", "last", "open", "from_ms", "from_value"):
                    setattr(each, name, getattr(each, name)[kept])
        return ended

    def export(self) -> pa.RecordBatch:
        """Return the state of all rules (schema STATE)."""
        parts = []
        for number, each in self.standings.items():
            size = each.ids.size
            head = [np.full(size, number), np.full(size, each.rule.version), each.ids]
            parts.append([*head, each.since, each.last, each.open, each.from_ms, each.from_value])
        if not parts:
            return pa.RecordBatch.from_pylist([], schema=STATE)
        columns = [np.concatenate(list(column)) for column in zip(*parts, strict=True)]
        return pa.RecordBatch.from_arrays([pa.array(c, f.type) for c, f in zip(columns, STATE, strict=True)], schema=STATE)

    def restore(self, state: pa.RecordBatch) -> None:
        """Take the state that `export` gave, for the rules that are still of the same version."""
        numbers, versions = state.column("rule").to_numpy(), state.column("version").to_numpy()
        for number, each in self.standings.items():
            rows = np.flatnonzero((numbers == number) & (versions == each.rule.version))
            rows = rows[np.argsort(state.column("asset").to_numpy()[rows])]
            part = state.take(pa.array(rows))
            each.ids, each.since, each.last, each.open, each.from_ms, each.from_value = (
                np.array(part.column(name).to_numpy(zero_copy_only=False))
                for name in ("asset", "since_ms", "last_ms", "open", "from_ms", "from_value")
            )


def _turns(assets: Int64s, at_ms: Int64s, rows: Int64s) -> list[Int64s]:
    """Split rows so that each part holds an asset once and the parts follow each other in time."""
    if not rows.size:
        return []
    order = rows[np.lexsort((at_ms[rows], assets[rows]))]
    ids = assets[order]
    start = np.maximum.accumulate(np.where(np.concatenate([[True], ids[1:] != ids[:-1]]), np.arange(ids.size), 0))
    rank = np.arange(ids.size) - start
    return [order[rank == turn] for turn in range(int(rank.max()) + 1)]
