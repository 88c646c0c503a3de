"""The process ``relay``: publishes the outbox and runs every room's reactions."""

import asyncio
import contextlib
import os
import signal
from importlib import import_module

import django
import structlog
from django.utils.module_loading import autodiscover_modules

from jilink.core.outbox.registry import rooms
from jilink.kernel.settings import Settings
from jilink.spine import health
from jilink.spine.client import Spine, connect, ensure

log = structlog.get_logger(__name__)


def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. What was being handled then is delivered again at the next start."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jilink.site.settings")
    django.setup()
    autodiscover_modules("reactions")
    readiness = _Readiness()
    pages = health.serve(settings.health("relay"), readiness.why_not)
    try:
        asyncio.run(_until_stopped(settings, readiness))
    finally:
        pages.stop()


class _Readiness:
    spine: Spine | None = None

    def why_not(self) -> str:
        return "" if self.spine is not None and self.spine.connected else "no connection to the spine"


async def _until_stopped(settings: Settings, readiness: _Readiness) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with connect(settings, name="relay") as spine:
        readiness.spine = spine
        work = asyncio.create_task(serve(spine))
        stop = asyncio.create_task(stopped.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        log.info("relay.stops")
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        stop.cancel()


async def serve(spine: Spine) -> None:
    """Publish and react for ever; needs `django.setup()` and the rooms' reactions imported."""
    relay = import_module("jilink.core.outbox.relay")
    consumers = import_module("jilink.core.outbox.consumers")
    await ensure(spine)
    log.info("relay.starts", rooms=sorted(rooms()))
    async with asyncio.TaskGroup() as group:
        group.create_task(relay.run(spine))
        for room, reactions in rooms().items():
            group.create_task(consumers.Consumer(spine, room, reactions).run())
