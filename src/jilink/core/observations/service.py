"""What the watch answers on the spine: JSON questions (`spine.subjects.WATCH_*`), answers as frames, Arrow batches or JSON.

Whoever asks has checked who may see which organisation; every question names its organisations.
"""

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

MOST_SELECTED = 10_000
T = TypeVar("T")


class BadQuestion(Malformed):
    """A question that is not JSON of the layout expected."""


class SnapshotQuestion(msgspec.Struct, frozen=True):
    """Ask for a map frame of kind 1."""

    organisation: int


class LatestQuestion(msgspec.Struct, frozen=True):
    """Ask for the newest values, as a batch of schema LATEST; of all assets where none are named."""

    organisations: list[int]
    assets: list[int] | None = None


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
        return arrow.encode(self._fleet.latest(rows))

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


def _question(data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise BadQuestion("question", str(error)) from error
