"""From a terminal's socket to an open map: a whole installation under load, and a viewer who has the map open.

Everything runs on this machine's cores together: gateway, spine, history, watch, relay, pages, load generator and viewer. Marked
terminals among the others send a position and note the time; it ends when the viewer, signed in over HTTP, has read the map frame that
shows that place.
"""

import asyncio
import hashlib
import json
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import numpy as np

from jilink.kernel.clock import utc_now
from jilink.protocols.jt808.codec import encode_message
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.position import Position2013
from jilink.protocols.wire.groups import Tags
from jilink.simulator.load import build, write_script
from jilink.simulator.load.fleet import LoadTerminal, login, positions
from jilink.simulator.register import register
from jilink.site.bench.figures import Figure, Target
from jilink.site.bench.installation import Installation, MapReader, Viewer
from jilink.site.bench.rig import RigFailed
from jilink.spine import subjects
from jilink.spine.buckets import KeyValues
from jilink.spine.client import connect
from jilink.spine.records import Admission, Token, digest

DEMONSTRATION_SEED = 1
"""The register that `jilink prepare --demo` enters."""
RATE = 5_000
LOAD_TERMINALS = 5_000
MARKED = 50
WINDOW_S = 8.0
WARM_S = 6.0
LOGIN_S = 30.0
CALM_S = 3.0
CALM_WITHIN_S = 120.0
LOST_AFTER_S = 10.0
PAUSE_S = (0.2, 1.2)
NEAR_DEG = 0.0005
JUMP = 10_000
"""Millionths of a degree between two places of a marked terminal, so that each is told from the one before."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Mark:
    """A marked terminal: its connection, and the place that it waits to see on the map."""

    terminal: LoadTerminal
    sock: socket.socket
    serial: int = 0
    latitude: float = 0.0
    longitude: float = 0.0
    sent_at: float = 0.0
    seen_at: float | None = 0.0
    """None while the place is not on the map yet."""
    counted: bool = True
    """Whether the time from sent to seen has been noted."""
    next_at: float = 0.0


@dataclass(slots=True)
class Watching:
    """The viewer's side, in a thread of its own."""

    marks: dict[int, Mark] = field(default_factory=dict)
    """By asset."""
    failure: Exception | None = None

    def read(self, viewer: Viewer) -> None:
        """Read the live stream for ever and note when the marked places appear."""
        reader = MapReader()
        try:
            for frame in viewer.live():
                at = time.monotonic()
                organisation, slots = reader.take(frame)
                shown = reader.shown[organisation]
                assets = shown.assets[slots]
                for slot in slots[np.isin(assets, list(self.marks))].tolist():
                    self._look(self.marks[int(shown.assets[slot])], shown.latitude[slot], shown.longitude[slot], at)
        except RigFailed as error:
            self.failure = error

    def _look(self, mark: Mark, latitude: float, longitude: float, at: float) -> None:
        if mark.seen_at is None and abs(latitude - mark.latitude) < NEAR_DEG and abs(longitude - mark.longitude) < NEAR_DEG:
            mark.seen_at = at


def measure(runs: int, say: Say) -> list[Figure]:
    """Return the figures of arrival on an open map; `say` is told what is being measured."""
    with tempfile.TemporaryDirectory(prefix="jilink-bench-") as name:
        folder = Path(name)
        generator, _ = build(folder)
        installation = Installation(folder / "data")
        say(f"arrival: preparing an installation with {LOAD_TERMINALS + MARKED:,} vehicles")
        installation.prepare("--demo", str(LOAD_TERMINALS + MARKED))
        seconds = WARM_S + runs * WINDOW_S
        with installation.spine(None):
            installation.prepare("--spine")
            terminals = asyncio.run(_terminals(installation))
            say("arrival: writing the load")
            _write_script(folder / "script", terminals[MARKED:], seconds)
            with installation.processes(("terminals", "history", "watch", "relay", "web")):
                say("arrival: waiting until the installation has nothing left to do")
                asyncio.run(_calm(installation))
                watching, viewer = Watching(), installation.viewer()
                with _connected(installation, terminals[:MARKED]) as marks:
                    watching.marks = {mark.terminal.asset: mark for mark in marks}
                    threading.Thread(target=watching.read, args=(viewer,), daemon=True).start()
                    load = Load(generator, folder / "script", installation.terminal_port, seconds)
                    try:
                        return _figures(_windows(runs, watching, say), load.result())
                    finally:
                        load.stop()


def _figures(found: list[list[float]], load: Mapping[str, float]) -> list[Figure]:
    subject = f"Arrival on an open map at {RATE:,} messages/s, everything on one machine"

    def percentile(part: float) -> tuple[float, ...]:
        return tuple(float(np.percentile(delays, part)) for delays in found)

    return [
        Figure(subject, "half within", "s", percentile(50)),
        Figure(subject, "95 of 100 within", "s", percentile(95), Target("at most", 1.0)),
        Figure(subject, "all within", "s", percentile(100)),
        Figure(subject, "positions followed", "", tuple(float(len(delays)) for delays in found)),
        Figure(subject, "acknowledged to terminals meanwhile", "messages/s", (load["answered_s"],)),
        Figure(subject, "acknowledgement, 99 of 100 within", "ms", (load["p99_ms"],)),
    ]


