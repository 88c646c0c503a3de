"""The `jilink` command: a table of commands, each imported only when it is asked for."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

import typer
from rich.console import Console
from rich.text import Text

from jilink import __version__
from jilink.kernel.errors import Malformed, Refused, Unavailable
from jilink.site import processes


class Entry(NamedTuple):
    """One command: the module whose `app` (a typer.Typer) it is, and its line in the list."""

    module: str
    help: str
    panel: str
    django: bool = False
    """True where the module imports the core, so that Django must be set up before it."""


_EVERY_DAY, _TERMINALS, _CARE = "Run", "Terminals", "Look after an installation"

COMMANDS: dict[str, Entry] = {
    "up": Entry("jilink.site.commands.up", "Start everything on this machine and keep it running.", _EVERY_DAY),
    "run": Entry("jilink.site.commands.run", "Run one process in the foreground.", _EVERY_DAY),
    "prepare": Entry("jilink.site.commands.prepare", "Make the data folder ready; `up` does this by itself.", _EVERY_DAY, django=True),
    "demo": Entry("jilink.site.commands.demo", "Load or remove the demonstration fleets.", _EVERY_DAY, django=True),
    "simulate": Entry("jilink.site.commands.simulate", "Drive pretend terminals against a gateway.", _TERMINALS),
    "decode": Entry("jilink.site.commands.decode", "Show what terminal frames say.", _TERMINALS),
    "voice": Entry("jilink.site.commands.voice", "Install the telephone engine.", _CARE),
    "doctor": Entry("jilink.site.commands.doctor", "Check this installation and say what to do.", _CARE, django=True),
    "backup": Entry("jilink.site.commands.backup", "Save everything this installation keeps in one file.", _CARE),
    "restore": Entry("jilink.site.commands.restore", "Put a saved installation back.", _CARE),
    "audit": Entry("jilink.site.commands.audit", "Verify the chain of the audit.", _CARE, django=True),
    "bench": Entry("jilink.site.commands.bench", "Measure this machine against plain C and the targets.", _CARE),
    "keys": Entry("jilink.site.commands.keys", "Renew the keys that seal identity numbers.", _CARE, django=True),
    "reports": Entry("jilink.site.commands.reports", "Make the sums behind reports anew.", _CARE, django=True),
    "user": Entry("jilink.site.commands.user", "Add and remove people, set passwords, list accounts.", _CARE, django=True),
}

EXIT_STATUS: tuple[tuple[type[Exception], int], ...] = ((Refused, 2), (Unavailable, 3), (Malformed, 4))
"""What a shell sees for each family of expected errors; a bug is 1 with a traceback."""

_EPILOG = "Settings are environment variables that begin with JILINK_, for example JILINK_DATA=/srv/jilink."


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"jilink {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", is_eager=True, callback=_version, help="Show the version and leave."),
) -> None:
    """Jilink: a regional services platform on one spine."""


def _placeholder() -> None:
    """Stand in the list for a command that this call did not ask for."""


def application(*names: str) -> typer.Typer:
    """Return the command line with the named commands imported; every other one is only a line in the list.

    A module with one plain command becomes that command; any other becomes a group.
    """
    root = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, epilog=_EPILOG, context_settings=_HELP)
    root.callback()(_root)
    for name, entry in COMMANDS.items():
        if name not in names:
            root.command(name, help=entry.help, rich_help_panel=entry.panel)(_placeholder)
            continue
        if entry.django:
            processes.set_up_django()
            processes.speak_english()
        app: typer.Typer = import_module(entry.module).app
        plain = app.registered_commands
        if len(plain) == 1 and not app.registered_groups and app.registered_callback is None:
            plain[0].name = name
            plain[0].rich_help_panel = entry.panel
            root.registered_commands.append(plain[0])
        else:
            root.add_typer(app, name=name, help=entry.help, rich_help_panel=entry.panel, no_args_is_help=True)
    return root


_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


def _wanted(arguments: Sequence[str]) -> tuple[str, ...]:
    if "_JILINK_COMPLETE" in os.environ:
        return tuple(COMMANDS)
    return tuple(word for word in arguments if not word.startswith("-"))[:1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 2 refused, 3 something needed is down, 4 unreadable input, 130 interrupted.

    An expected error is one line on standard error; a bug keeps its traceback.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        application(*_wanted(given))(given, prog_name="jilink")
    except (Refused, Unavailable, Malformed) as error:
        console = Console(stderr=True, soft_wrap=True)
        console.print(Text.assemble(("jilink: ", "bold red"), str(error)))
        sys.exit(next(status for family, status in EXIT_STATUS if isinstance(error, family)))


if __name__ == "__main__":
    main()
