"""The four clocks, against a slow one that looks at every minute."""

from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jilink.core.cases.rules.calendar import CalendarMissing, compiled
from jilink.core.cases.rules.clocks import Clock, Limit, due_at, elapsed, later, reached_at, remaining
from jilink.core.cases.shipped import china
from jilink.kernel.clock import CHINA

CALENDAR = compiled(china())
MINUTE = timedelta(minutes=1)
START, END = datetime(2025, 9, 20, tzinfo=CHINA), datetime(2025, 10, 20, tzinfo=CHINA)
"""A month with make-up Sundays and Saturdays around the longest holiday."""
minutes = st.integers(0, int((END - START) / MINUTE)).map(lambda number: START + number * MINUTE)
clocks = st.sampled_from(list(Clock))
limits = st.builds(Limit, st.integers(1, 30), clocks)
instants = st.integers(0, 86_400 * 1000).map(lambda second: datetime(2024, 1, 2, tzinfo=CHINA) + timedelta(seconds=second))


@st.composite
def pauses_after(draw: st.DrawFn, begin: datetime) -> list[tuple[datetime, datetime | None]]:
    found: list[tuple[datetime, datetime | None]] = []
    at = begin
    for _number in range(draw(st.integers(0, 3))):
        low = at + draw(st.integers(0, 4000)) * MINUTE
        high = low + draw(st.integers(1, 6000)) * MINUTE
        found.append((low, high))
        at = high
    return found


def counted(moment: datetime, clock: Clock) -> Fraction:
    """Return how many units the minute that begins now is worth, by looking at it."""
    if clock == Clock.URGENT_HOURS:
        return Fraction(1, 60)
    if clock == Clock.CALENDAR_DAYS:
        return Fraction(1, 1440)
    here = moment.hour * 60 + moment.minute
    open_now = CALENDAR.is_worked(moment.date()) and (510 <= here < 690 or 780 <= here < 1020)
    return (Fraction(1, 60) if clock == Clock.WORKING_HOURS else Fraction(1, 420)) if open_now else Fraction(0)


@given(minutes, st.integers(0, 20_000), clocks, st.data())
@settings(max_examples=150, deadline=None)
def test_elapsed_is_what_counting_every_minute_gives(start: datetime, length: int, clock: Clock, data: st.DataObject) -> None:
    until = start + length * MINUTE
    pauses = data.draw(pauses_after(start))
    begin = start if clock.endswith("hours") else datetime(start.year, start.month, start.day, tzinfo=CHINA) + timedelta(days=1)
    slow = Fraction(0)
    at = begin
    while at < until:
        if not any(low <= at < (high or until) for low, high in pauses):
            slow += counted(at, clock)
        at += MINUTE
    assert elapsed(start, until, clock, CALENDAR, pauses) == slow


@given(instants, limits, st.data())
@settings(deadline=None)
def test_due_is_where_the_limit_has_run_and_not_before(start: datetime, limit: Limit, data: st.DataObject) -> None:
    pauses = data.draw(pauses_after(start))
    due = due_at(start, limit, CALENDAR, pauses)
    assert due is not None and due > start
    assert elapsed(start, due, limit.clock, CALENDAR, pauses) >= limit.amount
    exact = reached_at(start, limit, Fraction(999_999, 1_000_000), CALENDAR, pauses)
    assert exact is not None and exact <= due
    assert remaining(start, exact, limit, CALENDAR, pauses) <= limit.amount * Fraction(1, 1_000_000)
    if not pauses:
        assert elapsed(start, due, limit.clock, CALENDAR) == limit.amount
        assert remaining(start, due - timedelta(seconds=1), limit, CALENDAR) > 0


@given(instants, instants, limits)
@settings(deadline=None)
def test_who_starts_later_is_due_no_earlier_and_more_time_is_never_less(one: datetime, other: datetime, limit: Limit) -> None:
    assume(one <= other)
    first, second = due_at(one, limit, CALENDAR), due_at(other, limit, CALENDAR)
    longer = due_at(one, Limit(limit.amount + 1, limit.clock), CALENDAR)
    assert first is not None and second is not None and longer is not None
    assert first <= second and first < longer


