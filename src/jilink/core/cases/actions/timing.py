"""Clocks as rows: started, paused, resumed, extended, ended, and the bells of the ladder in the outbox."""

from collections.abc import Collection, Iterable
from datetime import datetime

from jilink.core.cases.actions.desk import Desk
from jilink.core.cases.events import CaseClockRang
from jilink.core.cases.models import Clock, ClockPause, Escalation
from jilink.core.cases.reads.ground import limit_of, pauses_of
from jilink.core.cases.rules import clocks, escalation
from jilink.core.cases.rules.clocks import Limit, Pause
from jilink.core.cases.rules.escalation import Running
from jilink.core.cases.rules.workflow import CALL_BACK, WHOLE, ClockChanges


def running(desk: Desk) -> list[Clock]:
    """Return the clocks of the case that have not ended."""
    return list(Clock.objects.filter(case=desk.row, ended_at=None).order_by("pk"))


def ended_keys(desk: Desk) -> set[str]:
    """Return the keys of clocks that ended in this round."""
    return set(Clock.objects.filter(case=desk.row, round=desk.row.round, ended_at__isnull=False).values_list("key", flat=True))


def apply(desk: Desk, changes: ClockChanges) -> None:
    """Do to the clocks what the rules say of a transition."""
    for clock in running(desk):
        if clock.key in changes.ended:
            end(desk, clock)
    for key in changes.started:
        limits = desk.definition.whole if key == WHOLE else desk.definition.stage(key).limits
        if limits is not None:
            start(desk, key, limits.of(desk.row.priority))
    for key in changes.resumed:
        _go_on(desk, key)
    set_due(desk)


def start(desk: Desk, key: str, limit: Limit) -> None:
    """Start a clock now. Raises CalendarMissing where the calendar does not reach its due time."""
    due = clocks.due_at(desk.now, limit, desk.calendar)
    clock = Clock.objects.create(
        case=desk.row, key=key, round=desk.row.round, kind=limit.clock.value, amount=limit.amount, started_at=desk.now, due_at=due
    )
    _set_bells(desk, clock, ())


def _go_on(desk: Desk, key: str) -> None:
    """Let the last clock of a key go on with what was left, as if it had stood since it ended."""
    clock = Clock.objects.filter(case=desk.row, round=desk.row.round, key=key).order_by("-pk")[0]
    ended = clock.ended_at or desk.now
    ClockPause.objects.create(clock=clock, paused_at=ended, resumed_at=max(desk.now, ended))
    clock.ended_at = None
    renew(desk, clock)


def end(desk: Desk, clock: Clock) -> None:
    """End a clock now. One that stands is due when it would have been had it gone on now."""
    if clock.paused_at is not None:
        _end_pause(desk, clock)
    clock.ended_at = desk.now
    clock.generation += 1
    clock.save(update_fields=["ended_at", "generation", "paused_at", "due_at"])


def end_all(desk: Desk, keep: Collection[str] = ()) -> None:
    """End every running clock but those of these keys."""
    for clock in running(desk):
        if clock.key not in keep:
            end(desk, clock)
    set_due(desk)


def pause_all(desk: Desk) -> None:
    """Let every running clock of work stand from now on."""
    for clock in running(desk):
        if clock.paused_at is None and clock.key != CALL_BACK:
            ClockPause.objects.create(clock=clock, paused_at=desk.now)
            clock.paused_at, clock.due_at = desk.now, None
            clock.generation += 1
            clock.save(update_fields=["paused_at", "due_at", "generation"])
    set_due(desk)


def resume_all(desk: Desk) -> None:
    """Let every clock that stands go on from now."""
    for clock in running(desk):
        if clock.paused_at is not None:
            _end_pause(desk, clock)
            renew(desk, clock)
    set_due(desk)


def _end_pause(desk: Desk, clock: Clock) -> None:
    at = max(desk.now, clock.paused_at or desk.now)
    ClockPause.objects.filter(clock=clock, resumed_at=None).update(resumed_at=at)
    clock.paused_at = None
    clock.due_at = clocks.due_at(clock.started_at, limit_of(clock), desk.calendar, pauses_of(clock))


def extend(desk: Desk, clock: Clock, by: int) -> None:
    """Give a clock more units; one that stands has them once it goes on."""
    clock.extended_by += by
    if clock.paused_at is not None:
        clock.save(update_fields=["extended_by"])
    else:
        renew(desk, clock)


def renew(desk: Desk, clock: Clock) -> None:
    """Set the due time of a clock anew, and its bells; bells set before are known by their generation and do nothing."""
    pauses = pauses_of(clock)
    clock.due_at = clocks.due_at(clock.started_at, limit_of(clock), desk.calendar, pauses)
    clock.generation += 1
    clock.save(update_fields=["due_at", "ended_at", "paused_at", "generation", "extended_by"])
    _set_bells(desk, clock, pauses)


def set_due(desk: Desk) -> None:
    """Let the case carry the nearest due time of its clocks."""
    due = [clock.due_at for clock in running(desk) if clock.due_at is not None and clock.key != CALL_BACK]
    desk.set(due_at=min(due, default=None))


def as_running(clock: Clock, pauses: Iterable[Pause] | None = None) -> Running:
    """Return a clock as the ladder looks at it."""
    stopped = clock.ended_at is not None or clock.paused_at is not None
    stood = list(pauses) if pauses is not None else pauses_of(clock)
    return Running(clock.key, limit_of(clock), clock.started_at, stood, clock.generation, stopped)


def _set_bells(desk: Desk, clock: Clock, pauses: Iterable[Pause]) -> None:
    bells = escalation.bells(desk.definition, as_running(clock, pauses), desk.calendar)
    answered = set(Escalation.objects.filter(clock=clock).values_list("rung", flat=True)) if clock.generation > 1 else set()
    for rung, at in bells:
        if at <= desk.now and rung in answered:
            continue
        event = CaseClockRang(case=desk.row.pk, clock=clock.pk, rung=rung, generation=clock.generation, at_ms=milliseconds(at))
        desk.remind(event, at)


def milliseconds(at: datetime) -> int:
    """Return an instant as milliseconds since 1970 UTC, rounded up, so that the bell never comes before its time."""
    return -int(-at.timestamp() * 1000 // 1)
