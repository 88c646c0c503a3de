"""Score cards, plans that draw contacts, evaluations, disputes and calibrations: the only writers."""

import secrets
from datetime import date, datetime

import msgspec
from django.db import transaction
from django.db.models import Max

from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.contact.events import EvaluationDisputed, EvaluationGiven
from jilink.services.contact.models import Calibration, CardVersion, Evaluation, Sample, SamplingPlan, ScoreCard
from jilink.services.contact.reads.quality import candidates, contact_to_score
from jilink.services.contact.rules import quality as rules
from jilink.services.contact.rules import sampling
from jilink.services.contact.rules.evaluations import EvaluationRefused, EvaluationState, move
from jilink.services.contact.rules.quality import Answers, Card, CardRefused

HIDDEN = "There is no such thing, or you may not see it."
MANAGE, SCORE = Permission.MANAGE_QUALITY, Permission.SCORE_QUALITY
LONGEST_WORDS = 4000


@transaction.atomic
def add_card(*, organisation: int, key: str, card: Card, by: Actor, now: datetime | None = None) -> int:
    """Add a score card that nobody scores by before it is published, and return its id. Raises NotFound, CardRefused."""
    require(by, MANAGE, organisation)
    if not rules.KEY.fullmatch(key) or not card.name:
        raise CardRefused("A score card needs a name, and a key of small letters, digits and _.")
    if ScoreCard.objects.filter(organisation_id=organisation, key=key).exists():
        raise CardRefused("There is a score card with this key already.")
    row = ScoreCard.objects.create(organisation_id=organisation, key=key, draft=rules.write(card), changed_at=now or utc_now())
    audit.record(by, "card.added", f"card:{row.pk}", organisation, detail=key, at=row.changed_at)
    return row.pk


@transaction.atomic
def save_card(*, card: int, design: Card, based_on: int, by: Actor, now: datetime | None = None) -> None:
    """Change the draft of a card; what is published stays. `based_on` is the edition that was seen. Raises NotFound, CardRefused."""
    row = _card(card, by)
    if row.edition != based_on:
        raise CardRefused("Somebody changed the score card meanwhile. Look at it again.")
    row.draft, row.edition, row.changed_at = rules.write(design), row.edition + 1, now or utc_now()
    row.save(update_fields=["draft", "edition", "changed_at"])
    audit.record(by, "card.saved", f"card:{row.pk}", row.organisation_id, detail=row.key, at=row.changed_at)


@transaction.atomic
def publish_card(*, card: int, by: Actor, now: datetime | None = None) -> int:
    """Make the draft the version that is scored by from now on, and return its number. Raises NotFound, CardRefused."""
    row, moment = _card(card, by), now or utc_now()
    rules.check(rules.read_card(row.draft))
    last = row.versions.order_by("-number").first()
    if last is not None and last.design == row.draft:
        raise CardRefused("Nothing was changed since version %(number)d.", number=last.number)
    number = last.number + 1 if last else 1
    CardVersion.objects.create(card=row, number=number, design=row.draft, published_at=moment)
    audit.record(by, "card.published", f"card:{row.pk}", row.organisation_id, detail=f"{row.key} {number}", at=moment)
    return number


@transaction.atomic
def retire_card(*, card: int, by: Actor, now: datetime | None = None) -> None:
    """Let nobody score by a card any more; what was scored stays. Its plans end. Raises NotFound."""
    row, moment = _card(card, by), now or utc_now()
    row.retired_at = moment
    row.save(update_fields=["retired_at"])
    SamplingPlan.objects.filter(card=row, ended_at=None).update(ended_at=moment)
    audit.record(by, "card.retired", f"card:{row.pk}", row.organisation_id, detail=row.key, at=moment)


