"""A whole installation with a fleet, in a folder of its own: the real processes, and a viewer who signs in over HTTP."""

import http.client
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt

from jilink.core.observations import live
from jilink.site import first_login
from jilink.site.bench.rig import JILINK, Rig, RigFailed, free_port, running, wait_for_port

PREPARE_WITHIN_S = 600.0
ANSWER_WITHIN_S = 60.0
SIGN_IN = "/accounts/login/"
LIVE = "/vehicles/live"


class Installation(Rig):
    """A rig with database, pages and watch."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.web_port, self.terminal_port = free_port(), free_port()
        self.environment |= {
            "JILINK_WEB": f"127.0.0.1:{self.web_port}",
            "JILINK_TERMINALS": f"127.0.0.1:{self.terminal_port}",
            "JILINK_TWO_FACTORS": "off",  # the viewer is the owner, who would have to set one up first
        }

    @property
    def address(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.web_port}"

    def prepare(self, *options: str) -> None:
        """Run `jilink prepare`. Raises RigFailed with what it said."""
        done = subprocess.run(
            [*JILINK, "prepare", *options], env=self.environment, capture_output=True, text=True, timeout=PREPARE_WITHIN_S, check=False
        )
        if done.returncode:
            raise RigFailed(f"jilink prepare ended with status {done.returncode}: {done.stderr.strip()[-300:]}")

    @contextmanager
    def processes(self, names: Sequence[str]) -> Iterator[None]:
        """Run these processes; returns when pages and terminals are served."""
        ports = {"web": self.web_port, "terminals": self.terminal_port}
        with ExitStack() as stack:
            started = {name: stack.enter_context(running([*JILINK, "run", name], self.environment)) for name in names}
            for name in filter(ports.__contains__, names):
                wait_for_port(ports[name], started[name])
            yield

    def viewer(self) -> "Viewer":
        """Return someone signed in as the first account. Raises RigFailed."""
        return Viewer(self.web_port, first_login.read(self.folder))


class Viewer:
    """A person's HTTP session."""

    def __init__(self, port: int, login: first_login.Login) -> None:
        self._port = port
        self.cookies: dict[str, str] = {}
        self._ask("GET", SIGN_IN).read()
        given = {"csrfmiddlewaretoken": self.cookies.get("csrftoken", ""), "login": login.user, "password": login.password}
        answer = self._ask("POST", SIGN_IN, urlencode(given))
        answer.read()
        if answer.status != http.client.FOUND:
            raise RigFailed(f"signing in was answered with status {answer.status}")

    def live(self) -> Iterator[bytes]:
        """Yield the map frames of the live stream as they arrive. Raises RigFailed where it ends."""
        answer = self._ask("GET", LIVE)
        if answer.status != http.client.OK:
            raise RigFailed(f"{LIVE} was answered with status {answer.status}")
        try:
            while len(head := answer.read(4)) == 4:
                if length := int.from_bytes(head, "little"):
                    yield answer.read(length)
        except (http.client.HTTPException, OSError) as error:
            raise RigFailed(f"the live stream broke: {error!r}") from error
        raise RigFailed("the live stream ended")

    def _ask(self, method: str, path: str, body: str | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_WITHIN_S)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return answer


@dataclass(slots=True)
class Shown:
    """What one organisation's frames have told: a row a slot, places in degrees WGS-84."""

    assets: npt.NDArray[np.int64]
    longitude: npt.NDArray[np.float64]
    latitude: npt.NDArray[np.float64]


class MapReader:
    """Reads map frames as a page does; `shown` is by organisation."""

    def __init__(self) -> None:
        self.shown: dict[int, Shown] = {}

    def take(self, frame: bytes) -> tuple[int, npt.NDArray[np.int64]]:
        """Take in a frame; return its organisation and the slots that it told of."""
        kind, _version, _, organisation, _tick, count, *box = live.HEADER.unpack_from(frame)
        place = live.HEADER.size
        columns = []
        for dtype in ("<u4" if kind == live.SNAPSHOT else "<u2", "<u2", "<u2", "u1"):
            column = np.frombuffer(frame, dtype, count, place).astype(np.int64)
            columns.append(column)
            place += -(-column.size * np.dtype(dtype).itemsize // 4) * 4
        first, x, y, fine = columns
        longitude = box[0] + box[2] * (x << 4 | fine >> 4) / live.STEPS
        latitude = box[1] + box[3] * (y << 4 | fine & 15) / live.STEPS
        if kind == live.SNAPSHOT:
            self.shown[organisation] = Shown(first, longitude, latitude)
            return organisation, np.arange(count)
        told = first != live.SKIP
        slots = np.cumsum(first)[told]
        shown = self.shown[organisation]
        shown.longitude[slots], shown.latitude[slots] = longitude[told], latitude[told]
        return organisation, slots
