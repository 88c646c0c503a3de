"""What those we served say of it (好差评): five levels, once a round, and a call for everybody who was dissatisfied."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.cases.actions import timing
from jilink.core.cases.actions.desk import Desk, desk_of, lay, locked
from jilink.core.cases.events import CaseNoted, CaseRated
from jilink.core.cases.models import Rating
from jilink.core.cases.reads import rating as links
from jilink.core.cases.reads.ground import HIDDEN
from jilink.core.cases.reads.rating import RatingLink
from jilink.core.cases.rules import allowed, workflow
from jilink.core.cases.rules.allowed import Act
from jilink.core.cases.rules.form import check_answers
from jilink.core.cases.rules.timeline import CalledBack, Rated, RatingAsked
from jilink.core.cases.rules.workflow import CALL_BACK, Satisfaction, StepRefused
from jilink.core.parties import walls
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused

SERVED = Actor("served:link")
"""Whoever comes by a link: the person the case is for, as far as we know."""


class RatingRefused(Refused):
    """This case cannot be rated: it is not closed, or was rated already."""


@transaction.atomic
def rate_case(
    *,
    case: int,
    level: Satisfaction,
    by: Actor,
    answers: Mapping[str, object] | None = None,
    comment: str = "",
    channel: str = "phone",
    now: datetime | None = None,
) -> int:
    """Keep what the person said when asked by a member. Raises NotFound, RatingRefused, AnswersRefused."""
    return _rate(lay(case, Permission.WORK_CASES, by, now), level, answers, comment, channel)


@transaction.atomic
def offer_rating(*, case: int, by: Actor, now: datetime | None = None) -> RatingLink:
    """Make a link by which the person rates a closed case, for thirty days; the timeline keeps who made it. Raises NotFound, RatingRefused.

    Whoever has the link rates, once: nothing but number, kind and organisation of the case is told by it.
    """
    desk = lay(case, Permission.WORK_CASES, by, now)
    _check(desk)
    link = links.make(desk.row, desk.now)
    desk.write(RatingAsked(until=link.until.isoformat()))
    desk.save()
    desk.tell(CaseNoted, what="rating_asked")
    return link


@transaction.atomic
def rate_by_link(
    *,
    token: str,
    level: Satisfaction,
    answers: Mapping[str, object] | None = None,
    comment: str = "",
    now: datetime | None = None,
) -> int:
    """Keep what the person says who was given the link; the link is the proof, and no wall is asked.

    Raises NotFound for a link that is wrong, has run out, or asks about a round that is over; RatingRefused, AnswersRefused.
    """
    moment = now or utc_now()
    with walls.everything():
        case, round = links.read(token, moment)
        rows = locked([case])
        if not rows or rows[0].round != round:
            raise NotFound(HIDDEN)
        return _rate(desk_of(rows[0], SERVED, moment), level, answers, comment, "web")


def _check(desk: Desk) -> None:
    if not allowed.allows(desk.row.state, Act.RATE):
        raise RatingRefused("A case is rated once it is closed.")
    if Rating.objects.filter(case=desk.row, round=desk.row.round).exists():
        raise RatingRefused("This case was already rated. Thank you.")


def _rate(desk: Desk, level: Satisfaction, answers: Mapping[str, object] | None, comment: str, channel: str) -> int:
    _check(desk)
    kept = check_answers(desk.definition.questions, answers or {})
    row = Rating.objects.create(
        case=desk.row,
        round=desk.row.round,
        level=int(level),
        answers=msgspec.json.encode(kept).decode(),
        comment=comment.strip()[:2000],
        channel=channel[:20],
        at=desk.now,
    )
    bad = workflow.demands_call_back(Satisfaction(level))
    waits = any(clock.key == CALL_BACK for clock in timing.running(desk))  # dissatisfied before and not called yet: one call answers both
    if bad and desk.definition.call_back is not None and not waits:
        timing.start(desk, CALL_BACK, desk.definition.call_back)
    desk.write(Rated(level=int(level), channel=channel))
    desk.save()
    desk.tell(CaseRated, level=int(level), call_back=bad)
    return row.pk


@transaction.atomic
def note_call_back(*, case: int, outcome: str, by: Actor, now: datetime | None = None) -> None:
    """Note that whoever was dissatisfied was called, and what came of it. Raises NotFound, StepRefused, RatingRefused."""
    desk = lay(case, Permission.WORK_CASES, by, now)
    rows = Rating.objects.filter(case=desk.row, called_back_at=None, level__lte=int(Satisfaction.DISSATISFIED))
    if not rows.exists():
        raise StepRefused("Nobody waits to be called about this case.")
    if not outcome.strip():
        raise RatingRefused("Say what came of the call.")
    rows.update(called_back_at=desk.now, called_back_by=by.name, outcome=outcome.strip())
    for clock in timing.running(desk):
        if clock.key == CALL_BACK:
            timing.end(desk, clock)
    desk.write(CalledBack(outcome=outcome.strip()))
    desk.save()
    desk.tell(CaseNoted, what="called_back")
