"""Many cases at once: each by its own rules, all that cannot be done named, and ten seconds to take it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from django.db import transaction

from jilink.core.cases.actions.assigning import Recipient, assign_case, hand
from jilink.core.cases.actions.desk import lay_many
from jilink.core.cases.actions.editing import edit_case
from jilink.core.cases.events import CaseEdited
from jilink.core.cases.models import BulkRun, Case
from jilink.core.cases.reads.ground import HIDDEN
from jilink.core.cases.rules.timeline import Change, Edited
from jilink.core.cases.rules.workflow import State
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused

UNDO_WITHIN = timedelta(seconds=10)
GRACE = timedelta(seconds=2)
"""The way of the click to us."""
MOST = 500


class TooMany(Refused):
    """At most 500 cases at once."""


class TooLate(Refused):
    """It can be taken back for ten seconds, once, by whoever did it."""


class _Before(msgspec.Struct, frozen=True):
    case: int
    version: int
    """After the change: a case that somebody touched since is left alone."""
    priority: int
    team: int | None
    assignee: int | None


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What was done, what was not and why (by case), and the key for `undo_bulk`, None where nothing was done."""

    done: tuple[int, ...]
    refused: dict[int, str] = field(default_factory=dict)
    undo: int | None = None
    undo_until: datetime | None = None


@transaction.atomic
def assign_many(
    *, cases: Sequence[int], by: Actor, team: int | None = None, assignee: int | None = None, now: datetime | None = None
) -> BulkResult:
    """Give many open cases to a team or a person; one that cannot be given stays and is named with the reason. Raises TooMany."""
    moment = now or utc_now()
    return _each("assign", cases, by, moment, lambda case: assign_case(case=case, team=team, assignee=assignee, by=by, now=moment))


@transaction.atomic
def prioritise_many(*, cases: Sequence[int], priority: int, by: Actor, now: datetime | None = None) -> BulkResult:
    """Give many open cases a priority. Clocks that run keep what was promised. Raises TooMany."""
    moment = now or utc_now()

    def one(case: int) -> None:
        version = Case.objects.filter(pk=case).values_list("version", flat=True).first()
        edit_case(case=case, wanted={"priority": priority}, base={}, version=version, by=by, now=moment)

    return _each("prioritise", cases, by, moment, one)


def _each(what: str, cases: Sequence[int], by: Actor, now: datetime, do: Callable[[int], object]) -> BulkResult:
    wanted = sorted(set(cases))
    if len(wanted) > MOST:
        raise TooMany("At most 500 cases at once.")
    before = {row.pk: row for row in Case.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk")}
    done, refused = [], {}
    for case in wanted:
        try:
            with transaction.atomic():
                do(case)
            done.append(case)
        except Refused as error:
            refused[case] = str(error)
    if not done or by.user is None:
        return BulkResult(tuple(done), refused)
    versions = dict(Case.objects.filter(pk__in=done).values_list("pk", "version"))
    undo = [_Before(pk, versions[pk], before[pk].priority, before[pk].team_id, before[pk].assignee_id) for pk in done]
    run = BulkRun.objects.create(user=by.user, what=what, undo=msgspec.json.encode(undo).decode(), at=now)
    return BulkResult(tuple(done), refused, run.pk, now + UNDO_WITHIN)


@transaction.atomic
def undo_bulk(*, run: int, by: Actor, now: datetime | None = None) -> BulkResult:
    """Take back what was done to many cases; one that somebody touched since stays and is named. Raises TooLate, NotFound."""
    moment = now or utc_now()
    row = BulkRun.objects.select_for_update().filter(pk=run).first()
    if row is None or row.user != by.user:
        raise NotFound(HIDDEN)
    if row.undone_at is not None or moment > row.at + UNDO_WITHIN + GRACE:
        raise TooLate("It can be taken back for ten seconds, and once.")
    befores = msgspec.json.decode(row.undo, type=list[_Before])
    done, refused = [], {}
    for desk, was in zip(lay_many([one.case for one in befores], Permission.VIEW_CASES, by, moment), befores, strict=True):
        if desk.row.version != was.version or desk.row.state != State.OPEN:
            refused[was.case] = "Somebody has worked on it since."
            continue
        if (desk.row.team_id, desk.row.assignee_id) != (was.team, was.assignee):
            hand(desk, Recipient(unit=desk.row.unit_id, team=was.team, assignee=was.assignee, why=("undo",)))
        if desk.row.priority != was.priority:
            desk.write(Edited(changes=(Change("priority", str(desk.row.priority), str(was.priority)),)))
            desk.set(priority=was.priority)
            desk.tell(CaseEdited, fields=("priority",))
        desk.save()
        done.append(was.case)
    row.undone_at = moment
    row.save(update_fields=["undone_at"])
    return BulkResult(tuple(done), refused)
