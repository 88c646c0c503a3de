"""The process ``relay``: publishes the outbox and runs every room's reactions."""

import asyncio
import os
from importlib import import_module

import django
import structlog
from django.utils.module_loading import autodiscover_modules

from jilink.core.outbox.registry import Work, rooms, works
from jilink.kernel.settings import Settings
from jilink.spine import process
from jilink.spine.client import Spine, connect, ensure

log = structlog.get_logger(__name__)
WORK_AGAIN_S = 2.0


def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. What was being handled then is delivered again at the next start."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jilink.site.settings")
    django.setup()
    autodiscover_modules("reactions")
    readiness = _Readiness()

    async def work(_stopped: asyncio.Event) -> None:
        async with connect(settings, name="relay") as spine:
            readiness.spine = spine
            await serve(spine)

    process.run("relay", settings, work, readiness.why_not)


class _Readiness:
    spine: Spine | None = None

    def why_not(self) -> str:
        return "" if self.spine is not None and self.spine.connected else "no connection to the spine"


async def serve(spine: Spine) -> None:
    """Publish and react for ever; needs `django.setup()` and the rooms' reactions imported."""
    relay = import_module("jilink.core.outbox.relay")
    consumers = import_module("jilink.core.outbox.consumers")
    letters = import_module("jilink.core.outbox.letters")
    await ensure(spine)
    log.info("relay.starts", rooms=sorted(rooms()))
    async with asyncio.TaskGroup() as group:
        group.create_task(relay.run(spine))
        group.create_task(letters.run(spine))
        for work in works():
            group.create_task(_for_ever(work, spine))
        for room, reactions in rooms().items():
            group.create_task(consumers.Consumer(spine, room, reactions).run())


async def _for_ever(work: Work, spine: Spine) -> None:
    """Run a room's work again whenever it fails: it must not end the reactions of the others."""
    while True:
        try:
            await work(spine)
        except Exception:  # a bug in one room's work must not end the relay
            log.exception("relay.work_failed", work=f"{work.__module__}.{getattr(work, '__qualname__', work)}")
        await asyncio.sleep(WORK_AGAIN_S)
