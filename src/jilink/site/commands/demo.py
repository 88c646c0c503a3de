"""`jilink demo`: demonstration fleets, in with one command and out with one."""

import typer
from rich.console import Console

from jilink.kernel.settings import Settings
from jilink.site import demonstration, logs, preparation

_EPILOG = """
Examples:

  jilink demo load                           200 vehicles in two fleets; drive them with: jilink simulate terminals

  jilink demo load --vehicles 1000 --owner wang

  jilink demo remove                         vehicles, terminals, organisations; history goes once it is a day old

`jilink up --demo` loads them and drives them.
"""

app = typer.Typer(epilog=_EPILOG)


@app.command("load")
def load(
    vehicles: int = typer.Option(200, min=1, max=100_000, help="How many vehicles; more than before adds what lacks."),
    owner: str = typer.Option(preparation.FIRST_USER, help="Account that becomes the owner of the demonstration."),
) -> None:
    """Enter demonstration fleets with their terminals."""
    logs.configure(Settings.from_environment().log_format, "demo")
    preparation.require_prepared()
    with Console().status(f"Entering {vehicles} vehicles"):
        loaded = demonstration.load(vehicles, owner=owner)
    typer.echo(f"{demonstration.CARRIER}: {loaded.added} vehicles added, {loaded.total} in all.")


@app.command("remove")
def remove() -> None:
    """Remove the demonstration fleets, their terminals and what they reported."""
    logs.configure(Settings.from_environment().log_format, "demo")
    preparation.require_prepared()
    with Console().status("Removing the demonstration"):
        count = demonstration.remove(Settings.from_environment())
    typer.echo(f"{count} vehicles removed with their organisations. Their history is deleted once it is a day old.")
    typer.echo("The simulated terminals of `jilink up --demo` are refused now and end by themselves in some minutes.")
