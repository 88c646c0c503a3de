"""What the matcher keeps: who waits in lanes, who serves in groups. Everything is sorted at all times, nothing is searched through."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field

from jilink.services.contact.rules.happenings import QueuePlan, Seat, Work
from jilink.services.contact.rules.needs import Need, fits

CALL = "call"
"""While one of these is with an agent, nothing else is offered to them."""

Key = tuple[int, int, int, int, int]
"""Order within a queue: class (0 emergency), rank, when it began to wait, order of arrival, contact."""
Place = tuple[int, int, int]
"""Order among free agents: contacts in hand, free since, agent."""


@dataclass(slots=True)
class Lane:
    """Waiting contacts of one queue that ask for the same, in their order."""

    queue: int
    channel: str
    need: Need
    emergency: bool
    agent: int = 0
    """The one who alone may serve it; 0: the groups may."""
    keys: list[Key] = field(default_factory=list)
    groups: "dict[int, Group]" = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """Agents who are alike: the same queues, skills, languages."""

    number: int
    queues: tuple[int, ...]
    skills: dict[str, int]
    languages: frozenset[str]
    lanes: dict[int, list[Lane]] = field(default_factory=dict)
    """What they may serve, by queue; emergencies apart."""
    emergencies: list[Lane] = field(default_factory=list)
    free: dict[str, list[Place]] = field(default_factory=dict)
    """Who of them can take one more, by channel."""

    def serves(self, queue: int, need: Need) -> bool:
        """Return whether they may serve this need of a queue."""
        return queue in self.queues and fits(need, self.skills, self.languages)

    def add(self, lane: Lane) -> None:
        """Take a lane among those to be served, where they may serve it."""
        if self.serves(lane.queue, lane.need):
            lane.groups[self.number] = self
            if lane.emergency:
                self.emergencies.append(lane)
            else:
                self.lanes.setdefault(lane.queue, []).append(lane)


@dataclass(slots=True)
class Agent:
    """One agent as the matcher sees them."""

    seat: Seat
    group: Group
    capacity: dict[str, int]
    ready: bool = False
    gone: bool = False
    free_since: int = 0
    load: dict[str, int] = field(default_factory=dict)
    held: dict[int, None] = field(default_factory=dict)
    """Contacts that ring here or are served."""
    sticky: dict[tuple[int, str], Lane] = field(default_factory=dict)
    """Contacts that wait for this agent alone, by queue and channel."""
    place: Place | None = None
    open: tuple[str, ...] = ()
    """Channels on which the agent stands in `Group.free`."""

    def can_take(self) -> tuple[str, ...]:
        """Return the channels on which one more may be offered now."""
        if not self.ready or self.gone or self.load.get(CALL, 0):
            return ()
        return tuple([channel for channel, most in self.capacity.items() if self.load.get(channel, 0) < most])


@dataclass(slots=True)
class Held:
    """One contact the matcher knows."""

    work: Work
    key: Key
    state: str
    """`waiting`, `ringing`, `serving`."""
    lane: Lane | None = None
    agent: int = 0
    stamp: int = 0
    """Grows with every move; a timer of before a move means nothing."""


@dataclass(slots=True)
class Line:
    """One queue: its plan and the order of all who wait in it."""

    plan: QueuePlan
    order: list[Key] = field(default_factory=list)


def put(keys: list[Key], key: Key) -> None:
    """Insert in order."""
    if not keys or key > keys[-1]:
        keys.append(key)
    else:
        insort(keys, key)


def take(keys: list[Key], key: Key) -> None:
    """Remove what is there."""
    if keys[0] == key:
        del keys[0]
    else:
        del keys[bisect_left(keys, key)]


def rank(plan: QueuePlan, work: Work, arrival: int) -> Key:
    """Return the place of a contact in its queue.

    Priority grows by one with every `ageing_s` of waiting. All of a queue age alike, so who is before whom never changes with
    time, and the order can be kept as a fixed key: when it began to wait, less `ageing_s` for each step of priority.
    """
    if work.emergency:
        return (0, 0, work.since_ms, arrival, work.contact)
    by = work.since_ms - work.priority * plan.ageing_s * 1000 if plan.ageing_s else -work.priority
    return (1, by, work.since_ms, arrival, work.contact)
