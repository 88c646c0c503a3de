"""A telephone engine as the spine sees it: takes orders, tells facts. Callers and agents of the test hold its legs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal

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
        self.long: set[str] = set()
        """Words that take so long that somebody interrupts them."""
        self.playing: dict[str, str] = {}

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
            case calls.Play():
                await self.play(order)
            case calls.StopPlay() if order.play in self.playing:
                await self.played(order.play, self.playing.pop(order.play), "stopped")
            case calls.Answer() | calls.Park() | calls.Join():
                return await self.move(order)
            case _:
                pass
        return calls.Done()

    async def move(self, order: calls.Answer | calls.Park | calls.Join) -> calls.Reply:
        legs = order.legs if isinstance(order, calls.Join) else (order.leg,)
        if not all(leg in self.legs and (self.legs[leg].answered or isinstance(order, calls.Answer)) for leg in legs):
            return calls.NotDone(reason="gone")
        for leg in legs:
            if isinstance(order, calls.Answer):
                await self.pick_up(leg)
            else:
                self.change(leg, talk=getattr(order, "talk", ""), parked=isinstance(order, calls.Park))
        return calls.Done()

    async def play(self, order: calls.Play) -> None:
        if any(isinstance(piece, calls.Speech) and piece.text in self.long for piece in order.pieces):
            self.playing[order.play] = order.leg
        else:
            await self.played(order.play, order.leg, "done")

    async def played(self, play: str, leg: str, outcome: Literal["done", "stopped"]) -> None:
        await self.tell(calls.PlayEnded(node=NODE, at=self.now, play=play, leg=leg, outcome=outcome))

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

    def said(self, leg: str) -> list[str]:
        """What was said to a leg, in order."""
        plays = [order for order in self.orders if isinstance(order, calls.Play) and order.leg == leg]
        return [piece.text for play in plays for piece in play.pieces if isinstance(piece, calls.Speech)]

    async def press(self, leg: str, digit: str) -> None:
        """Let the caller press a key."""
        await self.tell(calls.DigitPressed(node=NODE, at=self.now, leg=leg, digit=digit))

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
