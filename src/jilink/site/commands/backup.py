"""`jilink backup`: everything an installation keeps, in one file."""

from pathlib import Path
from typing import Annotated

import typer

from jilink.kernel.clock import CHINA, utc_now
from jilink.kernel.settings import Settings
from jilink.site import logs
from jilink.site.backup import saving
from jilink.site.commands import transfer

_EPILOG = """
Examples:

  jilink backup                                   into the present folder, named by date and time

  jilink backup /srv/backups/monday.tar.zst       while Jilink runs, or not

The file holds database, history, streams, recordings and secrets: only its owner may read it; keep it that way.
Put it back with: jilink restore FILE
"""

app = typer.Typer()


@app.command(epilog=_EPILOG)
def backup(
    file: Annotated[Path | None, typer.Argument(help="File to write; never one that exists.", metavar="FILE")] = None,
) -> None:
    """Save everything this installation keeps in one file."""
    settings = Settings.from_environment()
    logs.configure(settings.log_format, "backup")
    path = file or Path(f"jilink-{utc_now().astimezone(CHINA):%Y%m%d-%H%M%S}.tar.zst")
    with transfer.shown("Saving") as progress:
        manifest = saving.save(settings, path, progress)
    typer.echo(f"{path}: {len(manifest.members)} files, {path.stat().st_size / 1e6:.1f} MB")
    for part in manifest.left_out:
        typer.echo(f"not in it: {part}")
