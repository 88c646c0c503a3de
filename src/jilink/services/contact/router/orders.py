"""Orders to engines: those of one call one after the other, those of different calls side by side. Each is given until answered."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from jilink.kernel.errors import Malformed, Unavailable
from jilink.spine.calls import NotDone, Order, Reply, give
from jilink.spine.client import Spine

log = structlog.get_logger(__name__)
GIVE_UP_S = 20.0
AGAIN_S = 0.3

NotCarriedOut = Callable[[str], Awaitable[None]]


class Orders:
    """Gives orders without letting the router wait."""

    def __init__(self, spine: Spine) -> None:
        self._spine = spine
        self._last: dict[str, asyncio.Task[None]] = {}

    def give(self, chain: str, node: str, *orders: Order, failed: NotCarriedOut | None = None) -> None:
        """Give orders after those given before in the same chain. `failed` is told the reason where one is not carried out.

        What has no node is known to no engine (`written`): nothing is to be ordered.
        """
        if not node:
            return
        task = asyncio.create_task(self._run(self._last.get(chain), node, orders, failed))
        self._last[chain] = task
        task.add_done_callback(lambda done: self._last.pop(chain, None) if self._last.get(chain) is done else None)

    async def close(self) -> None:
        """Forget what was not given yet."""
        for task in list(self._last.values()):
            task.cancel()
        await asyncio.gather(*self._last.values(), return_exceptions=True)

    async def _run(self, before: asyncio.Task[None] | None, node: str, orders: tuple[Order, ...], failed: NotCarriedOut | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        for order in orders:
            reason = await self._give(node, order)
            if reason:
                log.info("order.not_done", node=node, order=type(order).__name__, reason=reason)
                if failed is not None:
                    await failed(reason)
                return

    async def _give(self, node: str, order: Order) -> str:
        deadline = asyncio.get_running_loop().time() + GIVE_UP_S
        while True:
            try:
                reply: Reply = await give(self._spine, node, order)
            except Malformed as error:
                return error.reason
            except Unavailable:
                if asyncio.get_running_loop().time() > deadline:
                    return "down"
                await asyncio.sleep(AGAIN_S)
                continue
            return reply.reason if isinstance(reply, NotDone) else ""
