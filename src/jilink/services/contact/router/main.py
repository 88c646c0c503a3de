"""The process ``router``."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from django.db import Error as DatabaseError

from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings
from jilink.services.contact.router import campaigning, written
from jilink.services.contact.router.answering import Answering
from jilink.services.contact.router.asks import ASK
from jilink.services.contact.router.restoring import node_up, restore
from jilink.services.contact.router.router import Router
from jilink.services.contact.router.timing import tick
from jilink.services.contact.router.written import WAKE
from jilink.spine import process
from jilink.spine.calls import NodeUp, NotACallMessage, decode_fact
from jilink.spine.client import Spine, connect, ensure
from jilink.spine.subjects import CALLS

log = structlog.get_logger(__name__)
DURABLE = "router"
TICK_S = 0.1
QUEUES_AGAIN_S = 2.0
LOOK_S = 1.0
COUNT_AGAIN_S = 60.0
BEGIN_AGAIN_S = 1.0


class Readiness:
    """Whether the router serves."""

    serving = False

    def why_not(self) -> str:
        """Return why it does not; "" where it does."""
        return "" if self.serving else "queues and contacts are not read yet"


def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Calls go on without it; whoever waits keeps their place."""
    readiness = Readiness()

    async def work(_stopped: asyncio.Event) -> None:
        async with connect(settings, name="router") as spine:
            await ensure(spine)
            await run(spine, readiness)

    process.run("router", settings, work, readiness.why_not)


async def run(spine: Spine, readiness: Readiness | None = None, clock: Callable[[], datetime] = utc_now) -> None:
    """Route for ever. Where database or spine fail, begin anew from the rows: a fact that was not acknowledged is delivered again."""
    state = readiness or Readiness()
    while True:
        router, woken = Router(spine, clock), asyncio.Event()
        listening = waking = None
        try:
            await restore(router)
            async with asyncio.TaskGroup() as group:
                listening = await spine.serve(ASK, Answering(router).serve)
                waking = await spine.subscribe(WAKE, _wakes(woken))
                group.create_task(_facts(spine, router))
                group.create_task(_time(router))
                group.create_task(_written(router, woken))
                group.create_task(_campaigns(router))
                log.info("router.serves", contacts=len(router.book.calls), agents=len(router.places))
                state.serving = True
        except* (DatabaseError, Unavailable) as errors:
            log.warning("router.begins_anew", reason=repr(errors.exceptions[0]))
        finally:
            state.serving = False
            await router.orders.close()
            for heard in (listening, waking):
                if heard is not None:
                    await heard.stop()
        await asyncio.sleep(BEGIN_AGAIN_S)


def _wakes(woken: asyncio.Event) -> Callable[[str, bytes], Awaitable[None]]:
    async def wake(_subject: str, _data: bytes) -> None:
        woken.set()

    return wake


async def _written(router: Router, woken: asyncio.Event) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await woken.wait()
        woken.clear()
        async with router.lock:
            await written.look(router)


async def _campaigns(router: Router) -> None:
    while True:
        await asyncio.sleep(campaigning.LOOK_S)
        async with router.lock:
            await router.campaigns.look()


async def _facts(spine: Spine, router: Router) -> None:
    async for messages in spine.consume(CALLS.name, DURABLE, CALLS.subjects):
        for message in messages:
            try:
                fact = decode_fact(message.data)
            except NotACallMessage:
                log.warning("router.unknown_fact", subject=message.subject)
            else:
                await (node_up(router, fact) if isinstance(fact, NodeUp) else router.take(fact))
            await spine.ack([message])


async def _time(router: Router) -> None:
    loop = asyncio.get_running_loop()
    queues_at, count_at = loop.time() + QUEUES_AGAIN_S, loop.time() + COUNT_AGAIN_S
    while True:
        await asyncio.sleep(TICK_S)
        await tick(router)
        if loop.time() >= count_at:
            count_at = loop.time() + COUNT_AGAIN_S
            await router.count_arrivals()
        if loop.time() >= queues_at:
            queues_at = loop.time() + QUEUES_AGAIN_S
            async with router.lock:
                await router.read_queues()
                await written.look_at_cases(router)
