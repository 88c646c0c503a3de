"""What `jilink up` shows: one log of all processes on the terminal and in a file, progress, then the address."""

import contextlib
import json
import logging
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.text import Text

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green")
FILE_BYTES = 20 << 20
FILES = 5

_SERVER_LINE = re.compile(r"^\[\d+\] \S+ \S+ \[(?P<level>[A-Z]{3})\] ?(?P<text>.*)")
"""A line of nats-server: process id, date, time, level, text."""
_SERVER_PASSES = {"WRN", "ERR", "FTL"}
_SERVER_KNOWN = "Plaintext passwords detected"
"""Said of the generated password, which lies in a file of its owner and is asked for on loopback alone."""


_OUR_LINE = re.compile(r"^(?P<at>\d{4}-\S+Z) \[(?P<level>\w+) *\] (?P<event>\S.*?) +\[[\w.]+\](?P<facts>.*)")
"""A line of ours as `logs` writes it for a console: time, level, event, module, keys."""


def for_people(text: str) -> str | None:
    """Return what a person reads of a line: of ours the local time, what happened and its keys, and the level where it is a warning or
    worse; of nats-server's only that it is ready, its warnings and errors. None for the rest.
    """
    ours = _OUR_LINE.match(text)
    if ours is not None:
        at = datetime.fromisoformat(ours["at"]).astimezone().strftime("%H:%M:%S")
        level = "" if ours["level"] in ("info", "debug") else f"{ours['level'].upper()} "
        facts = re.sub(r" process=\S+", "", ours["facts"])
        return f"{at} {level}{ours['event']}{facts}"
    line = _SERVER_LINE.match(text)
    if line is None:
        return text
    if line["text"] == "Server is ready":
        return "spine ready"
    return text if line["level"] in _SERVER_PASSES and not line["text"].startswith(_SERVER_KNOWN) else None


class _File(RotatingFileHandler):
    """Leaves lines out while the disk is full: whoever passes a process's lines on must not stop, or the process would."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing: there is nowhere to say it."""


class Journal:
    """Joins the lines of every process. `machine` True writes each event as JSON and shows no progress.

    The file gets every line; the terminal is spared what people need not read. A line that cannot be written, to a full disk
    or a reader that has gone, is left out.
    """

    def __init__(self, folder: Path, *, machine: bool, on_ready: Callable[[Console], None] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / "jilink.log"
        handler = _File(self.path, maxBytes=FILE_BYTES, backupCount=FILES, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(message)s"))
        self._file = logging.Logger("jilink.up")
        self._file.addHandler(handler)
        self._machine = machine
        self._on_ready = on_ready
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._colours: dict[str, str] = {}

    def line(self, name: str, text: str) -> None:
        """Pass on one line a process wrote, naming the process."""
        self._file.info("%s %s | %s", time.strftime("%Y-%m-%d"), name, text)
        with contextlib.suppress(OSError):
            self._show(name, text)

    def _show(self, name: str, text: str) -> None:
        if self._machine:
            known = text.startswith("{")
            self._console.out(text if known else json.dumps({"process": name, "event": text}, ensure_ascii=False), highlight=False)
            return
        shown = for_people(text)
        if shown is None:
            return
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        self._console.print(Text.assemble((f"{name:>10} | ", colour), Text.from_ansi(shown)))

    def event(self, event: str, **facts: object) -> None:
        """Write an event of the supervisor itself."""
        if self._machine:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self.line("up", json.dumps({"process": "up", "timestamp": stamp, "event": event, **facts}, ensure_ascii=False, default=str))
        else:
            told = " ".join(f"{key}={value}" for key, value in facts.items())
            self.line("up", f"{time.strftime('%H:%M:%S')} {event} {told}".rstrip())

    def progress(self, states: Mapping[str, bool]) -> None:
        """Show which processes are ready so far."""
        if self._machine or not self._console.is_terminal:
            return
        text = "  ".join(f"[green]{name} ✓[/]" if ready else f"[dim]{name} …[/]" for name, ready in states.items())
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        self._status.update(text)

    def ready(self, names: Sequence[str]) -> None:
        """Say that everything runs, and how to reach it."""
        self._end_progress()
        self.event("ready", processes=", ".join(names))
        if self._on_ready is not None:
            self._on_ready(self._console)

    def stopping(self) -> None:
        """Say that everything is being stopped."""
        self._end_progress()
        self.event("stopping")

    def close(self) -> None:
        """Leave the terminal as it was and close the file."""
        self._end_progress()
        for handler in self._file.handlers:
            handler.close()

    def _end_progress(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
