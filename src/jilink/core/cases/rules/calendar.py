"""Working time as data: which days are worked, at which hours, for which years it is known.

A calendar is loaded, never computed: which days are holidays, and which weekends are worked in their stead, is announced a year
at a time. Past the end of what was announced every question raises CalendarMissing; nothing is guessed.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from itertools import pairwise

import msgspec

from jilink.kernel.clock import CHINA
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text, gettext_noop

DAY = timedelta(days=1)
MOST_YEARS = 60
MISSING = gettext_noop(
    "The working calendar %(name)s is known from %(first)s to %(last)s and cannot tell about %(day)s. Load the next year."
)


class CalendarMissing(Refused):
    """The calendar does not say whether this day is worked. `day` is the day that was asked for, `last` the last one known."""

    def __init__(self, name: str, day: date, first: date, last: date) -> None:
        super().__init__(MISSING, name=name, first=str(first), last=str(last), day=str(day))
        self.day, self.first, self.last = day, first, last


class CalendarRefused(Refused):
    """The data of a calendar contradicts itself; `place` says where."""

    def __init__(self, message: str, *, place: str, **values: object) -> None:
        super().__init__(message, **values)
        self.place = place


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of work in a day, such as the morning; local time, the end not included."""

    begins: time
    ends: time


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """How a week is worked from a day on, until the next such entry: summer and winter hours are two of them."""

    valid_from: date
    days: tuple[int, ...]
    """1 Monday to 7 Sunday (ISO 8601)."""
    periods: tuple[Period, ...]


class Holiday(msgspec.Struct, frozen=True, kw_only=True):
    """Days off, first and last included, whatever weekday they are."""

    first: date
    last: date
    name: Text


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a year's days come from."""

    year: int
    issuer: Text
    title: Text
    issued_on: date


