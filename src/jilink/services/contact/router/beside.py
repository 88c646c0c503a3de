"""Second legs: an agent asks a colleague or a number outside while the caller hears music, then goes back, talks with both, or connects
them; a caller is put through without asking, by an agent or by a flow; a supervisor takes a caller over.

A second leg has a row before it is dialled and a name that follows from it, so that a router that was killed finds out what became of it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from jilink.kernel.errors import Refused
from jilink.services.contact.actions import serving, sides
from jilink.services.contact.reads import sides as reads
from jilink.services.contact.reads.desk import Place, QueueRow
from jilink.services.contact.reads.outside import WayOut
from jilink.services.contact.reads.sides import Origin
from jilink.services.contact.router.book import Book, Call, Side
from jilink.services.contact.router.flowing import Flowing
from jilink.services.contact.router.orders import Orders
from jilink.services.contact.router.store import end_interaction, installation, stored
from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules.matcher import Matcher
from jilink.services.contact.rules.sides import WITH_AGENT, Deed, SideRefused, Stage, check
from jilink.services.contact.rules.states import AgentState, ContactState
from jilink.spine import calls
from jilink.spine.calls import LegState

RINGS_S = 25
WANTED = timedelta(seconds=30)
"""How long somebody who is given to a colleague waits for that one alone."""
RINGBACK = (calls.Tone(ms=1000, hz=450), calls.Tone(ms=4000, hz=0))
"""GB/T 3380, 4.3."""


class Floor(Protocol):
    """What is asked of the router."""

    clock: Callable[[], datetime]
    lock: asyncio.Lock
    book: Book
    orders: Orders
    matcher: Matcher
    places: dict[int, Place]
    queues: dict[int, QueueRow]
    flows: Flowing

    def now_ms(self) -> int:
        """Return the time as the matcher counts it."""

    def decide(self, happening: h.Happening) -> Awaitable[None]:
        """Tell the matcher what happened."""

    def join(self, call: Call) -> None:
        """Let caller and agent hear each other."""

    def record_again(self, call: Call, other: Call) -> Awaitable[None]:
        """Let one recording end and the next agent's begin, where the queue records."""

    def work(self, call: Call) -> h.Work:
        """Return a call as the matcher knows it."""

    def remind_wrap_up(self, call: Call) -> None:
        """Let the wrap-up end by itself."""

    def note_moved(self, call: Call) -> Awaitable[None]:
        """Note that the caller goes elsewhere; the agent wraps up."""

    def move(self, call: Call, queue: QueueRow, *, wanted: int = 0) -> Awaitable[None]:
        """Let a caller wait in another queue."""

    def wait_again(self, queue: QueueRow, side: Side, origin: Origin) -> Awaitable[Call]:
        """Let a caller who was put through in vain wait in their queue again."""


