"""Beginnings, going on and ends of sessions as batches of the schema SESSIONS, and the word to other workers that a terminal has moved."""

from collections.abc import Callable
from datetime import datetime

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jilink.spine import arrow, subjects
from jilink.spine.measurements import SESSIONS

MOST_WAITING = 200_000
"""Rows kept while the spine is down; beyond it the oldest go, and watch notices the silence instead."""

ALIVE = "alive"
"""Reason of a row that says: the session goes on, and its terminal was heard of then."""
MOST_ALIVE = 20_000
"""Rows of one such batch."""
Int64s = npt.NDArray[np.int64]


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """A terminal has authenticated: `records.digest` of its phone, and when (milliseconds since 1970)."""

    key: str
    at_ms: int


class Takeover(msgspec.Struct, frozen=True, kw_only=True):
    """Payload on `subjects.TAKEOVER`."""

    worker: str
    arrivals: list[Arrival]


Row = tuple[int, int, datetime, bool, str, str]
takeover_decoder = msgspec.json.Decoder(Takeover)


class Journal:
    """Gathers rows until `flush`. Rows that could not be stored come back and are tried again."""

    def __init__(
        self, worker: str, publish: Callable[[str, bytes, Callable[[bool], None]], None], send: Callable[[str, bytes], None]
    ) -> None:
        self._worker = worker
        self._publish = publish
        self._send = send
        self._rows: list[Row] = []
        self._arrivals: list[Arrival] = []
        self._on_the_way = False

    def arrive(self, key: str, at: datetime) -> None:
        """A terminal has authenticated here: other workers drop theirs."""
        self._arrivals.append(Arrival(key, int(at.timestamp() * 1000)))

    def begin(self, organisation: int, asset: int, at: datetime) -> None:
        """A terminal came online."""
        self._rows.append((organisation, asset, at, True, self._worker, ""))

    def end(self, organisation: int, asset: int, at: datetime, reason: str) -> None:
        """A terminal's session ended."""
        self._rows.append((organisation, asset, at, False, self._worker, reason))

    def alive(self, organisations: Int64s, assets: Int64s, heard_ms: Int64s) -> None:
        """Say when terminals with a session were last heard of (milliseconds since 1970). What is lost is told again next time."""
        for start in range(0, assets.size, MOST_ALIVE):
            part = slice(start, start + MOST_ALIVE)
            columns: list[object] = [organisations[part], assets[part], heard_ms[part]]
            count = len(assets[part])
            columns += [np.ones(count, np.bool_), [self._worker] * count, [ALIVE] * count]
            arrays = [pa.array(column, field.type) for column, field in zip(columns, SESSIONS, strict=True)]
            batch = pa.RecordBatch.from_arrays(arrays, schema=SESSIONS)
            self._publish(subjects.sessions(self._worker), arrow.encode(batch), lambda _stored: None)

    def flush(self) -> None:
        """Hand over what has gathered. One batch is on its way at a time, so that rows stay in order."""
        if self._arrivals:
            self._send(subjects.TAKEOVER, msgspec.json.encode(Takeover(worker=self._worker, arrivals=self._arrivals)))
            self._arrivals = []
        if self._on_the_way or not self._rows:
            return
        rows, self._rows = self._rows, []
        self._on_the_way = True
        self._publish(subjects.sessions(self._worker), arrow.encode(_batch(rows)), lambda stored: self._settle(rows, stored))

    def idle(self) -> bool:
        """Tell whether nothing waits."""
        return not (self._rows or self._on_the_way)

    def _settle(self, rows: list[Row], stored: bool) -> None:
        self._on_the_way = False
        if not stored:
            self._rows = (rows + self._rows)[-MOST_WAITING:]


def _batch(rows: list[Row]) -> pa.RecordBatch:
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), SESSIONS, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=SESSIONS)
