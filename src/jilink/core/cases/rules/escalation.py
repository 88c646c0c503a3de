"""The ladder: when which rung comes, and what is still to be done when its bell rings, perhaps twice or late."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from jilink.core.cases.rules import clocks
from jilink.core.cases.rules.calendar import CalendarMissing, WorkingCalendar
from jilink.core.cases.rules.clocks import Limit, Pause
from jilink.core.cases.rules.definition import Definition, Rung

CALLED_BY_HAND = ("assignee", "supervisor")
"""Whom somebody calls who escalates a case without waiting for a clock."""


@dataclass(frozen=True, slots=True)
class Running:
    """One clock as the ladder looks at it. `generation` grows with every change of its due time."""

    key: str
    limit: Limit
    started_at: datetime
    pauses: Sequence[Pause]
    generation: int
    stopped: bool
    """It has ended, or stands."""


def bell_at(rung: Rung, clock: Running, calendar: WorkingCalendar) -> datetime | None:
    """Return when a rung of a clock comes; None while the clock stands. Raises CalendarMissing past the calendar's end."""
    at = clocks.reached_at(clock.started_at, clock.limit, rung.share, calendar, clock.pauses)
    return clocks.later(at, rung.overdue, calendar) if at is not None and rung.overdue is not None else at


def bells(definition: Definition, clock: Running, calendar: WorkingCalendar) -> list[tuple[str, datetime]]:
    """Return the rungs of a clock with their times.

    A rung after the due time that the calendar does not reach yet is left out; loading the next year sets it. The due time
    itself beyond the calendar raises CalendarMissing.
    """
    found = []
    for rung in definition.ladder:
        if clock.key not in rung.clocks or clock.stopped:
            continue
        at = clocks.reached_at(clock.started_at, clock.limit, rung.share, calendar, clock.pauses)
        if at is not None and rung.overdue is not None:
            with suppress(CalendarMissing):
                found.append((rung.key, clocks.later(at, rung.overdue, calendar)))
        elif at is not None:
            found.append((rung.key, at))
    return found


def still_rings(rung: Rung, clock: Running, generation: int, now: datetime, calendar: WorkingCalendar) -> bool:
    """Return whether a bell set in that generation is still to be answered: its clock runs, was not changed since, and is so far."""
    if clock.stopped or generation != clock.generation:
        return False
    at = bell_at(rung, clock, calendar)
    return at is not None and at <= now
