"""From the stream to the table: batches gather, one commit stores them together with the place in the stream they reach.

The place lives in the table alone (see docs/decisions/0030): whatever happens between two commits, reading goes on after the last one,
so nothing is lost and nothing stored twice. What cannot be decoded is kept as a file under its sequence and never stops the rest.
"""

import contextlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from jilink.history.columns import STORED, milliseconds, prepare
from jilink.history.identity import VALUES, identities
from jilink.history.recent import Recent
from jilink.history.storage import StorageFull, sync_folder
from jilink.history.tables import APPLICATION, History
from jilink.kernel.errors import Malformed
from jilink.spine.arrow import decode
from jilink.spine.measurements import POSITIONS

log = structlog.get_logger(__name__)

_EARLIEST_MS, _LATEST_MS = 946_684_800_000, 7_258_118_400_000
"""2000 and 2200: a time of receipt outside is not one."""
STORED_AT = ".at"
"""Ending of the transaction that holds, in ms, when the stream stored the message at the place."""
REMEMBERED_ROWS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What one commit did."""

    sequence: int
    rows: int
    repeated: int


class NotAMoment(Malformed):
    """A batch whose time of receipt cannot be. Reason: ``time``."""


class Writer:
    """Gathers batches of one stream and commits them. Not safe for use by several threads at once."""

    def __init__(self, history: History, aside: Path, *, stream: str = "", recent: Recent | None = None) -> None:
        """`stream` tells one life of the stream from another: with a new one, reading starts at its beginning."""
        self.history = history
        self._aside = aside
        self._application = f"{APPLICATION}.{stream}" if stream else APPLICATION
        self._recent = recent or Recent()
        self.place = history.committed_sequence(self._application)
        """The last sequence taken in."""
        self.stored_at = _moment(history.committed_sequence(self._application + STORED_AT))
        """When the stream stored the message at `place`: it tells it from another that took its number later."""
        self.set_aside = 0
        self._batches: list[pa.RecordBatch] = []
        self.rows = 0
        """Rows gathered and not yet committed."""
        self._committed = self.place
        self._remember()

    @property
    def uncommitted(self) -> bool:
        """Whether anything was taken in since the last commit."""
        return self.place > self._committed

    def add(self, sequence: int, payload: bytes, stored_at: datetime | None = None) -> None:
        """Take in a message (schema POSITIONS). One at or before `place` was taken in already and is passed over.

        What is malformed is set aside with its reason. Raises StorageFull where that cannot be written; then it was not taken in.
        """
        if sequence <= self.place:
            return
        try:
            batch = decode(payload, POSITIONS)
            _check(batch)
        except Malformed as error:
            self._keep(sequence, payload, error)
        else:
            self._batches.append(batch)
            self.rows += batch.num_rows
        self.place, self.stored_at = sequence, stored_at

    def rewind(self, sequence: int) -> None:
        """Go back to a place, because the stream has lost what came after it and gives its numbers to other messages.

        What was gathered is stored first. Raises Unavailable: call again.
        """
        self.commit()
        if self.history.committed_sequence(self._application) > sequence:
            self.history.append(prepare(POSITIONS.empty_table()), self._places(sequence, None))
        self.place = self._committed = sequence
        self.stored_at = None

    def _places(self, sequence: int, stored_at: datetime | None) -> dict[str, int]:
        moment = 0 if stored_at is None else milliseconds(stored_at)
        return {APPLICATION: sequence, self._application: sequence, self._application + STORED_AT: moment}

    def commit(self) -> Committed:
        """Store what was gathered, durably, in one commit. Raises Unavailable: everything stays gathered, call again."""
        if not self.uncommitted:
            return Committed(sequence=self.place, rows=0, repeated=0)
        rows = prepare(pa.Table.from_batches(self._batches, schema=POSITIONS))
        new = self._recent.new(rows.identities)
        fresh = rows if new is None else rows.take(new)
        if self.history.committed_sequence(self._application) < self.place:  # else the commit before failed after it was made
            self.history.append(fresh, self._places(self.place, self.stored_at))
        self._recent.remember(fresh.identities)
        done = Committed(sequence=self.place, rows=len(fresh.days), repeated=self.rows - len(fresh.days))
        self._batches, self.rows, self._committed = [], 0, self.place
        return done

    def _remember(self) -> None:
        """Take the identities of the rows committed last back into memory. A damaged file is passed over here."""
        files = sorted((f for f in self.history.files() if not f.sorted), key=lambda f: f.modified_ms, reverse=True)
        room = REMEMBERED_ROWS
        for file in files:
            room -= file.rows
            if room < 0:
                return
            with contextlib.suppress(OSError, pa.ArrowException):
                columns = ["asset", "received_at", "measured_at", *VALUES]
                table = self.history.storage.dataset([file.path], STORED).to_table(columns=columns)
                self._recent.remember(identities(table.combine_chunks()))

    def _keep(self, sequence: int, payload: bytes, error: Malformed) -> None:
        """Write what cannot be stored as a file of its own, with the reason beside it."""
        try:
            self._aside.mkdir(parents=True, exist_ok=True)
            note = json.dumps({"sequence": sequence, "reason": error.reason, "message": str(error), "bytes": len(payload)})
            for name, data in ((f"{sequence}.batch", payload), (f"{sequence}.json", note.encode())):
                with (self._aside / name).open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            sync_folder(self._aside)
        except OSError as failure:
            raise StorageFull(f"could not keep a malformed batch in {self._aside}: {failure.strerror}") from failure
        self.set_aside += 1
        log.warning("history.batch_set_aside", sequence=sequence, reason=error.reason, file=str(self._aside / f"{sequence}.batch"))


def _moment(ms: int) -> datetime | None:
    return datetime.fromtimestamp(ms / 1000, UTC) if ms else None


def _check(batch: pa.RecordBatch) -> None:
    if batch.num_rows == 0:
        return
    bounds = pc.min_max(batch.column("received_at").view(pa.int64())).as_py()
    if bounds["min"] < _EARLIEST_MS or bounds["max"] > _LATEST_MS:
        raise NotAMoment("time", "received_at lies before 2000 or after 2200")
