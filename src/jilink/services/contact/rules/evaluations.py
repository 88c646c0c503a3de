"""What may become of an evaluation: given, read, disputed, decided."""

from collections.abc import Mapping
from enum import StrEnum

from jilink.kernel.errors import Refused


class EvaluationState(StrEnum):
    """Where an evaluation stands."""

    GIVEN = "given"
    """The agent has not confirmed it."""
    READ = "read"
    DISPUTED = "disputed"
    UPHELD = "upheld"
    CHANGED = "changed"
    """Decided for the agent: scored anew."""


class EvaluationRefused(Refused):
    """It cannot be done with the evaluation as it is."""


_S = EvaluationState
MOVES: Mapping[EvaluationState, frozenset[EvaluationState]] = {
    _S.GIVEN: frozenset({_S.READ, _S.DISPUTED}),
    _S.READ: frozenset({_S.DISPUTED}),
    _S.DISPUTED: frozenset({_S.UPHELD, _S.CHANGED}),
    _S.UPHELD: frozenset(),
    _S.CHANGED: frozenset(),
}
"""An evaluation is disputed once; what was decided stands."""


def move(state: str, to: EvaluationState) -> EvaluationState:
    """Return the new state. Raises EvaluationRefused."""
    if to not in MOVES[EvaluationState(state)]:
        raise EvaluationRefused("The evaluation is %(state)s now.", state=state)
    return to


def may(state: str, to: EvaluationState) -> bool:
    """Return whether an evaluation in that state may become the other."""
    return to in MOVES[EvaluationState(state)]
