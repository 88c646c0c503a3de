"""Rewriting: a day sorted by asset and time in few small files, early merging of the day under way, old files removed, retention.

All of it replaces exactly the files it has read, in one commit; rows that arrive meanwhile lie in other files and are not touched.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import structlog
from deltalake.transaction import AddAction

from jilink.history.columns import STORED
from jilink.history.identity import last_moment, unrepeated
from jilink.history.scans import ORDER, Scans
from jilink.history.tables import BOUNDS, SORTED, File, History, delta_errors

log = structlog.get_logger(__name__)

FILE_ROWS = 1 << 20
GROUP_ROWS = 1 << 14
MERGE_FILES = 48
GRACE_HOURS = 1
_DELTA = ("asset", "measured_at", "received_at", "serial", "latitude", "longitude", "odometer", "altitude", "fuel", "course")
"""Columns whose neighbours in a sorted day differ little: stored as differences (Parquet, "Delta Encoding")."""
_ENCODING = {name: "DELTA_BINARY_PACKED" for name in _DELTA}
_DICTIONARY = [name for name in STORED.names if name not in _DELTA]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What a rewriting did to a day."""

    day: dt.date
    rows_before: int
    rows: int
    bytes_before: int
    bytes: int


class Compaction:
    """Keeps one history small and quick to read. Only the process that writes runs it, one call at a time."""

    def __init__(self, history: History, *, memory: str = "2GB") -> None:
        self.history = history
        self._scans = Scans(history, threads=1, memory=memory)

    def compact(self, day: dt.date, *, without: Sequence[int] = ()) -> Compacted:
        """Rewrite a day sorted by asset and time, each fix once, without the rows of the organisations `without`.

        Raises FileDamaged before anything is changed where a file of the day is damaged, StorageFull where there is no room.
        """
        return self._rewrite(day, self.history.files(day, day), without)

    def merge(self, day: dt.date) -> Compacted | None:
        """Rewrite the unsorted files of a day as sorted ones beside those there are; None where they are few. For the day under way."""
        files = [f for f in self.history.files(day, day) if not f.sorted]
        return self._rewrite(day, files, ()) if len(files) >= MERGE_FILES else None

    def unfinished(self, before: dt.date) -> list[dt.date]:
        """Return the days before one that are not wholly sorted and free of duplicates, oldest first."""
        days: dict[dt.date, list[File]] = {}
        for file in self.history.files(None, before - dt.timedelta(days=1)):
            days.setdefault(file.day, []).append(file)
        return [day for day, files in sorted(days.items()) if not one_generation(files)]

    def retain(self, today: dt.date, days_of: Mapping[int, int], default_days: int = 0) -> list[Compacted]:
        """Delete what is older than each organisation's days (`default_days` for those not named; 0 keeps for ever)."""
        done = []
        oldest = today - dt.timedelta(days=min([d for d in [*days_of.values(), default_days] if d > 0], default=0))
        if oldest == today:
            return []
        days = sorted({f.day for f in self.history.files(None, oldest - dt.timedelta(days=1))})
        for day in days:
            files = self.history.files(day, day)
            over = [o for o in self._organisations(files) if 0 < days_of.get(o, default_days) < (today - day).days]
            if over:
                done.append(self._rewrite(day, files, over))
                log.info("history.retained", day=str(day), organisations=over, rows=done[-1].rows_before - done[-1].rows)
        return done

    def vacuum(self, grace_hours: int = GRACE_HOURS) -> int:
        """Remove files that no commit of the last hours names, those that a crash left behind among them; return how many."""
        table = self.history.table()
        if table is None:
            return 0
        with delta_errors(self.history.storage):
            return len(table.vacuum(grace_hours, dry_run=False, enforce_retention_duration=False, full=True))

    def _organisations(self, files: Sequence[File]) -> list[int]:
        found = self._scans.run("SELECT DISTINCT organisation FROM rows ORDER BY 1", files, whole=True)
        return [int(o) for o in found["organisation"].to_pylist()]

    def _rewrite(self, day: dt.date, files: Sequence[File], without: Sequence[int]) -> Compacted:
        if not files:
            return Compacted(day=day, rows_before=0, rows=0, bytes_before=0, bytes=0)
        kept = f"WHERE organisation NOT IN ({', '.join(str(int(o)) for o in without)})" if without else ""
        stream = self._scans.reader(f"SELECT {', '.join(STORED.names)} FROM rows {kept} ORDER BY {ORDER}", files, FILE_ROWS // 4)  # noqa: S608 -- whole numbers only
        generation = f"{SORTED}{self.history.version()}-"
        adds: list[AddAction] = []
        rows = 0
        try:
            for table in _pieces(stream.batches):
                adds.append(self.history.add_file(day, table, generation, write_small))
                rows += table.num_rows
        except BaseException:
            self.history.discard(adds)
            raise
        finally:
            stream.close()
        self.history.commit(adds, files, data_change=bool(without))
        done = Compacted(
            day=day,
            rows_before=sum(f.rows for f in files),
            rows=rows,
            bytes_before=sum(f.size for f in files),
            bytes=sum(a.size for a in adds),
        )
        log.info("history.compacted", day=str(day), files=len(files), rows=rows, repeated=done.rows_before - rows, bytes=done.bytes)
        return done


def one_generation(files: Sequence[File]) -> bool:
    """Whether the files of one day come from one rewriting, so that they hold no fix twice and follow each other in order."""
    return all(f.sorted for f in files) and len({f.based_on for f in files}) <= 1


def write_small(table: pa.Table, file: BinaryIO | pa.NativeFile) -> None:
    """Write sorted rows in few bytes, in groups small enough that one vehicle's day is read in milliseconds."""
    pq.write_table(
        table,
        file,
        row_group_size=GROUP_ROWS,
        use_dictionary=_DICTIONARY,
        column_encoding=_ENCODING,
        compression="zstd",
        compression_level=6,
        write_statistics=list(BOUNDS),
        store_schema=False,
    )


def _pieces(batches: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Cut sorted rows into tables of about FILE_ROWS, each fix once and no asset in two of them unless it alone is longer."""
    held: list[pa.Table] = []
    for table in _once(batches):
        held.append(table)
        while sum(t.num_rows for t in held) >= FILE_ROWS:
            whole = pa.concat_tables(held).combine_chunks()
            cut = _cut(whole["asset"].to_numpy())
            yield whole.slice(0, cut)
            held = [whole.slice(cut)]
    rest = pa.concat_tables(held).combine_chunks() if held else STORED.empty_table()
    if rest.num_rows:
        yield rest


def _once(batches: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Give sorted rows without repetitions; the last moment of a batch waits for the next, which may repeat it."""
    waiting = STORED.empty_table()
    for batch in batches:
        table = pa.concat_tables([waiting, pa.Table.from_batches([batch]).cast(STORED)]).combine_chunks()
        cut = last_moment(table)
        yield _fresh(table.slice(0, cut))
        waiting = table.slice(cut)
    yield _fresh(waiting)


def _fresh(table: pa.Table) -> pa.Table:
    kept = unrepeated(table.combine_chunks())
    return table if kept is None else table.filter(pa.array(kept))


def _cut(assets: npt.NDArray[np.int64]) -> int:
    """Where to end a file: at FILE_ROWS, moved back to where an asset begins."""
    begin = int(np.searchsorted(assets, assets[FILE_ROWS - 1], side="left"))
    return begin or FILE_ROWS
