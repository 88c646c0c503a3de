"""A throw-away installation for one measurement: its own folder, ports, spine and gateway, stopped by process id."""

import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings
from jilink.simulator.load.fleet import LoadTerminal
from jilink.spine.client import Spine, connect, ensure
from jilink.spine.records import Admission, Token, digest
from jilink.spine.subjects import ADMISSION, TOKENS

READY_WITHIN_S = 60.0
ADMISSIONS_AT_ONCE = 200
GATEWAY_CORE, OTHER_CORE = 0, 1
JILINK = (sys.executable, "-m", "jilink.site.cli")


class RigFailed(Unavailable):
    """A process of the measurement did not come up or ended early."""


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def running(command: Sequence[str], environment: dict[str, str], core: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process, on one core where given, and stop it at the end."""
    pin = ["taskset", "-c", str(core)] if core is not None and (os.cpu_count() or 1) > 1 else []
    process = subprocess.Popen([*pin, *command], env=environment or None, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens. Raises RigFailed when the process ends or the time is over."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RigFailed(f"{process.args!r} ended with status {process.returncode}")
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RigFailed(f"nothing listens on port {port} after {READY_WITHIN_S:.0f} s")


class Rig:
    """A spine in `folder` and as many gateways, one after the other, as the measurement wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nats_port = free_port()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("JILINK_")} | {
            "JILINK_DATA": str(folder),
            "JILINK_NATS_PORT": str(self.nats_port),
            "JILINK_HEALTH_PORT": "0",
            "JILINK_ATTACHMENTS": "",
            "JILINK_TERMINALS_PER_ADDRESS": "0",
            "JILINK_TERMINALS_BYTES_PER_S": "0",
            "JILINK_TERMINALS_FRAMES_PER_S": "0",
        }
        self.settings = Settings.from_environment(self.environment)

    @contextmanager
    def spine(self, core: int | None = OTHER_CORE) -> Iterator[None]:
        """Run the bundled server, on one core where given, with every stream and bucket."""
        with running([*JILINK, "run", "spine"], self.environment, core) as process:
            wait_for_port(self.nats_port, process)
            asyncio.run(self._prepare([]))
            yield

    def admit(self, terminals: Sequence[LoadTerminal]) -> None:
        """Let the terminals in, each with its token."""
        asyncio.run(self._prepare(terminals))

    async def _prepare(self, terminals: Sequence[LoadTerminal]) -> None:
        async with connect(self.settings, name="bench") as spine:
            await ensure(spine)
            for first in range(0, len(terminals), ADMISSIONS_AT_ONCE):
                await asyncio.gather(*(_admit(spine, one) for one in terminals[first : first + ADMISSIONS_AT_ONCE]))

    @contextmanager
    def gateway(self, io: str) -> Iterator[tuple[int, int]]:
        """Run a gateway of one worker on a core of its own; yields (port, process id of the worker)."""
        with self.workers(io, 1, GATEWAY_CORE) as (port, pids):
            yield port, pids[0]

    @contextmanager
    def workers(self, io: str, count: int, core: int | None = None) -> Iterator[tuple[int, list[int]]]:
        """Run a gateway of that many workers, on one core where given; yields (port, process ids of the workers)."""
        port = free_port()
        environment = self.environment | {
            "JILINK_TERMINALS": f"127.0.0.1:{port}",
            "JILINK_TERMINALS_IO": io,
            "JILINK_TERMINALS_WORKERS": str(count),
        }
        with running([*JILINK, "run", "terminals"], environment, core) as process:
            wait_for_port(port, process)
            yield port, _workers_of(process.pid, count)


async def _admit(spine: Spine, terminal: LoadTerminal) -> None:
    key = digest(terminal.phone)
    token = Token(
        token_sha256=hashlib.sha256(terminal.token.encode()).hexdigest(), terminal_id="", asset=terminal.asset, issued_at=datetime.now(UTC)
    )
    await spine.bucket(TOKENS).put(key, msgspec.json.encode(token))
    await spine.bucket(ADMISSION).put(key, msgspec.json.encode(Admission(asset=terminal.asset, organisation=1, year=2013)))


def _workers_of(parent: int, count: int) -> list[int]:
    """Return the process ids of a gateway's workers: its first children."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if len(children) >= count:
            return [int(child) for child in children[:count]]
        time.sleep(0.05)
    raise RigFailed(f"the gateway has not started {count} workers")


class Load:
    """Terminals of one server, logged in, that send only while they are asked to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def measure(self, seconds: float, *, rate: float = 0, per_read: int = 1) -> dict[str, float]:
        """Send for so long and return what was measured (its keys stand in generator.c). Raises RigFailed where nothing was answered."""
        if not self._process.stdin or not self._process.stdout:
            raise RigFailed("the load generator cannot be asked")
        self._process.stdin.write(f"{seconds} {rate} {per_read}\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise RigFailed(f"the load generator ended: {self._process.stderr.read().strip() if self._process.stderr else ''}")
        result: dict[str, float] = json.loads(said)
        if not result["answered_s"] or result["lost"]:
            lost = f"{result['lost']:.0f} of {result['terminals']:.0f} connections lost"
            raise RigFailed(f"{result['answered_s']:.0f} messages/s were answered, {lost}")
        return result


@contextmanager
def load(generator: Path, script: Path, port: int, pid: int) -> Iterator[Load]:
    """Connect a script's terminals to a server, on the core that is not the server's. Raises RigFailed where they cannot log in."""
    pin = ["taskset", "-c", str(OTHER_CORE)] if (os.cpu_count() or 1) > 1 else []
    words = [*pin, str(generator), str(port), "0", "0", "1", str(pid), str(script), "asked"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        if not process.stdout or "online" not in process.stdout.readline():
            process.kill()
            raise RigFailed(f"the load generator could not connect its terminals: {process.communicate()[1].strip()}")
        yield Load(process)
    finally:
        process.kill()
        process.communicate()
