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
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
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

_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class _Child:
    name: str
    run: Callable[[], None]
    process: ForkProcess | None = None
    started: float = 0.0


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
    while not stopping.is_set():
        wait([c.process.sentinel for c in children if c.process], timeout=0.2)
        for child in children:
            _revive(child, stopping)
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
        children.append(_Child("attachments", lambda: attachments.run(settings)))
    return children


def _worker(settings: Settings, name: str, number: int) -> _Child:
    return _Child(name, lambda: worker.run(settings, name, number))


def _start(child: _Child) -> None:
    child.started = time.monotonic()
    child.process = multiprocessing.get_context("fork").Process(target=_enter, args=(child.run, os.getpid()), name=child.name, daemon=True)
    child.process.start()


def _enter(run: Callable[[], None], parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)
    run()


def _revive(child: _Child, stopping: threading.Event) -> None:
    if child.process is None or child.process.is_alive() or stopping.is_set():
        return
    child.process.join()
    log.warning("worker_ended", worker=child.name, exit_code=child.process.exitcode)
    if stopping.wait(max(0.0, child.started + PAUSE_S - time.monotonic())):
        return
    _start(child)


def _stop(children: list[_Child]) -> None:
    deadline = time.monotonic() + STOP_S
    processes = [c.process for c in children if c.process]
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            log.warning("worker_killed", worker=process.name)
            process.kill()
            process.join()


def _reason(children: list[_Child]) -> str:
    return ", ".join(f"{c.name} is not running" for c in children if c.process is None or not c.process.is_alive())
