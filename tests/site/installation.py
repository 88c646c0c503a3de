"""A whole installation on free loopback ports, run by the real `jilink` command."""

import atexit
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jilink.kernel.settings import Settings
from jilink.spine import server
from tests.parts import SHARED
from tests.ports import free_port, free_run

PATIENCE_S = 200.0


def environment(data: Path, **more: str) -> dict[str, str]:
    """Return the environment of an installation of its own: data folder and ports."""
    web, nats, terminals, attachments = (free_port() for _ in range(4))
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("JILINK_")}
    return {
        **inherited,
        "JILINK_DATA": str(data),
        "JILINK_WEB": f"127.0.0.1:{web}",
        "JILINK_NATS_PORT": str(nats),
        "JILINK_TERMINALS": f"127.0.0.1:{terminals}",
        "JILINK_ATTACHMENTS": f"127.0.0.1:{attachments}",
        "JILINK_HEALTH_PORT": str(free_run(16)),
        "JILINK_TERMINALS_WORKERS": "1",
        **more,
    }


def until(holds: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait until `holds()` is true; fail saying `what` was waited for."""
    give_up = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < give_up, f"waited {patience_s:.0f} s in vain: {what}"
        time.sleep(0.05)


def jilink(*arguments: str, env: dict[str, str], timeout: float = 240.0, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    command = [sys.executable, "-m", "jilink.site.cli", *arguments]
    return subprocess.run(command, env={**env, "COLUMNS": "140"}, text=True, capture_output=True, timeout=timeout, input=given, check=False)


def prepared(data: Path, **more: str) -> dict[str, str]:
    """Return the environment of an installation that was prepared, on SQLite: a copy of one that all parts share."""
    shutil.copytree(_pattern(), data)
    env = environment(data, **more)
    server.prepare(Settings.from_environment(env))
    return env


@cache
def _pattern() -> Path:
    """Return the data folder of an installation that `jilink prepare` made, without its spine, whose address would not be ours."""
    shared = Path(os.environ.get(SHARED) or tempfile.mkdtemp(prefix="jilink-pattern-"))
    if not os.environ.get(SHARED):
        atexit.register(shutil.rmtree, shared)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "data").exists():
            done = jilink("prepare", env=environment(shared / "making"))
            assert done.returncode == 0, done.stderr
            shutil.rmtree(shared / "making" / "spine")
            (shared / "making").rename(shared / "data")
    return shared / "data"


@dataclass
class Up:
    """A running `jilink up`."""

    process: subprocess.Popen[bytes]
    env: dict[str, str]
    log: Path

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.env)

    def text(self) -> str:
        """Return everything it has written so far."""
        return self.log.read_text(errors="replace")

    def children(self) -> dict[str, int]:
        """Return process id by name of the supervised processes that run now."""
        found = {}
        for pid in children_of(self.process.pid):
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except FileNotFoundError:  # it ended meanwhile
                continue
            if b"run" in words:
                found[words[words.index(b"run") + 1].decode()] = pid
            elif any(word.endswith(b"nats-server") for word in words):
                found["spine"] = pid
        return found

    def wait_ready(self) -> None:
        """Wait until it says that everything runs."""
        until(lambda: self.process.poll() is not None or re.search(r"\bready\b.*processes=", self.text()), "ready")
        assert self.process.poll() is None, self.text()

    def stop(self) -> int:
        """Stop it as Ctrl-C does and return its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def children_of(parent: int) -> list[int]:
    """Return the process ids of the children of a process that have not ended."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(folder.name))
    return found


@contextmanager
def running_up(data: Path, *arguments: str, ready: bool = False, **more: str) -> Iterator[Up]:
    """Start `jilink up`, in a folder that was prepared where `ready` says so, and make sure that nothing of it is left afterwards."""
    data.parent.mkdir(parents=True, exist_ok=True)
    env = prepared(data, **more) if ready else environment(data, **more)
    log = data.parent / f"{data.name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "jilink.site.cli", "up", *arguments], env=env, stdout=file, stderr=file)
    up = Up(process, env, log)
    try:
        yield up
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


@contextmanager
def running_spine(env: dict[str, str]) -> Iterator[None]:
    """Run the bundled NATS server of an installation alone."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jilink.site.cli", "run", "spine"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: listens(int(env["JILINK_NATS_PORT"])), "the spine listens")
        yield
    finally:
        process.terminate()
        process.wait(30)


def listens(port: int) -> bool:
    """Return whether somebody listens on a loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True
