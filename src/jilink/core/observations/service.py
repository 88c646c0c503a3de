"""What the watch answers on the spine: JSON questions (`spine.subjects.WATCH_*`), answers as frames, Arrow batches or JSON.

Whoever asks has checked who may see which organisation; every question names its organisations.
"""

from collections.abc import Generator, Sequence
from typing import TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from jilink.core.observations import rules
from jilink.core.observations.columns import Fleet
from jilink.core.observations.live import Boards
from jilink.core.observations.rules import Int64s
from jilink.core.observations.tail import Tail
from jilink.kernel.errors import Malformed
from jilink.spine import arrow
from jilink.spine.measurements import LATEST

MOST_SELECTED = 10_000
MOST_TOLD = 20_000
MOST_BYTES = 4 << 20
"""A message of the spine holds 8 MB."""
MORE = b"after"
T = TypeVar("T")


class BadQuestion(Malformed):
    """A question that is not JSON of the layout expected."""


class SnapshotQuestion(msgspec.Struct, frozen=True):
    """Ask for a map frame of kind 1."""

    organisation: int


class LatestQuestion(msgspec.Struct, frozen=True):
    """Ask for the newest values, as a batch of schema LATEST by ascending asset; of all assets where none are named.

    The answer holds as many as fit a message. Where there are more, its schema's metadata say after which asset to ask on (MORE).
    """

    organisations: list[int]
    assets: list[int] | None = None
    after: int = 0


class SelectQuestion(msgspec.Struct, frozen=True):
    """Ask for counts by state and one page of asset ids, in ascending order."""

    organisations: list[int]
    state: str | None = None
    offset: int = 0
    limit: int = 100


class Selection(msgspec.Struct, frozen=True):
    """The answer: `counts` of all states, `total` of the state asked for. Assets without a place are in no count."""

    counts: dict[str, int]
    total: int
    assets: list[int]


class TailQuestion(msgspec.Struct, frozen=True):
    """Ask for the fixes of one asset that were received in about the last five minutes, schema POSITIONS."""

    organisation: int
    asset: int
    start_ms: int
    end_ms: int


class Answers:
    """Answers over one fleet. Call from the loop that owns the fleet."""

    def __init__(self, fleet: Fleet, boards: Boards, tail: Tail) -> None:
        self._fleet, self._boards, self._tail = fleet, boards, tail

    def snapshot(self, data: bytes, now_ms: int) -> bytes:
        """Answer WATCH_SNAPSHOT. Raises BadQuestion."""
        return self._boards.snapshot(_question(data, SnapshotQuestion).organisation, now_ms)

    def latest(self, data: bytes, now_ms: int) -> bytes:
        """Answer WATCH_LATEST. Raises BadQuestion."""
        question = _question(data, LatestQuestion)
        self._fleet.refresh(now_ms)
        rows = self._fleet.of_organisations(question.organisations)
        if question.assets is not None:
            asked = self._fleet.rows_of(np.array(sorted(set(question.assets)), np.int64))
            rows = asked[np.isin(asked, rows)]
        return _page(self._fleet, rows[self._fleet.numbers("asset")[rows] > question.after])

    def select(self, data: bytes, now_ms: int) -> bytes:
        """Answer WATCH_SELECT. Raises BadQuestion, also for a state that does not exist."""
        question = _question(data, SelectQuestion)
        if question.state is not None and question.state not in rules.STATES:
            raise BadQuestion("state", f"no state {question.state!r}")
        self._fleet.refresh(now_ms)
        rows = self._fleet.of_organisations(question.organisations)
        codes = self._fleet.state[rows]
        counts = {name: int((codes == code).sum()) for name, code in rules.STATES.items()}
        chosen: Int64s = rows[codes != rules.NEVER if question.state is None else codes == rules.STATES[question.state]]
        start = max(question.offset, 0)
        page = chosen[start : start + min(max(question.limit, 0), MOST_SELECTED)]
        return msgspec.json.encode(Selection(counts, int(chosen.size), self._fleet.numbers("asset")[page].tolist()))

    def tail(self, data: bytes, _now_ms: int) -> bytes:
        """Answer WATCH_TAIL. Raises BadQuestion."""
        question = _question(data, TailQuestion)
        found = self._tail.rows(question.organisation, question.asset, question.start_ms, question.end_ms)
        batches = found.combine_chunks().to_batches()
        return arrow.encode(batches[0] if batches else pa.RecordBatch.from_pylist([], schema=found.schema))


def _page(fleet: Fleet, rows: Int64s) -> bytes:
    """Return the first rows' latest values, as many as fit a message, and after which asset to ask on."""
    batch = fleet.latest(rows[:MOST_TOLD])
    size = max(1, MOST_TOLD * MOST_BYTES // max(batch.nbytes, MOST_BYTES))
    part = batch.slice(0, size)
    if rows.size > MOST_TOLD or batch.num_rows > size:
        last = part.column("asset")[-1].as_py() if batch.num_rows > size else int(fleet.numbers("asset")[rows[MOST_TOLD - 1]])
        part = part.replace_schema_metadata({**part.schema.metadata, MORE: str(last).encode()})
    return arrow.encode(part)


def all_latest(organisations: Sequence[int], assets: Sequence[int] | None) -> Generator[bytes, bytes, pa.Table]:
    """Yield the questions (WATCH_LATEST) to send, take their answers, and return all of them as one table of schema LATEST.

    The caller brings the way of asking, waiting or not. Raises what `pyarrow` raises where an answer is no Arrow stream.
    """
    found, after = [], 0
    while True:
        answer = yield msgspec.json.encode(LatestQuestion(list(organisations), None if assets is None else list(assets), after))
        page = pa.ipc.open_stream(answer).read_all()
        found.append(page.replace_schema_metadata(LATEST.metadata))
        more = (page.schema.metadata or {}).get(MORE)
        if more is None:
            return pa.concat_tables(found)
        after = int(more)


def _question(data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise BadQuestion("question", str(error)) from error
