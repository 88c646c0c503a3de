"""`jilink audit`: whether anybody touched what was written down about who did what."""

from typing import Annotated

import typer
from django.conf import settings

from jilink.core.parties import anchors, audit
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
def verify(
    anchor: Annotated[list[str] | None, typer.Option(help="A place of the chain as an earlier run said it, number:digest.")] = None,
) -> None:
    """Walk every entry of the audit; name the first that was changed, removed or inserted.

    Places that the relay wrote into the data folder are compared too; --anchor adds those that you keep elsewhere.
    """
    preparation.require_prepared()
    try:
        known = [*anchors.written(settings.JILINK.data), *(anchors.read_anchor(text) for text in anchor or ())]
    except anchors.AnchorRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    verdict = audit.verify(known)
    if verdict.broken_at is None:
        typer.echo(f"{verdict.entries:,} entries, the chain is whole; {len(known)} places known from outside fit.")
        typer.echo(f"It ends with {anchors.current()}")
        typer.echo("Keep that line elsewhere: with --anchor it proves later that nothing before was written anew.")
        return
    typer.echo(f"The chain is broken at entry {verdict.broken_at}: {verdict.why}.")
    if verdict.entry:
        typer.echo(f"It now reads: {verdict.entry}")
    typer.echo("Keep the database as it is, and compare it with a backup.")
    raise typer.Exit(1)
