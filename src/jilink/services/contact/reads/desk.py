"""What the router and the engines' projections need to know: no wall is asked, whoever calls stands on no side of any."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, DurationField, F

from jilink.core.cases.assignment import reads as skills
from jilink.core.cases.reads.types import calendar
from jilink.core.cases.rules.calendar import compiled
from jilink.core.interactions import reads as interactions
from jilink.core.parties import access
from jilink.core.parties.access import NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA
from jilink.kernel.ids import InteractionId
from jilink.services.contact.models import Agent, Contact, Fact, Number, Phone, Queue
from jilink.services.contact.reads.written_work import capacity
from jilink.services.contact.rules.design import QueueDesign, read_design
from jilink.services.contact.rules.happenings import Seat
from jilink.services.contact.rules.needs import LANGUAGE
from jilink.services.contact.rules.states import OPEN, AgentState, ContactState
from jilink.services.contact.rules.written import capacity_of
from jilink.spine.calls import Phone as Line
from jilink.spine.calls import phone_key

FULL = 5
HOUR = timedelta(hours=1)
HANDLED_WITHIN = timedelta(hours=8)
ENOUGH = 5
"""So many contacts tell how long one takes."""
LAST = 20
AWAY, BACK = "away", "back"
"""Facts: the agent's phone went away in mid-call, and is heard again."""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue that takes contacts."""

    id: int
    organisation: int
    key: str
    design: QueueDesign


@dataclass(frozen=True, slots=True)
class Place:
    """An agent who is there: for the matcher, and where to ring."""

    agent: int
    organisation: int
    endpoint: str
    state: AgentState
    seat: Seat
    browser: bool = False
    """Whether the phone is a browser, whose calls end with its page."""


@dataclass(frozen=True, slots=True)
class OpenContact:
    """A contact that is not over."""

    id: int
    organisation: int
    queue: int
    channel: str
    node: str
    leg: str
    hop: int
    interaction: int | None
    state: str
    priority: int
    emergency: bool
    agent: int
    agent_leg: str
    rings: int
    enqueued_at: datetime
    left_at: datetime | None
    wanted: int
    wanted_until: datetime | None
    attempts: int


def queues() -> dict[int, QueueRow]:
    """Return every queue that takes contacts."""
    rows = Queue.objects.filter(retired_at=None).order_by("pk")
    return {row.pk: QueueRow(row.pk, row.organisation_id, row.key, read_design(row.design)) for row in rows}


def is_known(node: str, leg: str) -> bool:
    """Return whether a leg was ever in a queue by itself."""
    return Contact.objects.filter(node=node, leg=leg, hop=0).exists()


def arrivals_an_hour(now: datetime) -> dict[int, int]:
    """Return how many came to each queue within the last hour."""
    rows = Contact.objects.filter(offered_at__gt=now - HOUR).values("queue").annotate(came=Count("pk"))
    return {row["queue"]: row["came"] for row in rows}


def handling_s(now: datetime) -> dict[int, float]:
    """Return how long a contact takes in each queue, wrap-up included: the mean of the last hours, where there are enough."""
    rows = Contact.objects.filter(ended_at__gt=now - HANDLED_WITHIN, answered_at__isnull=False).values("queue")
    length = Avg(F("ended_at") - F("answered_at"), output_field=DurationField())
    return {row["queue"]: row["mean"].total_seconds() for row in rows.annotate(mean=length, n=Count("pk")) if row["n"] >= ENOUGH}


def last_server(interaction: int | None) -> int:
    """Return the agent who served the person of an interaction last, in the same organisation; 0 where nobody is known."""
    by = access.system("contact")
    try:
        now = None if interaction is None else interactions.interaction(by, InteractionId(interaction))
    except NotFound:
        now = None
    if now is None or now.person is None:
        return 0
    before = [one.id for one in interactions.interactions(by, person=now.person, size=LAST)]
    rows = Contact.objects.filter(interaction__in=before, organisation_id=now.organisation, answered_at__isnull=False)
    return rows.order_by("-answered_at").values_list("agent", flat=True).first() or 0


