"""One child process kept alive: started, its lines passed on, restarted with back-off, stopped without leftovers."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from jilink.kernel.settings import Readiness

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STEADY_AFTER_S = 30.0
"""A process that ran this long begins again with the shortest pause."""
STOP_GRACE_S = 15.0
LONGEST_LINE = 64 << 10
ASK_EVERY_S = 2.0
ASK_PATIENCE_S = 5.0

EXIT_REFUSED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What to run and how to know that it is ready. `readiness` None: ready as soon as it runs."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    readiness: Readiness | None = None
    liveness: Readiness | None = None
    """Where it answers 200 as long as it runs; None: nobody asks."""
    silence_s: float = 0.0
    """How long it may give no such answer before it is killed and started again; 0: for ever."""
    may_end: bool = False
    """True where exit status 0 means that its work is done, so that it is not started again."""


@dataclass(slots=True)
class Child:
    """A process that is started again whenever it ends, until `stop`.

    `say(name, line)` gets each line the process writes; `tell(event, **facts)` each change of its state. The process
    leads a process group of its own, and what is left of the group is killed before the next start: a worker that
    outlived its parent would hold the port.
    """

    spec: Spec
    say: Callable[[str, str], None]
    tell: Callable[..., None]
    pid: int | None = None
    starts: int = 0
    status: int | None = None
    """Exit status of the last run."""
    hung: int = 0
    """How often it was killed because it was silent."""
    last_line: str = ""
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self) -> None:
        """Run the process again and again until `stop` is called."""
        clock = asyncio.get_running_loop().time
        pause = FIRST_PAUSE_S
        while not self._stopping.is_set():
            began = clock()
            self.status = await self._once()
            if self._stopping.is_set():
                break
            if self.spec.may_end and self.status == 0:
                return self.tell("process is done", name=self.spec.name)
            if clock() - began > STEADY_AFTER_S:
                pause = FIRST_PAUSE_S
            self.tell("process ended", name=self.spec.name, status=self.status, again_in_s=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def once(self) -> int:
        """Run the process one time and return its exit status."""
        self.status = await self._once()
        return self.status

    async def _once(self) -> int:
        process = subprocess.Popen(
            list(self.spec.command),
            env=dict(self.spec.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        self.pid = process.pid
        self.starts += 1
        reader = asyncio.create_task(self._pass_on(process))
        stopper = asyncio.create_task(self._end_when_told(process))
        listener = asyncio.create_task(self._kill_when_silent(process))
        try:
            await _ended(process.pid)
            return process.wait()
        finally:
            stopper.cancel()
            listener.cancel()
            _kill_group(process.pid)
            self.pid = None
            await asyncio.wait([reader], timeout=1.0)
            reader.cancel()

    async def _end_when_told(self, process: subprocess.Popen[bytes]) -> None:
        await self._stopping.wait()
        process.terminate()
        await asyncio.sleep(STOP_GRACE_S)
        self.tell("process killed", name=self.spec.name, reason="did not stop in time", waited_s=STOP_GRACE_S)
        _kill_group(process.pid)

    async def _kill_when_silent(self, process: subprocess.Popen[bytes]) -> None:
        """Kill it once it has given no answer for so long, of which one question counts for its patience at most: a machine that
        slept proves nothing. Until its first answer it has ten times as long, because it may have much to put right at its start.
        """
        place, allowed = self.spec.liveness, self.spec.silence_s
        if place is None or not allowed:
            return
        clock = asyncio.get_running_loop().time
        every, patience = min(ASK_EVERY_S, allowed / 4), min(ASK_PATIENCE_S, allowed / 2)
        silent, heard = 0.0, False
        while silent < (allowed if heard else allowed * 10):
            await asyncio.sleep(every)
            asked = clock()
            if await answers(place, patience):
                silent, heard = 0.0, True
            else:
                silent += every + min(clock() - asked, patience)
        self.hung += 1
        self.tell("process killed", name=self.spec.name, reason="silent: it hangs", silent_s=round(silent))
        _kill_group(process.pid)

    async def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        stream, rest = asyncio.StreamReader(), b""
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), process.stdout)
        try:
            while block := await stream.read(LONGEST_LINE):
                *lines, rest = (rest + block).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    self._line(line)
        finally:
            pipe.close()
            if rest:
                self._line(rest)

    def _line(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text:
            self.last_line = text
            self.say(self.spec.name, text)

    def request_stop(self) -> None:
        """Ask the process to end; `keep` returns when it has."""
        self._stopping.set()

    async def is_ready(self) -> bool:
        """Return whether the process runs and answers 200 at its readiness address."""
        if self.pid is None:
            return False
        return self.spec.readiness is None or await answers(self.spec.readiness)


async def answers(place: Readiness, patience_s: float = 2.0) -> bool:
    """Return whether an HTTP GET of a loopback address is answered with 200."""
    try:
        async with asyncio.timeout(patience_s):
            reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
            try:
                writer.write(f"GET {place.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
                line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return line.split()[1:2] == [b"200"]


async def _ended(pid: int) -> None:
    """Wait until the process ends. A pidfd tells of the process alone, however long its workers hold its pipes (pidfd_open(2))."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    descriptor = os.pidfd_open(pid)
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