class CalendarData(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar as it is stored and loaded (JSON)."""

    name: Text
    first: date
    last: date
    offset_minutes: int = 480
    """Local time less UTC; China has had no summer time since 1991."""
    weeks: tuple[Week, ...]
    holidays: tuple[Holiday, ...] = ()
    worked: tuple[date, ...] = ()
    """Weekend days that are worked to make up for a holiday (调休上班)."""
    sources: tuple[Source, ...] = ()


class WorkingCalendar:
    """A calendar ready to be asked. All instants are aware; all answers about local days are dates."""

    def __init__(self, data: CalendarData) -> None:
        """Build the table of days. Raises CalendarRefused where the data contradicts itself."""
        _check(data)
        self.data = data
        self.zone = CHINA if data.offset_minutes == 480 else timezone(timedelta(minutes=data.offset_minutes))
        self._first = data.first.toordinal()
        self._days: list[tuple[Period, ...]] = []
        off = {day for holiday in data.holidays for day in _days(holiday.first, holiday.last)}
        worked = frozenset(data.worked)
        for day in _days(data.first, data.last):
            week = next(week for week in reversed(data.weeks) if week.valid_from <= day)
            works = day in worked or (day.isoweekday() in week.days and day not in off)
            self._days.append(week.periods if works else ())
        self._lengths = [sum((_length(period) for period in periods), timedelta()) for periods in self._days]
        self._time_before = [timedelta()]
        self._days_before = [0]
        for length in self._lengths:
            self._time_before.append(self._time_before[-1] + length)
            self._days_before.append(self._days_before[-1] + bool(length))

    def _index(self, day: date) -> int:
        index = day.toordinal() - self._first
        if not 0 <= index < len(self._days):
            raise CalendarMissing(self.data.name.en or self.data.name.zh, day, self.data.first, self.data.last)
        return index

    def is_worked(self, day: date) -> bool:
        """Return whether people work on this day. Raises CalendarMissing."""
        return bool(self._days[self._index(day)])

    def local(self, moment: datetime) -> datetime:
        """Return an instant as local time."""
        return moment.astimezone(self.zone)

    def midnight(self, day: date) -> datetime:
        """Return the beginning of a local day."""
        return datetime.combine(day, time(), self.zone)

    def closing(self, day: date) -> datetime:
        """Return the end of work of a worked day. Raises CalendarMissing."""
        periods = self._days[self._index(day)]
        return datetime.combine(day, periods[-1].ends, self.zone)

    def worked_before(self, moment: datetime) -> timedelta:
        """Return the working time from the first day of the calendar to this instant. Raises CalendarMissing."""
        here = self.local(moment)
        if here.time() == time() and here.date() == self.data.last + DAY:  # the very end is known
            return self._time_before[-1]
        index = self._index(here.date())
        return self._time_before[index] + _worked_in(self._days[index], here.time())

    def days_before(self, moment: datetime) -> tuple[int, timedelta, timedelta]:
        """Return the worked days before this one, how long was worked of it, and how long it is (zero where it is not worked)."""
        here = self.local(moment)
        if here.time() == time() and here.date() == self.data.last + DAY:
            return self._days_before[-1], timedelta(), timedelta()
        index = self._index(here.date())
        return self._days_before[index], _worked_in(self._days[index], here.time()), self._lengths[index]

    def instant_worked(self, amount: timedelta) -> datetime:
        """Return the first instant at which `worked_before` reaches the amount. Raises CalendarMissing past the end."""
        if amount > self._time_before[-1]:
            raise CalendarMissing(self.data.name.en or self.data.name.zh, self.data.last + DAY, self.data.first, self.data.last)
        if amount <= timedelta():
            return self.midnight(self.data.first)
        low = bisect_right(self._time_before, amount - timedelta(microseconds=1)) - 1
        left = amount - self._time_before[low]
        for period in self._days[low]:
            length = _length(period)
            if left <= length:
                return datetime.combine(date.fromordinal(self._first + low), period.begins, self.zone) + left
            left -= length
        raise AssertionError("the table of days and its sums differ")

    def worked_day(self, count: int) -> date:
        """Return the worked day with that many worked days before it. Raises CalendarMissing past the end."""
        if count >= self._days_before[-1] or count < 0:
            raise CalendarMissing(self.data.name.en or self.data.name.zh, self.data.last + DAY, self.data.first, self.data.last)
        return date.fromordinal(self._first + bisect_right(self._days_before, count) - 1)


def decode_calendar(text: str | bytes) -> CalendarData:
    """Return a calendar from its JSON. Raises CalendarRefused with place and reason."""
    try:
        data = msgspec.json.decode(text, type=CalendarData)
    except msgspec.DecodeError as error:
        reason, _, place = str(error).partition(" - at ")
        raise CalendarRefused("This cannot be read: %(error)s.", place=place.strip("`") or "$", error=reason) from error
    _check(data)
    return data


@lru_cache(maxsize=64)
def compiled(data: CalendarData) -> WorkingCalendar:
    """Return the calendar ready to be asked; the same data is built once."""
    return WorkingCalendar(data)


def _check(data: CalendarData) -> None:
    if data.last < data.first or data.last.year - data.first.year > MOST_YEARS:
        raise CalendarRefused("The last day must lie after the first, at most %(most)s years.", place="$.last", most=MOST_YEARS)
    if not data.weeks or data.weeks[0].valid_from > data.first:
        raise CalendarRefused("The first week must hold from the first day of the calendar on.", place="$.weeks")
    for number, (one, other) in enumerate(pairwise(data.weeks)):
        if one.valid_from >= other.valid_from:
            raise CalendarRefused("This day must be later than that of the week before.", place=f"$.weeks[{number + 1}].valid_from")
    for number, week in enumerate(data.weeks):
        _check_week(f"$.weeks[{number}]", week)
    off = {day for holiday in data.holidays for day in _days(holiday.first, holiday.last)}
    for number, holiday in enumerate(data.holidays):
        if not data.first <= holiday.first <= holiday.last <= data.last:
            raise CalendarRefused("A holiday begins before it ends, within the calendar.", place=f"$.holidays[{number}]")
    for number, day in enumerate(data.worked):
        if not data.first <= day <= data.last or day in off:
            raise CalendarRefused("%(day)s lies outside the calendar or is a holiday too.", place=f"$.worked[{number}]", day=str(day))


def _check_week(place: str, week: Week) -> None:
    if not week.days or not set(week.days) <= set(range(1, 8)):
        raise CalendarRefused("Weekdays go from 1 to 7, and at least one is worked.", place=f"{place}.days")
    if not week.periods:
        raise CalendarRefused("At least one period of a day is worked.", place=f"{place}.periods")
    ends = time()
    for number, period in enumerate(week.periods):
        if period.begins >= period.ends or period.begins < ends or period.begins.tzinfo or period.ends.tzinfo:
            raise CalendarRefused(
                "A period begins before it ends, after the one before, in local time.", place=f"{place}.periods[{number}]"
            )
        ends = period.ends


def _days(first: date, last: date) -> Iterator[date]:
    return (date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1))


def _of_day(moment: time) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)


def _length(period: Period) -> timedelta:
    return _of_day(period.ends) - _of_day(period.begins)


def _worked_in(periods: tuple[Period, ...], until: time) -> timedelta:
    here = _of_day(until)
    return sum((max(timedelta(), min(here, _of_day(p.ends)) - _of_day(p.begins)) for p in periods), timedelta())
