"""What was measured, subject by subject, and the page it makes.

Beside the page lies the same as JSON, so that one subject can be measured again without the others.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from jilink.kernel.errors import Refused
from jilink.site.bench.figures import Figure
from jilink.site.bench.machine import LOAD


class AnotherMachine(Refused):
    """What is on the page was measured on another machine or with other versions."""


class Measured(msgspec.Struct, frozen=True):
    """One subject: when and on what it was measured, and what was found. `notes` say what was not measured, or not in full."""

    subject: str
    measured_on: str
    machine: dict[str, str]
    notes: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()

    @property
    def place(self) -> dict[str, str]:
        """Return what must be the same for figures to stand on one page."""
        return {key: value for key, value in self.machine.items() if key != LOAD}


def record(path: Path) -> Path:
    """Return where the JSON of a page lies."""
    return path.with_suffix(".json")


def kept(path: Path) -> list[Measured]:
    """Return what the page of this path holds; nothing where it was never written."""
    file = record(path)
    return msgspec.json.decode(file.read_bytes(), type=list[Measured]) if file.exists() else []


def merged(old: Sequence[Measured], new: Sequence[Measured], order: Sequence[str]) -> list[Measured]:
    """Return old and new measurements in the order of the subjects, the new ones in place of old ones of their subject.

    Raises AnotherMachine where some of the old would stand beside figures from elsewhere.
    """
    found = {one.subject: one for one in [*old, *new]}
    places = [one.place for one in found.values()]
    if any(place != places[0] for place in places):
        raise AnotherMachine("what the page holds was measured on another machine or with other versions: measure everything again")
    return [found[name] for name in order if name in found]


def write(path: Path, measured: Sequence[Measured]) -> None:
    """Write the page and its JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    record(path).write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=1) + b"\n")
    path.write_text(page(measured), encoding="utf-8")


def page(measured: Sequence[Measured]) -> str:
    """Return the whole page as Markdown, a section a subject of the figures."""
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; do not edit. Machines are shared and noisy, so each figure is the median of several runs with its range,",
        "and what matters is a ratio to a yardstick measured in the same run. How each is measured stands at the head of its module in",
        "`src/jilink/site/bench`.",
        "",
        *(f"- {key}: {value}" for key, value in (measured[-1].place if measured else {}).items()),
    ]
    if notes := [note for one in measured for note in one.notes]:
        lines += ["", *(f"**{note}**  " for note in dict.fromkeys(notes))]
    figures = [figure for one in measured for figure in one.figures]
    missed = [figure for figure in figures if figure.kept is False]
    targets = sum(figure.kept is not None for figure in figures)
    lines += ["", f"{targets - len(missed)} of {targets} targets are kept."]
    lines += [f"- missed: {one.subject}, {one.name}: {one.found}, should be {one.target}" for one in missed]
    for one in measured:
        for subject in dict.fromkeys(figure.subject for figure in one.figures):
            lines += ["", f"## {subject}", "", f"Measured on {one.measured_on}, {LOAD} {one.machine[LOAD]}."]
            lines += ["", "| figure | median | range | target | kept |", "|---|---|---|---|---|"]
            lines += [figure.row() for figure in one.figures if figure.subject == subject]
    return "\n".join([*lines, ""])
