"""A week's shifts: what is asked for, what a plan is, and what is wrong with one. Pure; `solving` finds the best.

Time is counted in minutes from Monday 00:00 of the week, in China's time; a shift may end on the day after.
"""

from collections.abc import Iterable
from datetime import date
from itertools import pairwise

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text

DAY, SLOT = 1440, 30
WEEK_SLOTS = 7 * 48
MOST_PATTERNS, MOST_WORKERS, MOST_BREAKS = 30, 300, 6


class PlanRefused(Refused):
    """A plan, or what it is to be made of, cannot be so."""


class Pattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of shift. Minutes."""

    name: Text
    begin: int
    """After midnight."""
    length: int
    breaks: tuple[tuple[int, int], ...] = ()
    """After the beginning, and how long."""
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """Monday is 0."""

    @property
    def worked(self) -> int:
        """Return the minutes without the breaks."""
        return self.length - sum(long for _after, long in self.breaks)


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was agreed with somebody: hours and days a week, days away, wishes."""

    hours_least: int = 0
    hours_most: int = 40
    days_most: int = 5
    away: tuple[date, ...] = ()
    free: tuple[int, ...] = ()
    """Days of the week on which they never work."""
    wishes: tuple[int, ...] = ()
    """Ids of patterns they like."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What binds the plans of an organisation."""

    rest_h: int = 11
    """Between two shifts (Directive 2003/88/EC, article 3, has 11; China's Labour Law, article 38, a day off a week)."""
    shrinkage: float = 0.3
    patience_s: int = 120
    limit_s: int = 20
    """How long the best plan is looked for."""


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can be put on a plan."""

    user: int
    queues: tuple[int, ...]
    """Queues they have the skills and languages for."""
    hours_least: int
    hours_most: int
    days_most: int
    off: tuple[int, ...] = ()
    """Days of this week, Monday 0, on which they cannot work."""
    wishes: tuple[int, ...] = ()
    free_from: int = -(10**6)
    """When the last shift of the week before ended."""


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """How many agents a queue needs in a half-hour of the week."""

    slot: int
    queue: int
    agents: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """All that a week's plan is found from."""

    patterns: dict[int, Pattern]
    workers: tuple[Worker, ...]
    demand: tuple[Demand, ...]
    rule: Rule


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's shift of a day."""

    user: int
    day: int
    pattern: int


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was found. `gap` is the distance to the best there can be, as a share; 0: nothing is better."""

    duties: tuple[Duty, ...]
    short: tuple[Demand, ...]
    """Who lacks, where the demand is not met."""
    gap: float
    seconds: float
    unkept: int = 0
    """Wishes that were not kept."""


def check_pattern(pattern: Pattern) -> None:
    """Return where a shift can be so. Raises PlanRefused."""
    if not pattern.name:
        raise PlanRefused("A shift needs a name.")
    if not (0 <= pattern.begin < DAY and 60 <= pattern.length <= 16 * 60) or pattern.begin % SLOT or pattern.length % SLOT:
        raise PlanRefused("A shift begins and ends at a half-hour and lasts 1 to 16 hours.")
    if not pattern.days or not set(pattern.days) <= set(range(7)):
        raise PlanRefused("A shift needs a day of the week.")
    at = 0
    for after, long in pattern.breaks:
        if len(pattern.breaks) > MOST_BREAKS or after < at or long <= 0 or after + long > pattern.length:
            raise PlanRefused("Breaks lie within the shift, one after the other, at most %(most)d.", most=MOST_BREAKS)
        at = after + long


def check_terms(terms: Terms) -> None:
    """Return where terms can be so. Raises PlanRefused."""
    if not (0 <= terms.hours_least <= terms.hours_most <= 60 and 0 <= terms.days_most <= 6) or not set(terms.free) <= set(range(7)):
        raise PlanRefused("Hours a week are 0 to 60, the least not above the most, on at most 6 days.")


def check_rule(rule: Rule) -> None:
    """Return where rules can be so. Raises PlanRefused."""
    if not (0 <= rule.rest_h <= 24 and 0 <= rule.shrinkage <= 0.9 and 5 <= rule.patience_s <= 3600 and 1 <= rule.limit_s <= 120):
        raise PlanRefused("Rest is 0 to 24 h, shrinkage 0 to 90 %, patience 5 to 3600 s, the search 1 to 120 s.")


def begin_of(duty: Duty, pattern: Pattern) -> int:
    """Return when a shift begins."""
    return duty.day * DAY + pattern.begin


def slots_of(day: int, pattern: Pattern) -> set[int]:
    """Return the half-hours of the week in which somebody of a shift is there: at least half of it, and not beyond Sunday."""
    begin = day * DAY + pattern.begin
    away = [(begin + after, begin + after + long) for after, long in pattern.breaks]
    found = set()
    for at in range(begin, begin + pattern.length, SLOT):
        lost = sum(max(0, min(at + SLOT, end) - max(at, start)) for start, end in away)
        if lost * 2 <= SLOT and at // SLOT < WEEK_SLOTS:
            found.add(at // SLOT)
    return found


def may_follow(one: tuple[int, Pattern], other: tuple[int, Pattern], rest_h: int) -> bool:
    """Return whether there is rest enough between a shift of a day and another of a later day."""
    return other[0] * DAY + other[1].begin - (one[0] * DAY + one[1].begin + one[1].length) >= rest_h * 60


def may_work(worker: Worker, day: int, pattern: Pattern, rest_h: int) -> bool:
    """Return whether a shift of a day may be given to somebody at all."""
    return day in pattern.days and day not in worker.off and day * DAY + pattern.begin - worker.free_from >= rest_h * 60


def never_met(problem: Problem) -> list[Demand]:
    """Return the demand that no plan can meet, with how many lack: nobody else may be there who serves the queue."""
    could: dict[tuple[int, int], int] = {}
    for worker in problem.workers:
        there: set[int] = set()
        for day in range(7):
            for pattern in problem.patterns.values():
                if may_work(worker, day, pattern, problem.rule.rest_h):
                    there |= slots_of(day, pattern)
        for slot in there:
            for queue in worker.queues:
                could[slot, queue] = could.get((slot, queue), 0) + 1
    lacks = [(one, one.agents - could.get((one.slot, one.queue), 0)) for one in problem.demand]
    return [msgspec.structs.replace(one, agents=lack) for one, lack in lacks if lack > 0]


def faults(problem: Problem, duties: Iterable[Duty]) -> list[tuple[int, str]]:
    """Return whom a plan does wrong, and how: what no plan may have."""
    found: list[tuple[int, str]] = []
    by_user: dict[int, list[Duty]] = {}
    for duty in duties:
        by_user.setdefault(duty.user, []).append(duty)
    workers = {worker.user: worker for worker in problem.workers}
    for user, held in by_user.items():
        found += [(user, word) for word in _faults_of(problem, workers[user], sorted(held, key=lambda duty: duty.day))]
    return found


def _faults_of(problem: Problem, worker: Worker, duties: list[Duty]) -> list[str]:
    patterns, rest_h = problem.patterns, problem.rule.rest_h
    found = ["day" for duty in duties if not may_work(worker, duty.day, patterns[duty.pattern], rest_h)]
    for one, other in pairwise(duties):
        if one.day == other.day or not may_follow((one.day, patterns[one.pattern]), (other.day, patterns[other.pattern]), rest_h):
            found.append("rest")
    if sum(patterns[duty.pattern].worked for duty in duties) > worker.hours_most * 60:
        found.append("hours")
    if len(duties) > worker.days_most:
        found.append("days")
    return found
