"""What reports count, and the rates made of it: pure arithmetic.

Rates have the names and formulas of the evaluation of city management (GB/T 30428.4; CJ/T 292): 处置率 = 处置/应处置,
按期处置率 = 按期处置/应处置, 结案率 = 结案/应结案, 按期结案率 = 按期结案/应结案, 返工率 = 返工/处置, 回退率 = 回退/派遣,
满意率 = 满意/评价, and 平均处置时长. A case counts on the day it was opened, whatever happens to it later.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum

SPANS = ((0, 1), (2, 3), (4, 7), (8, 15), (16, 30), (31, None))
"""Ages of open cases in days, from and to."""


class Step(StrEnum):
    """How long one point of a series is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def begin(self, day: date) -> date:
        """Return the first day of the period in which a day lies; weeks begin on Monday."""
        if self == Step.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self == Step.MONTH else day

    def following(self, begin: date) -> date:
        """Return the first day of the next period."""
        return self.begin(begin + timedelta(days={Step.DAY: 1, Step.WEEK: 7, Step.MONTH: 32}[self]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Counts. `voided` are void or merged, `due_work` those to be handled (应处置), `ended` closings by the day they happened."""

    opened: int = 0
    closed: int = 0
    voided: int = 0
    dispatched: int = 0
    due_work: int = 0
    handled: int = 0
    handled_in_time: int = 0
    handle_seconds: int = 0
    closed_in_time: int = 0
    reworked: int = 0
    returned: int = 0
    rated: int = 0
    satisfied: int = 0
    ended: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(**{name: getattr(self, name) + getattr(other, name) for name in NAMES})

    @property
    def open(self) -> int:
        """Return how many of the cases opened are open still."""
        return self.opened - self.closed - self.voided

    @property
    def average_handling(self) -> timedelta | None:
        """Return 平均处置时长, from dispatch until the unit said that it was done."""
        return timedelta(seconds=self.handle_seconds / self.handled) if self.handled else None

    def rate(self, name: str) -> float | None:
        """Return one of RATES between 0 and 1; None where there was nothing to count."""
        part, whole = RATES[name]
        below: int = getattr(self, whole)
        return getattr(self, part) / below if below else None


NAMES = tuple(field.name for field in fields(Sums))
MEASURES = tuple(name for name in NAMES if name != "ended")
RATES: dict[str, tuple[str, str]] = {
    "handled": ("handled", "due_work"),
    "handled_in_time": ("handled_in_time", "due_work"),
    "closed": ("closed", "due_work"),
    "closed_in_time": ("closed_in_time", "due_work"),
    "reworked": ("reworked", "handled"),
    "returned": ("returned", "dispatched"),
    "satisfied": ("satisfied", "rated"),
}
"""Rate, its part and its whole."""


def total(sums: Iterable[Sums]) -> Sums:
    """Return the sum of many."""
    found = dict.fromkeys(NAMES, 0)
    for each in sums:
        for name in NAMES:
            found[name] += getattr(each, name)
    return Sums(**found)


def by_period(days: Iterable[tuple[date, Sums]], step: Step, first: date, last: date) -> tuple[tuple[date, Sums], ...]:
    """Return the sums of each period from that of the first day to that of the last, empty ones too."""
    found: dict[date, list[Sums]] = {}
    begin = step.begin(first)
    while begin <= last:
        found[begin] = []
        begin = step.following(begin)
    for day, sums in days:
        found.setdefault(step.begin(day), []).append(sums)
    return tuple((begin, total(each)) for begin, each in sorted(found.items()))