class Beside:
    """Every second leg there is."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    # what agents ask

    async def consult(self, call: Call, agent: int, number: str) -> None:
        """Let the caller hear music and ask a colleague, an extension or a number outside. Raises Refused."""
        floor = self._floor
        if floor.book.side_of(call.contact) is not None:
            raise SideRefused("End the other conversation first.")
        agent, way = await self._way(call, agent, number)
        side = await self._begin(call.organisation, call.contact, call.node, call.leg, agent, Stage.ASKED)
        if side is None:
            raise SideRefused("End the other conversation first.")
        floor.orders.give(call.chain, call.node, calls.Unhold(leg=call.leg))
        floor.orders.give(call.chain, call.node, calls.Park(leg=call.leg))
        floor.orders.give(call.chain, call.node, calls.Play(leg=call.agent_leg, play=f"b{side.id}", pieces=RINGBACK, times=20))
        self._dial(side, way, call.caller, call.agent_leg, RINGS_S)

    async def put_on(self, call: Call, agent: int, number: str) -> None:
        """Put the caller through without asking: to a colleague, for whom they wait, or to a number outside. Raises Refused."""
        floor = self._floor
        if floor.book.side_of(call.contact) is not None:
            raise SideRefused("End the other conversation first.")
        agent, way = await self._way(call, agent, number)
        if agent:
            await floor.move(call, floor.queues[call.queue], wanted=agent)
            return
        side = await self._begin(call.organisation, call.contact, call.node, call.leg, 0, Stage.DIALLED)
        if side is None:
            raise SideRefused("End the other conversation first.")
        agent_leg = call.agent_leg
        await floor.note_moved(call)
        floor.orders.give(call.chain, call.node, calls.Unhold(leg=call.leg))
        floor.orders.give(call.chain, call.node, calls.Park(leg=call.leg))
        floor.orders.give(call.chain, call.node, calls.HangUp(leg=agent_leg))
        self._dial(side, way, way.caller or call.caller, call.leg, RINGS_S)

    async def do(self, call: Call, deed: Deed) -> None:
        """Go back, talk all three, or connect. Raises SideRefused."""
        side = self._floor.book.side_of(call.contact)
        if side is None:
            raise SideRefused("Nobody else is in this call.")
        check(deed, side.stage)
        match deed:
            case Deed.BACK:
                await self._back(call, side)
            case Deed.CONFERENCE:
                await self._stage(side, Stage.THREE)
                legs = (call.leg, call.agent_leg, side.leg)
                self._floor.orders.give(call.chain, call.node, calls.Join(talk=call.talk, legs=legs))
            case Deed.CONNECT:
                await self._connect(call, side)

    async def hand_to(self, call: Call, agent: int, leg: str) -> Call:
        """Let an agent whose leg is up have the caller; whoever had them leaves and wraps up."""
        floor, now, old = self._floor, self._floor.clock(), call.agent_leg
        origin = await stored(lambda: reads.origin(call.contact))
        hop = origin.hop + 1 if origin else call.hop + 1
        contact = await stored(
            lambda: serving.hand_over(contact=call.contact, hop=hop, agent=agent, agent_leg=leg, by=installation(), now=now)
        )
        call.state = ContactState.WRAPPING
        floor.remind_wrap_up(call)
        other = Call(
            contact, call.organisation, call.queue, call.channel, call.node, call.leg, hop, call.interaction, call.priority, call.emergency,
            now, ContactState.TALKING, call.caller, agent, leg, 1, call.skills,
        )  # fmt: skip
        floor.book.add(other)
        floor.flows.moved(call, other)
        floor.matcher.handle(h.Resumed(floor.work(other), agent), floor.now_ms())
        floor.join(other)
        floor.orders.give(call.chain, call.node, calls.HangUp(leg=old))
        await floor.record_again(call, other)
        return other

    # what flows ask

    async def put_through(self, organisation: int, node: str, leg: str, caller: str, number: str, timeout_s: int) -> bool:
        """Put a caller of a flow through to a number. Return whether it is tried; told again it goes on."""
        try:
            way = await stored(lambda: reads.way_to(organisation, number))
        except Refused:
            return False
        if way is None:
            return False
        side = await self._begin(organisation, None, node, leg, 0, Stage.DIALLED)
        if side is not None:
            self._floor.orders.give(side.chain, node, calls.Park(leg=leg))
            self._dial(side, way, way.caller or caller, leg, timeout_s)
        return True

    # what engines tell

    async def answered(self, node: str, leg: str) -> bool:
        """A second leg is up. Return whether it is one."""
        side = next((one for one in self._floor.book.sides.values() if (one.node, one.leg) == (node, leg)), None)
        if side is None:
            return False
        floor = self._floor
        call = floor.book.calls.get(side.contact or 0)
        if side.stage is Stage.ASKED and call is not None:
            await self._stage(side, Stage.PRIVATE)
            floor.orders.give(f"{call.chain}/told", node, calls.StopPlay(play=f"b{side.id}"))
            floor.orders.give(call.chain, node, calls.Join(talk=call.talk, legs=(call.agent_leg, leg)))
        elif side.stage is Stage.DIALLED:
            await self._stage(side, Stage.THROUGH)
            floor.orders.give(side.chain, node, calls.Join(talk=f"x{side.id}", legs=(side.caller_leg, leg)))
            await floor.flows.through(node, side.caller_leg)
        return True

    async def ended(self, node: str, leg: str) -> bool:
        """A leg is over. Return whether nothing else follows from it."""
        for side in [one for one in self._floor.book.sides.values() if one.node == node]:
            call = self._floor.book.calls.get(side.contact or 0)
            if leg == side.leg:
                await self._other_left(side, call)
                return True
            if leg == side.caller_leg:
                await self._end(side)
                self._hang_up(side)
                if side.stage is Stage.THROUGH:
                    await self._interaction_over(side)
            elif call is not None and leg == call.agent_leg and side.stage in WITH_AGENT:
                if side.stage is not Stage.ASKED:
                    await self._connect(call, side)
                    return True
                await self._end(side)
                self._hang_up(side)
        return False

    async def agree(self, node: str, there: dict[str, LegState]) -> None:
        """Make the second legs of a node agree with the legs it has."""
        for side in [one for one in self._floor.book.sides.values() if one.node == node]:
            leg = there.get(side.leg)
            if side.caller_leg not in there:
                await self.ended(node, side.caller_leg)
            elif leg is None:
                await self.ended(node, side.leg)
            elif leg.answered:
                await self.answered(node, side.leg)

    async def restore(self) -> None:
        """Take up the second legs that are not over."""
        for row in await stored(reads.open_sides):
            self._floor.book.sides[row.id] = Side(row.id, row.organisation, row.contact, row.node, row.caller_leg, row.agent, row.stage)

    def is_lent(self, agent: int) -> bool:
        """Return whether a colleague is with somebody as a second leg: nothing else is offered to them."""
        return any(side.agent == agent for side in self._floor.book.sides.values())

    def knows(self, node: str, leg: str) -> bool:
        """Return whether a leg is a second leg, or its caller's."""
        return any(one.node == node and leg in (one.leg, one.caller_leg) for one in self._floor.book.sides.values())

    # inside

    async def _way(self, call: Call, agent: int, number: str) -> tuple[int, WayOut]:
        floor = self._floor
        if not agent and (at := await stored(lambda: reads.agent_at(call.organisation, number.strip()))):
            agent = at
        if agent:
            place = floor.places.get(agent)
            if place is None or not place.endpoint or agent == call.agent:
                raise SideRefused("They are not at a phone now.")
            if self.is_lent(agent) or any(
                floor.book.calls[one].node for one in floor.matcher.contacts_of(agent) if one in floor.book.calls
            ):
                raise SideRefused("They are in a call now.")
            return agent, WayOut(place.endpoint, "", "")
        way = await stored(lambda: reads.way_to(call.organisation, number))
        if way is None:
            raise SideRefused("No line goes out to that number.")
        return 0, way

    async def _begin(self, organisation: int, contact: int | None, node: str, caller_leg: str, agent: int, stage: Stage) -> Side | None:
        now = self._floor.clock()
        key, new = await stored(
            lambda: sides.begin_side(
                organisation=organisation,
                contact=contact,
                node=node,
                caller_leg=caller_leg,
                agent=agent or None,
                stage=stage,
                by=installation(),
                now=now,
            )
        )
        if not new:
            return None
        side = self._floor.book.sides[key] = Side(key, organisation, contact, node, caller_leg, agent, stage)
        if agent:
            await self._floor.decide(h.NotReady(agent))
        return side

    def _dial(self, side: Side, way: WayOut, caller: str, originator: str, timeout_s: int) -> None:
        async def failed(_reason: str) -> None:
            async with self._floor.lock:
                await self.ended(side.node, side.leg)

        headers = {"X-Contact": str(side.contact)} if side.contact and not way.number else {}
        dial = calls.Dial(
            leg=side.leg,
            endpoint=way.endpoint,
            number=way.number,
            caller=way.caller or caller,
            timeout_s=timeout_s,
            headers=headers,
            originator=originator,
        )
        self._floor.orders.give(f"{side.chain}/side", side.node, dial, failed=failed)

    async def _stage(self, side: Side, stage: Stage) -> None:
        now = self._floor.clock()
        await stored(lambda: sides.set_stage(side=side.id, stage=stage, by=installation(), now=now))
        side.stage = stage

    async def _end(self, side: Side) -> None:
        now = self._floor.clock()
        await stored(lambda: sides.end_side(side=side.id, by=installation(), now=now))
        self._floor.book.sides.pop(side.id, None)
        place = self._floor.places.get(side.agent)
        if place is not None and place.state is AgentState.READY:
            await self._floor.decide(h.Ready(side.agent))

    def _hang_up(self, side: Side) -> None:
        self._floor.orders.give(f"{side.chain}/side", side.node, calls.HangUp(leg=side.leg))

    async def _back(self, call: Call, side: Side) -> None:
        was = side.stage
        await self._end(side)
        self._hang_up(side)
        self._floor.orders.give(f"{call.chain}/told", call.node, calls.StopPlay(play=f"b{side.id}"))
        if was is not Stage.THREE and call.state is ContactState.TALKING:
            self._floor.join(call)

    async def _connect(self, call: Call, side: Side) -> None:
        floor = self._floor
        if side.agent:
            floor.book.sides.pop(side.id, None)
            await self.hand_to(call, side.agent, side.leg)
            await self._end(side)
            return
        await self._stage(side, Stage.THROUGH)
        agent_leg = call.agent_leg
        await floor.note_moved(call)
        floor.orders.give(call.chain, call.node, calls.Join(talk=f"x{side.id}", legs=(side.caller_leg, side.leg)))
        floor.orders.give(call.chain, call.node, calls.HangUp(leg=agent_leg))

    async def _other_left(self, side: Side, call: Call | None) -> None:
        floor = self._floor
        match side.stage:
            case Stage.ASKED | Stage.PRIVATE | Stage.THREE if call is not None:
                await self._back(call, side)
            case Stage.DIALLED:
                await self._end(side)
                origin = None if side.contact is None else await stored(lambda: reads.origin(side.contact or 0))
                queue = floor.queues.get(origin.queue) if origin else None
                if origin is not None and queue is not None:
                    await floor.wait_again(queue, side, origin)
                elif not await floor.flows.not_through(side.node, side.caller_leg):
                    floor.orders.give(side.chain, side.node, calls.HangUp(leg=side.caller_leg))
            case _:
                await self._end(side)
                if not await floor.flows.left(side.node, side.caller_leg):
                    floor.orders.give(side.chain, side.node, calls.HangUp(leg=side.caller_leg))
                    await self._interaction_over(side)

    async def _interaction_over(self, side: Side) -> None:
        now = self._floor.clock()
        origin = None if side.contact is None else await stored(lambda: reads.origin(side.contact or 0))
        if origin is not None and (side.node, side.caller_leg) not in self._floor.flows.runs:
            await stored(lambda: end_interaction(origin.interaction, answered=True, now=now))
