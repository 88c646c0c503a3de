"""A real gateway: its own processes, a real spine, sockets on loopback."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from jilink.kernel.settings import Settings
from jilink.spine import arrow, subjects
from jilink.spine.bridge import SpineThread
from jilink.spine.records import Admission, AdmissionPolicy, CommandReply, CommandRequest, digest
from tests.edges.terminal import Terminal
from tests.ports import free_port
from tests.spine.server import Server, running_server

CODE = "from jilink.kernel.settings import Settings; from jilink.edges.terminals.main import main; main(Settings.from_environment())"
PHONE = "13900000001"


@dataclass
class Gateway:
    """The process `terminals` as an operator runs it, and the operator's view of the spine."""

    settings: Settings
    server: Server
    spine: SpineThread
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return int(self.settings.terminals.rpartition(":")[2])

    def start(self) -> None:
        """Start it and wait until it serves terminals."""
        self.launch()
        eventually(lambda: self.log.read_text().count("worker_ready") >= self.settings.terminals_workers, 30, self.log)

    def launch(self) -> None:
        environment = dict(os.environ)
        for spec in fields(Settings):
            environment[f"JILINK_{spec.name.upper()}"] = str(getattr(self.settings, spec.name))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen([sys.executable, "-c", CODE], env=environment, stdout=output, stderr=output)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None
            self.log.write_text("")

    def admit(self, phone: str = PHONE, asset: int = 1, organisation: int = 1, **more: object) -> None:
        value = Admission(asset=asset, organisation=organisation, **more)
        self.spine.put(subjects.ADMISSION, digest(phone), msgspec.json.encode(value))

    def dismiss(self, phone: str = PHONE) -> None:
        self.spine.delete(subjects.ADMISSION, digest(phone))

    def open_registration(self) -> None:
        self.spine.put(subjects.ADMISSION, "policy", msgspec.json.encode(AdmissionPolicy(quarantine_unknown=True)))

    def terminal(self, phone: str = PHONE, **more: object) -> Terminal:
        return Terminal(self.port, phone, **more)

    def positions(self) -> pa.Table:
        """Everything that was stored as positions, in order."""
        messages = self.spine.read_last("MEASUREMENTS", "measurements.positions.*", 10_000)
        batches = [arrow.decode(message.data) for message in reversed(messages)]
        return pa.Table.from_batches(batches) if batches else pa.table({"serial": pa.array([], pa.uint16())})

    def sessions(self) -> list[dict[str, object]]:
        messages = self.spine.read_last("MEASUREMENTS", "measurements.sessions.*", 1000)
        rows = [row for message in reversed(messages) for row in arrow.decode(message.data).to_pylist()]
        return sorted(rows, key=lambda row: row["at"])

    def events(self, name: str) -> list[dict[str, object]]:
        messages = self.spine.read_last("EVENTS", f"events.terminals.{name}", 1000)
        return [json.loads(message.data)["payload"] for message in reversed(messages)]

    def frames(self, subject: str) -> list[dict[str, object]]:
        return [json.loads(message.data) for message in reversed(self.spine.read_last("FRAMES", subject, 1000))]

    def command(self, message: int, asset: int = 1, *, number: str, timeout: float = 15.0, **more: object) -> Iterator[CommandReply]:
        """Ask as the relay does and yield the replies."""
        request = CommandRequest(command=number, message=message, organisation=more.pop("organisation", 1), fields=more, timeout_s=timeout)
        with contextlib.closing(
            self.spine.request_each(f"terminals.command.{asset}", msgspec.json.encode(request), timeout + 5)
        ) as replies:
            for reply in replies:
                yield msgspec.json.decode(reply, type=CommandReply)


def eventually(check: Callable[[], object], seconds: float = 20, log: Path | None = None) -> None:
    """Wait until a check holds."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"not within {seconds} s" + (f": {log.read_text()}" if log else "")
        time.sleep(0.02)


@contextlib.contextmanager
def running_gateway(folder: Path, **changes: object) -> Iterator[Gateway]:
    with running_server(folder) as server:
        settings = replace(
            server.settings,
            terminals=f"127.0.0.1:{free_port()}",
            attachments=f"127.0.0.1:{free_port()}",
            terminals_workers=1,
            terminals_retry_s=5,
            terminals_join_s=1,
        )
        settings = replace(settings, **changes)
        spine = SpineThread(settings, "test", lay_out=True)
        spine.wait_ready(20)
        gateway = Gateway(settings, server, spine, folder / "gateway.log")
        try:
            gateway.start()
            yield gateway
        finally:
            gateway.stop()
            spine.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for a module; every test takes a phone and an asset of its own."""
    with running_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


_numbers = iter(range(1, 100_000))


@dataclass
class Mine:
    """A terminal's identity that no other test uses."""

    gateway: Gateway
    phone: str
    asset: int
    asked: list[Iterator[CommandReply]] = field(default_factory=list)

    def admit(self, **more: object) -> None:
        self.gateway.admit(self.phone, self.asset, **more)

    def terminal(self, **more: object) -> Terminal:
        return self.gateway.terminal(self.phone, **more)

    def rows(self) -> list[dict[str, object]]:
        return [row for row in self.gateway.positions().to_pylist() if row["asset"] == self.asset]

    def command(self, message: int, **more: object) -> Iterator[CommandReply]:
        self.asked.append(self.gateway.command(message, self.asset, **more))
        return self.asked[-1]


@pytest.fixture
def mine(shared: Gateway) -> Iterator[Mine]:
    number = next(_numbers)
    identity = Mine(shared, f"{13900000000 + number}", number)
    yield identity
    for replies in identity.asked:
        replies.close()


@pytest.fixture
def admitted(mine: Mine) -> Mine:
    mine.admit()
    return mine
