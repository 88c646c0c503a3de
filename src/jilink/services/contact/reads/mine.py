"""What one agent's desk shows: state, phone, and whom they have. All of it follows from the tables: a page may be left and come back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jilink.core.interactions import reads as interactions
from jilink.core.interactions.reads import InteractionView
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import InteractionId
from jilink.kernel.texts import Text
from jilink.services.contact.models import Agent, Contact, Fact, Phone, Queue, Side
from jilink.services.contact.reads import dialling
from jilink.services.contact.rules.design import Code, Recording, read_design
from jilink.services.contact.rules.sides import WITH_AGENT, Stage
from jilink.services.contact.rules.states import OPEN, AgentState, ContactState
from jilink.services.contact.rules.written import BY_DESK

HELD, UNHELD, PAUSED, RESUMED = "held", "unheld", "rec_paused", "rec_resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class MyContact:
    """A contact that rings at an agent, is served or wrapped up by them."""

    id: int
    organisation: int
    queue: Text
    state: ContactState
    since: datetime
    """Since when it is in this state; while it rings, since when they wait."""
    interaction: InteractionView | None
    held: bool
    recorded: bool
    paused: bool
    codes: tuple[Code, ...]
    wrapped_by: datetime | None
    """When the wrap-up ends by itself."""
    side: Stage | None
    """What a second leg, which they asked for, is at."""
    elsewhere: tuple[tuple[int, Text], ...]
    """Queues of the same organisation that it can be transferred to."""


@dataclass(frozen=True, slots=True)
class MyPhone:
    """A desk phone that an agent may work at."""

    id: int
    extension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """An agent's desk."""

    organisation: int
    state: AgentState
    reason: str
    since: datetime | None
    phone: int | None
    browser: bool
    """Whether the phone is the browser."""
    contacts: tuple[MyContact, ...]


def desk(actor: Actor) -> Desk:
    """Return the desk of whoever asks; one who never worked has an empty one. Raises NotFound for those who serve no queue."""
    home = home_of(actor)
    row = Agent.objects.select_related("phone").filter(user_id=actor.user or 0).first()
    contacts = Contact.objects.select_related("queue").filter(agent_id=actor.user or 0, state__in=OPEN).order_by("enqueued_at", "pk")
    return Desk(
        organisation=row.organisation_id if row else home,
        state=AgentState(row.state) if row else AgentState.OFF,
        reason=row.reason if row else "",
        since=row.since if row else None,
        phone=row.phone_id if row else None,
        browser=bool(row and row.phone and row.phone.webrtc),
        contacts=tuple(_contact(each) for each in contacts.exclude(channel__in=BY_DESK)),
    )


def written(actor: Actor) -> list[tuple[str, str, MyContact]]:
    """Return what is offered to an agent, or is with them, without a telephone: channel, leg, contact. Raises NotFound."""
    access.require_anywhere(actor, Permission.SERVE_QUEUES)
    rows = Contact.objects.select_related("queue").filter(agent_id=actor.user or 0, state__in=OPEN, channel__in=BY_DESK)
    return [(row.channel, row.leg, _contact(row)) for row in rows.order_by("answered_at", "enqueued_at", "pk")]


def home_of(actor: Actor) -> int:
    """Return the organisation an agent works for: where they worked last, else the first in which they serve queues. Raises NotFound."""
    access.require_anywhere(actor, Permission.SERVE_QUEUES)
    reached = access.organisations_of(actor, Permission.SERVE_QUEUES)
    known = Agent.objects.filter(user_id=actor.user or 0, organisation_id__in=reached).values_list("organisation_id", flat=True).first()
    return known or min(reached)


def phones(actor: Actor, organisation: int) -> list[MyPhone]:
    """Return the desk phones of an organisation that are nobody else's. Raises NotFound."""
    access.require(actor, Permission.SERVE_QUEUES, organisation)
    rows = Phone.objects.filter(organisation_id=organisation, webrtc=False, until=None, enabled=True).order_by("extension")
    return [MyPhone(row.pk, row.extension) for row in rows if row.user_id in (None, actor.user)]


def browser_phone(actor: Actor, organisation: int) -> int | None:
    """Return the browser phone of whoever asks; None where it was never opened."""
    row = Phone.objects.filter(organisation_id=organisation, user_id=actor.user or 0, webrtc=True, until=None, enabled=True).first()
    return None if row is None else row.pk


def interaction_of(actor: Actor, contact: int) -> tuple[int, InteractionId | None]:
    """Return the organisation and the interaction of a contact that the actor has. Raises NotFound."""
    access.require_anywhere(actor, Permission.SERVE_QUEUES)
    row = Contact.objects.filter(pk=contact, agent_id=actor.user or 0, state__in=OPEN).first()
    if row is None:
        raise NotFound("There is no such thing, or you may not see it.")
    return row.organisation_id, None if row.interaction is None else InteractionId(row.interaction)


def _contact(row: Contact) -> MyContact:
    design = read_design(row.queue.design)
    said = list(
        Fact.objects.filter(contact=row, what__in=(HELD, UNHELD, PAUSED, RESUMED)).order_by("at", "pk").values_list("what", flat=True)
    )
    since = {ContactState.TALKING: row.answered_at, ContactState.WRAPPING: row.left_at}.get(ContactState(row.state)) or row.enqueued_at
    return MyContact(
        id=row.pk,
        organisation=row.organisation_id,
        queue=design.name,
        state=ContactState(row.state),
        since=since,
        interaction=_interaction(row),
        held=_last(said, HELD, UNHELD),
        recorded=design.recording is Recording.ALL,
        paused=_last(said, PAUSED, RESUMED),
        codes=dialling.codes_of(row.pk) or design.codes,
        wrapped_by=since + timedelta(seconds=design.wrap_up_s) if row.state == ContactState.WRAPPING else None,
        side=_side(row),
        elsewhere=tuple(
            (other.pk, read_design(other.design).name)
            for other in Queue.objects.filter(organisation_id=row.organisation_id, retired_at=None).exclude(pk=row.queue_id).order_by("key")
        ),
    )


def _interaction(row: Contact) -> InteractionView | None:
    """Whose it rings at may see who calls, although the contact is nobody's before it is answered; the number stays masked."""
    if row.interaction is None:
        return None
    try:
        return interactions.interaction(access.system("contact"), InteractionId(row.interaction))
    except NotFound:
        return None


def _side(row: Contact) -> Stage | None:
    open_ones = Side.objects.filter(contact=row, ended_at=None, stage__in=WITH_AGENT).values_list("stage", flat=True)
    stage = open_ones.first() if row.state == ContactState.TALKING else None
    return None if stage is None else Stage(stage)


def _last(said: list[str], on: str, off: str) -> bool:
    return next((what == on for what in reversed(said) if what in (on, off)), False)
