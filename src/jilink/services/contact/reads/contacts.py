"""Contacts to look up: found by what is asked, the newest first, and one with all that happened to it.

Whoever supervises queues, or sees them and reports, reads all contacts of their organisations; whoever serves queues reads their own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from jilink.core.interactions import reads as interactions
from jilink.core.interactions.reads import InteractionView
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import InteractionId, OrganisationId
from jilink.kernel.texts import Text
from jilink.services.contact.models import Contact, Fact, Queue
from jilink.services.contact.rules.design import read_design
from jilink.services.contact.rules.states import ContactState, End

HIDDEN = "There is no such thing, or you may not see it."
PAGE = 50
MOST_EXPORTED = 20_000
MOST_OF_A_PERSON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What contacts are asked for; None, or "", for all. Times are of coming to the queue, the end is not in it."""

    begin: datetime | None = None
    end: datetime | None = None
    organisation: int | None = None
    queue: int | None = None
    agent: int | None = None
    channel: str = ""
    outcome: str = ""
    """An End, or "answered"."""
    code: str = ""
    number: str = ""
    """The whole number of somebody who is known under it."""
    waited_s: int | None = None
    """Only those who waited longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    """One interaction in one queue."""

    id: int
    organisation: int
    queue: int
    queue_name: Text
    channel: str
    state: ContactState
    end: End | None
    agent: int | None
    interaction: int | None
    offered_at: datetime
    answered_at: datetime | None
    left_at: datetime | None
    ended_at: datetime | None
    code: str
    code_title: Text | None
    note: str

    @property
    def wait_s(self) -> float | None:
        """Return how long it waited in this queue; None while it does."""
        until = self.answered_at or self.left_at
        return None if until is None else (until - self.offered_at).total_seconds()

    @property
    def talk_s(self) -> float | None:
        """Return how long the conversation took, hold included; None where there was none, or it goes on."""
        return None if self.answered_at is None or self.left_at is None else (self.left_at - self.answered_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a contact."""

    what: str
    agent: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactView:
    """One contact with all that happened to it, and its other ways through queues."""

    row: ContactRow
    interaction: InteractionView | None
    steps: tuple[Step, ...]
    hops: tuple[ContactRow, ...]
    """The same call, chat or text in other queues, itself not among them."""


def whole(actor: Actor) -> frozenset[int]:
    """Return the organisations of which the actor reads all contacts."""
    views = access.organisations_of(actor, Permission.VIEW_QUEUES) & access.organisations_of(actor, Permission.REPORT_CASES)
    return frozenset(access.organisations_of(actor, Permission.SUPERVISE_QUEUES) | views)


def in_reach(actor: Actor) -> Q:
    """Return the filter of contacts the actor reads. Raises NotFound for those who read none anywhere."""
    all_of, own = whole(actor), access.organisations_of(actor, Permission.SERVE_QUEUES)
    if not all_of and not own:
        raise NotFound(HIDDEN)
    return Q(organisation__in=all_of) | Q(organisation__in=own, agent=actor.user or 0)


def contacts(actor: Actor, sought: Sought, *, before: int | None = None, limit: int = PAGE) -> list[ContactRow]:
    """Return contacts, the newest first; `before` is the last id of the page before. Raises NotFound."""
    rows = _sought(actor, sought)
    if before is not None:
        last = Contact.objects.filter(in_reach(actor), pk=before).values_list("offered_at", flat=True).first()
        if last is None:
            return []
        rows = rows.filter(Q(offered_at__lt=last) | Q(offered_at=last, pk__lt=before))
    return [_row(row) for row in rows.select_related("queue").order_by("-offered_at", "-pk")[: min(limit, MOST_EXPORTED)]]


def contact(actor: Actor, contact: int) -> ContactView:
    """Return one contact with what happened to it. Raises NotFound."""
    row = Contact.objects.select_related("queue").filter(in_reach(actor), pk=contact).first()
    if row is None:
        raise NotFound(HIDDEN)
    steps = Fact.objects.filter(contact=row).order_by("at", "pk").values_list("what", "agent", "at")
    same = Q(node=row.node, leg=row.leg) if row.leg else Q(pk__in=[])
    if row.interaction is not None:
        same |= Q(interaction=row.interaction)
    others = Contact.objects.select_related("queue").filter(in_reach(actor), same).exclude(pk=row.pk).order_by("offered_at", "pk")
    return ContactView(
        row=_row(row),
        interaction=_interaction(actor, row),
        steps=tuple(Step(*each) for each in steps),
        hops=tuple(_row(each) for each in others[:PAGE]),
    )


def queue_names(actor: Actor) -> dict[int, Text]:
    """Return the names of queues whose contacts the actor may read, retired ones among them."""
    reached = whole(actor) | access.organisations_of(actor, Permission.SERVE_QUEUES)
    rows = Queue.objects.filter(organisation__in=reached).order_by("organisation", "key").values_list("pk", "design")
    return {queue: read_design(design).name for queue, design in rows}


def agents(actor: Actor) -> dict[int, str]:
    """Return the names of agents whose contacts the actor may read."""
    rows = Contact.objects.filter(in_reach(actor), agent__isnull=False).order_by().values_list("agent", flat=True).distinct()
    return members.people_named({agent for agent in rows if agent is not None})


def _sought(actor: Actor, sought: Sought) -> QuerySet[Contact]:
    rows = Contact.objects.filter(in_reach(actor))
    wanted: dict[str, object] = {
        "offered_at__gte": sought.begin,
        "offered_at__lt": sought.end,
        "organisation": sought.organisation,
        "queue": sought.queue,
        "agent": sought.agent,
        "channel": sought.channel or None,
        "code": sought.code or None,
    }
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    if sought.outcome == "answered":
        rows = rows.filter(answered_at__isnull=False)
    elif sought.outcome:
        rows = rows.filter(end=sought.outcome)
    if sought.waited_s is not None:
        until = Coalesce("answered_at", "left_at")
        rows = rows.alias(waited=until - F("offered_at")).filter(waited__gt=timedelta(seconds=sought.waited_s))
    return rows.filter(interaction__in=_of_number(actor, sought.number)) if sought.number else rows


def _of_number(actor: Actor, number: str) -> list[int]:
    """Return the interactions of whoever is known under a number, as far as the actor may see persons and interactions."""
    found: list[int] = []
    for organisation in sorted(access.organisations_of(actor, Permission.VIEW_PEOPLE)):
        for person in people.by_contact(actor, OrganisationId(organisation), ContactKind.PHONE, number):
            try:
                found += [one.id for one in interactions.interactions(actor, person=person, size=MOST_OF_A_PERSON)]
            except NotFound:
                return []
    return found


def _interaction(actor: Actor, row: Contact) -> InteractionView | None:
    try:
        return None if row.interaction is None else interactions.interaction(actor, InteractionId(row.interaction))
    except NotFound:
        return None


def _row(row: Contact) -> ContactRow:
    design = read_design(row.queue.design)
    return ContactRow(
        id=row.pk,
        organisation=row.organisation_id,
        queue=row.queue_id,
        queue_name=design.name,
        channel=row.channel,
        state=ContactState(row.state),
        end=End(row.end) if row.end else None,
        agent=row.agent_id,
        interaction=row.interaction,
        offered_at=row.offered_at,
        answered_at=row.answered_at,
        left_at=row.left_at,
        ended_at=row.ended_at,
        code=row.code,
        code_title=next((code.title for code in design.codes if code.key == row.code), None),
        note=row.note,
    )
