"""The process `history` as an operator runs it, for tests."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

from jilink.kernel.settings import Settings

PATIENCE_S = 60.0
_CODE = "from jilink.kernel.settings import Settings; from jilink.history.main import main; main(Settings.from_environment())"


@dataclass
class Process:
    """Start it, end it, ask it."""

    settings: Settings
    running: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it; it may not be ready yet."""
        environment = {
            **os.environ,
            "JILINK_DATA": str(self.settings.data),
            "JILINK_NATS_PORT": str(self.settings.nats_port),
            "JILINK_HEALTH_PORT": str(self.settings.health_port),
            "JILINK_HISTORY_COMMIT_S": str(self.settings.history_commit_s),
        }
        self.running = subprocess.Popen(
            [sys.executable, "-c", _CODE], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send it a signal and return how it ended."""
        if self.running is None:
            return 0
        self.running.send_signal(number)
        code = self.running.wait(30)
        self.running = None
        return code

    def reasons(self) -> str:
        """What /readyz says; empty when it cannot be asked."""
        return self.page("/readyz")

    def page(self, path: str) -> str:
        """A health page, whatever its status; empty when it cannot be asked."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.settings.health('history')}{path}", timeout=2) as page:
                return str(page.read().decode())
        except urllib.error.HTTPError as answer:
            return answer.read().decode()
        except OSError:
            return ""


def until(done: Callable[[], bool], what: str) -> None:
    """Ask again and again until it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, f"{what} did not come about in {PATIENCE_S} s"
        time.sleep(0.02)
