"""The states of contacts and of agents, and every move there is."""

from enum import StrEnum

from jilink.kernel.errors import Refused


class ContactState(StrEnum):
    """Where a contact stands. The last is final."""

    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    WRAPPING = "wrapping"
    """The conversation is over, the agent writes down what it was."""
    ENDED = "ended"


class End(StrEnum):
    """How a contact left its queue for good."""

    SERVED = "served"
    ABANDONED = "abandoned"
    """They hung up while they waited."""
    TURNED_AWAY = "turned_away"
    """The queue was closed, full or without agents."""
    OVERFLOWED = "overflowed"
    """They waited longer than the queue lets anybody, and there was nowhere else to go."""
    MOVED = "moved"
    """To another queue, where it is a contact of its own."""
    UNREACHED = "unreached"
    """A callback that nobody answered, however often it was tried."""
    LOST = "lost"
    """The telephone engine went away with the call."""


_S = ContactState
NEXT: dict[ContactState, frozenset[ContactState]] = {
    _S.WAITING: frozenset({_S.RINGING, _S.ENDED}),
    _S.RINGING: frozenset({_S.WAITING, _S.TALKING, _S.ENDED}),
    _S.TALKING: frozenset({_S.WRAPPING, _S.ENDED}),
    _S.WRAPPING: frozenset({_S.ENDED}),
    _S.ENDED: frozenset(),
}
"""Every move of a contact."""
WITH_AGENT = frozenset({_S.TALKING, _S.WRAPPING})
OPEN = frozenset(NEXT) - {_S.ENDED}


class AgentState(StrEnum):
    """Whether an agent takes contacts. What they do with one is told by the contact."""

    OFF = "off"
    READY = "ready"
    PAUSED = "paused"
    MISSED = "missed"
    """Not ready because something rang and was not answered."""


_A = AgentState
AGENT_NEXT: dict[AgentState, frozenset[AgentState]] = {
    _A.OFF: frozenset({_A.READY, _A.PAUSED}),
    _A.READY: frozenset({_A.PAUSED, _A.MISSED, _A.OFF}),
    _A.PAUSED: frozenset({_A.READY, _A.OFF, _A.PAUSED}),
    _A.MISSED: frozenset({_A.READY, _A.PAUSED, _A.OFF}),
}
"""Every move of an agent; from one reason of a pause to another is a move too."""


class WrongMove(Refused):
    """A contact or an agent cannot go from its state to that one."""


def move(state: str, to: ContactState) -> ContactState:
    """Return the new state of a contact. Raises WrongMove where the table has no such move."""
    if to not in NEXT[ContactState(state)]:
        raise WrongMove("A contact that is %(state)s cannot become %(to)s.", state=state, to=to.value)
    return to


def move_agent(state: str, to: AgentState) -> AgentState:
    """Return the new state of an agent. Raises WrongMove where the table has no such move."""
    if to not in AGENT_NEXT[AgentState(state)]:
        raise WrongMove("An agent who is %(state)s cannot become %(to)s.", state=state, to=to.value)
    return to
