"""`jilink reports`: the sums behind reports."""

import typer

from jilink.core.cases.reports import counting
from jilink.site import preparation

_EPILOG = """
Example:

  jilink reports rebuild     after rows of cases were changed by other means than this program
"""

app = typer.Typer(epilog=_EPILOG)


@app.callback()
def group() -> None:
    """Look after the sums behind reports."""


@app.command("rebuild")
def rebuild() -> None:
    """Count every case anew. Reports show the old sums until it is done; a million cases take some minutes."""
    preparation.require_prepared()
    typer.echo(f"{counting.rebuild():,} cases counted.")
