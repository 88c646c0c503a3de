"""Browsers that go away in mid-call and come back: one whose page was loaded anew is rung again, and the caller hears music meanwhile."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from jilink.services.contact.actions import serving
from jilink.services.contact.reads import desk
from jilink.services.contact.reads.desk import Place, QueueRow
from jilink.services.contact.router.book import Book, Call
from jilink.services.contact.router.orders import Orders
from jilink.services.contact.router.store import installation, stored
from jilink.services.contact.rules.states import ContactState
from jilink.spine import calls

AWAY = timedelta(seconds=30)
"""How long a caller hears music while the agent's phone is away, before they wait for another agent."""
RINGS_S = 20


class Floor(Protocol):
    """What is asked of the router."""

    clock: Callable[[], datetime]
    book: Book
    orders: Orders
    places: dict[int, Place]
    queues: dict[int, QueueRow]

    def move(self, call: Call, queue: QueueRow) -> Awaitable[None]:
        """Let a caller wait in another queue."""


async def changed(floor: Floor, fact: calls.PhoneChanged) -> None:
    """Let the caller hear music when the phone of an agent who talks goes away, and ring it when it is back."""
    call = _in_course(floor, fact.endpoint)
    if call is None or call.node != fact.node:
        return
    if not fact.online:
        call.away, now = True, floor.clock()
        await stored(lambda: serving.note_in_call(contact=call.contact, what=desk.AWAY, by=installation(), now=now))
        floor.orders.give(call.chain, call.node, calls.Park(leg=call.leg))
        floor.book.remind(floor.clock() + AWAY, "away", call.contact)
    elif call.away:
        await _ring_again(floor, call, fact.endpoint)


async def _ring_again(floor: Floor, call: Call, endpoint: str) -> None:
    old, leg, now = call.agent_leg, f"c{call.contact}r{call.rings + 1}", floor.clock()
    await stored(lambda: serving.note_dialled_again(contact=call.contact, agent_leg=leg, by=installation(), now=now))
    floor.book.ring_again(call, leg)
    headers = {"X-Contact": str(call.contact), "X-Interaction": str(call.interaction or "")}
    dial = calls.Dial(leg=leg, endpoint=endpoint, caller=call.caller, timeout_s=RINGS_S, headers=headers, originator=call.leg)
    floor.orders.give(call.chain, call.node, dial)
    floor.orders.give(f"{call.chain}/old", call.node, calls.HangUp(leg=old))


async def is_back(floor: Floor, call: Call) -> None:
    """Note that the agent is heard again."""
    call.away, now = False, floor.clock()
    await stored(lambda: serving.note_in_call(contact=call.contact, what=desk.BACK, by=installation(), now=now))


async def restore(floor: Floor) -> None:
    """Take up the calls whose agent's phone is away; their time goes on from when it left."""
    for contact, since in (await stored(desk.away_since)).items():
        call = floor.book.calls.get(contact)
        if call is not None:
            call.away = True
            floor.book.remind(since + AWAY, "away", contact)


async def still_away(floor: Floor, call: Call) -> None:
    """Let a caller whose agent did not come back wait for another one."""
    queue = floor.queues.get(call.queue)
    if call.away and call.state is ContactState.TALKING and queue is not None:
        call.away = False
        await floor.move(call, queue)


def _in_course(floor: Floor, endpoint: str) -> Call | None:
    agents = {agent for agent, place in floor.places.items() if place.browser and place.endpoint == endpoint}
    talking = (call for call in floor.book.calls.values() if call.node and call.agent in agents and call.state is ContactState.TALKING)
    return next(talking, None)
