"""Which processes Jilink consists of, and how one of them is run."""

import ctypes
import os
import signal
import sys
from importlib import import_module
from typing import NamedTuple

from jilink.core.parties import walls
from jilink.kernel.errors import Refused
from jilink.kernel.settings import Settings


class ProcessRefused(Refused):
    """There is no process of that name."""


class Process(NamedTuple):
    """One process: the module whose `main(settings)` blocks until SIGTERM, and what it owns."""

    module: str
    owns: str
    django: bool = False
    """True where it imports the core, so that Django must be set up before it."""
    walled: bool = False
    """True where people ask: each request then sees only the rows of its own side of the walls (`core.parties.walls`)."""


PROCESSES: dict[str, Process] = {
    "spine": Process("jilink.spine.server", "the bundled NATS server"),
    "terminals": Process("jilink.edges.terminals.main", "device sockets"),
    "history": Process("jilink.history.main", "measurements to tables, compaction, retention"),
    "watch": Process("jilink.core.observations.main", "latest values of every asset; alarms", django=True),
    "relay": Process("jilink.core.outbox.main", "outbox to spine, timers, reactions", django=True),
    "web": Process("jilink.site.web", "pages, API, live streams", django=True, walled=True),
    "engine": Process("jilink.edges.voice.engine.main", "Asterisk: SIP, sound, recordings"),
    "voice": Process("jilink.edges.voice.main", "one connection an engine; facts and orders of calls"),
    "router": Process("jilink.services.contact.router.main", "who serves whom: queues, agents, calls in hand", django=True),
}
"""In the order they are started (kernel.settings.PROCESSES); they are stopped in the reverse order."""

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Ask the kernel for SIGTERM when `parent` ends, so that no process outlives a killed supervisor (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


def run_process(name: str, settings: Settings) -> None:
    """Run one process until it is told to stop. Raises ProcessRefused for a name that is not in the table."""
    if name not in PROCESSES:
        raise ProcessRefused(f"there is no process {name!r}; there are: {', '.join(PROCESSES)}")
    keep_private()
    if PROCESSES[name].django:
        set_up_django(walled=PROCESSES[name].walled)
    import_module(PROCESSES[name].module).main(settings)


def keep_private() -> None:
    """Let every file this process makes be its owner's alone, also in a data folder that others may enter (umask(2))."""
    os.umask(0o077)


def set_up_django(*, walled: bool = False) -> None:
    """Make the data folder and set Django up, so that modules of the core can be imported; on no side of any wall unless `walled`."""
    if not walled:
        walls.open_process()
    keep_private()
    Settings.from_environment().data.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jilink.site.settings")
    import_module("django").setup()


def speak_english() -> None:
    """Let what the core says to the command line be English, as the rest of it is, whatever language the pages speak."""
    import_module("django.utils.translation").deactivate_all()
