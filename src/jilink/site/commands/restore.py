"""`jilink restore`: a saved installation put back."""

from pathlib import Path
from typing import Annotated

import typer

from jilink.kernel.errors import Refused
from jilink.kernel.settings import Settings
from jilink.site import logs
from jilink.site.backup import restoring
from jilink.site.commands import transfer

_EPILOG = """
Examples:

  jilink restore monday.tar.zst                   into an empty data folder

  jilink restore --force monday.tar.zst           moves what is there aside first

Stop Jilink before, start it after: jilink up
"""

app = typer.Typer()


class NoSuchFile(Refused):
    """There is no file of that name."""


@app.command(epilog=_EPILOG)
def restore(
    file: Annotated[Path, typer.Argument(help="Backup to put back.", metavar="FILE")],
    force: Annotated[bool, typer.Option("--force", help="Where the data folder holds something, move it aside.")] = False,
) -> None:
    """Check a backup byte for byte and put it back."""
    settings = Settings.from_environment()
    logs.configure(settings.log_format, "restore")
    if not file.is_file():
        raise NoSuchFile(f"there is no file {file}")
    with transfer.shown("Restoring") as progress:
        manifest, aside = restoring.restore(settings, file, progress, force=force)
    typer.echo(f"Restored what was saved at {manifest.made_at} by version {manifest.version} into {settings.data}.")
    if aside is not None:
        typer.echo(f"What was there is now in {aside}.")