@transaction.atomic
def add_plan(*, card: int, plan: sampling.Plan, by: Actor, now: datetime | None = None) -> int:
    """Add a plan that draws contacts for a card, and return its id; it gets a seed of its own. Raises NotFound, PlanRefused."""
    row, moment = _card(card, by), now or utc_now()
    made = msgspec.structs.replace(plan, seed=plan.seed or secrets.token_hex(16))
    sampling.check(made)
    design = msgspec.json.encode(made).decode()
    added = SamplingPlan.objects.create(organisation_id=row.organisation_id, card=row, design=design, made_at=moment)
    audit.record(by, "sampling.added", f"plan:{added.pk}", row.organisation_id, detail=str(plan.name), at=moment)
    return added.pk


@transaction.atomic
def end_plan(*, plan: int, by: Actor, now: datetime | None = None) -> None:
    """Draw no more by a plan. Raises NotFound."""
    row, moment = _plan(plan, by), now or utc_now()
    row.ended_at = moment
    row.save(update_fields=["ended_at"])
    audit.record(by, "sampling.ended", f"plan:{row.pk}", row.organisation_id, at=moment)


@transaction.atomic
def draw(*, plan: int, week: date, by: Actor, now: datetime | None = None) -> int:
    """Draw the contacts of a week (any day of it), and return how many are new; drawing again adds what has come since. Raises NotFound."""
    row, monday = _plan(plan, by), sampling.monday(week)
    design = sampling.read_plan(row.design)
    drawn = sampling.draw(design, candidates(row.organisation_id, monday), monday)
    there = set(Sample.objects.filter(plan=row, contact__in=drawn).values_list("contact", flat=True))
    moment = now or utc_now()
    Sample.objects.bulk_create(Sample(plan=row, contact_id=one, week=monday, drawn_at=moment) for one in drawn if one not in there)
    return len(set(drawn) - there)


@transaction.atomic
def evaluate(
    *, contact: int, card: int, answers: Answers, coaching: str, by: Actor, calibration: int | None = None, now: datetime | None = None
) -> int:
    """Score a contact by the newest version of a card, and return the evaluation; in a calibration by the version that it fixed.

    Nobody scores their own calls, and a contact is scored once a version (in a calibration once each). Raises NotFound, CardRefused,
    EvaluationRefused.
    """
    row, moment = contact_to_score(by, contact), now or utc_now()
    version, blind = _version(card, row.organisation_id), None
    if calibration is not None:
        blind = Calibration.objects.select_for_update().filter(pk=calibration, contact=row, closed_at=None).first()
        if blind is None:
            raise EvaluationRefused("This calibration is closed.")
        version = blind.version
    if row.agent_id == by.user or by.user is None or row.agent_id is None:
        raise EvaluationRefused("Nobody scores their own conversations.")
    rules.check_comments(answers.comments)
    score = rules.score(rules.read_card(version.design), answers)
    same = Evaluation.objects.filter(contact=row, version=version, calibration=blind)
    if (same if blind is None else same.filter(evaluator=by.user)).exists():
        raise EvaluationRefused("This conversation was scored already.")
    made = Evaluation.objects.create(
        organisation_id=row.organisation_id, contact=row, version=version, calibration=blind, evaluator_id=by.user, agent_id=row.agent_id,
        state=EvaluationState.GIVEN.value, answers=rules.write(answers), score=score.points, failed=score.failed,
        coaching=_words(coaching), given_at=moment,
    )  # fmt: skip
    audit.record(by, "evaluation.given", f"contact:{row.pk}", row.organisation_id, detail=str(made.pk), at=moment)
    if blind is None:
        event = EvaluationGiven(evaluation=made.pk, agent=row.agent_id)
        outbox.add(event, organisation=row.organisation_id, aggregate=f"evaluation:{made.pk}", now=moment)
    return made.pk


@transaction.atomic
def confirm(*, evaluation: int, by: Actor, now: datetime | None = None) -> None:
    """The agent has read it. Told again, it changes nothing. Raises NotFound."""
    row = _mine(evaluation, by)
    row.read_at = row.read_at or now or utc_now()
    if row.state == EvaluationState.GIVEN:
        row.state = move(row.state, EvaluationState.READ).value
    row.save(update_fields=["state", "read_at"])


