"""Calls through a whole installation: a real engine, telephones by sipp, the router between them; everything on this machine.

*Set up*: from the engine's first word of a caller to the word that caller and agent are in one talk, by the engine's clock; a phone that
rings is picked up at once. First as many calls as come through, then half as many a second.
*Recorded*: so many calls at once, each with sound both ways and a recording in stereo. Charged is processor time while they stand, the
engine's against everything of ours (owner of the engine, router, relay, spine), and the same from the first call until the last recording
lies in the object store.
"""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np

from jilink.edges.voice.engine import places
from jilink.kernel.settings import Settings
from jilink.services.contact.router import asks
from jilink.services.contact.rules.states import AgentState
from jilink.site.bench.callers import PLAIN, RECORDED, Telephones
from jilink.site.bench.figures import Figure, NotMeasured, Target
from jilink.site.bench.installation import Installation
from jilink.site.bench.rig import JILINK, RigFailed, running
from jilink.spine import calls, subjects
from jilink.spine.calls.states import OWN
from jilink.spine.client import Spine, connect, ensure

AGENTS = 110
AT_ONCE = 100
RATE = 200
"""Calls a second that are tried at the most."""
WINDOW_S = 8.0
TALK_S = 1.0
STAND_S = 20.0
READY_WITHIN_S = 60.0
RECORDED_WITHIN_S = 90.0
PORTS, SOUND_PORTS = 4_000, 1_600
CHILD = "import django; django.setup(); from jilink.site.bench.calls_run import main; main()"
OURS = ("spine", "voice", "router", "relay")
ROOT = Path(__file__).resolve().parents[4]

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: account, phone, and the phone's login."""

    account: int
    phone: int
    user: str
    password: str


