"""The history as a Delta Lake table: what is in it, appending, replacing files, and starting after damage.

Delta Lake's log (protocol, "Delta Log Entries") makes each commit whole or absent. A commit of the writer carries the stream sequence up
to which everything is stored as an application transaction ("Transaction Identifiers"), so that the place and the rows move together.
"""

import contextlib
import datetime as dt
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from jilink.history.columns import PARTITION, TABLE, Rows, day_from_number, milliseconds
from jilink.history.storage import Storage, StorageFull
from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings

log = structlog.get_logger(__name__)

APPLICATION = "history"
BOUNDS = ("organisation", "asset", "received_at", "measured_at")
"""Columns whose least and greatest value stand in the log and in every row group, so that reads skip what cannot match."""
NEW = "new-"
SORTED = "sorted-"
"""Names of files that hold a day sorted by asset and time, free of duplicates among themselves."""
CONFIGURATION = {
    "delta.logRetentionDuration": "interval 2 days",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
    "delta.checkpointInterval": "50",
}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
Write = Callable[[pa.Table, BinaryIO | pa.NativeFile], None]
"""A way to write rows to a file."""


class HistoryUnreadable(Unavailable):
    """The table's log cannot be read. The message names the file and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of the table, with the bounds of what it holds; times in ms since 1970 UTC."""

    path: str
    day: dt.date
    size: int
    rows: int
    modified_ms: int
    first_asset: int
    last_asset: int
    first_organisation: int
    last_organisation: int
    first_received_ms: int
    last_received_ms: int

    @property
    def sorted(self) -> bool:
        """Whether the file comes from a compaction."""
        return SORTED in self.path

    @property
    def based_on(self) -> int | None:
        """The version of the table in which a compaction found every row of this file; None where the file is no compaction's."""
        return int(self.path.rpartition("/")[2].removeprefix(SORTED).partition("-")[0]) if self.sorted else None


class History:
    """The table of positions. One process appends and compacts; any number read. Safe for use by several threads."""

    def __init__(self, settings: Settings) -> None:
        root = settings.history_url.rstrip("/") or (settings.data.expanduser().resolve() / "history").as_uri()
        self.root = root
        self.storage = Storage(f"{root}/positions")
        self._table: DeltaTable | None = None
        self._files: tuple[int, list[File]] = (-1, [])
        self._lock = threading.RLock()

    def create(self) -> None:
        """Create the table where there is none. Raises StorageFull, HistoryUnreadable."""
        if self.storage.local is not None:
            try:
                self.storage.local.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageFull(f"could not create {self.storage.local}: {error.strerror or error}") from error
        with self._lock, delta_errors(self.storage):
            DeltaTable.create(
                self.storage.url,
                Schema.from_arrow(TABLE),
                mode="ignore",
                partition_by=[PARTITION.name],
                name="positions",
                description="Position reports; value = stored x scale of the column's metadata",
                configuration=CONFIGURATION,
            )
            self._table = DeltaTable(self.storage.url)

    def table(self) -> DeltaTable | None:
        """Return the table at its newest version; None while there is none."""
        with self._lock, delta_errors(self.storage):
            if self._table is None:
                try:
                    self._table = DeltaTable(self.storage.url)
                except TableNotFoundError:
                    return None
            else:
                self._table.update_incremental()
            return self._table

    def version(self) -> int:
        """Return the newest version; -1 while there is no table."""
        table = self.table()
        return -1 if table is None else table.version()

    def committed_sequence(self, application: str = APPLICATION) -> int:
        """Return the stream sequence up to which every position is in the table; 0 where none is."""
        table = self.table()
        return 0 if table is None else table.transaction_version(application) or 0

    def files(self, first_day: dt.date | None = None, last_day: dt.date | None = None) -> list[File]:
        """Return the files of the days from first to last (all where None), sorted ones in the order of their assets."""
        with self._lock:
            table = self.table()
            if table is None:
                return []
            if self._files[0] != table.version():
                self._files = (table.version(), _listed(table))
            listed = self._files[1]
        return [f for f in listed if (first_day is None or f.day >= first_day) and (last_day is None or f.day <= last_day)]

    def append(self, rows: Rows, positions: dict[str, int]) -> int:
        """Store rows and the stream positions (application to sequence) in one commit; return the rows stored.

        Returns once the commit is durable. Raises StorageFull or Unavailable: ask `committed_sequence` before trying again.
        """
        adds: list[AddAction] = []
        try:
            for number in np.unique(rows.days):
                same = rows.days == number
                part = rows if same.all() else rows.take(same)
                adds.append(self.add_file(day_from_number(int(number)), part.table, NEW, write_quickly))
        except Unavailable:
            self.discard(adds)
            raise
        self.commit(adds, [], positions)
        return len(rows.days)

    def add_file(self, day: dt.date, table: pa.Table, prefix: str, write: Write) -> AddAction:
        """Write one file of a day and return the action that would add it. Raises StorageFull."""
        path = f"day={day.isoformat()}/{prefix}{uuid.uuid4().hex}.parquet"
        size = self.storage.write(path, lambda file: write(table, file))
        return AddAction(
            path=path,
            size=size,
            partition_values={"day": day.isoformat()},
            modification_time=int(time.time() * 1000),
            data_change=prefix == NEW,
            stats=_statistics(table),
        )

    def discard(self, adds: Iterable[AddAction]) -> None:
        """Remove files that were written but never committed."""
        for add in adds:
            self.storage.remove(add.path)

    def commit(
        self, adds: Sequence[AddAction], removes: Iterable[File], positions: dict[str, int] | None = None, *, data_change: bool = False
    ) -> None:
        """Make files part of the table and others no longer, at once and durably. Raises Unavailable, as a rule with nothing changed."""
        moment = int(time.time() * 1000)
        gone = [RemoveAction(f.path, data_change, moment, f.size, {"day": f.day.isoformat()}) for f in removes]
        transactions = [Transaction(app_id=name, version=sequence) for name, sequence in (positions or {}).items()]
        with self._lock:
            if self.table() is None:
                self.create()
            try:
                with delta_errors(self.storage):
                    table = self._opened()
                    table.create_write_transaction(
                        [*adds, *gone],
                        "append",
                        Schema.from_arrow(TABLE),
                        partition_by=[PARTITION.name],
                        commit_properties=CommitProperties(app_transactions=transactions, max_commit_retries=20),
                    )
            except Unavailable:
                self._table = None  # its state is not to be trusted after a failure
                if adds and not any(f.path == adds[0].path for f in self.files()):
                    self.discard(adds)
                    raise
                if not adds:
                    raise
            self.storage.sync_log(self.version())

    def _opened(self) -> DeltaTable:
        table = self.table()
        if table is None:
            raise Unavailable(f"there is no table at {self.storage.url}")
        return table


