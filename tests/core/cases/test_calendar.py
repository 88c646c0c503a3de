"""Working calendars: as announced, loud past their end, and never self-contradictory."""

from datetime import date, datetime, timedelta

import chinese_calendar
import msgspec
import pytest

from jilink.core.cases.rules.calendar import CalendarMissing, CalendarRefused, WorkingCalendar, compiled, decode_calendar
from jilink.core.cases.shipped import china
from jilink.kernel.clock import CHINA

TEXT = msgspec.json.encode(china()).decode()


def test_china_works_on_exactly_the_days_that_were_announced() -> None:
    calendar = compiled(china())
    day = date(2024, 1, 1)
    while day <= date(2026, 12, 31):
        assert calendar.is_worked(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


def test_every_year_says_where_its_days_come_from() -> None:
    assert [source.year for source in china().sources] == [2024, 2025, 2026]


@pytest.mark.parametrize("day", [date(2023, 12, 31), date(2027, 1, 1), date(2027, 2, 17)])
def test_a_day_outside_is_not_guessed(day: date) -> None:
    calendar = compiled(china())
    with pytest.raises(CalendarMissing) as caught:
        calendar.is_worked(day)
    assert caught.value.day == day
    with pytest.raises(CalendarMissing):
        calendar.worked_before(datetime(day.year, day.month, day.day, 9, tzinfo=CHINA))


def test_the_end_of_the_last_day_is_known_and_the_instant_after_is_not() -> None:
    calendar = compiled(china())
    end = datetime(2027, 1, 1, tzinfo=CHINA)
    assert calendar.worked_before(end) > timedelta()
    with pytest.raises(CalendarMissing):
        calendar.worked_before(end + timedelta(microseconds=1))


def test_summer_and_winter_hours_follow_each_other() -> None:
    week = '{"valid_from":"2026-06-01","days":[1,2,3,4,5],"periods":[{"begins":"08:00:00","ends":"12:00:00"}]}'
    calendar = WorkingCalendar(
        decode_calendar(TEXT.replace('"weeks":[', '"weeks":[').replace('}],"holidays"', f'}},{week}],"holidays"', 1))
    )
    assert calendar.closing(date(2026, 5, 29)).hour == 17
    assert calendar.closing(date(2026, 6, 1)).hour == 12


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"last":"2026-12-31"', '"last":"2023-12-31"', "$.last"),
        ('"days":[1,2,3,4,5]', '"days":[1,8]', "$.weeks[0].days"),
        ('"days":[1,2,3,4,5]', '"days":[]', "$.weeks[0].days"),
        ('"begins":"13:00:00"', '"begins":"11:00:00"', "$.weeks[0].periods[1]"),
        ('"valid_from":"2024-01-01"', '"valid_from":"2024-02-01"', "$.weeks"),
        ('"worked":["2024-02-04"', '"worked":["2024-02-10"', "$.worked[0]"),
        ('"first":"2024-02-10","last":"2024-02-17"', '"first":"2024-02-17","last":"2024-02-10"', "$.holidays[1]"),
        ('"days":[1,2,3,4,5]', '"days":["x"]', "$.weeks[0].days[0]"),
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused_with_its_place(old: str, new: str, place: str) -> None:
    assert old in TEXT
    with pytest.raises(CalendarRefused) as caught:
        decode_calendar(TEXT.replace(old, new, 1))
    assert caught.value.place == place