def away_since() -> dict[int, datetime]:
    """Return since when the agent's phone is away, of each contact in which they talk."""
    rows = Fact.objects.filter(contact__state=ContactState.TALKING, what__in=(AWAY, BACK)).order_by("at", "pk")
    last = {row.contact_id: row for row in rows}
    return {contact: row.at for contact, row in last.items() if row.what == AWAY}


def queue_keys(organisation: int) -> frozenset[str]:
    """Return the keys of the queues of an organisation and all below it: those that its flows may name."""
    line = f"/{organisation}/"
    rows = Queue.objects.filter(organisation__path__contains=line, retired_at=None)
    return frozenset(rows.values_list("key", flat=True))


def leads_to(dialled: str) -> tuple[int, int | None, str] | None:
    """Return (organisation, queue, flow) of a dialled number; None where it leads nowhere."""
    row = Number.objects.filter(dialled__in=[dialled, dialled.removeprefix("+")]).order_by("-dialled").first()
    return None if row is None else (row.organisation_id, row.queue_id, row.flow)


def open_contacts() -> list[OpenContact]:
    """Return all contacts that are not over, in the order in which they began to wait."""
    rows = Contact.objects.filter(state__in=OPEN).order_by("enqueued_at", "pk")
    return [
        OpenContact(
            row.pk, row.organisation_id, row.queue_id, row.channel, row.node, row.leg, row.hop, row.interaction, row.state, row.priority,
            row.emergency, row.agent_id or 0, row.agent_leg, row.rings, row.enqueued_at, row.left_at,
            row.wanted or 0, row.wanted_until, row.attempts,
        )
        for row in rows
    ]  # fmt: skip


def place(agent: int) -> Place | None:
    """Return an agent who is there, with the queues that their memberships reach and the skills they have; None for one who is not."""
    row = Agent.objects.select_related("phone").filter(user_id=agent).exclude(state=AgentState.OFF).first()
    if row is None:
        return None
    actor = access.actor_of_account(agent)
    reached = access.organisations_of(actor, Permission.SERVE_QUEUES)
    mine = Queue.objects.filter(organisation__in=reached, retired_at=None).order_by("pk")
    known: set[str] = set()
    for organisation in {row.organisation_id, *mine.values_list("organisation_id", flat=True)}:
        known.update(skills.skills(access.system("contact"), organisation).get(agent, ()))
    seat = Seat(
        agent=agent,
        queues=tuple(queue.pk for queue in mine),
        skills=tuple(sorted((key, FULL) for key in known if not key.startswith(LANGUAGE))),
        languages=tuple(sorted(key.removeprefix(LANGUAGE) for key in known if key.startswith(LANGUAGE))),
        capacity=capacity_of(capacity(row.organisation_id, agent), phone=row.phone_id is not None),
    )
    endpoint = phone_key(row.phone.organisation_id, row.phone.extension) if row.phone else ""
    return Place(agent, row.organisation_id, endpoint, AgentState(row.state), seat, bool(row.phone and row.phone.webrtc))


def places() -> list[Place]:
    """Return every agent who is there."""
    agents = Agent.objects.exclude(state=AgentState.OFF).order_by("pk").values_list("pk", flat=True)
    return [found for agent in agents if (found := place(agent)) is not None]


def is_open(organisation: int, calendar_key: str, now: datetime) -> bool:
    """Return whether a calendar says that it is worked at the moment; without one it always is. Raises Refused where it does not tell."""
    if not calendar_key:
        return True
    days = compiled(calendar(access.system("contact"), organisation, calendar_key))
    local = days.local(now.astimezone(CHINA))
    return days.worked_before(local + timedelta(seconds=1)) > days.worked_before(local)


def phone_lines() -> dict[str, Line]:
    """Return every phone as engines read it, by its endpoint."""
    return {phone_key(row.organisation_id, row.extension): line_of(row) for row in Phone.objects.order_by("pk")}


def phone_line(organisation: int, extension: str) -> Line | None:
    """Return one phone as engines read it; None where there is none."""
    row = Phone.objects.filter(organisation_id=organisation, extension=extension).first()
    return None if row is None else line_of(row)


def line_of(row: Phone) -> Line:
    """Return a phone's row as engines read it."""
    return Line(ha1=row.ha1, webrtc=row.webrtc, caller=row.caller or row.extension, caller_name="", enabled=row.enabled)
