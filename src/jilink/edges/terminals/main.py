"""The process `terminals`: starts one worker a core (and the attachment server), restarts what ends, stops cleanly."""

import ctypes
import multiprocessing
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from ctypes import c_ulonglong
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

import structlog

from jilink.edges.terminals import attachments, tls, worker
from jilink.edges.terminals.listeners import check
from jilink.kernel.settings import Settings, addresses
from jilink.spine.health import HealthServer

log = structlog.get_logger(__name__)

STOP_S = 15.0
"""How long workers may take to confirm what they hold before they are killed."""
PAUSE_S = 1.0
"""Shortest time between two starts of one worker."""
LONGEST_LOOK_S = 1.0
"""Of the time between two looks no more counts as a worker's silence: a machine that slept proves nothing."""
BEGINNING = 10
"""A worker that has not begun yet may be silent for so many times as long: it reads every admission first."""

_PR_SET_PDEATHSIG = 1
Beat = Callable[[], None]


@dataclass(slots=True)
class _Child:
    """A worker or the attachment server. It grows `beats` as long as its work goes round; the parent sees it in shared memory."""

    name: str
    run: Callable[[Beat], None]
    beats: c_ulonglong = field(default_factory=lambda: RawValue(c_ulonglong, 0))
    process: ForkProcess | None = None
    started: float = 0.0
    heard: int = 0
    silent_s: float = 0.0

    def beat(self) -> None:
        self.beats.value += 1


def main(settings: Settings) -> None:
    """Run the gateway until SIGTERM or SIGINT. Raises ListenRefused where an address or certificate of the settings cannot be used."""
    for pairs in (settings.terminals, settings.terminals_tls, settings.attachments):
        check(addresses(pairs))
    if settings.terminals_tls:
        tls.context(settings.terminals_certificate)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    children = _children(settings)
    log.info(
        "gateway_starts",
        workers=settings.terminals_workers or len(os.sched_getaffinity(0)),
        terminals=settings.terminals,
        tls=settings.terminals_tls,
    )
    for child in children:
        _start(child)
    pages = HealthServer(settings.health("terminals"), lambda: _reason(children))
    looked = time.monotonic()
    while not stopping.is_set():
        wait([c.process.sentinel for c in children if c.process], timeout=0.2)
        now = time.monotonic()
        for child in children:
            _listen(child, min(now - looked, LONGEST_LOOK_S), settings.silence_s)
            _revive(child, stopping)
        looked = now
    _stop(children)
    pages.stop()
    log.info("gateway_stopped")


def node(data: Path) -> str:
    """Return the name of this installation's gateway: 8 random hexadecimal digits, made once and kept in the data folder."""
    path = data / "terminals" / "node"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with path.open("x") as file:
            file.write(secrets.token_hex(4))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        pass
    return path.read_text().strip()


def _children(settings: Settings) -> list[_Child]:
    count = settings.terminals_workers or len(os.sched_getaffinity(0))
    name = node(settings.data)
    children = [_worker(settings, f"{name}-{number}", number) for number in range(1, count + 1)]
    if settings.attachments:
        children.append(_Child("attachments", lambda beat: attachments.run(settings, beat)))
    return children


def _worker(settings: Settings, name: str, number: int) -> _Child:
    return _Child(name, lambda beat: worker.run(settings, name, number, beat))


def _start(child: _Child) -> None:
    child.started = time.monotonic()
    child.beats.value, child.heard, child.silent_s = 0, 0, 0.0
    child.process = multiprocessing.get_context("fork").Process(target=_enter, args=(child, os.getpid()), name=child.name, daemon=True)
    child.process.start()


def _enter(child: _Child, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)
    child.run(child.beat)


def _listen(child: _Child, elapsed_s: float, allowed_s: int) -> None:
    """Kill a worker that has not gone round for so long (0: never); `_revive` then starts another."""
    beats = child.beats.value
    if beats != child.heard or child.process is None:
        child.heard, child.silent_s = beats, 0.0
        return
    child.silent_s += elapsed_s
    if allowed_s and child.silent_s > allowed_s * (1 if child.heard else BEGINNING):
        log.warning("worker_killed", worker=child.name, reason="silent: it hangs", silent_s=round(child.silent_s))
        child.silent_s = 0.0
        child.process.kill()


def _revive(child: _Child, stopping: threading.Event) -> None:
    if child.process is None or child.process.is_alive() or stopping.is_set():
        return
    child.process.join()
    log.warning("worker_ended", worker=child.name, exit_code=child.process.exitcode)
    if stopping.wait(max(0.0, child.started + PAUSE_S - time.monotonic())):
        return
    _start(child)
    log.info("worker_started_again", worker=child.name)


def _stop(children: list[_Child]) -> None:
    deadline = time.monotonic() + STOP_S
    processes = [c.process for c in children if c.process]
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            log.warning("worker_killed", worker=process.name, reason="did not stop in time")
            process.kill()
            process.join()


def _reason(children: list[_Child]) -> str:
    return ", ".join(f"{c.name} is not running" for c in children if c.process is None or not c.process.is_alive())
