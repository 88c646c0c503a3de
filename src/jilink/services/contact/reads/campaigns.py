"""Campaigns as those who run them see them: progress, figures of 30 days, whom they call, the do-not-call list; and an agent's preview."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.reads import PersonView
from jilink.core.parties.people.rules import ContactKind, masked_contact
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import PersonId
from jilink.kernel.texts import Text
from jilink.services.contact.models import Attempt, Campaign, DoNotCall, Queue, Target
from jilink.services.contact.reads import dialling
from jilink.services.contact.reads.dialling import Standing
from jilink.services.contact.reads.outside import ways_out
from jilink.services.contact.rules.campaigns import CampaignDesign, CampaignState, TargetState, abandoned_share, read_campaign
from jilink.services.contact.rules.design import read_design
from jilink.services.contact.rules.foreseen import Foreseen, Known, proves
from jilink.services.contact.rules.pacing import CAP, Mode

HIDDEN = "There is no such thing, or you may not see it."
PAGE = 50
ANY_NUMBER = "12345"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignView:
    """A campaign with how far it is."""

    id: int
    organisation: int
    queue: int
    queue_name: Text
    design: CampaignDesign
    state: CampaignState
    version: int
    made_at: datetime
    started_at: datetime | None
    counts: Mapping[TargetState, int]

    @property
    def total(self) -> int:
        """Return how many it is to call."""
        return sum(self.counts.values())

    @property
    def over(self) -> int:
        """Return of how many it is decided."""
        return self.counts.get(TargetState.DONE, 0) + self.counts.get(TargetState.LEFT_OUT, 0)

    @property
    def percent(self) -> int:
        """Return how far it is."""
        return 100 * self.over // self.total if self.total else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFigures:
    """What came of a campaign's calls. The abandoned share is of the live answers of 30 days."""

    ringing: int
    talking: int
    due: int
    attempts: int
    answered: int
    standing: Standing
    outcomes: Mapping[str, int]
    codes: Mapping[str, int]
    staffed: int
    has_trunk: bool

    @property
    def share(self) -> float:
        """Return the share of live answers that were abandoned."""
        return abandoned_share(self.standing.live, self.standing.abandoned)

    @property
    def of_cap(self) -> int:
        """Return how much of the cap is used up, in percent."""
        return min(100, round(100 * self.share / CAP))


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """One person in a campaign."""

    id: int
    person: PersonId | None
    name: str
    state: TargetState
    reason: str
    note: str
    attempts: int
    last_outcome: str
    last_code: str
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCalled:
    """A number of the do-not-call list."""

    id: int
    organisation: int
    everywhere: bool
    masked: str
    source: str
    reason: str
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an agent is shown before they dial."""

    target: int
    state: TargetState
    campaign: int
    name: Text
    script: Text
    person: PersonView | None
    attempts: int
    last_outcome: str
    masked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Previewing:
    """A campaign from which an agent takes records."""

    id: int
    name: Text
    due: int


def campaigns(actor: Actor) -> list[CampaignView]:
    """Return the campaigns of organisations in which the actor may see them, those that are open first, the newest first."""
    allowed = access.organisations_of(actor, Permission.VIEW_CAMPAIGNS)
    rows = list(Campaign.objects.filter(organisation__in=allowed).select_related("queue").order_by("-pk"))
    counted = Target.objects.filter(campaign__in=rows).values_list("campaign", "state").annotate(count=Count("pk"))
    counts: dict[int, dict[TargetState, int]] = {}
    for campaign, state, count in counted:
        counts.setdefault(campaign, {})[TargetState(state)] = count
    views = [_view(row, counts.get(row.pk, {})) for row in rows]
    return sorted(views, key=lambda view: view.state is CampaignState.CLOSED)


def campaign(actor: Actor, campaign: int) -> CampaignView:
    """Return one campaign. Raises NotFound."""
    row = _row(actor, campaign, Permission.VIEW_CAMPAIGNS)
    counted = Target.objects.filter(campaign=row).values_list("state").annotate(count=Count("pk"))
    return _view(row, {TargetState(state): count for state, count in counted})


def figures(actor: Actor, campaign: int, now: datetime) -> CampaignFigures:
    """Return what came of a campaign's calls. Raises NotFound."""
    row = _row(actor, campaign, Permission.VIEW_CAMPAIGNS)
    tried = Attempt.objects.filter(campaign=row)
    under_way = tried.filter(ended_at=None)
    return CampaignFigures(
        ringing=under_way.filter(answered_at=None).count(),
        talking=under_way.exclude(connected_at=None).count(),
        due=Target.objects.filter(campaign=row, state=TargetState.WAITING, next_at__lte=now).count(),
        attempts=tried.count(),
        answered=tried.exclude(answered_at=None).count(),
        standing=dialling.standing(row.pk, now),
        outcomes=dict(tried.exclude(outcome="").values_list("outcome").annotate(count=Count("pk")).order_by("-count")),
        codes=dict(tried.exclude(code="").values_list("code").annotate(count=Count("pk")).order_by("-count")),
        staffed=dialling.staffed(row.pk),
        has_trunk=bool(ways_out(row.organisation_id, ANY_NUMBER)),
    )


