"""Second legs as the router and the desk need them."""

from dataclasses import dataclass

from jilink.core.parties import access
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.services.contact.models import Agent, Contact, Phone, Side
from jilink.services.contact.reads import outside
from jilink.services.contact.reads.outside import WayOut
from jilink.services.contact.rules.sides import Stage
from jilink.services.contact.rules.states import OPEN, AgentState
from jilink.spine.calls import phone_key

MOST_EXTENSION = 6


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a second leg's caller came from."""

    queue: int
    hop: int
    interaction: int | None
    agent: int


@dataclass(frozen=True, slots=True)
class OpenSide:
    """A second leg that is not over."""

    id: int
    organisation: int
    contact: int | None
    node: str
    caller_leg: str
    agent: int
    stage: Stage


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody at work at a phone who may be asked or given a call."""

    user: int
    name: str
    state: AgentState
    busy: bool


def open_sides() -> list[OpenSide]:
    """Return every second leg that is not over. For the router, no wall is asked."""
    rows = Side.objects.filter(ended_at=None).order_by("pk")
    return [OpenSide(r.pk, r.organisation_id, r.contact_id, r.node, r.caller_leg, r.agent_id or 0, Stage(r.stage)) for r in rows]


def origin(contact: int) -> Origin | None:
    """Return where a contact stood. For the router, no wall is asked."""
    row = Contact.objects.filter(pk=contact).first()
    if row is None:
        return None
    last = Contact.objects.filter(node=row.node, leg=row.leg).order_by("-hop").values_list("hop", flat=True).first()
    return Origin(row.queue_id, last if last is not None else row.hop, row.interaction, row.agent_id or 0)


def way_to(organisation: int, number: str) -> WayOut | None:
    """Return how to reach an extension of the organisation or a number outside; None where no way is. Raises TrunkRefused.

    For the router, no wall is asked.
    """
    text = number.strip()
    if text.isascii() and text.isdecimal() and len(text) <= MOST_EXTENSION:
        phone = Phone.objects.filter(organisation_id=organisation, extension=text, enabled=True).first()
        if phone is not None:
            return WayOut(phone_key(organisation, text), "", "")
    return outside.way_out(organisation, text)


def agent_at(organisation: int, number: str) -> int:
    """Return who works at an extension now; 0 where nobody does. For the router, no wall is asked."""
    row = Agent.objects.filter(phone__organisation_id=organisation, phone__extension=number).exclude(state=AgentState.OFF).first()
    return 0 if row is None else row.user_id


def colleagues(actor: Actor, organisation: int) -> list[Colleague]:
    """Return who else is at work at a phone in the organisation the actor works for. Raises NotFound."""
    access.require(actor, Permission.SERVE_QUEUES, organisation)
    rows = Agent.objects.select_related("user").filter(organisation_id=organisation, phone__isnull=False).exclude(state=AgentState.OFF)
    others = list(rows.exclude(user_id=actor.user or 0).order_by("user__first_name", "pk"))
    busy = set(Contact.objects.filter(agent__in=[row.pk for row in others], state__in=OPEN).values_list("agent", flat=True))
    return [Colleague(row.pk, row.user.get_full_name() or row.user.username, AgentState(row.state), row.pk in busy) for row in others]
