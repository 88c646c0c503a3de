"""The parts in which `make test` runs everything, side by side on two cores: python -m tests.parts [--required] [PART ...]

A part is a process with a log of its own in .setup/tests/. Most of them wait for most of their time, so that PLACES of them run at once;
one that must not be crowded takes more places than one. They start in the order of the table: what takes long comes first. At the end
the result of each is shown, the log of what failed, and what was skipped. `--required` makes it a failure that no PostgreSQL can be had.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".setup" / "tests"
PLACES = 4
SHARED = "JILINK_TESTS_SHARED"
"""The variable that names a folder for what is made once for all parts."""


@dataclass(frozen=True, slots=True)
class Part:
    """Files and folders of tests; with `postgresql` those of them that touch the database, on PostgreSQL."""

    name: str
    paths: tuple[str, ...]
    places: int = 1
    postgresql: bool = False

    def command(self, folder: Path, *, required: bool) -> list[str]:
        """Return the command that runs it, with its files in a folder."""
        tests = [sys.executable, "-m", "pytest", "--durations=20", f"--basetemp={folder}", *self.paths]
        server = [sys.executable, "tools/postgresql", *(["--required"] if required else [])]
        # the database goes with its server: dropping it before would only wait for threads that still hold a connection
        return [*server, *tests, "--reuse-db"] if self.postgresql else tests

    def holds(self, path: Path) -> bool:
        """Return whether a file is one of its files."""
        return any(path == ROOT / each or ROOT / each in path.parents for each in self.paths)


class Check(Part):
    """What `make check` checks."""

    def command(self, folder: Path, *, required: bool) -> list[str]:
        """Return the command that runs it."""
        return ["make", "--no-print-directory", "check"]


CORE = ("tests/core",)
CONSOLE = ("tests/services/console",)
SERVICES = ("tests/services/contact", "tests/services/vehicles", "tests/trust")
PARTS = (
    Part("proof", ("tests/proof",), places=3),
    Part("core-on-postgresql", CORE, postgresql=True),
    Part("journeys", ("tests/journeys",)),
    Part("pages-on-postgresql", CONSOLE + SERVICES, postgresql=True),
    Part("console", CONSOLE),
    Part("site", ("tests/site",)),
    Part("site-on-postgresql", ("tests/site",), postgresql=True),
    Part("gateway", ("tests/edges", "tests/simulator")),
    Part("core", CORE),
    Part("services", SERVICES),
    Check("check", ()),
    Part("spine-history", ("tests/spine", "tests/history")),
    Part("protocols-house", ("tests/protocols", "tests/house", "tests/kernel", "tests/webkit")),
)


def on_postgresql(path: Path) -> bool:
    """Return whether what touches the database in this file is run on PostgreSQL too."""
    return any(part.postgresql and part.holds(path) for part in PARTS)


@dataclass(slots=True)
class Run:
    """A part that was started."""

    part: Part
    process: subprocess.Popen[bytes]
    log: Path
    began: float
    seconds: float = 0.0
    processor: float = 0.0
    status: int | None = None

    def ended(self) -> bool:
        """Return whether its process has ended, and note when, how, and what it took with all its children."""
        pid, status, used = os.wait4(self.process.pid, os.WNOHANG)
        if pid:
            self.status = self.process.returncode = os.waitstatus_to_exitcode(status)
            self.seconds, self.processor = time.monotonic() - self.began, used.ru_utime + used.ru_stime
        return bool(pid)

    def text(self) -> str:
        """Return what it has said."""
        return self.log.read_text(errors="replace")

    def said(self) -> str:
        """Return one line about its result."""
        counted = re.findall(r"^=+ (.*) in [\d.]+s.* =+$", self.text(), re.MULTILINE)
        result = ["ok" if self.status == 0 else f"FAILED with status {self.status}", *counted[-1:]]
        return f"{self.part.name:20} {self.seconds:5.0f} s, {self.processor:5.0f} s of processor: {', '.join(result)}"

    def skipped(self) -> list[str]:
        """Return the lines that tell of what was skipped."""
        return [f"{self.part.name}: {line}" for line in self.text().splitlines() if "SKIPPED" in line]


def start(part: Part, folder: Path, logs: Path, *, required: bool) -> Run:
    """Start a part, with a folder for the files of all parts."""
    path = logs / f"{part.name}.log"
    with path.open("wb") as log:
        command, environment = part.command(folder / part.name, required=required), {**os.environ, SHARED: str(folder)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    return Run(part, process, path, time.monotonic())


def run(parts: Sequence[Part], folder: Path, logs: Path, *, required: bool) -> Iterator[Run]:
    """Run the parts, as many at once as there are places; yield each as it ends."""
    waiting, running = list(parts), list[Run]()
    try:
        while waiting or running:
            free = PLACES - sum(each.part.places for each in running)
            for part in waiting:
                if part.places <= free:
                    waiting.remove(part)
                    running.append(start(part, folder, logs, required=required))
                    break
            else:
                time.sleep(0.1)
            for each in [each for each in running if each.ended()]:
                running.remove(each)
                yield each
    finally:
        for each in running:
            each.process.terminate()
        for each in running:
            each.process.wait()


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tell(runs: Sequence[Run], logs: Path, began: float) -> int:
    """Show logs of what failed, all results, what was skipped, and the sum; return the status."""
    failed = [each for each in runs if each.status != 0]
    for each in failed:
        say(f"\n== {each.part.name} ({each.log})\n{each.text()}")
    say("\n".join(["", *(each.said() for each in runs)]))
    skipped = [line for each in runs for line in each.skipped()]
    say("\n".join(["skipped:", *skipped]) if skipped else "nothing was skipped")
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    result = f"FAILED: {', '.join(each.part.name for each in failed)}" if failed else "every part is well"
    say(f"{result}; {minutes} min {seconds} s, {sum(each.processor for each in runs):.0f} s of processor; logs in {logs}/")
    return 1 if failed else 0


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str], table: Sequence[Part] = PARTS, logs: Path = LOGS) -> int:
    """Run all parts of the table, or those that are named."""
    names = {each for each in arguments if not each.startswith("-")}
    if unknown := names - {part.name for part in table}:
        say(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(part.name for part in table)}")
        return 2
    began, chosen = time.monotonic(), [part for part in table if not names or part.name in names]
    logs.mkdir(parents=True, exist_ok=True)
    say(f"== {len(chosen)} parts of checks and tests side by side, each with a log in {logs}/; all of them take about a quarter of an hour")
    runs = []
    with tempfile.TemporaryDirectory(prefix="jilink-parts-", ignore_cleanup_errors=True) as folder:
        for each in run(chosen, Path(folder), logs, required="--required" in arguments):
            runs.append(each)
            say(each.said())
    return tell(runs, logs, began)


if __name__ == "__main__":
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _end)
    sys.exit(main(sys.argv[1:]))