@transaction.atomic
def dispute(*, evaluation: int, reason: str, by: Actor, now: datetime | None = None) -> None:
    """The agent does not agree, once. Raises NotFound, EvaluationRefused."""
    row, moment = _mine(evaluation, by), now or utc_now()
    if not reason.strip():
        raise EvaluationRefused("Say what you do not agree with.")
    row.state, row.dispute, row.disputed_at = move(row.state, EvaluationState.DISPUTED).value, _words(reason), moment
    row.read_at = row.read_at or moment
    row.save(update_fields=["state", "dispute", "disputed_at", "read_at"])
    audit.record(by, "evaluation.disputed", f"evaluation:{row.pk}", row.organisation_id, at=moment)
    event = EvaluationDisputed(evaluation=row.pk, agent=row.agent_id)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"evaluation:{row.pk}", now=moment)


@transaction.atomic
def decide(*, evaluation: int, answers: Answers | None, words: str, by: Actor, now: datetime | None = None) -> None:
    """Decide a dispute with a reason: the score stands, or becomes what `answers` come to. Nobody decides about their own score.

    Raises NotFound, CardRefused, EvaluationRefused.
    """
    row, moment = Evaluation.objects.select_for_update().filter(pk=evaluation, calibration=None).first(), now or utc_now()
    require(by, MANAGE, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    if not words.strip() or by.user in (None, row.agent_id, row.evaluator_id):
        raise EvaluationRefused("Somebody who neither scored nor was scored decides, and says why.")
    if answers is None:
        row.state = move(row.state, EvaluationState.UPHELD).value
    else:
        row.state = move(row.state, EvaluationState.CHANGED).value
        score = rules.score(rules.read_card(row.version.design), answers)
        row.answers, row.score, row.failed = rules.write(answers), score.points, score.failed
    row.decision, row.decided_by_id, row.decided_at = _words(words), by.user, moment
    row.save()
    audit.record(by, "evaluation.decided", f"evaluation:{row.pk}", row.organisation_id, detail=row.state, at=moment)


@transaction.atomic
def open_calibration(*, contact: int, card: int, by: Actor, now: datetime | None = None) -> int:
    """Let several people score one contact without seeing each other's, and return the calibration. Raises NotFound, EvaluationRefused."""
    row, moment = contact_to_score(by, contact), now or utc_now()
    require(by, MANAGE, row.organisation_id)
    version = _version(card, row.organisation_id)
    made = Calibration.objects.create(organisation_id=row.organisation_id, contact=row, version=version, opened_at=moment)
    audit.record(by, "calibration.opened", f"contact:{row.pk}", row.organisation_id, detail=str(made.pk), at=moment)
    return made.pk


@transaction.atomic
def close_calibration(*, calibration: int, by: Actor, now: datetime | None = None) -> None:
    """Show everybody what all gave. Closed again, nothing changes. Raises NotFound."""
    row, moment = Calibration.objects.select_for_update().filter(pk=calibration).first(), now or utc_now()
    require(by, MANAGE, row.organisation_id if row else None)
    if row is not None and row.closed_at is None:
        row.closed_at = moment
        row.save(update_fields=["closed_at"])
        audit.record(by, "calibration.closed", f"calibration:{row.pk}", row.organisation_id, at=moment)


def _card(card: int, by: Actor) -> ScoreCard:
    row = ScoreCard.objects.select_for_update().filter(pk=card, retired_at=None).first()
    require(by, MANAGE, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _plan(plan: int, by: Actor) -> SamplingPlan:
    row = SamplingPlan.objects.select_for_update().filter(pk=plan, ended_at=None).first()
    require(by, MANAGE, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _version(card: int, organisation: int) -> CardVersion:
    newest = CardVersion.objects.filter(card=card, card__organisation=organisation, card__retired_at=None).aggregate(n=Max("number"))["n"]
    row = CardVersion.objects.filter(card=card, number=newest).first() if newest else None
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _mine(evaluation: int, by: Actor) -> Evaluation:
    row = Evaluation.objects.select_for_update().filter(pk=evaluation, calibration=None, agent=by.user or 0).first()
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _words(text: str) -> str:
    return text.strip()[:LONGEST_WORDS]
