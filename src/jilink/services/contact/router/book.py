"""The calls the router has in hand, found by contact or by leg, and what is due when."""

from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush

from jilink.services.contact.rules.sides import WITH_AGENT, Stage
from jilink.services.contact.rules.states import ContactState

Due = tuple[datetime, int, str, int]


@dataclass(slots=True)
class Call:
    """One contact that is served. Its orders are given in the chain of the caller's leg."""

    contact: int
    organisation: int
    queue: int
    channel: str
    node: str
    leg: str
    hop: int
    interaction: int | None
    priority: int
    emergency: bool
    enqueued_at: datetime
    state: ContactState = ContactState.WAITING
    caller: str = ""
    agent: int = 0
    agent_leg: str = ""
    rings: int = 0
    skills: tuple[str, ...] = ()
    """Skills that a flow asked for, beside those of the queue."""
    at_once: bool = False
    """We called them: the agent's phone answers by itself."""
    away: bool = False
    """The agent's phone went away in mid-call."""
    wanted: int = 0
    """The agent it waits for before all others, until `wanted_until`."""
    wanted_until: datetime | None = None
    attempts: int = 0
    """How often a callback was dialled in vain."""

    @property
    def talk(self) -> str:
        """Return the id of the talk between caller and agent: another one for each leg of the agent's, as a talk that all left ends."""
        return f"t{self.contact}r{self.rings}"

    @property
    def recording(self) -> str:
        """Return the id of the recording."""
        return f"c{self.contact}"

    @property
    def chain(self) -> str:
        """Return the chain in which orders about this caller are given."""
        return f"{self.node}/{self.leg or self.contact}"


@dataclass(slots=True)
class Ear:
    """A supervisor's leg that is to hear a conversation."""

    node: str
    leg: str
    contact: int
    mode: str
    account: int
    answered: bool = False


@dataclass(slots=True)
class Side:
    """A second leg: a colleague or a number outside, on behalf of a caller."""

    id: int
    organisation: int
    contact: int | None
    node: str
    caller_leg: str
    agent: int
    stage: Stage

    @property
    def leg(self) -> str:
        """Return the id of the second leg itself."""
        return f"s{self.id}"

    @property
    def chain(self) -> str:
        """Return the chain in which orders about its caller are given."""
        return f"{self.node}/{self.caller_leg}"


@dataclass(slots=True)
class Book:
    """Everything in hand."""

    calls: dict[int, Call] = field(default_factory=dict)
    legs: dict[tuple[str, str], int] = field(default_factory=dict)
    ears: dict[tuple[str, str], Ear] = field(default_factory=dict)
    sides: dict[int, Side] = field(default_factory=dict)
    dismissed: dict[tuple[str, str], str] = field(default_factory=dict)
    """Callers who are told something and then hung up on: leg to the play."""
    announcing: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    """Callers who hear that the call is recorded: leg to the play and the contact, which is offered then."""
    announced: dict[tuple[str, str], bool] = field(default_factory=dict)
    """Legs for which that was tried, and whether it was said to the end."""
    keyed: dict[int, datetime] = field(default_factory=dict)
    """When keys were marked on a contact's recording."""
    _due: list[Due] = field(default_factory=list)
    _count: int = 0

    def add(self, call: Call) -> None:
        """Take a call in."""
        self.calls[call.contact] = call
        if call.leg:
            self.legs[call.node, call.leg] = call.contact
        if call.agent_leg:
            self.legs[call.node, call.agent_leg] = call.contact

    def ring(self, call: Call, agent: int, leg: str) -> None:
        """Note the leg that rings at an agent."""
        call.agent, call.agent_leg, call.rings = agent, leg, call.rings + 1
        self.legs[call.node, leg] = call.contact

    def ring_again(self, call: Call, leg: str) -> None:
        """Note another leg to the agent who has the call; what becomes of the one before concerns nobody."""
        self.legs.pop((call.node, call.agent_leg), None)
        self.ring(call, call.agent, leg)

    def unring(self, call: Call) -> str:
        """Forget the agent's leg and return it."""
        leg, call.agent_leg, call.agent = call.agent_leg, "", 0
        self.legs.pop((call.node, leg), None)
        return leg

    def forget(self, call: Call) -> None:
        """Let a call go."""
        self.calls.pop(call.contact, None)
        self.keyed.pop(call.contact, None)
        for leg in (call.leg, call.agent_leg):
            if self.legs.get((call.node, leg)) == call.contact:
                del self.legs[call.node, leg]

    def of_leg(self, node: str, leg: str) -> Call | None:
        """Return the call of a leg, the caller's or the agent's."""
        contact = self.legs.get((node, leg))
        return None if contact is None else self.calls.get(contact)

    def side_of(self, contact: int) -> Side | None:
        """Return the second leg that a contact's agent has."""
        return next((side for side in self.sides.values() if side.contact == contact and side.stage in WITH_AGENT), None)

    def remind(self, when: datetime, what: str, contact: int) -> None:
        """Note that something is due."""
        self._count += 1
        heappush(self._due, (when, self._count, what, contact))

    def due(self, now: datetime) -> list[tuple[str, int]]:
        """Return and forget what is due."""
        found = []
        while self._due and self._due[0][0] <= now:
            _when, _count, what, contact = heappop(self._due)
            found.append((what, contact))
        return found
