"""Steps of a case from stage to stage, each one that its type's table allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.cases.actions import timing
from jilink.core.cases.actions.assigning import ReasonNeeded, Recipient, give
from jilink.core.cases.actions.desk import Desk, lay
from jilink.core.cases.events import CaseMoved
from jilink.core.cases.models import Request
from jilink.core.cases.reads.ground import HIDDEN, answers_of, may
from jilink.core.cases.rules import clocks, workflow
from jilink.core.cases.rules.definition import StageKind, Step, Transition
from jilink.core.cases.rules.form import check_answers
from jilink.core.cases.rules.timeline import Stepped
from jilink.core.cases.rules.workflow import RequestKind, RequestState, Standing, State, StepRefused
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members.work import may_be_given
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused


class CodeNeeded(Refused):
    """Closing needs one of the type's closing codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepData:
    """What goes with a step: a reason, answers that are given with it, the closing code, and at dispatch who gets it."""

    reason: str = ""
    answers: Mapping[str, object] | None = None
    code: str = ""
    recipient: Recipient | None = None


NOTHING = StepData()


@transaction.atomic
def take_step(*, case: int, key: str, by: Actor, data: StepData = NOTHING, now: datetime | None = None) -> State:
    """Take the transition with this key and return the state the case is then in.

    Raises NotFound where the actor may not see the case or not take this step, StepRefused where the table has no such way from
    here, OwnWork, ReasonNeeded, CodeNeeded, AnswersRefused, CalendarMissing. A return is asked for with `requesting.request_return`.
    """
    desk = lay(case, Permission.VIEW_CASES, by, now)
    way = workflow.way_of(desk.definition, desk.standing, key)
    if not may(by, way.permission, desk.row):
        raise NotFound(HIDDEN)
    if way.step == Step.RETURN:
        raise StepRefused("A return is asked for, and decided by the organisation that answers for the case.")
    step(desk, way, data)
    return State(desk.row.state)


def step(desk: Desk, way: Transition, data: StepData, *, arbitrated: bool = False) -> None:
    """Take a transition with the case on the desk: checks, stage, clocks, timeline, event."""
    _check(desk, way, data)
    _answer(desk, way, data)
    before = desk.standing
    standing = workflow.after(desk.definition, before, way, by=desk.by.user, arbitrated=arbitrated)
    changes = workflow.clock_changes(
        desk.definition, way, standing.stage, [clock.key for clock in timing.running(desk)], timing.ended_keys(desk)
    )
    desk.stand(standing)
    if way.step == Step.REOPEN:
        changes = workflow.clock_changes(desk.definition, way, standing.stage, [], [])
        desk.set(closed_at=None, closing_code="")
        _leave_archived_team(desk)
    timing.apply(desk, changes)
    code = _ending(desk, standing, data, way)
    desk.write(Stepped(key=way.key, step=way.step, source=way.source, target=standing.stage, reason=data.reason.strip(), code=code))
    desk.withdraw()  # what was asked in that stage is settled by leaving it
    if way.step == Step.DISPATCH:
        give(desk, data.recipient)
        _settle_arbitration(desk, way)
        if desk.row.dispatched_at is None:
            desk.set(dispatched_at=desk.now)
    desk.save()
    desk.tell(CaseMoved, step=way.step.value, source=way.source, target=standing.stage, state=standing.state.value)


def _leave_archived_team(desk: Desk) -> None:
    """What is opened again lies with no team that was archived meanwhile: whoever had it keeps it, or its unit at large."""
    team = desk.row.team_id
    if team is not None and not may_be_given(team, desk.row.unit_id):
        desk.set(team_id=None)


def _check(desk: Desk, way: Transition, data: StepData) -> None:
    if way.reason and not data.reason.strip():
        raise ReasonNeeded("Say why, so that whoever reads it later understands.")
    within, closed_at = desk.definition.reopen_within, desk.row.closed_at
    late = way.step == Step.REOPEN and within and closed_at and desk.now > clocks.later(closed_at, within, desk.calendar)
    if late:
        raise StepRefused("It was closed too long ago to be reopened. Open a new case and link it.")


def _answer(desk: Desk, way: Transition, data: StepData) -> None:
    """Keep answers given with the step, and insist on those it needs."""
    if not data.answers and not way.requires:
        return
    stored = answers_of(desk.row)
    whole = {**stored, **(data.answers or {})}
    kept = check_answers(desk.definition.form, whole, needed=way.requires)
    if kept != stored:
        desk.set(answers=msgspec.json.encode(kept).decode())


def _ending(desk: Desk, standing: Standing, data: StepData, way: Transition) -> str:
    if workflow.goes_on(standing.state):
        return ""
    codes = [choice.key for choice in desk.definition.closing_codes]
    code = data.code
    if workflow.needs_code(standing.state):
        if code not in codes:
            raise CodeNeeded("Say how it ended: %(codes)s.", codes=", ".join(codes))
        desk.set(closed_at=desk.now, closing_code=code)
    return code


def _settle_arbitration(desk: Desk, way: Transition) -> None:
    """What went to arbitration is decided by whom it is sent to: the same unit means the return was refused."""
    if desk.definition.stage(way.source).kind != StageKind.ARBITRATION:
        return
    Request.objects.filter(case=desk.row, round=desk.row.round, kind=RequestKind.RETURN.value, state=RequestState.ARBITRATION.value).update(
        decided_at=desk.now, decided_by=desk.by.name
    )
