"""`jilink voice`: install the telephone engine, and show what is installed."""

from typing import Annotated

import typer
from rich.console import Console

from jilink.edges.voice.engine import packages, places
from jilink.kernel.settings import Settings

_EPILOG = """
Examples:

  jilink voice install                  Asterisk and espeak-ng below the data folder, without root; on Debian and Ubuntu

  jilink voice install --accept-newer   also where Debian has newer packages than were tested

  JILINK_VOICE_ROOT=/ jilink up         use the Asterisk 22 and espeak-ng that the system has

On other systems: JILINK_VOICE_ROOT=/ beside an Asterisk 22 of the system's own, or Asterisk servers named in JILINK_VOICE_NODES.
"""

app = typer.Typer(epilog=_EPILOG)


@app.callback()
def voice() -> None:
    """The telephone engine."""


@app.command(epilog=_EPILOG)
def install(
    accept_newer: Annotated[bool, typer.Option("--accept-newer", help="Take what Debian has now, and record it.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also where an engine is installed already.")] = False,
) -> None:
    """Install Asterisk and espeak-ng from Debian's packages, below the data folder and without root."""
    settings = Settings.from_environment()
    console = Console(stderr=True, soft_wrap=True)
    with console.status("Looking for packages") as status:

        def say(line: str) -> None:
            status.update(line)
            console.print(f"voice: {line}", markup=False, highlight=False)

        new = packages.install(settings, say, accept_newer=accept_newer, again=again)
    found = {one.name: one.version for one in packages.installed(settings)}
    told = ", ".join(f"{name} {found[name]}" for name in packages.WANTED if name in found) or "the system's own"
    typer.echo(f"{'installed' if new else 'installed already'} in {places.root(settings)}: {told}")
    if new:
        typer.echo("The next `jilink up` starts it.")


@app.command()
def show() -> None:
    """Show which packages are installed and whether they are those that were tested."""
    settings = Settings.from_environment()
    tested = {one.name: one for one in packages.pins().packages}
    for one in packages.installed(settings):
        typer.echo(f"{one.name:32} {one.version:40} {'tested' if tested.get(one.name) == one else 'other than tested'}")
