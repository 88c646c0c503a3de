"""What the router needs to know of campaigns: no wall is asked, whoever calls stands on no side of any."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from jilink.core.parties import reads as parties
from jilink.core.parties import walls
from jilink.core.parties.people import reads as people
from jilink.core.parties.people import sealing
from jilink.kernel.ids import OrganisationId, PersonId
from jilink.services.contact.models import Agent, Attempt, Campaign, Contact, DoNotCall
from jilink.services.contact.reads import desk
from jilink.services.contact.rules.campaigns import CampaignDesign, CampaignState, Outcome, Reason, read_campaign
from jilink.services.contact.rules.design import Code
from jilink.services.contact.rules.foreseen import Known
from jilink.services.contact.rules.pacing import WINDOW_S
from jilink.services.contact.rules.states import AgentState

EVERYBODY = 0
RECENT = 200
USUAL_RATE, USUAL_WEIGHT = 0.3, 20
USUAL_HANDLING_S, HANDLING_WEIGHT = 180.0, 5


@dataclass(frozen=True, slots=True)
class Running:
    """A campaign that dials."""

    id: int
    organisation: int
    queue: int
    design: CampaignDesign


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a campaign did: live answers and abandoned ones of 30 days, who answers, how long an agent is busy."""

    live: int
    abandoned: int
    answer_rate: float
    handling_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A call to somebody that is not over."""

    attempt: int
    campaign: int
    organisation: int
    queue: int
    person: int | None
    node: str
    agent: int
    contact: int | None
    abandoned: bool
    dialled_at: datetime
    answered_at: datetime | None
    connected_at: datetime | None

    @property
    def leg(self) -> str:
        """Return the leg, which follows from the attempt: it cannot be dialled twice."""
        return leg_of(self.attempt)


def leg_of(attempt: int) -> str:
    """Return the leg of an attempt."""
    return f"k{attempt}"


def running() -> list[Running]:
    """Return the campaigns that dial, the oldest first."""
    rows = Campaign.objects.filter(state=CampaignState.RUNNING, queue__retired_at=None).order_by("pk")
    return [Running(row.pk, row.organisation_id, row.queue_id, read_campaign(row.design)) for row in rows]


def campaign(campaign: int) -> Running | None:
    """Return one campaign, whether it dials or not."""
    row = Campaign.objects.filter(pk=campaign).first()
    return None if row is None else Running(row.pk, row.organisation_id, row.queue_id, read_campaign(row.design))


def outgoing() -> list[Outgoing]:
    """Return the calls that are not over, the oldest first."""
    return [outgoing_of(row) for row in Attempt.objects.filter(ended_at=None).select_related("campaign", "target").order_by("pk")]


def outgoing_of(row: Attempt) -> Outgoing:
    """Return a call as the router has it."""
    return Outgoing(
        attempt=row.pk, campaign=row.campaign_id, organisation=row.organisation_id, queue=row.campaign.queue_id,
        person=row.target.person_id, node=row.node, agent=row.agent_id or 0, contact=row.contact,
        abandoned=row.abandoned, dialled_at=row.dialled_at,
        answered_at=row.answered_at, connected_at=row.connected_at,
    )  # fmt: skip


def blocked(organisation: int, numbers: list[str]) -> frozenset[str]:
    """Return which numbers nobody of an organisation may call: kept there, in one above it, or for the whole installation."""
    ring, line = sealing.keyring(), parties.line(OrganisationId(organisation))
    marks = {mark: number for number in numbers for mark in ring.lookups(EVERYBODY, number)}
    with walls.everything():
        here = Q(everywhere=True) | Q(organisation__in=line)
        found = list(DoNotCall.objects.filter(here, lookup__in=list(marks)).values_list("lookup", flat=True))
    return frozenset(marks[mark] for mark in found)


def mark_of(number: str) -> str:
    """Return the keyed hash by which a number is known while it is called."""
    return sealing.keyring().lookups(EVERYBODY, number)[-1]


def hindrance(organisation: int, person: PersonId, purpose: str, now: datetime) -> Reason | None:
    """Return why somebody may not be called at all; None where they may."""
    numbers = [number for _point, number in people.telephones(person)]
    if not numbers:
        return Reason.NO_NUMBER
    if not people.consents_to(person, purpose, now):
        return Reason.NO_CONSENT
    return Reason.DO_NOT_CALL if blocked(organisation, numbers) == frozenset(numbers) else None


def standing(campaign: int, now: datetime) -> Standing:
    """Return how a campaign did. Where little is known yet, usual values weigh in."""
    rows = Attempt.objects.filter(campaign=campaign)
    live = rows.filter(live=True, answered_at__gt=now - timedelta(seconds=WINDOW_S))
    recent = list(
        rows.exclude(ended_at=None).exclude(outcome=Outcome.FAILED).order_by("-pk").values_list("answered_at", flat=True)[:RECENT]
    )
    answered = sum(at is not None for at in recent)
    talked = rows.exclude(connected_at=None).order_by("-pk").values_list("contact", flat=True)[:RECENT]
    times = Contact.objects.filter(pk__in=[each for each in talked if each], ended_at__isnull=False, answered_at__isnull=False)
    spent = [(row.ended_at - row.answered_at).total_seconds() for row in times if row.ended_at and row.answered_at]
    return Standing(
        live=live.count(),
        abandoned=live.filter(abandoned=True).count(),
        answer_rate=(answered + USUAL_RATE * USUAL_WEIGHT) / (len(recent) + USUAL_WEIGHT),
        handling_s=(sum(spent) + USUAL_HANDLING_S * HANDLING_WEIGHT) / (len(spent) + HANDLING_WEIGHT),
    )


def known_of(campaign: int, design: CampaignDesign, now: datetime, agents: int = 0) -> Known:
    """Return what a simulation of a campaign begins with; without a number, the agents are those who serve its queue now, at least 5."""
    told = standing(campaign, now)
    return Known(
        mode=design.mode, agents=agents or max(5, staffed(campaign)), answer_rate=told.answer_rate, handling_s=told.handling_s,
        ring_s=design.ring_s, lines=design.lines, live=told.live, abandoned=told.abandoned,
    )  # fmt: skip


def staffed(campaign: int) -> int:
    """Return how many agents serve the queue of a campaign now."""
    row = Campaign.objects.get(pk=campaign)
    at_work = Agent.objects.exclude(state=AgentState.OFF).values_list("pk", flat=True)
    places = [desk.place(agent) for agent in at_work]
    return sum(place is not None and row.queue_id in place.seat.queues for place in places)


def codes_of(contact: int) -> tuple[Code, ...]:
    """Return the outcome codes of the campaign that a contact came of; none for all others."""
    row = Attempt.objects.filter(contact=contact).select_related("campaign").first()
    return () if row is None else tuple(Code(key=each.key, title=each.title) for each in read_campaign(row.campaign.design).codes)


def campaign_contacts(contacts: list[int]) -> list[int]:
    """Return which of these contacts are people whom a campaign called."""
    return [contact for contact in Attempt.objects.filter(contact__in=contacts).values_list("contact", flat=True) if contact]
