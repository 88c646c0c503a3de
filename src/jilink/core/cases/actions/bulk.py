"""Many cases at once: each by its own rules, all that cannot be done named, and ten seconds to take it back where that is lawful."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from django.db import transaction

from jilink.core.cases.actions.assigning import Recipient, assign_case, claim_case, hand, move_case, release_case
from jilink.core.cases.actions.desk import desk_of, locked
from jilink.core.cases.actions.editing import edit_case
from jilink.core.cases.actions.stepping import NOTHING, StepData, take_step
from jilink.core.cases.events import CaseEdited
from jilink.core.cases.models import BulkRun, Case
from jilink.core.cases.reads.bulk import Before, Why, why_of
from jilink.core.cases.reads.ground import HIDDEN
from jilink.core.cases.rules import allowed
from jilink.core.cases.rules.allowed import TAKEN_BACK, Act, Many
from jilink.core.cases.rules.timeline import Change, Edited
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.texts import gettext_noop

UNDO_WITHIN = timedelta(seconds=10)
GRACE = timedelta(seconds=2)
"""The way of the click to us."""
MOST = 500
REMEMBERED = timedelta(days=7)


class TooMany(Refused):
    """At most 500 cases at once."""


class TooLate(Refused):
    """It can be taken back for ten seconds, once, by whoever did it; a step not at all."""


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What was done, what was not and why (by case), the run under which both are kept for a week, and the key for `undo_bulk`.

    `undo` is None where nothing was done or it cannot be taken back; `run` is None for whoever is no member.
    """

    done: tuple[int, ...]
    refused: dict[int, str] = field(default_factory=dict)
    undo: int | None = None
    undo_until: datetime | None = None
    run: int | None = None


@transaction.atomic
def assign_many(
    *, cases: Sequence[int], by: Actor, team: int | None = None, assignee: int | None = None, now: datetime | None = None
) -> BulkResult:
    """Give many open cases to a team or a person; one that cannot be given stays and is named with the reason. Raises TooMany."""
    moment = now or utc_now()
    return _each(Many.ASSIGN, cases, by, moment, lambda case: assign_case(case=case, team=team, assignee=assignee, by=by, now=moment))


@transaction.atomic
def claim_many(*, cases: Sequence[int], by: Actor, now: datetime | None = None) -> BulkResult:
    """Take many cases that nobody has. Raises TooMany."""
    moment = now or utc_now()
    return _each(Many.CLAIM, cases, by, moment, lambda case: claim_case(case=case, by=by, now=moment))


@transaction.atomic
def release_many(*, cases: Sequence[int], by: Actor, now: datetime | None = None) -> BulkResult:
    """Give up many cases that one has oneself. Raises TooMany."""
    moment = now or utc_now()
    return _each(Many.RELEASE, cases, by, moment, lambda case: release_case(case=case, by=by, now=moment))


@transaction.atomic
def move_many(
    *, cases: Sequence[int], unit: int, reason: str, by: Actor, team: int | None = None, now: datetime | None = None
) -> BulkResult:
    """Give many cases that units work on to another unit, for one reason. Raises TooMany."""
    moment = now or utc_now()
    return _each(Many.MOVE, cases, by, moment, lambda case: move_case(case=case, unit=unit, team=team, reason=reason, by=by, now=moment))


@transaction.atomic
def prioritise_many(*, cases: Sequence[int], priority: int, by: Actor, now: datetime | None = None) -> BulkResult:
    """Give many open cases a priority. Clocks that run keep what was promised. Raises TooMany."""
    moment = now or utc_now()

    def one(case: int) -> None:
        version = Case.objects.filter(pk=case).values_list("version", flat=True).first()
        edit_case(case=case, wanted={"priority": priority}, base={}, version=version, by=by, now=moment)

    return _each(Many.PRIORITISE, cases, by, moment, one)


