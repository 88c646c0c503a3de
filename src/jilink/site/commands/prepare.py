"""`jilink prepare`: database, secrets, basemap, first account, streams."""

import sys

import typer
from rich.console import Console

from jilink.kernel.settings import Settings
from jilink.services.console.demonstration.data import CASES
from jilink.site import demonstration, logs, preparation

app = typer.Typer()

_EPILOG = """
Examples:

  jilink prepare                 all but the spine: database, secrets, first account, basemap

  jilink prepare --spine         also streams, buckets and the register of terminals; needs a NATS server

Doing it again changes nothing. Where processes are spread over hosts, run it on one of them after each upgrade.
"""


@app.command(epilog=_EPILOG)
def prepare(
    spine: bool = typer.Option(False, "--spine", help="Also lay out the spine; waits up to a minute for the NATS server."),
    demo: int = typer.Option(0, min=0, max=100_000, help="Also load this many demonstration vehicles, and the office."),
    cases: int = typer.Option(CASES, min=20, max=2000, help="How many cases the demonstration's office has."),
) -> None:
    """Make the data folder, the database and the spine ready for this version."""
    settings = Settings.from_environment()
    logs.configure(settings.log_format, "prepare")
    beside = (preparation.Step("demonstration", lambda given: demonstration.ensure(given, demo, cases)),) if demo else ()
    if not sys.stdout.isatty():
        preparation.prepare(settings, spine=spine, beside=beside)
        return
    with Console().status("Preparing") as status:
        preparation.prepare(settings, spine=spine, beside=beside, begin=lambda name: status.update(f"Preparing: {name}"))
