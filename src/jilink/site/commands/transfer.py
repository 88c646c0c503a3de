"""The progress display of long copying."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from jilink.site.backup.archive import Progress as Report


@contextmanager
def shown(verb: str) -> Iterator[Report]:
    """Show how much has been done, how fast and with what; on a terminal only."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(verb, total=None)
        yield lambda name, count: bar.update(task, advance=count, description=f"{verb} {name[-50:]}")
