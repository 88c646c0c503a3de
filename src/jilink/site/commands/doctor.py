"""`jilink doctor`: is this installation well, and what to do where it is not."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from jilink.kernel.settings import Settings
from jilink.site import logs, running
from jilink.site.health import installation, machine, postgresql
from jilink.site.health.findings import Check, Finding, Level, Wish

_EPILOG = """
Examples:

  jilink doctor                              this machine and this installation

  jilink doctor --terminals 1000000          would it hold a million terminals?

  jilink doctor --json                       for programs

Exit status 0: nothing failed. 1: something did; every line says what to do.
"""

app = typer.Typer()

CHECKS: tuple[Check, ...] = (
    installation.folder,
    installation.settings,
    machine.python,
    machine.disk,
    machine.memory,
    machine.descriptors,
    machine.kernel,
    machine.io_uring,
    machine.clock,
    installation.secrets,
    installation.two_factors,
    installation.database,
    postgresql.postgresql,
    installation.listening,
    installation.spine,
    installation.history,
    installation.processes,
)

_COLOUR = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


@app.command(epilog=_EPILOG)
def doctor(
    terminals: Annotated[int, typer.Option(min=1, max=10_000_000, help="Terminals that are to be online at once.")] = 10_000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Check machine and installation, and say what to do."""
    own = Settings.from_environment()
    logs.configure(own.log_format, "doctor")
    settings = running.read(own) if installation.is_up(own.data) else own
    wish = Wish(settings, terminals)
    findings: list[Finding] = []
    with Console(stderr=True).status("Looking") as status:
        for check in CHECKS:
            status.update(f"Looking: {(check.__doc__ or '').splitlines()[0].rstrip('.')}")
            findings += check(wish)
    if as_json:
        for finding in findings:
            typer.echo(msgspec.json.encode(finding._asdict()).decode())
    else:
        _show(findings)
    if any(finding.level is Level.FAIL for finding in findings):
        raise typer.Exit(1)


def _show(findings: list[Finding]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 1))
    for finding in findings:
        colour = _COLOUR[finding.level]
        text = finding.found if not finding.remedy else f"{finding.found}\n→ {finding.remedy}"
        table.add_row(f"[{colour}]{finding.level}[/]", finding.name, text)
    console = Console()
    console.print(table)
    bad = [finding for finding in findings if finding.level is not Level.OK]
    console.print("Everything is well." if not bad else f"{len(bad)} of {len(findings)} need a look.")
