"""The last fix of every asset, kept in a small table of its own so that finding it never means reading years.

The snapshot holds, for each owner and asset, the last row and the last row with a position. Reading joins to it what was received since
(less an hour, by which batches of different gateways may overtake each other) and passes over compactions of what it has seen. Writing
it anew is that same reading, so it can be lost or late without harm: then more is read.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import TableNotFoundError

from jilink.history.columns import DAY_MS, STORED, milliseconds
from jilink.history.scans import HAPPENED, Scans
from jilink.history.storage import Storage
from jilink.history.tables import delta_errors

OVERTAKING_MS = 3_600_000
SEEN = "positions"
"""Application transaction of the snapshot: the version of the history it was made from."""
_LAST = "happened DESC, received_at DESC, serial DESC, part DESC"
_NEWEST = f"""
    , moments AS NOT MATERIALIZED (
        SELECT *, {HAPPENED} AS happened FROM rows WHERE NOT kept AND {{since}} AND {{condition}}
        UNION ALL SELECT *, {HAPPENED} AS happened FROM rows WHERE kept AND {{condition}})
    , ends AS (
        SELECT organisation AS o, asset AS a, max(happened) AS last_at, max(happened) FILTER (WHERE latitude IS NOT NULL) AS located_at
        FROM moments GROUP BY ALL)
    , few AS (
        SELECT moments.* FROM moments JOIN ends ON organisation = o AND asset = a
        WHERE happened = last_at OR (happened = located_at AND latitude IS NOT NULL))
    SELECT {", ".join(STORED.names)} FROM few
    QUALIFY row_number() OVER (PARTITION BY organisation, asset ORDER BY {_LAST}) = 1
    OR (latitude IS NOT NULL AND row_number() OVER (PARTITION BY organisation, asset, latitude IS NOT NULL ORDER BY {_LAST}) = 1)
    ORDER BY asset, {_LAST}
"""  # noqa: S608 -- column names of our schema


class Latest:
    """The snapshot of one history and what has come since."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._storage = Storage(f"{scans.history.root}/latest")

    def rows(self, organisations: Sequence[int] | None, extra: pa.Table | None = None) -> pa.Table:
        """Return one or two stored rows an owner and asset, by asset and newest first: its last, and its last with a position."""
        if organisations is not None and not organisations:
            return STORED.empty_table()
        snapshot, seen = self._snapshot()
        files = self._scans.history.files()
        condition = "true" if organisations is None else f"organisation IN ({', '.join(str(int(o)) for o in organisations)})"
        since = "true"
        if snapshot.num_rows:
            since_ms = milliseconds(pc.max(snapshot["received_at"]).as_py()) - OVERTAKING_MS
            files = [f for f in files if f.last_received_ms >= since_ms and (f.based_on is None or f.based_on > seen)]
            since = f"received_at >= make_timestamptz({since_ms * 1000})"
        known = snapshot if extra is None else pa.concat_tables([snapshot, extra])
        return self._scans.run(_NEWEST.format(condition=condition, since=since), files, known)

    def refresh(self) -> int:
        """Write the snapshot anew; return its rows. Raises Unavailable."""
        seen = self._scans.history.version()
        rows = self.rows(None)
        self._replace(rows, seen)
        return len(rows)

    def forget(self, today: dt.date, days_of: Mapping[int, int], default_days: int) -> None:
        """Drop from the snapshot what retention has deleted from the history."""
        rows, seen = self._snapshot()
        received = rows["received_at"].cast(pa.int64()).to_numpy() // 1000
        kept = []
        now_ms = milliseconds(dt.datetime.combine(today, dt.time(), dt.UTC))
        for owner, at in zip(rows["organisation"].to_pylist(), received.tolist(), strict=True):
            days = days_of.get(owner, default_days)
            kept.append(not days or at >= now_ms - (days + 1) * DAY_MS)
        if not all(kept):
            self._replace(rows.filter(pa.array(kept)), seen)

    def _replace(self, rows: pa.Table, seen: int) -> None:
        """Write the snapshot of what the history held at its version `seen`."""
        place = CommitProperties(app_transactions=[Transaction(app_id=SEEN, version=seen)])
        kept = {"delta.deletedFileRetentionDuration": "interval 1 hours"}
        with delta_errors(self._storage):
            write_deltalake(self._storage.url, rows, mode="overwrite", configuration=kept, commit_properties=place)
            DeltaTable(self._storage.url).vacuum(1, dry_run=False, enforce_retention_duration=False)

    def _snapshot(self) -> tuple[pa.Table, int]:
        """The snapshot's rows, and the version of the history that it was made from."""
        with delta_errors(self._storage):
            try:
                table = DeltaTable(self._storage.url)
            except TableNotFoundError:
                return STORED.empty_table(), -1
            actions = pa.table(table.get_add_actions(flatten=True))
            seen = table.transaction_version(SEEN)
        paths: list[str] = actions["path"].to_pylist()
        rows = self._storage.dataset(paths, STORED).to_table() if paths else STORED.empty_table()
        return rows, -1 if seen is None else seen
