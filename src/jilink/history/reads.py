"""Every question that pages, API, watch and reports may ask of the history. Each names whose rows and from when to when.

Rows come back in schema `measurements.POSITIONS` (scaled integers, units in the metadata), each fix once. A `tail` (schema POSITIONS) is
what the caller knows to have arrived and may not be committed yet, for example from watch; rows in both count once.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jilink.history import cells
from jilink.history.columns import STORED, china_day, happened_ms, prepare, restore
from jilink.history.compaction import one_generation
from jilink.history.identity import unrepeated
from jilink.history.latest import Latest
from jilink.history.scans import CONTENT, IDENTITY, ORDER, Scans, Window
from jilink.history.summaries import COLUMNS, SUMMARY, summarise, total
from jilink.history.tables import File, History
from jilink.history.tracks import Tracks, chronological, selected
from jilink.kernel.clock import CHINA
from jilink.kernel.errors import Refused
from jilink.spine.measurements import POSITIONS

PIECE_ROWS = 4_000_000
LONGEST = dt.timedelta(days=366)
HEAT = pa.schema(
    [
        pa.field("cell", pa.int32(), metadata={"doc": "cell of the level asked for", "unit": "", "scale": "1"}),
        pa.field("south", pa.float64(), metadata={"doc": "southern edge, WGS-84", "unit": "deg", "scale": "1"}),
        pa.field("west", pa.float64(), metadata={"doc": "western edge, WGS-84", "unit": "deg", "scale": "1"}),
        pa.field("fixes", pa.int64(), metadata={"doc": "fixes in the cell", "unit": "", "scale": "1"}),
    ]
)


class WindowRefused(Refused):
    """The time asked for is longer than a year, or has no zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An area in degrees WGS-84."""

    south: float
    west: float
    north: float
    east: float


class Reads:
    """The reads of one history. Synchronous, safe for use by several threads; a damaged file is left out and logged."""

    def __init__(self, history: History, *, threads: int = 0) -> None:
        self.history = history
        self._scans = Scans(history, threads=threads)
        self._tracks = Tracks(self._scans)
        self._latest = Latest(self._scans)

    def committed_sequence(self) -> int:
        """Return the sequence of the stream MEASUREMENTS up to which every position is in the history; 0 where none is."""
        return self.history.committed_sequence()

    def track(self, organisation: int, asset: int, start: dt.datetime, end: dt.datetime, tail: pa.Table | None = None) -> pa.Table:
        """Return the fixes (schema POSITIONS) of an asset from start to before end, in the order they happened. Raises WindowRefused."""
        window = bounded([organisation], start, end)
        return restore(self._tracks.rows(asset, window, _stored(tail)))

    def last_known(self, organisations: Sequence[int] | None, tail: pa.Table | None = None, *, located: bool = False) -> pa.Table:
        """Return the last fix (schema POSITIONS) of each asset of the organisations; None is for the watch process alone and means all.

        `located` gives the last fix that has a position instead. An asset that changed its owner appears once, under the newest
        where the reader may see both.
        """
        rows = self._latest.rows(organisations, _stored(tail))
        if located:
            rows = rows.filter(pc.is_valid(rows["latitude"]))
        asset = rows["asset"].to_numpy()
        first = np.ones(len(asset), np.bool_)
        first[1:] = asset[1:] != asset[:-1]
        return restore(rows.filter(pa.array(first)))

    def daily_summary(self, organisation: int, asset: int, first_day: dt.date, last_day: dt.date, tail: pa.Table | None = None) -> pa.Table:
        """Return a row a UTC+8 day with fixes (schema SUMMARY; formulas in `summaries`), both days included. Raises WindowRefused."""
        window = days([organisation], first_day, last_day)
        return summarise(self._tracks.rows(asset, window, _stored(tail)))

    def mileage(self, organisations: Sequence[int], first_day: dt.date, last_day: dt.date, tail: pa.Table | None = None) -> pa.Table:
        """Return one row an asset of the organisations: totals of its days (see `summaries.total`). Raises WindowRefused."""
        window = days(organisations, first_day, last_day)
        parts = [summarise(piece) for piece in self._pieces(window, _stored(tail))]
        return total(pa.concat_tables([SUMMARY.empty_table(), *parts]))

    def heat(
        self,
        organisations: Sequence[int],
        start: dt.datetime,
        end: dt.datetime,
        *,
        level: int = 0,
        box: Box | None = None,
        tail: pa.Table | None = None,
    ) -> pa.Table:
        """Return how many fixes lie in each cell (schema HEAT); `level` 0 is 1/128 degree, each next twice as wide.

        Raises WindowRefused.
        """
        window = bounded(organisations, start, end)
        extra = _stored(tail)
        condition = f"{window.sql} AND cell IS NOT NULL"
        clean, other = self._by_cleanness(window, extra)
        counted = pa.concat_tables(
            [
                self._scans.run(f"SELECT cell >> {2 * level} AS cell, count(*) AS fixes FROM rows WHERE {condition} GROUP BY 1", clean),  # noqa: S608 -- numbers only
                self._scans.run(
                    f"SELECT cell >> {2 * level} AS cell, count(*) AS fixes FROM (SELECT first(cell) AS cell FROM rows WHERE {condition}"  # noqa: S608 -- numbers only
                    f" GROUP BY {IDENTITY}) GROUP BY 1",
                    other,
                    extra,
                ),
            ]
        )
        return _heat(counted.group_by("cell").aggregate([("fixes", "sum")]), level, box)

    def _by_cleanness(self, window: Window, extra: pa.Table | None) -> tuple[list[File], list[File]]:
        """The window's files: of days where no fix can stand twice, and the others."""
        clean: list[File] = []
        other: list[File] = []
        touched = set() if extra is None else {china_day(_moment(ms)) for ms in np.unique(happened_ms(extra) // 60_000 * 60_000)}
        for day, files in groupby(window.files(self.history), key=lambda f: f.day):
            whole = self.history.files(day, day)
            (clean if one_generation(whole) and day not in touched else other).extend(files)
        return clean, other

    def _sorted_rows(self, files: list[File], window: Window) -> pa.Table:
        """The window's rows (columns COLUMNS) of files from one rewriting, as they stand there; damaged files are left out."""
        while True:
            try:
                paths = [f.path for f in self._scans.sound(files)]
                rows = self.history.storage.dataset(paths, STORED).to_table(columns=list(COLUMNS)) if paths else STORED.empty_table()
            except (OSError, pa.ArrowException):
                if not self._scans.set_aside(files):
                    raise
            else:
                return selected(rows, window)

    def _pieces(self, window: Window, extra: pa.Table | None) -> Iterator[pa.Table]:
        """The window's rows (columns COLUMNS) in pieces sorted by asset and time, each fix once; no asset's day is in two pieces."""
        clean, other = self._by_cleanness(window, extra)
        columns = f"{', '.join(COLUMNS)}, {CONTENT} AS content"
        for files in _whole_assets(clean):
            yield chronological(self._sorted_rows(files, window))
        total_rows = sum(f.rows for f in other) + (0 if extra is None else extra.num_rows)
        if not total_rows:
            return
        assets = [f.first_asset for f in other] + [f.last_asset for f in other]
        if extra is not None and extra.num_rows:
            assets += [pc.min(extra["asset"]).as_py(), pc.max(extra["asset"]).as_py()]
        edges = np.linspace(min(assets), max(assets) + 1, total_rows // PIECE_ROWS + 2).astype(np.int64)
        for low, high in pairwise(edges.tolist()):
            condition = f"asset >= {low} AND asset < {high} AND {window.sql}"
            yield _in_order(self._scans.run(f"SELECT {columns} FROM rows WHERE {condition} ORDER BY {ORDER}", other, extra))  # noqa: S608 -- as above


def bounded(organisations: Sequence[int], start: dt.datetime, end: dt.datetime) -> Window:
    """Return the window of a read. Raises WindowRefused where it is longer than a year or its times have no zone."""
    if start.tzinfo is None or end.tzinfo is None:
        raise WindowRefused("times of a read must have a zone")
    if end - start > LONGEST:
        raise WindowRefused(f"a read may span {LONGEST.days} days at most")
    return Window(organisations=tuple(organisations), start=start, end=end)


def days(organisations: Sequence[int], first_day: dt.date, last_day: dt.date) -> Window:
    """Return the window of whole UTC+8 days, both included. Raises WindowRefused."""
    start = dt.datetime.combine(first_day, dt.time(), CHINA)
    return bounded(organisations, start, dt.datetime.combine(last_day, dt.time(), CHINA) + dt.timedelta(days=1))


def in_units(positions: pa.Table) -> pa.Table:
    """Return positions with every scaled column as float64 in its unit (value = stored x scale); names and metadata stay."""
    arrays, fields = [], []
    for field in positions.schema:
        scale = float((field.metadata or {}).get(b"scale", b"1"))
        column = positions[field.name]
        if scale != 1:
            column = pc.divide(column.cast(pa.float64()), round(1 / scale)) if scale < 1 else pc.multiply(column.cast(pa.float64()), scale)
            field = pa.field(field.name, pa.float64(), field.nullable, {**field.metadata, b"scale": b"1"})
        arrays.append(column)
        fields.append(field)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _stored(tail: pa.Table | None) -> pa.Table | None:
    return None if tail is None else prepare(tail.cast(POSITIONS)).table


def _moment(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(ms) / 1000, dt.UTC)


def _whole_assets(files: Sequence[File]) -> Iterator[list[File]]:
    """Group files of sorted days so that an asset whose day runs over two files is in one group."""
    group: list[File] = []
    for file in files:
        if group and (file.day != group[-1].day or file.first_asset > group[-1].last_asset):
            yield group
            group = []
        group.append(file)
    if group:
        yield group


def _in_order(rows: pa.Table) -> pa.Table:
    """Rows sorted by asset and moment, with what they contain, as rows sorted by asset and time, each fix once."""
    if rows.num_rows == 0:
        return rows.select(COLUMNS)
    rows = rows.combine_chunks()
    fresh = unrepeated(rows, rows["content"].to_numpy())
    rows = rows.select(COLUMNS)
    return chronological(rows if fresh is None else rows.filter(pa.array(fresh)))


def _heat(counted: pa.Table, level: int, box: Box | None) -> pa.Table:
    cell = counted["cell"].to_numpy().astype(np.int32)
    south, west = cells.south_west(cell, level)
    size = cells.size_deg(level)
    table = pa.Table.from_arrays([pa.array(cell), pa.array(south), pa.array(west), counted["fixes_sum"].cast(pa.int64())], schema=HEAT)
    if box is not None:
        inside = (south < box.north) & (south + size > box.south) & (west < box.east) & (west + size > box.west)
        table = table.filter(pa.array(inside))
    return table.sort_by("cell")


__all__ = ["HEAT", "STORED", "SUMMARY", "Box", "Reads", "WindowRefused", "bounded", "days", "in_units"]
