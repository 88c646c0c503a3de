"""What the matcher is told and what it decides. Ids are whole numbers, times whole milliseconds of any one clock."""

import msgspec

from jilink.services.contact.rules.needs import Need, Softening


class QueuePlan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How one queue is served."""

    queue: int
    share: float = 1.0
    """How much of all who wait may wait here, beside the other queues of an agent (see `shares`)."""
    target_s: int = 20
    ageing_s: int = 60
    """Waiting so long counts as much as one step of priority; 0: priority never ages."""
    overdue_s: int = 600
    """Whoever waits longer goes before the shares; 0: nobody does."""
    ring_s: int = 15
    softenings: tuple[Softening, ...] = ()


class Work(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One contact that waits."""

    contact: int
    queue: int
    channel: str
    since_ms: int
    """When it began to wait; a callback keeps the time of the call."""
    need: Need = Need()
    priority: int = 0
    emergency: bool = False
    """Of the reserved class: whoever can serve it serves it first."""
    sticky: int = 0
    """The agent who served this person last, or 0."""
    sticky_until_ms: int = 0
    """Until then it waits for that agent alone."""


class Seat(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who an agent is for the matcher."""

    agent: int
    queues: tuple[int, ...]
    skills: tuple[tuple[str, int], ...] = ()
    languages: tuple[str, ...] = ()
    capacity: tuple[tuple[str, int], ...] = (("call", 1),)
    """How many contacts of each channel at once; while on a call, nothing else is offered."""


class QueueSet(msgspec.Struct, frozen=True, gc=False):
    """A queue exists, or is served in another way from now on."""

    plan: QueuePlan


class Offered(msgspec.Struct, frozen=True, gc=False):
    """A contact begins to wait. One that is known already is not offered again."""

    work: Work


class Resumed(msgspec.Struct, frozen=True, gc=False):
    """A contact is with an agent already: told after a restart, or where it was given by hand."""

    work: Work
    agent: int


class Handed(msgspec.Struct, frozen=True, gc=False):
    """Somebody whom we called answered: it rings at the agent who was kept free for them, whatever else waits.

    `kept` is what kept the agent free (`Resumed`), and is over. Where the agent is gone, it waits as if it were offered.
    """

    work: Work
    kept: int


class Withdrawn(msgspec.Struct, frozen=True, gc=False):
    """A contact does not wait any more: abandoned, moved, overflowed."""

    contact: int


class Ranked(msgspec.Struct, frozen=True, gc=False):
    """Somebody changed a waiting contact's priority."""

    contact: int
    priority: int


class Seated(msgspec.Struct, frozen=True, gc=False):
    """An agent is there, not ready yet; or their skills, queues or capacity changed."""

    seat: Seat


class Left(msgspec.Struct, frozen=True, gc=False):
    """An agent is gone. What rings there goes back to its place; what is served stays theirs until `Released`."""

    agent: int


class Ready(msgspec.Struct, frozen=True, gc=False):
    """An agent takes work."""

    agent: int


class NotReady(msgspec.Struct, frozen=True, gc=False):
    """An agent takes no work. What rings there goes back to its place."""

    agent: int


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The agent took what was reserved for them."""

    contact: int


class RingFailed(msgspec.Struct, frozen=True, gc=False):
    """The agent's phone did not ring, was busy, or they refused: as if the ring had timed out."""

    contact: int


class Released(msgspec.Struct, frozen=True, gc=False):
    """The contact is over for its agent, wrap-up included."""

    contact: int


class Tick(msgspec.Struct, frozen=True, gc=False):
    """Time passed."""


Happening = (
    QueueSet | Offered | Resumed | Handed | Withdrawn | Ranked | Seated | Left | Ready | NotReady | Answered | RingFailed | Released | Tick
)


class Reserve(msgspec.Struct, frozen=True, gc=False):
    """Let it ring at the agent, until then."""

    contact: int
    agent: int
    until_ms: int


class Returned(msgspec.Struct, frozen=True, gc=False):
    """It does not ring there any more and waits in its old place. `missed`: the agent did not answer and is not ready now."""

    contact: int
    agent: int
    missed: bool


Decision = Reserve | Returned
