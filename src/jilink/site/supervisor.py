"""`jilink up`: every process of an installation on one machine, kept alive, with one log (docs/decisions/0045)."""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused, Unavailable
from jilink.kernel.settings import Readiness, Settings
from jilink.site import ports, processes, running
from jilink.site.children import EXIT_REFUSED, Child, Spec
from jilink.site.journal import Journal
from jilink.spine import standing
from jilink.spine.standing import Standing

READY_WITHIN_S = 120.0
PORTS_FREE_WITHIN_S = 8.0
"""A supervisor that was killed leaves its processes a moment to stop; their ports are waited for."""
LOOK_EVERY_S = 0.1
LOOK_FOR_NEEDED_EVERY_S = 1.0


class AlreadyRunning(Refused):
    """Another supervisor holds this data folder."""


class StartRefused(Refused):
    """A process says that it cannot run with these settings."""


class NotReady(Unavailable):
    """Preparation failed for a reason that may pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A process beside those of the table, for example the simulator of `up --demo`: arguments of `jilink`.

    It is started again where it fails, and not where it ends well.
    """

    name: str
    arguments: tuple[str, ...]
    needs: Path | None = None
    """A file without which it has nothing to do: it is stopped once that is gone."""


@contextlib.contextmanager
def sole_supervisor(data: Path) -> Iterator[bool]:
    """Hold the data folder for one supervisor; yields whether the last one ended without tidying up.

    Raises AlreadyRunning with the other's process id.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = data / "up.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode() or "unknown"
            raise AlreadyRunning(
                f"already running on {data} (process {holder}); stop it first, or set JILINK_DATA to another folder"
            ) from None
        recovering = bool(os.read(descriptor, 20))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield recovering
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


class Supervisor:
    """Runs preparation once, then the processes for ever. One instance, one `run`."""

    def __init__(
        self, settings: Settings, journal: Journal, *, extras: Sequence[Extra] = (), prepare: Sequence[str] = (), recovering: bool = False
    ) -> None:
        """`extras` run beside the table's processes, `prepare` are arguments of `jilink prepare`; `recovering` waits for ports that the
        processes of a killed supervisor still hold.
        """
        self.settings = settings
        self._recovering = recovering
        self._journal = journal
        self._extras = extras
        self._prepare = prepare
        self._told_to_stop = asyncio.Event()
        self._children: list[Child] = []
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._watchers: list[asyncio.Task[None]] = []
        self._killed: dict[str, str] = {}
        self._ended: dict[str, tuple[datetime, str]] = {}

    @property
    def children(self) -> Sequence[Child]:
        """The processes, in the order they were started."""
        return self._children

    async def run(self) -> None:
        """Start, wait until ready, keep alive until SIGINT or SIGTERM, then stop everything.

        Raises PortTaken or StartRefused where the settings do not allow a start, NotReady where preparation failed.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._told_to_stop.set)
        try:
            await self._start()
            await self._told_to_stop.wait()
        finally:
            await self._stop()

    async def _start(self) -> None:
        await self._wait_for_ports()
        running.write(self.settings)
        names = [name for name in processes.PROCESSES if not self.settings.absent(name)]
        if "spine" in names:
            self._launch(self._process("spine"))
        await self._prepare_folder()
        for name in names:
            if name != "spine" and not self._told_to_stop.is_set():
                self._launch(self._process(name))
        await self._wait_until_ready()
        for extra in self._extras:
            if not self._told_to_stop.is_set():
                self._launch(replace(self._jilink(extra.name, *extra.arguments), may_end=True))
                if extra.needs is not None:
                    self._watchers.append(asyncio.create_task(self._stop_without(self._children[-1], extra.needs)))
        if not self._told_to_stop.is_set():
            self._write_standing()
            if reason := self.settings.absent("voice"):
                self._journal.event("telephones are left out", reason=reason)
            self._journal.ready([child.spec.name for child in self._children])

    async def _wait_for_ports(self) -> None:
        give_up = time.monotonic() + PORTS_FREE_WITHIN_S
        while not self._told_to_stop.is_set():
            try:
                return ports.require_free(self.settings)
            except ports.PortTaken:
                if time.monotonic() > give_up or not self._recovering:
                    raise
            await asyncio.sleep(LOOK_EVERY_S)

    async def _prepare_folder(self) -> None:
        """Run `jilink prepare` as a process of its own, so that the supervisor stays small."""
        child = Child(self._jilink("prepare", "prepare", "--spine", *self._prepare), self._journal.line, self._journal.event)
        work = asyncio.create_task(child.once())
        told = asyncio.create_task(self._told_to_stop.wait())
        await asyncio.wait([work, told], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not work.done():
            child.request_stop()
        if status := await work:
            if self._told_to_stop.is_set():
                return
            family = StartRefused if status == EXIT_REFUSED else NotReady
            raise family(f"the data folder could not be prepared: {_reason(child)}")

    async def _wait_until_ready(self) -> None:
        give_up = time.monotonic() + READY_WITHIN_S
        while not self._told_to_stop.is_set():
            states = {child.spec.name: await child.is_ready() for child in self._children}
            self._journal.progress(states)
            if all(states.values()):
                return
            for child in self._children:
                if child.pid is None and child.status == EXIT_REFUSED:
                    raise StartRefused(f"{child.spec.name} cannot start: {_reason(child)}")
            if time.monotonic() > give_up:
                waiting = [name for name, ready in states.items() if not ready]
                self._journal.event("not ready yet", waiting=waiting, waited_s=READY_WITHIN_S)
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _stop(self) -> None:
        """Stop the processes one after another, the last started first, so that nobody loses what it writes to."""
        for watcher in self._watchers:
            watcher.cancel()
        if self._children:
            self._journal.stopping()
        for child in reversed(self._children):
            child.request_stop()
            await self._keepers[child.spec.name]
            self._journal.event("process stopped", name=child.spec.name, status=child.status)

    async def _stop_without(self, child: Child, needed: Path) -> None:
        """Stop a process beside the table once what it needs is gone, and forget it."""
        while needed.exists():
            await asyncio.sleep(LOOK_FOR_NEEDED_EVERY_S)
        child.request_stop()
        await asyncio.shield(self._keepers[child.spec.name])
        self._journal.event("process stopped", name=child.spec.name, reason=f"{needed.name} is gone")
        self._children.remove(child)
        self._write_standing()

    def _launch(self, spec: Spec) -> None:
        child = Child(spec, self._journal.line, self._tell)
        self._children.append(child)
        self._keepers[spec.name] = asyncio.create_task(child.keep(), name=spec.name)

    def _tell(self, event: str, **facts: object) -> None:
        """Pass on what happened to a process; keep it for the operations page where it ended."""
        self._journal.event(event, **facts)
        name = str(facts["name"])
        if event == "process killed":
            self._killed[name] = f"killed: {facts['reason']}"
        elif event == "process ended":
            because = self._killed.pop(name, f"ended with status {facts['status']}")
            self._ended[name] = (utc_now(), because)
            self._write_standing()

    def _write_standing(self) -> None:
        standings = []
        for child in self._children:
            at, because = self._ended.get(child.spec.name, (None, ""))
            restarts = max(child.starts - 1 + (child.pid is None), 0)
            standings.append(Standing(name=child.spec.name, restarts=restarts, hung=child.hung, ended_at=at, ended_because=because))
        standing.write(self.settings.data, standings)

    def _process(self, name: str) -> Spec:
        spec = self._jilink(name, "run", name, readiness=self.settings.readiness(name))
        return replace(spec, liveness=self.settings.liveness(name), silence_s=self.settings.silence_s)

    def _jilink(self, name: str, *arguments: str, readiness: Readiness | None = None) -> Spec:
        command = [sys.executable, "-m", "jilink.site.child", str(os.getpid()), *arguments]
        environment = {**os.environ, "JILINK_DATA": str(self.settings.data), "PYTHONUNBUFFERED": "1"}
        return Spec(name=name, command=command, environment=environment, readiness=readiness)


def _reason(child: Child) -> str:
    return child.last_line.removeprefix("jilink: ") or f"it ended with status {child.status}"
