"""`jilink audit`: whether anybody touched what was written down about who did what."""

import typer

from jilink.core.parties import audit
from jilink.site import preparation

_EPILOG = """
Example:

  jilink audit verify     exit status 0 when the chain is whole, 1 when it is broken
"""

app = typer.Typer(epilog=_EPILOG)


@app.callback()
def group() -> None:
    """Verify the chain of the audit."""


@app.command("verify")
def verify() -> None:
    """Walk every entry of the audit; name the first that was changed, removed or inserted."""
    preparation.require_prepared()
    verdict = audit.verify()
    if verdict.broken_at is None:
        typer.echo(f"{verdict.entries:,} entries, the chain is whole.")
        return
    typer.echo(f"The chain is broken at entry {verdict.broken_at}: {verdict.why}.")
    if verdict.entry:
        typer.echo(f"It now reads: {verdict.entry}")
    typer.echo("Keep the database as it is, and compare it with a backup.")
    raise typer.Exit(1)