@given(instants, st.integers(1, 20), st.integers(1, 20), st.sampled_from([Clock.URGENT_HOURS, Clock.WORKING_HOURS]))
@settings(deadline=None)
def test_hours_add_up(start: datetime, one: int, other: int, clock: Clock) -> None:
    middle = due_at(start, Limit(one, clock), CALENDAR)
    assert middle is not None
    assert due_at(middle, Limit(other, clock), CALENDAR) == due_at(start, Limit(one + other, clock), CALENDAR)


@given(instants, st.integers(0, 90_000), st.integers(0, 90_000), clocks)
@settings(deadline=None)
def test_what_has_run_adds_up_over_any_cut(start: datetime, one: int, other: int, clock: Clock) -> None:
    middle, end = start + one * MINUTE, start + (one + other) * MINUTE
    assume(end < datetime(2026, 12, 31, tzinfo=CHINA))
    paused = [(start, middle)]
    whole = elapsed(start, end, clock, CALENDAR)
    assert elapsed(start, middle, clock, CALENDAR) + elapsed(start, end, clock, CALENDAR, paused) == whole


@given(instants, limits, st.integers(1, 10_000), st.integers(0, 10_000))
@settings(deadline=None)
def test_a_pause_never_brings_the_due_time_nearer(start: datetime, limit: Limit, length: int, begin: int) -> None:
    pause = (start + begin * MINUTE, start + (begin + length) * MINUTE)
    plain, paused = due_at(start, limit, CALENDAR), due_at(start, limit, CALENDAR, [pause])
    assert plain is not None and paused is not None
    assert plain <= paused
    if limit.clock == Clock.URGENT_HOURS and pause[0] < plain:
        assert paused - plain == pause[1] - pause[0]


@given(instants, limits)
@settings(deadline=None)
def test_a_clock_that_stands_is_not_due(start: datetime, limit: Limit) -> None:
    assert due_at(start, limit, CALENDAR, [(start, None)]) is None
    assert elapsed(start, start + timedelta(days=9), limit.clock, CALENDAR, [(start, None)]) == 0


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ((2025, 9, 30, 16, 0), Limit(4, Clock.WORKING_HOURS), (2025, 10, 9, 11, 30)),  # one hour left, then eight days off
        ((2025, 9, 30, 16, 0), Limit(1, Clock.WORKING_DAYS), (2025, 10, 9, 17, 0)),
        ((2025, 9, 30, 16, 0), Limit(3, Clock.WORKING_DAYS), (2025, 10, 11, 17, 0)),  # a Saturday that is worked
        ((2025, 9, 30, 16, 0), Limit(2, Clock.URGENT_HOURS), (2025, 9, 30, 18, 0)),
        ((2025, 9, 30, 16, 0), Limit(7, Clock.CALENDAR_DAYS), (2025, 10, 8, 0, 0)),
        ((2026, 2, 14, 9, 0), Limit(5, Clock.WORKING_DAYS), (2026, 2, 28, 17, 0)),
    ],
)
def test_due_times_of_the_holidays(start: tuple[int, ...], limit: Limit, due: tuple[int, ...]) -> None:
    assert due_at(datetime(*start, tzinfo=CHINA), limit, CALENDAR) == datetime(*due, tzinfo=CHINA)  # type: ignore[arg-type, misc] # -- a tuple of five


def test_a_due_time_past_the_calendar_is_refused_and_an_urgent_one_is_not() -> None:
    late = datetime(2026, 12, 30, 15, tzinfo=CHINA)
    assert due_at(late, Limit(48, Clock.URGENT_HOURS), CALENDAR) == late + timedelta(hours=48)
    for clock in (Clock.WORKING_HOURS, Clock.WORKING_DAYS):
        with pytest.raises(CalendarMissing):
            due_at(late, Limit(15, clock), CALENDAR)
    with pytest.raises(CalendarMissing):
        later(late, Limit(3, Clock.WORKING_DAYS), CALENDAR)
    assert CALENDAR.is_worked(date(2026, 12, 31))
