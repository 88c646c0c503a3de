"""A measured figure: several runs, their median and range, and the target it is held against."""

from dataclasses import dataclass
from statistics import median
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure should keep: ``at least`` or ``at most`` a value in the figure's unit."""

    kind: Literal["at least", "at most"]
    value: float

    def kept(self, value: float) -> bool:
        """Return whether `value` keeps the bound."""
        return value >= self.value if self.kind == "at least" else value <= self.value


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

    def row(self) -> str:
        """Return the figure as a row of a Markdown table."""
        spread = f"{number(min(self.runs))} to {number(max(self.runs))}" if len(self.runs) > 1 else "one run"
        target = verdict = ""
        if self.target is not None:
            target = f"{self.target.kind} {number(self.target.value)}"
            verdict = "yes" if self.target.kept(self.median) else "**no**"
        return f"| {self.name} | {number(self.median)} {self.unit} | {spread} | {target} | {verdict} |"


def number(value: float) -> str:
    """Return `value` with three significant digits and thousands separated."""
    if value == 0:
        return "0"
    digits = max(0, 3 - len(str(int(abs(value)))) if abs(value) >= 1 else 3)
    return f"{value:,.{digits}f}"


def page(figures: list[Figure], machine: dict[str, str], measured_on: str) -> str:
    """Return the whole page as Markdown, a section a subject in the order the figures were measured."""
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; do not edit. Machines are shared and noisy, so each figure is the median of several runs with its range,",
        "and what matters is a ratio to a yardstick measured in the same run.",
        "",
        f"Measured on {measured_on}.",
        "",
        *(f"- {key}: {value}" for key, value in machine.items()),
    ]
    for subject in dict.fromkeys(figure.subject for figure in figures):
        lines += ["", f"## {subject}", "", "| figure | median | range | target | kept |", "|---|---|---|---|---|"]
        lines += [figure.row() for figure in figures if figure.subject == subject]
    return "\n".join([*lines, ""])
