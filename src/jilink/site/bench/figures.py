"""A measured figure: several runs, their median and range, and the target it is held against."""

from dataclasses import dataclass
from statistics import median
from typing import Literal

from jilink.kernel.errors import Unavailable

RUNS = 5
"""Fewer make a short run, and the page says so."""


class NotMeasured(Unavailable):
    """This machine lacks what a measurement needs. The message says what to install or set."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure should keep: ``at least`` or ``at most`` a value in the figure's unit."""

    kind: Literal["at least", "at most"]
    value: float

    def kept(self, value: float) -> bool:
        """Return whether `value` keeps the bound."""
        return value >= self.value if self.kind == "at least" else value <= self.value

    def __str__(self) -> str:
        """Return the bound in words."""
        return f"{self.kind} {number(self.value)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the page. `runs` are in `unit`; the median is what is reported and compared."""

    subject: str
    name: str
    unit: str
    runs: tuple[float, ...]
    target: Target | None = None

    @property
    def median(self) -> float:
        """Return the median of the runs."""
        return median(self.runs)

    @property
    def kept(self) -> bool | None:
        """Whether the median keeps the target; None where there is none."""
        return None if self.target is None else self.target.kept(self.median)

    @property
    def found(self) -> str:
        """Return the median with its unit."""
        return f"{number(self.median)} {self.unit}".rstrip()

    @property
    def spread(self) -> str:
        """Return the least and the greatest of the runs."""
        return f"{number(min(self.runs))} to {number(max(self.runs))}" if len(self.runs) > 1 else "one run"

    def row(self) -> str:
        """Return the figure as a row of a Markdown table."""
        verdict = {True: "yes", False: "**no**", None: ""}[self.kept]
        return f"| {self.name} | {self.found} | {self.spread} | {self.target or ''} | {verdict} |"


def number(value: float) -> str:
    """Return `value` with at least three significant digits and thousands separated."""
    if value == 0:
        return "0"
    digits = max(0, 3 - len(str(int(abs(value)))) if abs(value) >= 1 else 3)
    return f"{value:,.{digits}f}"
