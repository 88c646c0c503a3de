"""One process of the installation: its health pages, and an asyncio loop that runs until it is told to stop."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Coroutine

import structlog

from jilink.kernel.settings import Settings
from jilink.spine import health

log = structlog.get_logger(__name__)

Work = Callable[[asyncio.Event], Coroutine[None, None, None]]
"""What a process does; the event is set once SIGTERM or SIGINT came."""
BEAT_S = 1.0
STUCK_AFTER_S = 15.0


def run(name: str, settings: Settings, work: Work, unready: health.Reasons, *, grace_s: float | None = 0.0) -> None:
    """Serve the health pages of the process `name` and run `work` until it ends or SIGTERM or SIGINT comes.

    Then `work` has `grace_s` to end by itself (None: as long as it takes) before it is cancelled. Raises what `work` raises.
    """
    beat = _Beat()
    pages = health.serve(settings.health(name), unready, stuck=beat.stuck)
    try:
        asyncio.run(_until_told(name, work, grace_s, beat))
    finally:
        pages.stop()


class _Beat:
    """Notes that the loop goes round. The health pages have a thread of their own and would answer for a loop that hangs."""

    def __init__(self) -> None:
        self._at = time.monotonic()

    async def keep(self) -> None:
        while True:
            self._at = time.monotonic()
            await asyncio.sleep(BEAT_S)

    def stuck(self) -> str:
        still = time.monotonic() - self._at
        return f"the loop has stood still for {still:.0f} s" if still > STUCK_AFTER_S else ""


async def _until_told(name: str, work: Work, grace_s: float | None, beat: _Beat) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    beating = asyncio.create_task(beat.keep())
    working = asyncio.create_task(work(stopped))
    told = asyncio.create_task(stopped.wait())
    await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not working.done():
        log.info(f"{name}.stops")
        await asyncio.wait({working}, timeout=grace_s)
        working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    beating.cancel()
