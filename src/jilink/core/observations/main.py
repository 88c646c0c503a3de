"""The process ``watch``: what every asset says now, for pages, maps and alarms."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from importlib import import_module

import django
import structlog

from jilink.kernel.settings import Settings
from jilink.spine import health
from jilink.spine.client import connect, ensure

log = structlog.get_logger(__name__)


def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Killed at any moment and started again it comes to the same state."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jilink.site.settings")
    django.setup()
    state = _State()
    pages = health.serve(settings.health("watch"), lambda: state.why_not())
    try:
        asyncio.run(_until_stopped(settings, state))
    finally:
        pages.stop()


class _State:
    def __init__(self) -> None:
        self.why_not: Callable[[], list[str]] = lambda: ["no connection to the spine"]


async def _until_stopped(settings: Settings, state: _State) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    stop = asyncio.create_task(stopped.wait())
    work = asyncio.create_task(_work(settings, state))
    await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
    log.info("watch.stops")
    stop.cancel()
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def _work(settings: Settings, state: _State) -> None:
    kind = import_module("jilink.core.observations.watch").Watch
    async with connect(settings, name="watch") as spine:
        await ensure(spine)
        watch = kind(settings, spine)
        state.why_not = watch.why_not
        await watch.run()
