"""What supervisors and agents see: queues, numbers, phones, who is there, who waits, and the figures of today."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.services.contact.models import Agent, Contact, Fact, Number, Phone, Queue, Spell
from jilink.services.contact.reads.mine import HELD, UNHELD
from jilink.services.contact.rules import statistics
from jilink.services.contact.rules.design import QueueDesign, read_design
from jilink.services.contact.rules.states import OPEN, AgentState, ContactState, End
from jilink.services.contact.rules.statistics import Figures, Passed, Span
from jilink.spine.calls import phone_key

HIDDEN = "There is no such thing, or you may not see it."
LONGEST_REPORT = timedelta(days=100)


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue and how it stands now."""

    id: int
    organisation: int
    key: str
    version: int
    design: QueueDesign
    waiting: int
    ringing: int
    talking: int
    wrapping: int
    longest_since: datetime | None
    """Since when the first of those who wait, or ring, waits."""


@dataclass(frozen=True, slots=True)
class NumberView:
    """A number that people dial."""

    id: int
    organisation: int
    dialled: str
    queue: int | None
    flow: str


@dataclass(frozen=True, slots=True)
class PhoneView:
    """A phone."""

    id: int
    organisation: int
    extension: str
    user: int | None
    webrtc: bool
    enabled: bool
    caller: str
    lent_until: datetime | None

    @property
    def endpoint(self) -> str:
        """Return its name at the engines, which is also its user name."""
        return phone_key(self.organisation, self.extension)


@dataclass(frozen=True, slots=True)
class AgentView:
    """Somebody who takes contacts, and what they are at."""

    user: int
    organisation: int
    state: AgentState
    reason: str
    since: datetime
    contact: int | None
    doing: str
    """State of the contact they have, or ""."""


def queues(actor: Actor) -> list[QueueView]:
    """Return the queues the actor may see, as they stand now."""
    allowed = access.organisations_of(actor, Permission.VIEW_QUEUES)
    rows = list(Queue.objects.filter(organisation__in=allowed, retired_at=None).order_by("organisation", "key"))
    counts: dict[int, dict[str, int]] = {}
    since: dict[int, datetime] = {}
    for queue, state, enqueued in Contact.objects.filter(queue__in=rows, state__in=OPEN).values_list("queue", "state", "enqueued_at"):
        held = counts.setdefault(queue, {})
        held[state] = held.get(state, 0) + 1
        if state in (ContactState.WAITING, ContactState.RINGING):
            since[queue] = min(enqueued, since.get(queue, enqueued))
    return [
        QueueView(
            id=row.pk,
            organisation=row.organisation_id,
            key=row.key,
            version=row.version,
            design=read_design(row.design),
            waiting=counts.get(row.pk, {}).get(ContactState.WAITING, 0),
            ringing=counts.get(row.pk, {}).get(ContactState.RINGING, 0),
            talking=counts.get(row.pk, {}).get(ContactState.TALKING, 0),
            wrapping=counts.get(row.pk, {}).get(ContactState.WRAPPING, 0),
            longest_since=since.get(row.pk),
        )
        for row in rows
    ]


def queue(actor: Actor, queue: int) -> QueueView:
    """Return one queue. Raises NotFound."""
    found = next((one for one in queues(actor) if one.id == queue), None)
    if found is None:
        raise NotFound(HIDDEN)
    return found


def numbers(actor: Actor) -> list[NumberView]:
    """Return the numbers of organisations whose queues the actor may manage."""
    allowed = access.organisations_of(actor, Permission.MANAGE_QUEUES)
    rows = Number.objects.filter(organisation__in=allowed).order_by("organisation", "dialled")
    return [NumberView(row.pk, row.organisation_id, row.dialled, row.queue_id, row.flow) for row in rows]


def number(actor: Actor, line: int) -> NumberView:
    """Return one number. Raises NotFound."""
    found = next((one for one in numbers(actor) if one.id == line), None)
    if found is None:
        raise NotFound(HIDDEN)
    return found


def phones(actor: Actor) -> list[PhoneView]:
    """Return the phones of organisations whose queues the actor may manage."""
    allowed = access.organisations_of(actor, Permission.MANAGE_QUEUES)
    rows = Phone.objects.filter(organisation__in=allowed).order_by("organisation", "extension")
    return [
        PhoneView(row.pk, row.organisation_id, row.extension, row.user_id, row.webrtc, row.enabled, row.caller, row.until) for row in rows
    ]


def phone(actor: Actor, phone: int) -> PhoneView:
    """Return one phone. Raises NotFound."""
    found = next((one for one in phones(actor) if one.id == phone), None)
    if found is None:
        raise NotFound(HIDDEN)
    return found


def agents(actor: Actor) -> list[AgentView]:
    """Return who is there now in organisations whose agents the actor supervises."""
    allowed = access.organisations_of(actor, Permission.SUPERVISE_QUEUES)
    rows = list(Agent.objects.filter(organisation__in=allowed).exclude(state=AgentState.OFF).order_by("since"))
    held = {
        agent: (contact, state)
        for contact, agent, state in Contact.objects.filter(agent__in=[row.pk for row in rows], state__in=OPEN).values_list(
            "pk", "agent", "state"
        )
    }
    return [
        AgentView(row.pk, row.organisation_id, AgentState(row.state), row.reason, row.since, *held.get(row.pk, (None, ""))) for row in rows
    ]


def figures(actor: Actor, begin: datetime, end: datetime, now: datetime, minutes: int = 30) -> list[Figures]:
    """Return the figures of all queues the actor may see, by interval (rules.statistics says how). Raises NotFound for too long a time."""
    allowed = access.organisations_of(actor, Permission.VIEW_QUEUES)
    if end - begin > LONGEST_REPORT or not 1 <= minutes <= 24 * 60:
        raise NotFound("Ask for at most 100 days at once.")
    rows = Contact.objects.filter(organisation__in=allowed, offered_at__gte=begin, offered_at__lt=end)
    designs = {row.pk: read_design(row.design) for row in Queue.objects.filter(organisation__in=allowed)}
    zone = begin.tzinfo
    held: dict[int, list[tuple[datetime, bool]]] = {}
    facts = Fact.objects.filter(contact__in=rows, what__in=(HELD, UNHELD)).order_by("at", "pk")
    for contact, what, at in facts.values_list("contact", "what", "at"):
        held.setdefault(contact, []).append((at, what == HELD))
    passed = [
        Passed(
            queue=row.queue_id, offered_at=row.offered_at.astimezone(zone), answered_at=row.answered_at, ended_at=row.left_at,
            wrapped_up_at=row.ended_at if row.answered_at else None, agent=row.agent_id, moved=row.end == End.MOVED,
            hold_s=statistics.held_s(held.get(row.pk, ()), row.left_at or now),
        )
        for row in rows.iterator()
    ]  # fmt: skip
    return statistics.figures(
        passed,
        length=timedelta(minutes=minutes),
        target_s={key: design.target_s for key, design in designs.items()},
        short_s={key: design.short_s for key, design in designs.items()},
        now=now,
    )


def spells(actor: Actor, begin: datetime, end: datetime, now: datetime) -> list[Span]:
    """Return what agents whom the actor supervises were when, cut to a time."""
    allowed = access.organisations_of(actor, Permission.SUPERVISE_QUEUES)
    rows = Spell.objects.filter(organisation__in=allowed, begin__lt=end).exclude(end__lt=begin).order_by("begin")
    return [Span(agent=row.user_id, state=row.state, begin=max(row.begin, begin), end=min(row.end or now, end)) for row in rows.iterator()]