@transaction.atomic
def step_many(*, cases: Sequence[int], key: str, by: Actor, data: StepData = NOTHING, now: datetime | None = None) -> BulkResult:
    """Take the step of this key with many cases, closing included; each as its own type allows. There is no undo. Raises TooMany."""
    moment = now or utc_now()
    return _each(Many.STEP, cases, by, moment, lambda case: take_step(case=case, key=key, data=data, by=by, now=moment))


def _each(what: Many, cases: Sequence[int], by: Actor, now: datetime, do: Callable[[int], object]) -> BulkResult:
    wanted = sorted(set(cases))
    if len(wanted) > MOST:
        raise TooMany("At most 500 cases at once.")
    before = {row.pk: row for row in Case.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk")}
    done: list[int] = []
    refused: dict[int, Why] = {}
    for case in wanted:
        try:
            with transaction.atomic():
                do(case)
            done.append(case)
        except Refused as error:
            refused[case] = why_of(error)
    told = {case: why.plain for case, why in refused.items()}
    if by.user is None:
        return BulkResult(tuple(done), told)
    versions = dict(Case.objects.filter(pk__in=done).values_list("pk", "version"))
    undo = [Before.of(before[pk], versions[pk]) for pk in done] if what in TAKEN_BACK else []
    run = BulkRun.objects.create(
        user=by.user,
        what=what.value,
        undo=msgspec.json.encode(undo).decode(),
        done=msgspec.json.encode(done).decode(),
        refused=msgspec.json.encode(refused).decode(),
        at=now,
    )
    return BulkResult(tuple(done), told, run.pk if undo else None, now + UNDO_WITHIN if undo else None, run.pk)


@transaction.atomic
def undo_bulk(*, run: int, by: Actor, now: datetime | None = None) -> BulkResult:
    """Take back what was done to many cases; one that somebody touched since stays and is named. Raises TooLate, NotFound."""
    moment = now or utc_now()
    row = BulkRun.objects.select_for_update().filter(pk=run).first()
    if row is None or row.user != by.user:
        raise NotFound(HIDDEN)
    if row.what not in TAKEN_BACK:
        raise TooLate("A step is not taken back. A closed case can be reopened.")
    if row.undone_at is not None or moment > row.at + UNDO_WITHIN + GRACE:
        raise TooLate("It can be taken back for ten seconds, and once.")
    befores = msgspec.json.decode(row.undo, type=list[Before])
    if not befores:
        raise TooLate("Nothing was done that could be taken back.")
    done, refused = [], {}
    for was in befores:
        try:
            with transaction.atomic():
                _take_back(was, by, moment)
            done.append(was.case)
        except Refused as error:
            refused[was.case] = str(error)
    row.undone_at = moment
    row.save(update_fields=["undone_at"])
    return BulkResult(tuple(done), refused)


def _take_back(was: Before, by: Actor, now: datetime) -> None:
    """Put one case back. Whoever did it a moment ago may: once they gave a case away they may not even see it any more."""
    rows = locked([was.case])
    if not rows or rows[0].version != was.version or not allowed.allows(rows[0].state, Act.ASSIGN):
        raise TooLate(gettext_noop("Somebody has worked on it since."))
    desk = desk_of(rows[0], by, now)
    if (desk.row.unit_id, desk.row.team_id, desk.row.assignee_id) != (was.unit, was.team, was.assignee):
        hand(desk, Recipient(unit=was.unit, team=was.team, assignee=was.assignee, why=("undo",)))
    if desk.row.priority != was.priority:
        desk.write(Edited(changes=(Change("priority", str(desk.row.priority), str(was.priority)),)))
        desk.set(priority=was.priority)
        desk.tell(CaseEdited, fields=("priority",))
    desk.save()


@transaction.atomic
def forget_runs(now: datetime) -> int:
    """Remove what was done to many cases more than a week ago; the cases' own timelines keep it. Return how many runs that were."""
    return BulkRun.objects.filter(at__lt=now - REMEMBERED).delete()[0]
