"""Score cards, what is to be scored, and what scores say about agents and questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import fmean

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA
from jilink.kernel.texts import Text
from jilink.services.contact.models import Calibration, CardVersion, Contact, Evaluation, Recording, Sample, SamplingPlan, ScoreCard
from jilink.services.contact.reads.recordings import in_reach, ratings
from jilink.services.contact.rules import quality as rules
from jilink.services.contact.rules import sampling
from jilink.services.contact.rules.design import read_design
from jilink.services.contact.rules.quality import Answers, Card, Spread

MANAGE, SCORE, OWN = Permission.MANAGE_QUALITY, Permission.SCORE_QUALITY, Permission.HEAR_OWN_RECORDINGS
AT_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """A score card: its draft, and the number of its newest version (0: none yet)."""

    id: int
    organisation: int
    key: str
    draft: Card
    edition: int
    version: int
    changed: bool
    """Whether the draft differs from the newest version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan, and how much of what it drew was scored."""

    id: int
    organisation: int
    card: int
    plan: sampling.Plan
    drawn: int
    scored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationView:
    """What somebody thought of a contact."""

    id: int
    organisation: int
    contact: int
    queue: Text
    begun_at: datetime
    card: Card
    card_version: int
    calibration: int | None
    evaluator: int
    agent: int
    state: str
    answers: Answers
    score: float
    failed: bool
    coaching: str
    given_at: datetime
    read_at: datetime | None
    dispute: str
    decision: str
    decided_by: int | None

    @property
    def passed(self) -> bool:
        """Return whether it was good enough."""
        return not self.failed and self.score >= self.card.pass_mark


@dataclass(frozen=True, slots=True, kw_only=True)
class ToScore:
    """A contact that a plan drew and that nobody scored."""

    contact: int
    card: int
    agent: int
    queue: Text
    answered_at: datetime
    rating: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentScore:
    """What an agent's scores come to."""

    agent: int
    count: int
    mean: float
    failed: int
    disputed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationView:
    """A calibration: what everybody gave is shown once it is closed, before that one's own."""

    id: int
    organisation: int
    contact: int
    card: Card
    card_id: int
    opened_at: datetime
    closed_at: datetime | None
    given: tuple[EvaluationView, ...]
    count: int
    spreads: tuple[Spread, ...]


def cards(actor: Actor) -> list[CardView]:
    """Return the score cards that the actor may score by, or manage."""
    allowed = access.organisations_of(actor, MANAGE) | access.reach(actor, SCORE).whole | access.reach(actor, SCORE).own
    rows = ScoreCard.objects.filter(organisation__in=allowed, retired_at=None).order_by("organisation", "key")
    return [_card(row) for row in rows]


def card(actor: Actor, card: int) -> CardView:
    """Return one score card. Raises NotFound."""
    found = next((one for one in cards(actor) if one.id == card), None)
    if found is None:
        raise NotFound.of(MANAGE)
    return found


def published(actor: Actor, card: int) -> Card:
    """Return what the newest version of a card asks. Raises NotFound."""
    known = any(one.id == card for one in cards(actor))
    row = CardVersion.objects.filter(card=card).order_by("-number").first() if known else None
    if row is None:
        raise NotFound.of(SCORE)
    return rules.read_card(row.design)


def plans(actor: Actor) -> list[PlanView]:
    """Return the plans of organisations whose quality the actor manages."""
    rows = SamplingPlan.objects.filter(organisation__in=access.organisations_of(actor, MANAGE), ended_at=None).order_by("pk")
    found = []
    for row in rows:
        drawn = Sample.objects.filter(plan=row)
        scored = Evaluation.objects.filter(contact__in=drawn.values("contact"), version__card=row.card_id, calibration=None)
        found.append(
            PlanView(
                id=row.pk,
                organisation=row.organisation_id,
                card=row.card_id,
                plan=sampling.read_plan(row.design),
                drawn=drawn.count(),
                scored=scored.count(),
            )
        )
    return found


def to_score(actor: Actor) -> list[ToScore]:
    """Return what was drawn, what the actor may score, and nobody has: the oldest first. Nobody is shown their own."""
    reached = Contact.objects.filter(in_reach(actor, SCORE, contact="")).exclude(agent=actor.user)
    rows = Sample.objects.select_related("contact", "contact__queue", "plan").filter(contact__in=reached).order_by("week", "contact")
    done = set(Evaluation.objects.filter(contact__in=reached, calibration=None).values_list("contact", "version__card"))
    open_ = [row for row in rows if (row.contact_id, row.plan.card_id) not in done][:AT_MOST]
    rated = ratings([row.contact_id for row in open_])
    return [
        ToScore(
            contact=row.contact_id,
            card=row.plan.card_id,
            agent=row.contact.agent_id or 0,
            queue=read_design(row.contact.queue.design).name,
            answered_at=row.contact.answered_at or row.contact.offered_at,
            rating=rated.get(row.contact_id),
        )
        for row in open_
    ]


def contact_to_score(actor: Actor, contact: int) -> Contact:
    """Return a contact that the actor may score. Raises NotFound."""
    row = Contact.objects.select_related("queue").filter(in_reach(actor, SCORE, contact="")).filter(pk=contact).first()
    if row is None or row.answered_at is None:
        raise NotFound.of(SCORE)
    return row


def evaluations(actor: Actor, *, agent: int | None = None, disputed: bool = False, contact: int | None = None) -> list[EvaluationView]:
    """Return the newest evaluations that the actor may see: of those they may score. Calibrations are not among them."""
    rows = Evaluation.objects.filter(in_reach(actor, SCORE), calibration=None)
    rows = rows.filter(agent=agent) if agent is not None else rows
    rows = rows.filter(contact=contact) if contact is not None else rows
    rows = rows.filter(state="disputed") if disputed else rows
    return _views(list(rows.select_related("contact", "contact__queue", "version").order_by("-given_at")[:AT_MOST]))


