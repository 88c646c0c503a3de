"""`jilink up`: the whole of Jilink on one machine."""

import asyncio
import os
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from jilink.kernel.settings import PREFIX, Settings, addresses
from jilink.services.console.demonstration.data import CASES
from jilink.site import demo_logins, first_login
from jilink.site.journal import Journal
from jilink.site.supervisor import Extra, Supervisor, sole_supervisor

app = typer.Typer()
TRIED = ("demo-supervisor", "demo-agent", "demo-changchun", "demo-nongan", "demo-expert", "demo-analyst")
"""Of the demonstration's accounts those that are shown at the start: one of each role."""

_EPILOG = """
Examples:

  jilink up                                   start; the first time a login is made and shown

  jilink up --demo --open                     with fleets that drive and an office at work, and open the browser

  JILINK_WEB=0.0.0.0:8080 jilink up           reachable from other machines

Ctrl-C stops everything cleanly. Start it again at any time: everything is kept in JILINK_DATA.
"""


@app.command(epilog=_EPILOG)
def up(
    demo: bool = typer.Option(False, "--demo", help="Load demonstration fleets and an office, and drive the terminals."),
    vehicles: int = typer.Option(200, min=1, max=100_000, help="How many vehicles the demonstration has."),
    cases: int = typer.Option(CASES, min=20, max=2000, help="How many cases the demonstration's office has."),
    open_browser: bool = typer.Option(False, "--open", help="Open the address in a browser when everything runs."),
) -> None:
    """Start everything on this machine and keep it running until Ctrl-C."""
    if demo:  # so that the login that is shown leads straight in; whoever says otherwise is obeyed
        os.environ.setdefault(f"{PREFIX}TWO_FACTORS", "off")
    settings = Settings.from_environment()
    with sole_supervisor(settings.data) as recovering:
        new = not first_login.path(settings.data).exists()
        address = web_address(settings)

        def on_ready(console: Console) -> None:
            show_ready(console, facts(settings, address, journal.path, new=new))
            if open_browser:
                webbrowser.open(address)

        journal = Journal(settings.data / "logs", machine=settings.log_format == "json", on_ready=on_ready)
        extras = [_simulator(settings, vehicles)] if demo else []
        prepare = ("--demo", str(vehicles), "--cases", str(cases)) if demo else ()
        try:
            asyncio.run(Supervisor(settings, journal, extras=extras, prepare=prepare, recovering=recovering).run())
        finally:
            journal.close()


def web_address(settings: Settings) -> str:
    """Return the address people open: the first public origin, else where the web process listens."""
    if settings.web_origins:
        return settings.web_origins.split(",")[0].strip()
    host, port = addresses(settings.web)[0]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 -- compared, not bound
    return f"http://{host}:{port}/"


def _simulator(settings: Settings, vehicles: int) -> Extra:
    host, port = addresses(settings.terminals)[0]
    server = f"{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 -- compared, not bound
    return Extra(
        name="simulator",
        needs=demo_logins.mark(settings.data),
        arguments=("simulate", "terminals", "--count", str(vehicles), "--interval", "5", "--give-up", "180", "--server", server),
    )


def facts(settings: Settings, address: str, log: Path, *, new: bool) -> list[Text]:
    """Return what a person needs to know once everything runs, one fact a line."""
    lines = [Text.assemble(("Jilink runs.  ", "bold green"), (address, "bold underline"))]
    path = first_login.path(settings.data)
    if path.exists():
        if new:
            login = first_login.read(settings.data)
            lines.append(Text.assemble("Sign in as  ", (login.user, "bold"), "  with password  ", (login.password, "bold")))
        lines.append(Text(f"First login: kept in {path} until you delete it", "dim"))
    shown = demo_logins.path(settings.data)
    if shown.exists():
        password, names = demo_logins.read(settings.data)
        tried = ", ".join(name for name in names if name in TRIED)
        lines.append(Text.assemble("Other roles: ", (tried, "bold"), "  with password  ", (password, "bold")))
        lines.append(Text(f"All accounts of the demonstration: {shown}", "dim"))
    if settings.two_factors == "off":
        lines.append(Text(f"Two factors: off ({PREFIX}TWO_FACTORS): a password alone opens everything", "yellow"))
    told = [("Terminals", settings.terminals), ("Terminals over TLS", settings.terminals_tls), ("Attachments", settings.attachments)]
    lines += [Text(f"{name}: {listens}", "dim") for name, listens in told if listens]
    lines.append(Text(f"Data: {settings.data}", "dim"))
    lines.append(Text(f"Log: {log}", "dim"))
    lines.append(Text("Ctrl-C stops everything.", "dim"))
    return lines


def show_ready(console: Console, lines: Sequence[Text]) -> None:
    """Print the facts in a box that folds long lines; without a terminal as plain lines that are never cut."""
    if console.is_terminal:
        console.print(Panel(Text("\n", overflow="fold").join(lines), expand=False), soft_wrap=False)
        return
    for line in lines:
        console.print(line, soft_wrap=True)
