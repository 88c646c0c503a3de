"""What a unit asks for: more time, to be rid of the order, to wait. Each with a reason, each decided by somebody else."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction

from jilink.core.cases.actions import timing
from jilink.core.cases.actions.desk import Desk, desk_of, lay, locked
from jilink.core.cases.actions.stepping import StepData, step
from jilink.core.cases.events import CaseRequestDecided, CaseRequestMade, CaseSuspensionEnded
from jilink.core.cases.models import Request
from jilink.core.cases.rules import workflow
from jilink.core.cases.rules.definition import Step, Transition
from jilink.core.cases.rules.timeline import Asked, Decided, Resumed, Suspended
from jilink.core.cases.rules.workflow import WHOLE, RequestKind, RequestState, StepRefused
from jilink.core.parties.access import Actor, system
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused


class RequestRefused(Refused):
    """This cannot be asked for, or was asked for already."""


@dataclass(frozen=True, slots=True)
class RequestMade:
    """The request, and whether it went to arbitration at once."""

    request: int
    arbitration: bool = False


@transaction.atomic
def request_extension(*, case: int, amount: int, reason: str, by: Actor, now: datetime | None = None) -> RequestMade:
    """Ask for so many more units of the clock of work, before it is due. Raises NotFound, StepRefused, RequestRefused."""
    desk = _asking(case, RequestKind.EXTENSION, reason, by, now)
    clocks = [clock for clock in timing.running(desk) if clock.key == desk.row.stage] or [
        clock for clock in timing.running(desk) if clock.key == WHOLE
    ]
    if not clocks:
        raise RequestRefused("No clock of this case runs, so there is nothing to extend.")
    if not 1 <= amount <= clocks[0].amount * 4:
        raise RequestRefused("Ask for at least one unit more, and at most four times the original limit.")
    if clocks[0].due_at is not None and clocks[0].due_at < desk.now:
        raise RequestRefused("The time has already run out; an extension is asked for before.")
    return RequestMade(_ask(desk, RequestKind.EXTENSION, reason, amount=amount).pk)


@transaction.atomic
def request_suspension(*, case: int, until: datetime, reason: str, by: Actor, now: datetime | None = None) -> RequestMade:
    """Ask to let the clocks stand until a day, because nothing can be done before. Raises NotFound, StepRefused, RequestRefused."""
    desk = _asking(case, RequestKind.SUSPENSION, reason, by, now)
    longest = timedelta(days=desk.definition.longest_suspension_days)
    if not desk.now < until <= desk.now + longest:
        raise RequestRefused("The day must lie ahead, and not further than this case type allows.")
    return RequestMade(_ask(desk, RequestKind.SUSPENSION, reason, until=until).pk)


@transaction.atomic
def request_return(*, case: int, reason: str, by: Actor, now: datetime | None = None) -> RequestMade:
    """Say that the order is not this unit's. No clock stops for it. From the second time on it goes to arbitration, at once.

    Raises NotFound, StepRefused, RequestRefused.
    """
    desk = _asking(case, RequestKind.RETURN, reason, by, now)
    arbitrated = workflow.to_arbitration(desk.definition, desk.standing)
    made = _ask(desk, RequestKind.RETURN, reason)
    desk.set(returns=desk.row.returns + 1)
    if arbitrated:
        Request.objects.filter(pk=made.pk).update(state=RequestState.ARBITRATION.value)
        step(desk, _return_way(desk), StepData(reason=reason), arbitrated=True)
    desk.save()
    return RequestMade(made.pk, arbitrated)


def _asking(case: int, kind: RequestKind, reason: str, by: Actor, now: datetime | None) -> Desk:
    desk = lay(case, Permission.WORK_CASES, by, now)
    approved = Request.objects.filter(case=desk.row, round=desk.row.round, kind=kind.value, state=RequestState.APPROVED.value).count()
    workflow.may_ask(desk.definition, desk.standing, kind, approved)
    if not reason.strip():
        raise RequestRefused("Say why, so that whoever decides understands.")
    if Request.objects.filter(case=desk.row, kind=kind.value, state=RequestState.ASKED.value).exists():
        raise RequestRefused("This was already requested and is waiting for a decision.")
    return desk


def _ask(desk: Desk, kind: RequestKind, reason: str, *, amount: int = 0, until: datetime | None = None) -> Request:
    row = Request.objects.create(
        case=desk.row,
        round=desk.row.round,
        kind=kind.value,
        state=RequestState.ASKED.value,
        reason=reason.strip(),
        amount=amount,
        until=until,
        asked_by=desk.by.name,
        asked_by_user=desk.by.user,
        asked_at=desk.now,
    )
    desk.write(Asked(request=row.pk, what=kind.value, reason=reason.strip(), amount=amount))
    desk.save()
    desk.tell(CaseRequestMade, request=row.pk, what=kind.value)
    return row


@transaction.atomic
def decide_request(*, request: int, approve: bool, by: Actor, reason: str = "", now: datetime | None = None) -> None:
    """Approve or refuse what a unit asked for. Only the organisation that answers for the case decides, never whoever asked.

    Raises NotFound, OwnWork, RequestRefused where it was decided before, CalendarMissing.
    """
    known = Request.objects.filter(pk=request).values_list("case_id", flat=True).first()
    desk = lay(known or 0, Permission.APPROVE_CASES, by, now)
    row = Request.objects.get(pk=request)
    if not workflow.waits(row.state):
        raise RequestRefused("This was already decided.")
    workflow.may_decide(row.asked_by_user, by.user)
    if not approve and not reason.strip():
        raise RequestRefused("Say why it is refused.")
    outcome = RequestState.APPROVED if approve else RequestState.REFUSED
    row.state, row.decided_by, row.decided_at, row.decision = outcome.value, by.name, desk.now, reason.strip()
    row.save(update_fields=["state", "decided_by", "decided_at", "decision"])
    desk.write(Decided(request=row.pk, what=row.kind, outcome=outcome.value, reason=reason.strip()))
    if approve:
        _carry_out(desk, row)
    desk.save()
    desk.tell(CaseRequestDecided, request=row.pk, what=row.kind, outcome=outcome.value, asked_by=row.asked_by_user)


def _carry_out(desk: Desk, row: Request) -> None:
    match RequestKind(row.kind):
        case RequestKind.EXTENSION:
            for clock in timing.running(desk):
                if clock.key in {desk.row.stage, WHOLE}:
                    timing.extend(desk, clock, _in_units(desk, row, clock.kind))
            timing.set_due(desk)
        case RequestKind.SUSPENSION:
            timing.pause_all(desk)
            desk.set(suspended_at=desk.now)
            desk.write(Suspended(until=row.until.isoformat() if row.until else ""))
            if row.until is not None:
                desk.remind(CaseSuspensionEnded(case=desk.row.pk, request=row.pk), row.until)
        case RequestKind.RETURN:
            if desk.row.suspended_at is not None:  # an order that goes back runs on
                desk.set(suspended_at=None)
                timing.resume_all(desk)
                desk.write(Resumed())
            step(desk, _return_way(desk), StepData(reason=row.reason))


def _in_units(desk: Desk, row: Request, kind: str) -> int:
    """Return an extension in the units of a clock: asked for in those of the clock of work, so the whole gets the same or a little more."""
    of_work = [clock.kind for clock in timing.running(desk) if clock.key == desk.row.stage]
    asked = of_work[0] if of_work else kind
    if asked == kind:
        return row.amount
    hours = {"urgent_hours": 1.0, "working_hours": 24 / 7, "working_days": 24.0, "calendar_days": 24.0}
    return max(1, -int(-row.amount * hours[asked] // hours[kind]))


def _return_way(desk: Desk) -> Transition:
    for way in workflow.ways(desk.definition, replace(desk.standing, suspended=False)):
        if way.step == Step.RETURN:
            return way
    raise StepRefused("This case cannot be returned any more.")


@transaction.atomic
def resume_case(*, case: int, by: Actor, now: datetime | None = None) -> None:
    """Let the clocks of a suspended case go on. Raises NotFound, StepRefused."""
    desk = lay(case, Permission.WORK_CASES, by, now)
    if desk.row.suspended_at is None:
        raise StepRefused("The case is not suspended.")
    _resume(desk, by_time=False)


@transaction.atomic
def end_suspension(*, case: int, request: int, now: datetime) -> bool:
    """Let a suspended case go on because its time has come, and return whether it did. Twice or late changes nothing more."""
    rows = locked([case])
    last = Request.objects.filter(case_id=case, kind=RequestKind.SUSPENSION.value, state=RequestState.APPROVED.value).order_by(
        "-decided_at"
    )
    current = last.first()
    if not rows or rows[0].suspended_at is None or current is None or current.pk != request or current.until is None:
        return False
    _resume(desk_of(rows[0], system("clocks"), max(now, current.until)), by_time=True)
    return True


def _resume(desk: Desk, *, by_time: bool) -> None:
    desk.set(suspended_at=None)
    timing.resume_all(desk)
    desk.write(Resumed(by_time=by_time))
    desk.save()
    desk.tell(CaseRequestDecided, request=0, what=RequestKind.SUSPENSION.value, outcome="resumed")