def mine(actor: Actor) -> list[EvaluationView]:
    """Return the evaluations of one's own contacts. Raises NotFound for those who serve no queue."""
    access.require_anywhere(actor, OWN)
    rows = Evaluation.objects.filter(agent=actor.user or 0, calibration=None)
    return _views(list(rows.select_related("contact", "contact__queue", "version").order_by("-given_at")[:AT_MOST]))


def evaluation(actor: Actor, evaluation: int) -> EvaluationView:
    """Return one evaluation: of those one may score, or of one's own contact. Raises NotFound."""
    rows = Evaluation.objects.select_related("contact", "contact__queue", "version").filter(pk=evaluation, calibration=None)
    found = rows.filter(in_reach(actor, SCORE)).first() or (rows.filter(agent=actor.user).first() if actor.user else None)
    if found is None:
        raise NotFound.of(SCORE)
    return _views([found])[0]


def agents(found: Sequence[EvaluationView]) -> list[AgentScore]:
    """Return what scores come to by agent, the lowest mean first."""
    by: dict[int, list[EvaluationView]] = {}
    for one in found:
        by.setdefault(one.agent, []).append(one)
    rows = [
        AgentScore(
            agent=agent,
            count=len(theirs),
            mean=round(fmean(one.score for one in theirs), 1),
            failed=sum(not one.passed for one in theirs),
            disputed=sum(bool(one.dispute) for one in theirs),
        )
        for agent, theirs in by.items()
    ]
    return sorted(rows, key=lambda row: (row.mean, row.agent))


def questions(found: Sequence[EvaluationView]) -> list[tuple[Text, float, int]]:
    """Return the words of each question with the mean share of its points and how often it was answered, the weakest first."""
    words = {question.key: question.text for one in reversed(found) for question in one.card.questions()}
    figures = rules.by_question((one.card, one.answers) for one in found)
    return sorted(((words[key], mean, count) for key, (mean, count) in figures.items()), key=lambda row: row[1])


def calibrations(actor: Actor) -> list[CalibrationView]:
    """Return the calibrations of contacts that the actor may score, the newest first."""
    rows = Calibration.objects.select_related("version").filter(in_reach(actor, SCORE)).order_by("-opened_at")[:AT_MOST]
    return [_calibration(actor, row) for row in rows]


def calibration(actor: Actor, calibration: int) -> CalibrationView:
    """Return one calibration. Raises NotFound."""
    row = Calibration.objects.select_related("version").filter(in_reach(actor, SCORE)).filter(pk=calibration).first()
    if row is None:
        raise NotFound.of(SCORE)
    return _calibration(actor, row)


def candidates(organisation: int, monday: date) -> list[sampling.Candidate]:
    """Return the served contacts of an organisation and week. No wall is asked: for the action that draws."""
    begin = datetime.combine(monday, time(), CHINA)
    rows = Contact.objects.filter(organisation_id=organisation, answered_at__gte=begin, answered_at__lt=begin + timedelta(days=7))
    rows = rows.filter(agent__isnull=False, left_at__isnull=False)
    rated = ratings(list(rows.values_list("pk", flat=True)))
    recorded = set(Recording.objects.filter(contact__in=rows).values_list("contact", flat=True))
    return [
        sampling.Candidate(
            contact=row.pk,
            agent=row.agent_id or 0,
            queue=row.queue_id,
            seconds=(row.left_at - row.answered_at).total_seconds() if row.left_at and row.answered_at else 0.0,
            code=row.code,
            rating=rated.get(row.pk),
            recorded=row.pk in recorded,
        )
        for row in rows
    ]


def _calibration(actor: Actor, row: Calibration) -> CalibrationView:
    given = list(row.evaluations.select_related("contact", "contact__queue", "version").order_by("given_at"))
    seen = given if row.closed_at else [one for one in given if one.evaluator_id == actor.user]
    card = rules.read_card(row.version.design)
    views = tuple(_views(seen))
    return CalibrationView(
        id=row.pk,
        organisation=row.organisation_id,
        contact=row.contact_id,
        card=card,
        card_id=row.version.card_id,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        given=views,
        count=len(given),
        spreads=rules.deviations(card, [one.answers for one in views]) if row.closed_at and views else (),
    )


def _card(row: ScoreCard) -> CardView:
    newest = row.versions.order_by("-number").first()
    return CardView(
        id=row.pk,
        organisation=row.organisation_id,
        key=row.key,
        draft=rules.read_card(row.draft),
        edition=row.edition,
        version=newest.number if newest else 0,
        changed=newest is None or newest.design != row.draft,
    )


def _views(rows: Sequence[Evaluation]) -> list[EvaluationView]:
    return [
        EvaluationView(
            id=row.pk,
            organisation=row.organisation_id,
            contact=row.contact_id,
            queue=read_design(row.contact.queue.design).name,
            begun_at=row.contact.answered_at or row.contact.offered_at,
            card=rules.read_card(row.version.design),
            card_version=row.version.number,
            calibration=row.calibration_id,
            evaluator=row.evaluator_id,
            agent=row.agent_id,
            state=row.state,
            answers=rules.read_answers(row.answers),
            score=row.score,
            failed=row.failed,
            coaching=row.coaching,
            given_at=row.given_at,
            read_at=row.read_at,
            dispute=row.dispute,
            decision=row.decision,
            decided_by=row.decided_by_id,
        )
        for row in rows
    ]
