"""SQL over the files of the table: one DuckDB for a process, a cursor for each read, damaged files set aside by name.

Every read names its files, its organisations and its bounds of time. Local files are opened by DuckDB itself; those of an object store
come through pyarrow, which pushes columns and bounds down.
"""

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from jilink.history.columns import NEWEST_MS, OLDEST_MS, STORED, china_day, milliseconds
from jilink.history.identity import VALUES
from jilink.history.tables import File, History
from jilink.kernel.errors import Unavailable

log = structlog.get_logger(__name__)

HAPPENED = (
    f"CASE WHEN epoch_us(measured_at) BETWEEN epoch_us(received_at) - {OLDEST_MS * 1000} AND epoch_us(received_at) + {NEWEST_MS * 1000}"
    " THEN epoch_us(measured_at) ELSE epoch_us(received_at) END"
)
"""When a row happened, in microseconds since 1970 UTC: measured where the terminal's clock is believed, else received.

`day` is its UTC+8 day. Whole numbers, because DuckDB's arithmetic with zoned times costs fifty times more.
"""
CONTENT = f"hash({', '.join(VALUES)})"
"""All that was measured, as one number."""
IDENTITY = f"asset, coalesce(measured_at, received_at), measured_at IS NULL, {CONTENT}"
"""What names a fix: the same again is a redelivery."""
ORDER = "asset, coalesce(measured_at, received_at), received_at, serial, part"
"""How a compacted day is sorted: all fixes of an asset and moment stand together, the first received first."""


class FileDamaged(Unavailable):
    """A committed file cannot be read. The message names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The bounds every read has: whose rows, and from when (included) to when (excluded), aware times."""

    organisations: Sequence[int]
    start: dt.datetime
    end: dt.datetime

    def files(self, history: History, asset: int | None = None) -> list[File]:
        """Return the files that may hold rows within the window."""
        if self.end <= self.start or not self.organisations:
            return []
        last = self.end - dt.timedelta(microseconds=1)
        found = history.files(china_day(self.start), china_day(last))
        least, greatest = min(self.organisations), max(self.organisations)
        return [
            f
            for f in found
            if f.first_organisation <= greatest
            and f.last_organisation >= least
            and (asset is None or f.first_asset <= asset <= f.last_asset)
        ]

    @property
    def sql(self) -> str:
        """The window as a condition on stored rows."""
        owners = ", ".join(str(int(o)) for o in self.organisations)
        start, end = milliseconds(self.start) * 1000, milliseconds(self.end) * 1000
        return f"organisation IN ({owners}) AND {HAPPENED} >= {start} AND {HAPPENED} < {end}"


class Scans:
    """Runs SQL over files of one history. Safe for use by several threads."""

    def __init__(self, history: History, *, threads: int = 0, memory: str = "") -> None:
        self.history = history
        self._duck = duckdb.connect(":memory:")
        self._duck.execute("SET TimeZone = 'UTC'")
        self._duck.execute("SET parquet_metadata_cache = true")
        if threads:
            self._duck.execute(f"SET threads = {threads}")
        if memory:
            self._duck.execute(f"SET memory_limit = '{memory}'")
        self._damaged: set[str] = set()
        self._lock = threading.Lock()

    def run(self, sql: str, files: Sequence[File], extra: pa.Table | None = None, *, whole: bool = False) -> pa.Table:
        """Return the result of SQL in which `rows` stands for the files' rows and those of `extra` (schema STORED).

        `kept` is true for the latter.

        A damaged file is logged with its name and left out, so that the rest stays readable; with `whole` it raises FileDamaged.
        """
        while True:
            sound = self.sound(files)
            if whole and len(sound) < len(files):
                raise FileDamaged(advice(next(f for f in files if f.path in self._damaged), self.history, "found damaged before"))
            cursor = self._duck.cursor()
            try:
                return self._prepared(cursor, sql, sound, extra).to_arrow_table()
            except (duckdb.Error, OSError, pa.ArrowInvalid):
                if not self.set_aside(sound):
                    raise
            finally:
                cursor.close()

    def reader(self, sql: str, files: Sequence[File], rows: int) -> "Stream":
        """Return the result of SQL as batches of about `rows` rows. Raises FileDamaged where a file is known to be damaged."""
        for file in files:
            reason = examine(file, self.history, deep=False)
            if reason:
                raise FileDamaged(advice(file, self.history, reason))
        cursor = self._duck.cursor()
        return Stream(cursor, self._prepared(cursor, sql, files, None).to_arrow_reader(rows))

    def sound(self, files: Sequence[File]) -> list[File]:
        """Return the files that were not found damaged."""
        return [f for f in files if f.path not in self._damaged]

    def _prepared(
        self, cursor: duckdb.DuckDBPyConnection, sql: str, files: Sequence[File], extra: pa.Table | None
    ) -> duckdb.DuckDBPyRelation:
        sources = []
        names = ", ".join(STORED.names)
        storage = self.history.storage
        if files and storage.local is not None:
            paths = ", ".join("'" + str(storage.local / f.path).replace("'", "''") + "'" for f in files)
            sources.append(f"SELECT {names}, false AS kept FROM read_parquet([{paths}], hive_partitioning = false)")  # noqa: S608 -- names of our own files, quoted
        elif files:
            cursor.register("stored", storage.dataset([f.path for f in files], STORED))
            sources.append(f"SELECT {names}, false AS kept FROM stored")  # noqa: S608 -- column names of our schema
        if extra is not None or not sources:
            cursor.register("extra", STORED.empty_table() if extra is None else extra)
            sources.append(f"SELECT {names}, true AS kept FROM extra")  # noqa: S608 -- column names of our schema
        return cursor.sql(f"WITH rows AS NOT MATERIALIZED ({' UNION ALL '.join(sources)}) {sql}")

    def set_aside(self, files: Sequence[File]) -> bool:
        """Find which of the files are damaged, remember and log them; False where all are sound."""
        found = {f.path: reason for f in files if (reason := examine(f, self.history, deep=True))}
        with self._lock:
            for file in files:
                if file.path in found and file.path not in self._damaged:
                    log.error("history.file_damaged", advice=advice(file, self.history, found[file.path]))
            self._damaged |= found.keys()
        return bool(found)


class Stream:
    """Batches of a query's result; close it when done."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, reader: pa.RecordBatchReader) -> None:
        self._cursor = cursor
        self.batches = reader

    def close(self) -> None:
        """Free what the query holds."""
        self._cursor.close()


def examine(file: File, history: History, *, deep: bool) -> str:
    """Return what is wrong with a file, empty where nothing is. Deep reads every value, else only size and footer."""
    try:
        with history.storage.open(file.path) as source:
            if source.size() != file.size:
                return f"it has {source.size()} bytes instead of {file.size}"
            parquet = pq.ParquetFile(source)
            if parquet.metadata.num_rows != file.rows:
                return f"it has {parquet.metadata.num_rows} rows instead of {file.rows}"
            if deep:
                for group in range(parquet.num_row_groups):
                    parquet.read_row_group(group, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        return str(error).splitlines()[0]
    return ""


def advice(file: File, history: History, reason: str) -> str:
    """Return a sentence that names a damaged file and says what to do."""
    return (
        f"{history.storage.url}/{file.path} is damaged ({reason}): its {file.rows} rows of {file.day} are left out."
        " Restore this file from a backup; everything else stays readable."
    )
