"""Which state of a case allows what: one table, asked by every action and every page. Stages and steps stand in the definition.

What a row of it refuses says why in the words kept beside it.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

from jilink.core.cases.rules.workflow import CALL_BACK, State, StepRefused
from jilink.kernel.texts import gettext_noop

_REOPEN = gettext_noop("The case is closed; reopen it first.")
_MERGE = gettext_noop("Only open cases can be merged.")


class Act(StrEnum):
    """What somebody, or a bell, wants to do with a case beside taking a step."""

    ASSIGN = "assign"
    MOVE = "move"
    EDIT = "edit"
    ESCALATE = "escalate"
    SPLIT = "split"
    MERGE = "merge"
    ASK = "ask"
    BE_LATE = "be_late"
    RATE = "rate"


class Many(StrEnum):
    """What somebody does to many cases at once."""

    ASSIGN = "assign"
    CLAIM = "claim"
    RELEASE = "release"
    MOVE = "move"
    PRIORITISE = "prioritise"
    STEP = "step"


TAKEN_BACK = frozenset(Many) - {Many.STEP}
"""What can be undone for ten seconds. A step begins and ends clocks and is told to the person: its way back is a step of its own."""


_OPEN, _CLOSED = frozenset({State.OPEN}), frozenset({State.CLOSED})
ALLOWED: Mapping[Act, frozenset[State]] = {
    Act.ASSIGN: _OPEN,
    Act.MOVE: _OPEN,
    Act.EDIT: _OPEN,
    Act.ESCALATE: _OPEN,
    Act.SPLIT: _OPEN,
    Act.MERGE: _OPEN,
    Act.ASK: _OPEN,
    Act.BE_LATE: _OPEN,
    Act.RATE: _CLOSED,
}
"""The whole of it. Notes, replies, files and links are lawful in every state: something may always be said of a case."""

_WORDS: Mapping[Act, str] = {Act.MERGE: _MERGE, Act.RATE: gettext_noop("A case is rated once it is closed.")}


def allows(state: str, act: Act) -> bool:
    """Return whether a case in this state may be dealt with so."""
    return state in ALLOWED[act]


def require(state: str, act: Act) -> None:
    """Return where `allows` says yes. Raises StepRefused."""
    if not allows(state, act):
        raise StepRefused(_WORDS.get(act, _REOPEN))


def rateable(state: str, round: int, rated: Collection[int]) -> bool:
    """Return whether it may be rated now: closed, and not rated in this round; `rated` are the rounds that were."""
    return allows(state, Act.RATE) and round not in rated


def rings(state: str, clock: str) -> bool:
    """Return whether bells of a clock count in this state: those of work while it is open, the call back at any time."""
    return clock == CALL_BACK or allows(state, Act.BE_LATE)
