"""A whole Jilink as a person would start it: `jilink up --demo`, real processes in a folder of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port, free_run
from tests.site.installation import prepared

VEHICLES, CASES = 40, 24
READY_S = 200.0
Things = dict[str, str | int]
CALL = """
import json, sys, django
django.setup()
from jilink.core.parties import walls
from tests.journeys import content
walls.open_process()
print(json.dumps(getattr(content, sys.argv[1])(**json.loads(sys.argv[2]))))
"""


@dataclass(frozen=True, slots=True)
class System:
    """A running installation."""

    data: Path
    address: str
    terminals: str
    user: str
    password: str
    environment: dict[str, str]
    up: int
    """The number of its supervisor's process."""

    def run(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start another `jilink` command against this installation."""
        command = [sys.executable, "-m", "jilink.site.cli", *arguments]
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def furnish(self, what: str, **given: str) -> Things:
        """Call a function of `tests.journeys.content` within this installation, and return the things that it made."""
        environment = {**self.environment, "DJANGO_SETTINGS_MODULE": "jilink.site.settings"}
        command = [sys.executable, "-c", CALL, what, json.dumps(given)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=90)
        found: Things = json.loads(done.stdout.splitlines()[-1])
        return found

    def process(self, name: str) -> int:
        """Return the number of the process of this installation that runs `jilink run NAME`. Raises LookupError."""
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0") if folder.name.isdigit() else []
                if words[-3:-1] == [b"run", name.encode()] and str(self.up).encode() in words:
                    return int(folder.name)
        raise LookupError(name)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/accounts/login/", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def telephones() -> dict[str, str]:
    """Return the settings of a telephone engine for the tests, where there is one."""
    root = Path(os.environ.get("JILINK_VOICE_ROOT") or Path(__file__).resolve().parents[2] / ".setup" / "voice")
    if not (root / "usr/sbin/asterisk").is_file():
        return {}
    first = free_run(100)
    return {
        "JILINK_VOICE_ROOT": str(root),
        "JILINK_VOICE_SIP": f"127.0.0.1:{free_port()}",
        "JILINK_VOICE_RTP": f"{first}-{first + 99}",
        "JILINK_VOICE_HTTP_PORT": str(free_port()),
        "JILINK_VOICE_MANAGER_PORT": str(free_port()),
    }


@contextlib.contextmanager
def running(data: Path) -> Iterator[System]:
    """Start everything with demonstration fleets that drive; stop it all at the end."""
    environment = {
        **{name: value for name, value in prepared(data).items() if name != "DJANGO_SETTINGS_MODULE"},
        **telephones(),
        "JILINK_HISTORY_COMMIT_S": "2",
        "JILINK_LOG_FORMAT": "json",
        "JILINK_TWO_FACTORS": "off",
    }
    log = data.parent / "up.log"
    address = f"http://{environment['JILINK_WEB']}"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "jilink.site.cli", "up", "--demo", "--vehicles", str(VEHICLES), "--cases", str(CASES)]
        up = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + READY_S
            while not (data / "first-login").exists() or not _is_ready(address):
                if up.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"jilink up did not become ready:\n{log.read_text()[-3000:]}")
                time.sleep(0.2)
            user, password = (data / "first-login").read_text().split()
            yield System(data, address, environment["JILINK_TERMINALS"], user, password, environment, up.pid)
        finally:
            up.send_signal(signal.SIGTERM)
            try:
                up.wait(30)
            except subprocess.TimeoutExpired:
                up.kill()
                up.wait()
