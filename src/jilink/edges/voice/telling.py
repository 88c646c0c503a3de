"""Facts on their way to the spine: stored one after another in the order in which they were told, each tried again until it is stored."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

import structlog

from jilink.kernel.errors import Unavailable
from jilink.spine import calls, subjects
from jilink.spine.client import Spine

log = structlog.get_logger(__name__)

ATTEMPT_S = 5.0
PAUSE_S = 0.2
MOST_WAITING = 50_000
"""Facts that wait for the spine. Beyond it they are dropped, and what there is then is told anew (`overrun`)."""


class Teller:
    """Tells the facts of one node."""

    def __init__(self, spine: Spine, node: str, life: str) -> None:
        """`life` makes the message ids of this owner its own."""
        self._spine, self._subject, self._life = spine, subjects.call_fact(node), life
        self._waiting: deque[tuple[calls.Fact, asyncio.Future[None] | None]] = deque()
        self._more = asyncio.Event()
        self._told = 0
        self.overrun: Callable[[], None] = lambda: None

    def tell(self, *facts: calls.Fact) -> None:
        """Have facts told after those of before."""
        self._waiting.extend((fact, None) for fact in facts)
        if len(self._waiting) > MOST_WAITING:
            log.error("voice.facts_dropped", count=len(self._waiting))
            for _fact, waiter in self._waiting:
                if waiter is not None and not waiter.done():
                    waiter.set_exception(Unavailable("the spine takes no facts"))
            self._waiting.clear()
            self.overrun()
        self._more.set()

    async def tell_and_wait(self, fact: calls.Fact) -> None:
        """Have a fact told, and return once it is stored. Raises Unavailable where it was dropped."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((fact, stored))
        self._more.set()
        await stored

    async def run(self) -> None:
        """Store what waits, for ever."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                fact, stored = self._waiting[0]
                await self._store(fact)
                if self._waiting and self._waiting[0][0] is fact:
                    self._waiting.popleft()
                if stored is not None and not stored.done():
                    stored.set_result(None)

    async def drain(self, within_s: float) -> None:
        """Wait until all is stored, but not longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._waiting:
                    await asyncio.sleep(0.01)

    async def _store(self, fact: calls.Fact) -> None:
        self._told += 1
        number, data, failing = f"{self._life}-{self._told}", calls.encode(fact), False
        while True:
            try:
                await self._spine.publish(self._subject, data, number, timeout_s=ATTEMPT_S)
            except Unavailable as error:
                if not failing:
                    log.warning("voice.facts_wait", waiting=len(self._waiting), reason=str(error))
                failing = True
                await asyncio.sleep(PAUSE_S)
                continue
            if failing:
                log.info("voice.facts_go_on", waiting=len(self._waiting))
            return
