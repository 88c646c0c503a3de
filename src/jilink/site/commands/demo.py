"""`jilink demo`: demonstration fleets and a service office, in with one command and out with one."""

import typer
from rich.console import Console
from rich.progress import Progress

from jilink.kernel.settings import Settings
from jilink.services.console.demonstration.data import CASES
from jilink.site import demo_logins, demonstration, logs, preparation

_EPILOG = """
Examples:

  jilink demo load                           200 vehicles in two fleets, and an office with the cases of its last weeks;
                                             drive the vehicles with: jilink simulate terminals

  jilink demo load --vehicles 1000 --owner wang

  jilink demo remove                         vehicles, office, cases, accounts; history goes once it is a day old

`jilink up --demo` loads them and drives them.
"""

app = typer.Typer(epilog=_EPILOG)


@app.command("load")
def load(
    vehicles: int = typer.Option(200, min=1, max=100_000, help="How many vehicles; more than before adds what lacks."),
    cases: int = typer.Option(CASES, min=20, max=2000, help="How many cases the office has, if it is not there yet."),
    owner: str = typer.Option(preparation.FIRST_USER, help="Account that becomes the owner of the demonstration."),
) -> None:
    """Enter demonstration fleets with their terminals, and a service office with its people and cases."""
    logs.configure(Settings.from_environment().log_format, "demo")
    preparation.require_prepared()
    with Progress(transient=True) as progress:
        task = progress.add_task("Entering vehicles and cases", total=None)
        loaded = demonstration.load(
            vehicles, owner=owner, cases=cases, tell=lambda done, of: progress.update(task, completed=done, total=of)
        )
    typer.echo(f"{demonstration.CARRIER}: {loaded.added} vehicles added, {loaded.total} in all.")
    kept = demo_logins.path(Settings.from_environment().data)
    if kept.exists():
        typer.echo(f"{demonstration.OFFICE}: its accounts and their password are in {kept}.")


@app.command("remove")
def remove() -> None:
    """Remove the demonstration fleets with what they reported, and the office with all that stands in it."""
    logs.configure(Settings.from_environment().log_format, "demo")
    preparation.require_prepared()
    with Console().status("Removing the demonstration"):
        count = demonstration.remove(Settings.from_environment())
    typer.echo(f"{count} vehicles removed with their organisations. Their history is deleted once it is a day old.")
    typer.echo("`jilink up --demo` stops its simulated terminals now.")
