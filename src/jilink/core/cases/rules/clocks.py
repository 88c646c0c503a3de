"""The four clocks of a case, and when each must be answered (GB/T 30428.8; the clocks as city systems name them).

| clock | counts | begins | is due |
|---|---|---|---|
| urgent hours 紧急工时 | every hour | at once | to the instant |
| working hours 工作时 | hours of work | at once | to the instant |
| working days 工作日 | worked days | on the day after | at the end of work of the last day |
| calendar days 自然日 | every day | on the day after | at the end of the last day |

The day of the event is not counted, the last one ends when business ends (Civil Code of China, articles 201 and 203).
While a pause lasts the clock stands; afterwards what was left goes on. Pauses are given as they were, never subtracted blindly.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

import msgspec

from jilink.core.cases.rules.calendar import DAY, WorkingCalendar

_HOUR = timedelta(hours=1)
_TICK = timedelta(microseconds=1)


class Clock(StrEnum):
    """What a limit counts."""

    URGENT_HOURS = "urgent_hours"
    WORKING_HOURS = "working_hours"
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"


class Limit(msgspec.Struct, frozen=True):
    """So many units of a clock: four working hours, seven working days."""

    amount: int
    clock: Clock


Pause = tuple[datetime, datetime | None]
"""From when to when a clock stood; None: it still stands. Pauses of one clock do not overlap and are in order."""


def begins_at(started_at: datetime, clock: Clock, calendar: WorkingCalendar) -> datetime:
    """Return when counting begins: at once, or for days at the end of the day it started on."""
    if clock in {Clock.URGENT_HOURS, Clock.WORKING_HOURS}:
        return started_at
    return calendar.midnight(calendar.local(started_at).date() + DAY)


def elapsed(started_at: datetime, until: datetime, clock: Clock, calendar: WorkingCalendar, pauses: Sequence[Pause] = ()) -> Fraction:
    """Return how many units have run from the start until then, pauses left out. Raises CalendarMissing."""
    begin = begins_at(started_at, clock, calendar)
    if until <= begin:
        return Fraction(0)
    total = _measure(until, clock, calendar) - _measure(begin, clock, calendar)
    for paused_at, resumed_at in pauses:
        low, high = max(paused_at, begin), min(resumed_at or until, until)
        if low < high:
            total -= _measure(high, clock, calendar) - _measure(low, clock, calendar)
    return total


def remaining(started_at: datetime, now: datetime, limit: Limit, calendar: WorkingCalendar, pauses: Sequence[Pause] = ()) -> Fraction:
    """Return how many units are left; less than zero when overdue. Raises CalendarMissing."""
    return limit.amount - elapsed(started_at, now, limit.clock, calendar, pauses)


def due_at(started_at: datetime, limit: Limit, calendar: WorkingCalendar, pauses: Sequence[Pause] = ()) -> datetime | None:
    """Return when the limit runs out, or None while the clock stands. Raises CalendarMissing where the calendar ends before.

    At that instant `elapsed` is at least the limit, and before it less; days are rounded up to the end of the day's business.
    """
    return reached_at(started_at, limit, Fraction(1), calendar, pauses)


def reached_at(
    started_at: datetime, limit: Limit, share: Fraction, calendar: WorkingCalendar, pauses: Sequence[Pause] = ()
) -> datetime | None:
    """Return when a share of the limit has run (1: due), or None where the clock stands before. Raises CalendarMissing."""
    begin = begins_at(started_at, limit.clock, calendar)
    wanted = limit.amount * share
    start = begin
    for paused_at, resumed_at in pauses:
        if paused_at > start:
            run = _measure(paused_at, limit.clock, calendar) - _measure(start, limit.clock, calendar)
            if run >= wanted:
                break
            wanted -= run
        if resumed_at is None:
            return None
        start = max(start, resumed_at)
    exact = _after(start, wanted, limit.clock, calendar)
    return _end_of_business(exact, limit.clock, calendar) if share == 1 else exact


def later(moment: datetime, limit: Limit, calendar: WorkingCalendar) -> datetime:
    """Return the instant that lies a limit after another, counted as its clock counts. Raises CalendarMissing."""
    exact = _after(begins_at(moment, limit.clock, calendar), Fraction(limit.amount), limit.clock, calendar)
    return _end_of_business(exact, limit.clock, calendar)


def _measure(moment: datetime, clock: Clock, calendar: WorkingCalendar) -> Fraction:
    """Return how many units of the clock lie before an instant, counted from the first day of the calendar."""
    if clock == Clock.WORKING_HOURS:
        return Fraction(calendar.worked_before(moment) // _TICK, _HOUR // _TICK)
    if clock == Clock.WORKING_DAYS:
        days, worked, length = calendar.days_before(moment)
        return days + (Fraction(worked // _TICK, length // _TICK) if length else Fraction(0))
    passed = moment - calendar.midnight(calendar.data.first)
    return Fraction(passed // _TICK, (_HOUR if clock == Clock.URGENT_HOURS else DAY) // _TICK)


def _after(start: datetime, wanted: Fraction, clock: Clock, calendar: WorkingCalendar) -> datetime:
    """Return the first instant from `start` on at which so many units have run."""
    if wanted <= 0:
        return start
    if clock in {Clock.URGENT_HOURS, Clock.CALENDAR_DAYS}:
        return start + _ticks(wanted * ((_HOUR if clock == Clock.URGENT_HOURS else DAY) // _TICK))
    target = _measure(start, clock, calendar) + wanted
    if clock == Clock.WORKING_HOURS:
        return calendar.instant_worked(_ticks(target * (_HOUR // _TICK)))
    whole = -(-target.numerator // target.denominator) - 1  # worked days before the one in which it is reached
    day = calendar.worked_day(whole)
    before, _none, _length = calendar.days_before(calendar.midnight(day))
    *_rest, length = calendar.days_before(calendar.closing(day))
    within = calendar.worked_before(calendar.midnight(day)) + _ticks((target - before) * (length // _TICK))
    return calendar.instant_worked(within)


def _ticks(amount: Fraction) -> timedelta:
    """Return the least whole number of microseconds that is not less."""
    return -(-amount.numerator // amount.denominator) * _TICK


def _end_of_business(moment: datetime, clock: Clock, calendar: WorkingCalendar) -> datetime:
    if clock == Clock.WORKING_DAYS:
        return calendar.closing(calendar.local(moment).date())
    if clock == Clock.CALENDAR_DAYS:
        here = calendar.local(moment)
        midnight = calendar.midnight(here.date())
        return moment if here == midnight else midnight + DAY
    return moment