async def _terminals(installation: Installation) -> list[LoadTerminal]:
    """Give every terminal of the demonstration a token and return them, spread as the register has them."""
    phones = [vehicle.phone for vehicle in register(LOAD_TERMINALS + MARKED, DEMONSTRATION_SEED)]
    async with connect(installation.settings, name="bench") as spine:
        return [await _with_token(spine.bucket(subjects.ADMISSION), spine.bucket(subjects.TOKENS), phone) for phone in phones]


async def _with_token(admissions: KeyValues, tokens: KeyValues, phone: str) -> LoadTerminal:
    key = digest(phone)
    value = await admissions.get(key)
    if value is None:
        raise RigFailed("a terminal of the demonstration is not admitted")
    terminal = LoadTerminal(msgspec.json.decode(value, type=Admission).asset, phone, f"load-{key[:8]}")
    hashed = hashlib.sha256(terminal.token.encode()).hexdigest()
    await tokens.put(
        key, msgspec.json.encode(Token(token_sha256=hashed, terminal_id="", asset=terminal.asset, issued_at=datetime.now(UTC)))
    )
    return terminal


def _write_script(path: Path, terminals: Sequence[LoadTerminal], seconds: float) -> None:
    dice, start = Random(1), utc_now()  # noqa: S311 -- made-up traffic, no secret
    every_s = len(terminals) / RATE
    count = int((seconds + 2) / every_s) + 1
    write_script(path, ((login(one), list(positions(one, count, start, dice, every_s))) for one in terminals))


async def _calm(installation: Installation) -> None:
    """Wait until the relay has told everything about the new fleet and its reactions have run. Raises RigFailed."""
    async with connect(installation.settings, name="bench") as spine:
        deadline, last, since = time.monotonic() + CALM_WITHIN_S, (-1, -1), time.monotonic()
        while time.monotonic() - since < CALM_S:
            events, admissions = await spine.stream_size(subjects.EVENTS.name), await spine.stream_size(f"KV_{subjects.ADMISSION.name}")
            now = (events[0], admissions[1])
            if now != last:
                last, since = now, time.monotonic()
            if time.monotonic() > deadline:
                raise RigFailed(f"the installation is still busy after {CALM_WITHIN_S:.0f} s")
            await asyncio.sleep(0.2)


class Load:
    """The load generator, from when its terminals are online."""

    def __init__(self, generator: Path, script: Path, port: int, seconds: float) -> None:
        words = [str(generator), str(port), str(seconds), str(RATE), "1", "0", str(script)]
        self._seconds = seconds
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not self._process.stdout or "online" not in self._process.stdout.readline():
            self.stop()
            raise RigFailed("the load generator could not connect its terminals")

    def result(self) -> Mapping[str, float]:
        """Wait for its end and return what it measured."""
        said, _ = self._process.communicate(timeout=self._seconds + LOGIN_S)
        found: dict[str, float] = json.loads(said.splitlines()[-1])
        return found

    def stop(self) -> None:
        """End it where it still runs."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def _connected(installation: Installation, terminals: Sequence[LoadTerminal]) -> Iterator[list[Mark]]:
    """Connect and log the marked terminals in."""
    marks: list[Mark] = []
    try:
        for number, terminal in enumerate(terminals):
            sock = socket.create_connection(("127.0.0.1", installation.terminal_port), LOGIN_S)
            marks.append(Mark(terminal, sock, latitude=43.2 + 0.01 * number, longitude=124.5 + 0.02 * number))
            sock.sendall(login(terminal))
            if not sock.recv(4096):
                raise RigFailed("a marked terminal was refused")
            sock.setblocking(False)
        yield marks
    finally:
        for mark in marks:
            mark.sock.close()


def _windows(runs: int, watching: Watching, say: Say) -> list[list[float]]:
    """Let the marked terminals report; return the delays of each run in seconds."""
    dice = Random(2)  # noqa: S311 -- when marked terminals report, no secret
    say("arrival: warming up")
    _report(watching, WARM_S, dice)
    found = []
    for number in range(runs):
        say(f"arrival: positions to an open map, run {number + 1} of {runs}")
        found.append(_report(watching, WINDOW_S, dice))
    return found


def _report(watching: Watching, seconds: float, dice: Random) -> list[float]:
    """Let each marked terminal report, wait until that is on the map, pause, and report again. Raises RigFailed where one never shows."""
    delays: list[float] = []
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        for mark in watching.marks.values():
            if mark.seen_at is None:
                if now - mark.sent_at > LOST_AFTER_S or watching.failure:
                    raise RigFailed(f"a position was not on the map after {now - mark.sent_at:.0f} s {watching.failure or ''}")
            elif not mark.counted:
                delays.append(mark.seen_at - mark.sent_at)
                mark.counted = True
                mark.next_at = now + dice.uniform(*PAUSE_S)
            elif now >= mark.next_at:
                _send(mark)
        time.sleep(0.002)
    return delays


def _send(mark: Mark) -> None:
    mark.serial += 1
    mark.latitude += JUMP / 1e6 if mark.serial % 2 else -JUMP / 1e6
    fix = Position2013(
        alarm=0,
        status=3,
        latitude=round(mark.latitude * 1e6),
        longitude=round(mark.longitude * 1e6),
        altitude=200,
        speed=600,
        course=90,
        measured_at=utc_now(),
        items=Tags([]),
    )
    frame = encode_message(fix, Header(0x0200, mark.terminal.phone, mark.serial, year=2013))[0]
    mark.sent_at, mark.counted, mark.seen_at = time.monotonic(), False, None
    mark.sock.send(frame)
