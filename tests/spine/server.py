"""A real server for tests: `with running_server(tmp_path) as server:` gives settings that lead to it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jilink.kernel.settings import Settings
from tests.ports import free_port

START_S = 20.0


@dataclass
class Server:
    """The process `spine` as an operator runs it; `kill` is SIGKILL."""

    settings: Settings
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start and wait until it takes connections."""
        code = "from jilink.kernel.settings import Settings; from jilink.spine.server import main; main(Settings.from_environment())"
        environment = {
            **os.environ,
            "JILINK_DATA": str(self.settings.data),
            "JILINK_NATS_PORT": str(self.settings.nats_port),
            "JILINK_HEALTH_PORT": str(self.settings.health_port),
            "JILINK_NATS_URL": "",
        }
        with self.log.open("ab") as output:
            self.process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=output, stderr=output)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended: {self.log.read_text()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.settings.nats_port), 0.2):
                return
            time.sleep(0.01)
        raise AssertionError(f"the server did not start: {self.log.read_text()}")

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it with SIGTERM and wait."""
        self._end(signal.SIGTERM)

    def cut(self, stream: str, size: int) -> None:
        """Take the last bytes off the newest file of a stream, while the server is down."""
        files = (self.settings.data / "spine" / "store").rglob(f"{stream}/msgs/*.blk")
        newest = max(files, key=lambda file: int(file.stem))
        os.truncate(newest, newest.stat().st_size - size)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(number)
            self.process.wait(20)
            self.process = None


@contextlib.contextmanager
def running_server(folder: Path, **changes: object) -> Iterator[Server]:
    """Give a running server whose data lies in `folder`; `changes` are further fields of its settings."""
    fields: dict[str, object] = {"data": folder, "nats_port": free_port(), "health_port": 0, **changes}
    server = Server(Settings(**fields), folder / "spine-server.log")  # type: ignore[arg-type]  # -- fields of Settings
    folder.mkdir(parents=True, exist_ok=True)
    server.start()
    try:
        yield server
    finally:
        server.kill()