def targets(actor: Actor, campaign: int, *, state: str = "", after: int = 0, limit: int = PAGE) -> list[TargetView]:
    """Return whom a campaign calls, in the order they were added; `after` is the last of the page before. Raises NotFound."""
    row = _row(actor, campaign, Permission.VIEW_CAMPAIGNS)
    rows = Target.objects.filter(campaign=row, pk__gt=after).order_by("pk")
    rows = rows.filter(state=state) if state in set(TargetState) else rows
    found = list(rows[:limit])
    names = people.names(actor, [each.person_id for each in found if each.person_id])
    return [
        TargetView(
            id=each.pk,
            person=PersonId(each.person_id) if each.person_id else None,
            name=names.get(PersonId(each.person_id or 0), ""),
            state=TargetState(each.state),
            reason=each.reason,
            note=each.note,
            attempts=each.attempts,
            last_outcome=each.last_outcome,
            last_code=each.last_code,
            next_at=each.next_at,
        )
        for each in found
    ]


def foreseen(actor: Actor, campaign: int, mode: Mode, agents: int, now: datetime) -> tuple[Known, Foreseen]:
    """Return what would happen within an hour if a campaign dialled so with so many agents: the worst of several runs. Raises NotFound."""
    row = _row(actor, campaign, Permission.VIEW_CAMPAIGNS)
    known = dialling.known_of(row.pk, read_campaign(row.design), now, max(0, agents))
    asked = Known(
        mode=mode, agents=known.agents, answer_rate=known.answer_rate, handling_s=known.handling_s, ring_s=known.ring_s,
        lines=known.lines, live=known.live, abandoned=known.abandoned,
    )  # fmt: skip
    return asked, proves(asked)


def do_not_call(actor: Actor, *, before: int | None = None, limit: int = PAGE) -> list[NotCalled]:
    """Return the do-not-call lists of organisations whose campaigns the actor may see, the newest first."""
    allowed = access.organisations_of(actor, Permission.VIEW_CAMPAIGNS)
    rows = DoNotCall.objects.filter(organisation__in=allowed).order_by("-pk")
    rows = rows if before is None else rows.filter(pk__lt=before)
    return [
        NotCalled(
            id=row.pk, organisation=row.organisation_id, everywhere=row.everywhere, masked=row.masked, source=row.source,
            reason=row.reason, added_at=row.added_at,
        )
        for row in rows[:limit]
    ]  # fmt: skip


def previews(actor: Actor, now: datetime) -> list[Previewing]:
    """Return the campaigns from which an agent may take records now."""
    allowed = access.organisations_of(actor, Permission.SERVE_QUEUES)
    rows = Campaign.objects.filter(organisation__in=allowed, state=CampaignState.RUNNING).order_by("pk")
    shown = [(row, read_campaign(row.design)) for row in rows]
    waiting = Target.objects.filter(state=TargetState.WAITING, next_at__lte=now)
    return [Previewing(row.pk, design.name, waiting.filter(campaign=row).count()) for row, design in shown if design.mode is Mode.PREVIEW]


def record(actor: Actor) -> Record | None:
    """Return the record that an agent looks at, or that is being called for them; None where there is none."""
    states = (TargetState.SHOWN, TargetState.CALLING)
    allowed = access.organisations_of(actor, Permission.SERVE_QUEUES)
    rows = Target.objects.filter(agent_id=actor.user or 0, state__in=states, organisation__in=allowed).select_related("campaign")
    row = rows.order_by("-changed_at").first()
    if row is None:
        return None
    design = read_campaign(row.campaign.design)
    person = PersonId(row.person_id) if row.person_id else None
    numbers = people.telephones(person) if person is not None else []
    return Record(
        target=row.pk, state=TargetState(row.state), campaign=row.campaign_id, name=design.name, script=design.script,
        person=_person(actor, person), attempts=row.attempts, last_outcome=row.last_outcome,
        masked=tuple(masked_contact(ContactKind.PHONE, number) for _point, number in numbers),
    )  # fmt: skip


def choices(actor: Actor) -> list[tuple[int, int, Text]]:
    """Return the queues (id, organisation, name) for which the actor may make campaigns: none for emergencies."""
    allowed = access.organisations_of(actor, Permission.MANAGE_CAMPAIGNS)
    rows = Queue.objects.filter(organisation__in=allowed, retired_at=None).order_by("organisation", "key")
    designed = [(row, read_design(row.design)) for row in rows]
    return [(row.pk, row.organisation_id, design.name) for row, design in designed if not design.emergency]


def _person(actor: Actor, person: PersonId | None) -> PersonView | None:
    try:
        return None if person is None else people.person(actor, person)
    except NotFound:
        return None


def _row(actor: Actor, campaign: int, permission: Permission) -> Campaign:
    row = Campaign.objects.select_related("queue").filter(pk=campaign).first()
    access.require(actor, permission, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _view(row: Campaign, counts: Mapping[TargetState, int]) -> CampaignView:
    return CampaignView(
        id=row.pk, organisation=row.organisation_id, queue=row.queue_id, queue_name=read_design(row.queue.design).name,
        design=read_campaign(row.design), state=CampaignState(row.state), version=row.version, made_at=row.made_at,
        started_at=row.started_at, counts=counts,
    )  # fmt: skip
