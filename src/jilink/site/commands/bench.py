"""`jilink bench`: measure this machine and write docs/performance.md."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from jilink.kernel.clock import CHINA, utc_now
from jilink.kernel.errors import Refused, Unavailable
from jilink.simulator.load import compiler
from jilink.site.bench import history, machine, page
from jilink.site.bench.figures import RUNS, NotMeasured, number
from jilink.site.bench.page import Measured
from jilink.site.bench.subjects import Subject, subjects

_EPILOG = """
Examples:

  jilink bench                               everything, more than half an hour; leave the machine alone meanwhile

  jilink bench --only decode,livemap         some subjects; nothing is written

  jilink bench --only arrival --write        one subject again, the others stay on the page as they were measured

  jilink bench --runs 1 --rows 2000000       a short look

Subjects: gateway, decode, memory, history, livemap, arrival, matcher, cases, browser.

Exit status 0: everything was measured, targets kept or not. 2: something that is needed is missing. 3: a measurement failed.
"""
_PAGE = Path("docs/performance.md")

app = typer.Typer()


class UnknownSubject(Refused):
    """There is no subject of that name."""


@app.command(epilog=_EPILOG)
def bench(
    only: Annotated[str, typer.Option(help="Subjects to measure, with commas between them.")] = "",
    runs: Annotated[int, typer.Option(min=1, max=100, help="How often each figure is measured.")] = RUNS,
    rows: Annotated[int, typer.Option(min=100_000, max=200_000_000, help="Rows of the history; 20 million need 4 GB.")] = history.ROWS,
    write: Annotated[
        bool | None, typer.Option("--write/--no-write", help="Write the page; by default when everything is measured.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--page", help="Where to write; docs/performance.md in a source checkout.")] = None,
) -> None:
    """Measure this machine against plain C and against the targets."""
    wanted = _wanted(only, rows)
    if any(subject.compiler for subject in wanted):
        compiler()
    target = _target(to, write if write is not None else not only)
    held = page.kept(target) if target is not None and only else []
    short = () if runs >= RUNS and rows >= history.ROWS else (f"A short run: {runs} of {RUNS} runs, a history of {rows:,} rows.",)
    measured: list[Measured] = []
    failed = False
    with _quiet(), _progress(wanted) as (say, done):
        for subject in wanted:
            one = Measured(subject.name, f"{utc_now().astimezone(CHINA):%Y-%m-%d %H:%M} UTC+8", machine.describe(), short)
            try:
                one = msgspec.structs.replace(one, figures=tuple(subject.measure(runs, say)))
            except NotMeasured as error:
                one = msgspec.structs.replace(one, notes=(*short, f"Not measured: {subject.name}: {error}"))
            except Unavailable as error:
                one = msgspec.structs.replace(one, notes=(*short, f"Failed: {subject.name}: {error}"))
                failed = True
            measured.append(one)
            done()
    _show(measured)
    if target is not None:
        page.write(target, page.merged(held, measured, [subject.name for subject in subjects()]))
        Console().print(f"Written to {target}")
    if failed:
        raise typer.Exit(3)


def _wanted(only: str, rows: int) -> list[Subject]:
    """Return the subjects asked for. Raises UnknownSubject."""
    known = {subject.name: subject for subject in subjects(rows)}
    names = [name.strip() for name in only.split(",") if name.strip()] or list(known)
    for name in names:
        if name not in known:
            raise UnknownSubject(f"there is no subject {name!r}; there are: {', '.join(known)}")
    return [subject for subject in known.values() if subject.name in names]


def _target(to: Path | None, write: bool) -> Path | None:
    """Return where to write the page; None where nothing is to be written or this is no checkout."""
    if to is not None:
        return to
    checkout = Path("src/jilink").is_dir() and Path("pyproject.toml").is_file()
    return _PAGE if write and checkout else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what measured rooms log below errors."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def _progress(wanted: Sequence[Subject]) -> Iterator[tuple[Callable[[str], None], Callable[[], None]]]:
    """Show what is being measured: a bar on a terminal, lines elsewhere. Yields (say, a subject is done)."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield (lambda line: console.print(line, highlight=False)), lambda: None
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=len(wanted))
        yield (lambda line: progress.update(task, description=line)), lambda: progress.advance(task)


def _show(measured: Sequence[Measured]) -> None:
    console = Console()
    figures = [figure for one in measured for figure in one.figures]
    for subject in dict.fromkeys(figure.subject for figure in figures):
        table = Table(title=subject, title_justify="left", box=None, padding=(0, 1))
        for heading in ("figure", "median", "", "range", "target", "kept"):
            table.add_column(heading, justify="right" if heading == "median" else "left")
        for one in figures:
            if one.subject == subject:
                verdict = {True: Text("yes", "green"), False: Text("no", "bold red"), None: Text()}[one.kept]
                table.add_row(one.name, number(one.median), one.unit, one.spread, str(one.target or ""), verdict)
        console.print(table)
        console.print()
    for note in dict.fromkeys(note for one in measured for note in one.notes):
        console.print(note, style="yellow")
    held = [figure.kept for figure in figures if figure.kept is not None]
    if held:
        console.print(f"{sum(held)} of {len(held)} targets are kept.")
