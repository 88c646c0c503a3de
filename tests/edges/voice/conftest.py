"""A real engine, the real process `voice`, a real spine, and phones; all on loopback."""

import asyncio
import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TypeVar

import pytest

from jilink.kernel.settings import PROCESSES, Settings
from jilink.spine import calls, subjects
from jilink.spine.client import Spine, connect, ensure
from tests.edges.voice.phone import Call, Phone
from tests.ports import free_port, free_run
from tests.spine.server import running_server

ROOT = Path(__file__).resolve().parents[3]
ENGINE = Path(os.environ.get("JILINK_VOICE_ROOT") or ROOT / ".setup" / "voice")
MISSING = "calls are not tested: no telephone engine in .setup/voice; run tools/telephone, which says why where it cannot"
F = TypeVar("F", bound=calls.Fact)
PATIENCE_S = 15.0
PASSWORD = "a password of tests"


def ha1(user: str) -> str:
    return hashlib.md5(f"{user}:jilink:{PASSWORD}".encode()).hexdigest()


@dataclass
class Exchange:
    """The processes `engine` and `voice` as an operator runs them."""

    settings: Settings
    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, alias: str = "") -> None:
        environment = {**os.environ, **{f"JILINK_{f.name.upper()}": str(getattr(self.settings, f.name)) for f in fields(Settings)}}
        if alias:
            environment["JILINK_HEALTH_PORT"] = "0"
        module = {"engine": "jilink.edges.voice.engine.main", "voice": "jilink.edges.voice.main"}[name]
        code = f"from jilink.kernel.settings import Settings; from {module} import main; main(Settings.from_environment())"
        with self.log(alias or name).open("ab") as output:
            command = [sys.executable, "-c", code]
            self.running[alias or name] = subprocess.Popen(command, env=environment, stdout=output, stderr=output, process_group=0)

    def wait_ready(self, name: str) -> None:
        url = f"http://127.0.0.1:{self.settings.health(name)}/readyz"
        deadline = time.monotonic() + 2 * PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
                return
            assert self.running[name].poll() is None, self.log(name).read_text()
            time.sleep(0.05)
        raise AssertionError(f"{name} is not ready: {self.log(name).read_text()}")

    def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a process; killed, its whole group is, as the supervisor does."""
        process = self.running.pop(name)
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        elif process.poll() is None:
            process.send_signal(number)
        process.wait(20)

    def ari(self, path: str) -> bytes:
        """What the engine itself says, behind the back of the process `voice`; b"" where it has no such thing."""
        login = b64encode(b"jilink:" + (self.settings.data / "voice/secret").read_bytes()).decode()
        url = f"http://127.0.0.1:{self.settings.voice_http_port}/ari/{path}"
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=3) as answer:
            return answer.read()
        return b""

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    @property
    def sip(self) -> tuple[str, int]:
        host, _, port = self.settings.voice_sip.rpartition(":")
        return host, int(port)


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    if not (ENGINE / "usr/sbin/asterisk").is_file():
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("exchange")
    with running_server(folder) as server:
        settings = replace(
            server.settings,
            voice_root=str(ENGINE),
            voice_sip=f"127.0.0.1:{free_port()}",
            voice_rtp=f"{(first := free_run(200))}-{first + 199}",
            voice_http_port=free_port(),
            voice_manager_port=free_port(),
            health_port=free_run(len(PROCESSES)),
        )
        here = Exchange(settings, folder)
        try:
            here.start("engine")
            here.start("voice")
            here.wait_ready("engine")
            here.wait_ready("voice")
            yield here
        finally:
            for name in reversed(list(here.running)):
                here.end(name)


@dataclass
class Floor:
    """What a test does: phones, orders, and the facts since it began."""

    exchange: Exchange
    spine: Spine
    facts: list[calls.Fact] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    keys: list[tuple[subjects.Bucket, str]] = field(default_factory=list)
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)
    reached: int = 0

    async def follow(self, after: int, ready: asyncio.Event) -> None:
        async with contextlib.aclosing(self.spine.follow(subjects.CALLS.name, ["calls.fact.own"], after=after)) as batches:
            ready.set()
            async for messages in batches:
                async with self._more:
                    self.facts += [calls.decode_fact(message.data) for message in messages]
                    self._more.notify_all()

    async def told(self, kind: type[F], holds: Callable[[F], object] = lambda _fact: True, patience_s: float = PATIENCE_S) -> F:
        """Return the first fact since the test began of which something holds; wait for it."""

        def found() -> F | None:
            return next((fact for fact in self.facts if isinstance(fact, kind) and holds(fact)), None)

        try:
            async with asyncio.timeout(patience_s), self._more:
                await self._more.wait_for(found)
        except TimeoutError:
            raise AssertionError(f"{kind.__name__} was not told; told were {self.facts}") from None
        fact = found()
        assert fact is not None
        return fact

    async def give(self, order: calls.Order) -> None:
        """Give an order that must be done."""
        answer = await calls.give(self.spine, "own", order)
        assert answer == calls.Done(), (order, answer)

    async def ask(self, order: calls.Order) -> calls.Reply:
        return await calls.give(self.spine, "own", order)

    async def line(self, bucket: subjects.Bucket, key: str, value: calls.Phone | calls.Trunk) -> None:
        await self.spine.bucket(bucket).put(key, calls.encode(value))
        self.keys.append((bucket, key))

    async def carrier(self, key: str, host: str, **more: object) -> Phone:
        """A carrier's exchange at an address of its own."""
        phone = await Phone(host, self.exchange.sip).open()
        self.phones.append(phone)
        trunk = calls.Trunk(addresses=(host,), host=f"{host}:{phone.port}", codecs=("ulaw",), headers=True, **more)
        await self.line(subjects.TRUNKS, key, trunk)
        await self.until_known(key, phone.port)
        return phone

    async def agent(self, key: str, hz: float) -> Phone:
        """A phone that is registered, with a tone of its own."""
        await self.line(subjects.PHONES, key, calls.Phone(ha1=ha1(key), codecs=("ulaw",), caller=key.split("-")[1]))
        phone = await Phone("127.0.0.1", self.exchange.sip, user=key, password=PASSWORD, hz=hz).open()
        self.phones.append(phone)
        await self.eventually(lambda: self._registered(phone), "registered")
        await self.told(calls.PhoneChanged, lambda fact: fact.endpoint == key and fact.online)
        return phone

    async def _registered(self, phone: Phone) -> bool:
        with contextlib.suppress(TimeoutError):
            return await phone.register() == 200
        return False

    async def until_known(self, key: str, port: int) -> None:
        """Wait until the engine has a trunk as it was put."""
        path = f"asterisk/config/dynamic/res_pjsip/aor/{key}"
        await self.eventually(lambda: f":{port}".encode() in self.exchange.ari(path), f"{key} is in the engine")
        await self.eventually(lambda: self.exchange.ari(path.replace("/aor/", "/identify/")), f"{key} may call")

    async def eventually(self, check: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            found = check()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            assert time.monotonic() < deadline, f"not within {patience_s} s: {what}"
            await asyncio.sleep(0.05)

    async def heard(self, call: Call, *wanted: float, not_: tuple[float, ...] = (), seconds: float = 0.4) -> None:
        """Wait until a phone hears these tones, and not those, in what came last."""

        def check() -> bool:
            samples = call.since(time.monotonic() - seconds)
            levels = {hz: call.hears(hz, time.monotonic() - seconds) for hz in (*wanted, *not_)}
            self.levels = levels
            enough = not wanted or len(samples) > 8000 * seconds * 0.7  # who is spoken to by nobody may hear nothing at all
            return enough and all(levels[hz] > 1500 for hz in wanted) and all(levels[hz] < 400 for hz in not_)

        try:
            await self.eventually(check, f"hears {wanted}, not {not_}", 6)
        except AssertionError as error:
            raise AssertionError(f"{error}; heard were {self.levels}") from None


@pytest.fixture
async def floor(exchange: Exchange) -> AsyncIterator[Floor]:
    for name in ("engine", "voice"):
        if name not in exchange.running:  # a test that killed it has failed
            exchange.start(name)
            exchange.wait_ready(name)
    async with connect(exchange.settings, name="test") as spine:
        await ensure(spine)
        state = await spine.stream_state(subjects.CALLS.name)
        here, ready = Floor(exchange, spine), asyncio.Event()
        following = asyncio.create_task(here.follow(state.last, ready))
        await ready.wait()
        try:
            yield here
        finally:
            for phone in here.phones:
                phone.close()
            with contextlib.suppress(Exception):  # the test's own failure is told, not this one
                sight = await here.ask(calls.Look())
                for leg in sight.legs:
                    await here.ask(calls.HangUp(leg=leg.leg))
            for bucket, key in here.keys:
                await spine.bucket(bucket).delete(key)
            following.cancel()
