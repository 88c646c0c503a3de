"""The process `engine`: Asterisk with a configuration of our own, from the folder where it was installed without root."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import time
from base64 import b64encode
from collections.abc import Callable
from urllib.request import Request, urlopen

import structlog

from jilink.edges.voice.engine import configuration, places
from jilink.kernel.errors import Refused, Unavailable
from jilink.kernel.settings import Settings
from jilink.spine import process
from jilink.spine.calls.states import OWN

log = structlog.get_logger(__name__)
STOP_S = 8.0
ASK_S = 2.0
FREE_WITHIN_S = 5.0
_PR_SET_PDEATHSIG = 1


class EngineEnded(Unavailable):
    """Asterisk ended by itself; its last lines say why."""


class EngineRefused(Refused):
    """The engine cannot run with these settings."""


def main(settings: Settings) -> None:
    """Run the engine until SIGTERM or SIGINT. Raises EngineMissing, EngineRefused, EngineEnded."""
    if settings.voice_nodes:
        raise EngineRefused("JILINK_VOICE_NODES names other servers, so no engine of our own is started")
    programs = places.programs(settings)
    _require_free(settings)
    path = configuration.write(settings, programs, node=OWN)
    command = [*programs.command("usr/sbin/asterisk"), "-C", str(path), "-f", "-n"]
    log.info("engine.starts", sip=settings.voice_sip, rtp=settings.voice_rtp, wss=settings.voice_wss)
    process.run("engine", settings, lambda stopped: _work(command, stopped), _why_not(settings), grace_s=STOP_S + 2)


async def _work(command: list[str], stopped: asyncio.Event) -> None:
    engine = await asyncio.create_subprocess_exec(*command, preexec_fn=_end_with_us(os.getpid()))
    told = asyncio.create_task(stopped.wait())
    ended = asyncio.create_task(engine.wait())
    try:
        await asyncio.wait({told, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not stopped.is_set():
            raise EngineEnded(f"asterisk ended with status {engine.returncode}")
        engine.terminate()
        await asyncio.wait({ended}, timeout=STOP_S)
    finally:
        told.cancel()
        with contextlib.suppress(ProcessLookupError):
            engine.kill()
        await ended


def _end_with_us(parent: int) -> Callable[[], None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def before() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # no engine outlives its process (prctl(2))
        if os.getppid() != parent:
            os._exit(0)

    return before


def _why_not(settings: Settings) -> Callable[[], str]:
    login = b64encode(f"{places.USER}:{places.secret(settings)}".encode()).decode()
    request = Request(f"http://127.0.0.1:{settings.voice_http_port}/ari/asterisk/ping", headers={"Authorization": f"Basic {login}"})

    def why_not() -> str:
        try:
            with urlopen(request, timeout=ASK_S):  # noqa: S310 -- our own loopback address
                return ""
        except OSError as error:
            return f"the engine does not answer yet: {error}"

    return why_not


def _require_free(settings: Settings) -> None:
    """Raise EngineRefused where another program has an address that phones speak to: Asterisk would start without it.

    An engine of before that was killed may hold them for a moment.
    """
    give_up = time.monotonic() + FREE_WITHIN_S
    for host, port in configuration.sip(settings):
        while problem := _taken(host, port):
            if time.monotonic() > give_up:
                raise EngineRefused(f"{host}:{port} cannot be had ({problem}); set JILINK_VOICE_SIP to another")
            time.sleep(0.1)


def _taken(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with contextlib.closing(socket.socket(family, kind)) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                return error.strerror or repr(error)
    return ""