class Exchange(Installation):
    """An installation with a telephone engine, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._ports = _free_run(PORTS)
        rtp = next(self._ports)
        for _ in range(SOUND_PORTS):
            next(self._ports)
        self.sip = f"127.0.0.1:{next(self._ports)}"
        engine = os.environ.get("JILINK_VOICE_ROOT") or str(ROOT / ".setup" / "voice")
        self.environment |= {
            "JILINK_VOICE_ROOT": engine,
            "JILINK_VOICE_SIP": self.sip,
            "JILINK_VOICE_RTP": f"{rtp}-{rtp + SOUND_PORTS - 1}",
            "JILINK_VOICE_HTTP_PORT": str(next(self._ports)),
            "JILINK_VOICE_MANAGER_PORT": str(next(self._ports)),
        }
        self.settings = Settings.from_environment(self.environment)
        if not (Path(engine) / "usr/sbin/asterisk").is_file():
            raise NotMeasured("no telephone engine: run tools/telephone, or name one by JILINK_VOICE_ROOT")

    def telephones(self) -> Telephones:
        """Return telephones that speak to its engine."""
        return Telephones(self.folder, self.sip, self._ports)

    def furnish(self, agents: int) -> tuple[int, list[Agent]]:
        """Enter agents, queues and numbers; return the organisation and the agents. Raises RigFailed."""
        found = self.folder / "floor.json"
        environment = self.environment | {"DJANGO_SETTINGS_MODULE": "jilink.site.settings"}
        child = [sys.executable, "-c", CHILD, str(agents), str(found)]
        done = subprocess.run(child, env=environment, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            raise RigFailed(f"the floor could not be furnished: {done.stderr.strip()[-400:]}")
        told = json.loads(found.read_text())
        return told["organisation"], [Agent(**each) for each in told["agents"]]

    @contextmanager
    def exchange(self) -> Iterator[dict[str, int]]:
        """Run engine, its owner, router and relay; yields process ids by name."""
        with ExitStack() as stack:
            names = ("engine", "voice", "router", "relay")
            yield {name: stack.enter_context(running([*JILINK, "run", name], self.environment)).pid for name in names}


def measure(runs: int, say: Say, *, agents: int = AGENTS, at_once: int = AT_ONCE) -> list[Figure]:
    """Return the figures of calls. Raises NotMeasured where no engine or no sipp is there."""
    with tempfile.TemporaryDirectory(prefix="jilink-bench-", dir="/tmp") as name:
        exchange = Exchange(Path(name) / "data")
        say(f"calls: preparing a floor of {agents} agents")
        exchange.prepare()
        organisation, floor = exchange.furnish(agents)
        telephones = exchange.telephones()
        with exchange.spine(None), exchange.exchange() as pids:
            return asyncio.run(_measure(runs, say, exchange, organisation, floor, telephones, pids, at_once))


async def _measure(
    runs: int,
    say: Say,
    exchange: Exchange,
    organisation: int,
    floor: Sequence[Agent],
    telephones: Telephones,
    pids: dict[str, int],
    at_once: int,
) -> list[Figure]:
    async with connect(exchange.settings, name="bench") as spine:
        await ensure(spine)
        say("calls: waiting for the engine and the agents' telephones")
        await _eventually(partial(_is_up, exchange), "the engine is up")
        await _eventually(partial(_knows, exchange, floor[-1]), "the engine knows the telephones and the carrier")
        pids = _processes(exchange, pids)
        with telephones.agents([(each.user, each.password) for each in floor]):
            for agent in floor:
                await _eventually(partial(_begins, spine, organisation, agent), "every agent is ready")
            limit = [await _window(spine, telephones, say, f"as many as come through, {n + 1}", RATE, at_once) for n in range(runs)]
            rate = max(1, round(float(np.median([len(each) for each in limit])) / WINDOW_S / 2))
            half = [await _window(spine, telephones, say, f"{rate} a second, {n + 1}", rate, at_once) for n in range(runs)]
            say(f"calls: {at_once} recorded at once")
            stand, whole, kept = await _recorded(spine, telephones, pids, at_once)
    subject = f"Calls: {len(floor)} agents, a talk of {TALK_S:g} s"
    recorded = f"Calls: {at_once} at once, recorded in stereo"
    return [
        Figure(subject, "set up, as many as come through", "calls/s", tuple(len(each) / WINDOW_S for each in limit)),
        *(
            Figure(
                subject,
                f"from INVITE to a talk, {what} within, {rate} calls/s",
                "ms",
                tuple(float(np.percentile(each, part)) for each in half),
            )
            for what, part in (("half", 50), ("99 of 100", 99))
        ),
        Figure(recorded, "engine, while they stand", "% of a core a call", (100 * stand["engine"] / STAND_S / at_once,)),
        Figure(recorded, "ours, while they stand", "% of a core a call", (100 * stand["ours"] / STAND_S / at_once,)),
        Figure(recorded, "ours to the engine's, while they stand", "", (stand["ours"] / stand["engine"],), Target("at most", 0.2)),
        Figure(recorded, f"engine, set-up, {STAND_S:.0f} s and end", "s of processor a call", (whole["engine"] / at_once,)),
        Figure(recorded, f"ours, set-up, {STAND_S:.0f} s and end", "s of processor a call", (whole["ours"] / at_once,)),
        Figure(recorded, "recordings kept", "", (float(kept),), Target("at least", at_once)),
    ]


async def _is_up(exchange: Exchange) -> bool:
    host, port = exchange.sip.split(":")
    _reader, writer = await asyncio.open_connection(host, int(port))
    writer.close()
    return True


async def _knows(exchange: Exchange, agent: Agent) -> bool:
    login = b64encode(f"{places.USER}:{places.secret(exchange.settings)}".encode()).decode()
    for path in (f"aor/{agent.user}", "identify/t1"):
        url = f"http://127.0.0.1:{exchange.settings.voice_http_port}/ari/asterisk/config/dynamic/res_pjsip/{path}"
        with urlopen(Request(url, headers={"Authorization": f"Basic {login}"}), timeout=3):
            pass
    return True


async def _begins(spine: Spine, organisation: int, agent: Agent) -> bool:
    begin = asks.BeginWork(account=agent.account, organisation=organisation, phone=agent.phone, state=AgentState.READY)
    return (await asks.ask(spine, begin)).done


async def _window(spine: Spine, telephones: Telephones, say: Say, what: str, rate: int, at_once: int) -> list[float]:
    """Let people call for a window; return for each call that came into a talk how long that took, in ms."""
    say(f"calls: {what}")
    began: dict[str, float] = {}
    took: dict[str, float] = {}
    with telephones.callers(PLAIN, rate=rate, at_once=at_once, calls=10**6, seconds=TALK_S, sound=False):
        async with asyncio.timeout(WINDOW_S + READY_WITHIN_S):
            async with contextlib.aclosing(_facts(spine)) as facts:
                until = time.monotonic() + WINDOW_S
                async for fact in facts:
                    if isinstance(fact, calls.LegArrived):
                        began[fact.leg] = fact.at.timestamp()
                    elif isinstance(fact, calls.TalkChanged) and len(fact.legs) > 1:
                        for leg in began.keys() & set(fact.legs) - took.keys():
                            took[leg] = 1000 * (fact.at.timestamp() - began[leg])
                    if time.monotonic() > until:
                        break
    await _eventually(lambda: _is_quiet(spine), "every call is over")
    if not took:
        raise RigFailed("no call came into a talk")
    return list(took.values())


async def _is_quiet(spine: Spine) -> bool:
    sight = await calls.give(spine, OWN, calls.Look())
    if isinstance(sight, calls.Sight):
        for leg in sight.legs:
            await calls.give(spine, OWN, calls.HangUp(leg=leg.leg))
    return isinstance(sight, calls.Sight) and not sight.legs


async def _recorded(
    spine: Spine, telephones: Telephones, pids: dict[str, int], at_once: int
) -> tuple[dict[str, float], dict[str, float], int]:
    """Let so many call and be recorded; return seconds of processor while they stand, of the whole, and how many recordings came."""
    first = _used(pids)
    talking: set[str] = set()
    recordings: set[str] = set()
    stand: dict[str, float] = {}
    seconds = STAND_S + 12
    with telephones.callers(RECORDED, rate=20, at_once=at_once, calls=at_once, seconds=seconds, sound=True):
        async with asyncio.timeout(seconds + RECORDED_WITHIN_S):
            async with contextlib.aclosing(_facts(spine)) as facts:
                async for fact in facts:
                    if isinstance(fact, calls.TalkChanged) and len(fact.legs) > 1:
                        talking.add(fact.talk)
                    elif isinstance(fact, calls.RecordingEnded) and fact.object:
                        recordings.add(fact.recording)
                    if len(talking) == at_once and not stand:
                        before = _used(pids)
                        await asyncio.sleep(STAND_S)
                        stand = _since(before, _used(pids))
                    if len(recordings) == at_once:
                        break
    if not stand:
        raise RigFailed(f"only {len(talking)} of {at_once} calls came into a talk")
    return stand, _since(first, _used(pids)), len(recordings)


async def _facts(spine: Spine) -> AsyncGenerator[calls.Fact, None]:
    state = await spine.stream_state(subjects.CALLS.name)
    async with contextlib.aclosing(spine.follow(subjects.CALLS.name, [subjects.call_fact(OWN)], after=state.last)) as batches:
        async for messages in batches:
            for message in messages:
                yield calls.decode_fact(message.data)


def _processes(exchange: Exchange, pids: dict[str, int]) -> dict[str, int]:
    """Return process ids with Asterisk's for the engine's and the spine's server among ours."""
    engine = next(pid for pid in _pids() if _stat(pid)[1:2] == [str(pids["engine"])])
    spine = next(pid for pid in _pids() if str(exchange.folder) in _command(pid) and "nats-server" in _command(pid))
    return pids | {"engine": engine, "spine": spine}


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on (proc(5)); none where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _used(pids: dict[str, int]) -> dict[str, float]:
    """Return the seconds of processor that the engine and ours have used, with children that ended."""
    ticks = os.sysconf("SC_CLK_TCK")

    def seconds(name: str) -> float:
        return sum(map(int, _stat(pids[name])[11:15])) / ticks

    return {"engine": seconds("engine"), "ours": sum(map(seconds, OURS))}


def _since(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after}


async def _eventually(check: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        with contextlib.suppress(Exception):  # whoever is asked may only be beginning
            if await check():
                return
        if time.monotonic() > deadline:
            raise RigFailed(f"not within {READY_WITHIN_S:.0f} s: {what}")
        await asyncio.sleep(0.2)


def _free_run(length: int) -> Iterator[int]:
    """Return numbers of ports in a row of which the first is free, outside what the kernel gives to clients."""
    for first in range(10_000, 28_000, length):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", first))
            return count(first)
    raise RigFailed("no free ports")
