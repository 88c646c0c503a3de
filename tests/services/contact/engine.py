"""A telephone engine as the spine sees it: takes orders, tells facts. Callers and agents of the test hold its legs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime

from jilink.kernel.clock import utc_now
from jilink.spine import calls, subjects
from jilink.spine.calls import Fact, LegState
from jilink.spine.client import Request, Spine

NODE = "n1"


class Engine:
    """One node. `answers` are the phones that pick up by themselves."""

    def __init__(self, spine: Spine) -> None:
        self.spine = spine
        self.legs: dict[str, LegState] = {}
        self.orders: list[calls.Order] = []
        self.answers: set[str] = set()
        self.number = 0

    @property
    def now(self) -> datetime:
        return utc_now()

    async def tell(self, fact: Fact) -> None:
        self.number += 1
        await self.spine.publish(subjects.call_fact(NODE), calls.encode(fact), f"{NODE}-{self.number}")

    async def serve(self, request: Request) -> bytes:
        order = calls.decode_order(request.data)
        self.orders.append(order)
        return calls.encode(await self.carry_out(order))

    async def carry_out(self, order: calls.Order) -> calls.Reply:
        match order:
            case calls.Look():
                return calls.Sight(legs=tuple(self.legs.values()), talks=(), online=())
            case calls.Dial():
                self.legs.setdefault(order.leg, LegState(leg=order.leg, origin="dialled", answered=False, endpoint=order.endpoint))
                if order.endpoint in self.answers:
                    await self.pick_up(order.leg)
            case calls.HangUp():
                await self.hang_up(order.leg)
            case calls.Answer() if order.leg in self.legs:
                await self.pick_up(order.leg)
            case calls.Join():
                if not all(leg in self.legs and self.legs[leg].answered for leg in order.legs):
                    return calls.NotDone(reason="gone")
                for leg in order.legs:
                    self.change(leg, talk=order.talk, parked=False)
            case calls.Park() if order.leg in self.legs:
                self.change(order.leg, talk="", parked=True)
            case calls.Play():
                await self.tell(calls.PlayEnded(node=NODE, at=self.now, play=order.play, leg=order.leg, outcome="done"))
            case calls.Answer() | calls.Park():
                return calls.NotDone(reason="gone")
            case _:
                pass
        return calls.Done()

    def change(self, leg: str, **values: object) -> None:
        known = self.legs[leg]
        fields = {name: getattr(known, name) for name in LegState.__struct_fields__} | values
        self.legs[leg] = LegState(**fields)

    async def pick_up(self, leg: str) -> None:
        if not self.legs[leg].answered:
            self.change(leg, answered=True)
            await self.tell(calls.LegAnswered(node=NODE, at=self.now, leg=leg))

    async def hang_up(self, leg: str, cause: int = 16) -> None:
        if self.legs.pop(leg, None) is not None:
            await self.tell(calls.LegEnded(node=NODE, at=self.now, leg=leg, cause=cause))

    async def call(self, leg: str, dialled: str, caller: str = "13904310001") -> None:
        """Let somebody call."""
        self.legs[leg] = LegState(leg=leg, origin="arrived", answered=False, endpoint="t1", caller=caller, dialled=dialled)
        await self.tell(calls.LegArrived(node=NODE, at=self.now, leg=leg, dialled=dialled, caller=caller, endpoint="t1"))

    def together(self, *legs: str) -> bool:
        """Whether these hear each other."""
        talks = {self.legs[leg].talk if leg in self.legs else None for leg in legs}
        return len(talks) == 1 and talks not in ({None}, {""})

    def ringing(self, endpoint: str) -> str:
        """Return the leg that rings at a phone, "" where none does."""
        return next((leg.leg for leg in self.legs.values() if leg.endpoint == endpoint and not leg.answered), "")


@contextlib.asynccontextmanager
async def engine(spine: Spine) -> AsyncIterator[Engine]:
    """An engine that is owned and answers orders."""
    node = Engine(spine)
    listening = await spine.serve(subjects.call_order(NODE), node.serve)
    try:
        yield node
    finally:
        await listening.stop()


async def stopped(task: asyncio.Task[None]) -> None:
    """End a router as a kill would: in the middle of whatever it does."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
