"""Recordings: begun in the engine, and once they are over fetched, made into WAV, stored in the spine and removed from the engine.

A leg is recorded by MixMonitor, which hangs on the channel and so outlives every change of its bridges; interleaved (option D) it gives
both directions apart. A message is recorded by ARI itself, which knows silence and keys. The names of the engine's files say what they are
(``stereo~<recording>~<leg>``), so that a new owner finds what the last one left.
"""

import asyncio
import contextlib
import hashlib
import re
import tempfile
from collections.abc import Callable
from typing import IO

import structlog

from jilink.edges.voice import ari, audio
from jilink.edges.voice.board import Board, Over
from jilink.edges.voice.link import EngineDown, Link
from jilink.edges.voice.manager import Manager, ManagerRefused
from jilink.edges.voice.telling import Teller
from jilink.kernel.errors import Unavailable
from jilink.spine import calls
from jilink.spine.client import Spine

log = structlog.get_logger(__name__)

KINDS = {"stereo": 2, "mono": 1, "message": 1}
NAME = re.compile(r"(stereo|mono|message)~([A-Za-z0-9._-]+)~([A-Za-z0-9._-]+)")
SETTLE_S = 1.0
"""What MixMonitor has to write its last second and close the file, after its channel is gone."""
AGAIN_S = (1.0, 3.0, 10.0, 30.0)


class Recorder:
    """The recordings of one engine."""

    def __init__(self, board: Board, manager: Manager, spine: Spine, teller: Teller, link: Callable[[], Link]) -> None:
        self._board, self._manager, self._spine, self._teller, self._link = board, manager, spine, teller, link
        self.running: dict[str, str] = {}
        """Recording -> name of its file."""
        self.over = Over()
        self._fetching: dict[str, asyncio.Task[None]] = {}

    async def record(self, leg: str, channel: str, recording: str, *, stereo: bool) -> None:
        """Begin to record a leg. Raises EngineDown, ManagerRefused."""
        name = f"{'stereo' if stereo else 'mono'}~{recording}~{leg}"
        options = f"{'D' if stereo else ''}i({_variable(recording)})"
        self.running[recording] = name
        try:
            await self._manager.act("MixMonitor", Channel=channel, File=f"../recording/{name}.raw", Options=options)
        except (EngineDown, ManagerRefused):
            self.running.pop(recording, None)
            raise

    async def take(self, leg: str, order: calls.TakeMessage) -> None:
        """Begin to record what one leg says. Raises as `Link.ask`."""
        name = f"message~{order.recording}~{leg}"
        self.running[order.recording] = name
        try:
            await self._link().ask(
                ari.request(
                    "POST",
                    "channels",
                    leg,
                    "record",
                    name=name,
                    format="wav",
                    maxDurationSeconds=order.most_s,
                    maxSilenceSeconds=order.silence_s,
                    ifExists="overwrite",
                    beep=False,
                    terminateOn=order.keys,
                )
            )
        except Unavailable:
            self.running.pop(order.recording, None)
            raise

    async def pause(self, recording: str, channel: str, *, paused: bool) -> None:
        """Write silence from now on, or no longer. Raises EngineDown, ManagerRefused."""
        await self._manager.act(
            "MixMonitorMute", Channel=channel, Direction="both", State="1" if paused else "0", MixMonitorID=await self._monitor(recording)
        )

    async def stop(self, recording: str, channel: str) -> None:
        """End a recording. Raises EngineDown, ManagerRefused."""
        name = self.running[recording]
        if name.startswith("message"):
            await self._link().ask_if_there(ari.request("POST", "recordings", "live", name, "stop"))
            return
        await self._manager.act("StopMixMonitor", Channel=channel, MixMonitorID=await self._monitor(recording))
        self._fetch(name, 0.0)

    def leg_ended(self, leg: str) -> None:
        """Fetch what hung on a leg that is over."""
        for name in [name for name in self.running.values() if name.endswith(f"~{leg}")]:
            self._fetch(name, SETTLE_S)

    def message_ended(self, live: ari.LiveRecording) -> None:
        """Fetch a message that the engine says is over."""
        if NAME.fullmatch(live.name):
            self._fetch(live.name, 0.0)

    async def recover(self) -> None:
        """After a connection: fetch what lies there of legs that are gone; what hangs on legs that live goes on. Raises EngineDown."""
        stored = await self._link().read(ari.request("GET", "recordings", "stored"), tuple[ari.LiveRecording, ...])
        for one in stored:
            match = NAME.fullmatch(one.name)
            if match is None:
                continue
            self.running[match[2]] = one.name
            lives = match[3] in self._board.lines
            if lives and match[1] == "message":
                lives = await self._link().ask_if_there(ari.request("GET", "recordings", "live", one.name))
            if not lives:
                self._fetch(one.name, 0.0)

    async def close(self) -> None:
        """Drop what is being fetched: it lies in the engine until an owner comes."""
        for task in list(self._fetching.values()):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _monitor(self, recording: str) -> str:
        """Return the engine's number of a recording, kept in a variable of its channel."""
        leg = self.running[recording].rpartition("~")[2]
        request = ari.request("GET", "channels", leg, "variable", variable=_variable(recording))
        return (await self._link().read(request, dict[str, str])).get("value", "")

    def _fetch(self, name: str, settle_s: float) -> None:
        if name not in self._fetching:
            self._fetching[name] = asyncio.create_task(self._fetch_until_done(name, settle_s))
            self._fetching[name].add_done_callback(lambda _task: self._fetching.pop(name, None))

    async def _fetch_until_done(self, name: str, settle_s: float) -> None:
        await asyncio.sleep(settle_s)
        attempt = 0
        while True:
            try:
                fact = await self._store(name)
                await self._teller.tell_and_wait(fact)
                await self._link().ask_if_there(ari.request("DELETE", "recordings", "stored", name))
            except Unavailable as error:
                if attempt == 0:
                    log.warning("voice.recording_waits", recording=name, reason=str(error))
                await asyncio.sleep(AGAIN_S[min(attempt, len(AGAIN_S) - 1)])
                attempt += 1
                continue
            self.over.add(fact.recording)
            self.running.pop(fact.recording, None)
            return

    async def _store(self, name: str) -> calls.RecordingEnded:
        """Store a recording in the spine and return its fact. Raises EngineDown, Unavailable."""
        kind, recording, leg = name.split("~")
        channels = KINDS[kind]
        with tempfile.TemporaryFile() as file:
            if kind != "message":
                file.write(b"\0" * 44)
            there = await self._link().download(name, file)
            size = file.tell()
            problem = "" if there and size > 44 else "nothing was recorded"
            node, now = self._board.node, self._board.now()
            if problem:
                return calls.RecordingEnded(node=node, at=now, recording=recording, leg=leg, object="", problem=problem)
            if kind != "message":
                file.seek(0)
                file.write(audio.header(size - 44, channels))
            digest = await asyncio.to_thread(_sha256, file)
            file.seek(0)
            await self._spine.put_object(f"calls/{recording}.wav", file, timeout_s=300)
        seconds = (size - 44) / (2 * audio.RATE * channels)
        return calls.RecordingEnded(
            node=node,
            at=now,
            recording=recording,
            leg=leg,
            object=f"calls/{recording}.wav",
            duration_s=round(seconds, 3),
            channels=channels,
            size=size,
            sha256=digest,
        )


def _variable(recording: str) -> str:
    return "JR" + hashlib.sha256(recording.encode()).hexdigest()[:16]


def _sha256(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