def write_quickly(table: pa.Table, file: BinaryIO | pa.NativeFile) -> None:
    """Write rows as they come, at the speed they come: plain encoding, Snappy; compaction makes them small."""
    pq.write_table(
        table, file, row_group_size=131_072, use_dictionary=False, compression="snappy", write_statistics=list(BOUNDS), store_schema=False
    )


@contextlib.contextmanager
def delta_errors(storage: Storage) -> Iterator[None]:
    """Turn what the Delta Lake library raises into Unavailable, with the table's name."""
    try:
        yield
    except TableNotFoundError:
        raise
    except (DeltaError, OSError) as error:
        full = "No space left" in str(error) or "os error 28" in str(error) or "File too large" in str(error)
        told = " ".join(_COLOURS.sub("", str(error)).split())
        check = "" if storage.local is not None else " (check AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"
        raise (StorageFull if full else HistoryUnreadable)(f"{storage.url}: {told}{check}") from error


def _statistics(table: pa.Table) -> str:
    """Row count, bounds and null counts as Delta Lake writes them ("Per-file Statistics")."""
    least: dict[str, int | str] = {}
    greatest: dict[str, int | str] = {}
    nulls: dict[str, int] = {}
    for name in BOUNDS:
        column = table[name]
        nulls[name] = column.null_count
        bounds = pc.min_max(column).as_py()
        if bounds["min"] is not None:
            least[name], greatest[name] = _json_value(bounds["min"]), _json_value(bounds["max"])
    return json.dumps({"numRecords": table.num_rows, "minValues": least, "maxValues": greatest, "nullCount": nulls})


def _json_value(value: int | dt.datetime) -> int | str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    return value


def _listed(table: DeltaTable) -> list[File]:
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    files = [
        File(
            path=row["path"],
            day=row["partition.day"],
            size=row["size_bytes"],
            rows=row["num_records"],
            modified_ms=row["modification_time"],
            first_asset=row["min.asset"],
            last_asset=row["max.asset"],
            first_organisation=row["min.organisation"],
            last_organisation=row["max.organisation"],
            first_received_ms=milliseconds(row["min.received_at"]),
            last_received_ms=milliseconds(row["max.received_at"]),
        )
        for row in actions
    ]
    return sorted(files, key=lambda f: (f.day, not f.sorted, f.first_asset, f.path))
