"""Written conversations and cases in the queues: offered like calls, but nothing rings for them and no engine knows of them.

Their contacts have no node, so that no order goes out for them; their leg names the conversation or the case. What wants to be taken in
stands in the tables: a router that was away finds it there, and `WAKE` only saves the wait until it looks again.
"""

from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol

from jilink.core.cases import actions as cases
from jilink.core.cases.actions import Taken
from jilink.core.parties.access import Actor
from jilink.services.contact.actions import serving, written_serving
from jilink.services.contact.actions.written_serving import TakenIn
from jilink.services.contact.reads import written_work
from jilink.services.contact.reads.desk import QueueRow
from jilink.services.contact.reads.written_work import Wanting
from jilink.services.contact.router import queueing
from jilink.services.contact.router.book import Call
from jilink.services.contact.router.store import installation, stored
from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules import written as rules
from jilink.services.contact.rules.states import AgentState, ContactState, End
from jilink.services.contact.rules.waiting import Entry
from jilink.services.contact.rules.written import Closed

WAKE = "contact.written"
"""Whoever sends anything there lets the router look at once."""


class Floor(queueing.Floor, Protocol):
    """What is asked of the router."""

    queues: dict[int, QueueRow]

    def offer(self, call: Call) -> Awaitable[None]:
        """Let a contact wait for an agent."""

    def decide(self, happening: h.Happening) -> Awaitable[None]:
        """Tell the matcher what happened."""

    def caller_left(self, call: Call, end: End) -> Awaitable[None]:
        """Whoever wrote is gone."""

    def agent_answered(self, call: Call) -> Awaitable[None]:
        """The agent took it."""

    def agent_left(self, call: Call) -> Awaitable[None]:
        """The agent ended it."""

    def wrapped_up(self, call: Call, code: str = "", note: str = "") -> Awaitable[None]:
        """The agent is done with it."""


def is_written(call: Call) -> bool:
    """Return whether a contact is written, or a case: no engine knows of it."""
    return call.channel in rules.BY_DESK


async def look(floor: Floor) -> None:
    """Take in what was written since, and let go whoever ended a conversation or closed the page."""
    now = floor.clock()
    for each in await stored(lambda: written_work.wanting(now)):
        await _take_in(floor, each, now)
    calls = [call for call in floor.book.calls.values() if call.state is not ContactState.WRAPPING]
    held = {key: call for call in calls if (key := _conversation(call))}
    left = await stored(lambda: written_work.left(held, now)) if held else {}
    for key, how in left.items():
        if how is Closed.VISITOR or held[key].state is not ContactState.TALKING:  # an agent ends it for whoever is only silent
            await _end(key, how, now)
            await floor.caller_left(held[key], End.ABANDONED)
    for key in await stored(lambda: written_work.silent(now)):
        await _end(key, Closed.SILENCE, now)


async def look_at_cases(floor: Floor) -> None:
    """Let new cases wait that nobody has, and let go those that somebody took elsewhere."""
    now = floor.clock()
    calls = [call for call in floor.book.calls.values() if call.state in (ContactState.WAITING, ContactState.RINGING)]
    waiting = {case: call for call in calls if (case := _case(call))}
    taken = await stored(lambda: written_work.taken_cases(waiting, now)) if waiting else set()
    for case in taken:
        await floor.caller_left(waiting[case], End.MOVED)
    for each in await stored(lambda: written_work.waiting_cases(now)):
        queue = floor.queues.get(each.queue)
        if queue is not None:
            made = await _case_taken_in(each.case, queue.id, now)
            await _offer(floor, queue, made, now)


async def accept(floor: Floor, call: Call, by: Actor) -> None:
    """Let an agent take what is offered to them; a case is assigned to them. Raises Refused where they may not have it."""
    now, case = floor.clock(), _case(call)
    if case:
        try:
            await stored(lambda: cases.claim_case(case=case, by=by, now=now))
        except Taken:
            await floor.caller_left(call, End.MOVED)
            raise
    await floor.agent_answered(call)
    await tell(call, now)


async def decline(floor: Floor, call: Call) -> None:
    """Let somebody else have what is offered to an agent, who is not ready then."""
    await floor.decide(h.RingFailed(call.contact))


async def end(floor: Floor, call: Call) -> None:
    """Let an agent end a conversation; a case that is put down needs no wrap-up."""
    if (key := _conversation(call)) is not None:
        await _end(key, Closed.AGENT, floor.clock())
    await floor.agent_left(call)
    if call.channel == rules.CASE:
        await floor.wrapped_up(call)


async def turned_away(floor: Floor, call: Call, how: End) -> None:
    """Ask whoever waited too long to leave a message; the conversation goes on."""
    now = floor.clock()
    call.state = await stored(lambda: serving.note_left(contact=call.contact, end=how, by=installation(), now=now))
    floor.book.forget(call)
    if (key := _conversation(call)) is not None:
        await stored(lambda: written_serving.unattend(conversation=key, by=installation(), now=now))


async def tell(call: Call, now: datetime) -> None:
    """Tell whoever looks at a conversation that it is otherwise."""
    if (key := _conversation(call)) is not None:
        await stored(lambda: written_serving.tell_conversation(conversation=key, by=installation(), now=now))


async def _take_in(floor: Floor, each: Wanting, now: datetime) -> None:
    queue = floor.queues.get(each.queue)
    if each.gone:
        await _end(each.id, Closed.SILENCE, now)
    elif queue is None or (each.channel == rules.CHAT and not await _takes(floor, queue)):
        await stored(lambda: written_serving.unattend(conversation=each.id, by=installation(), now=now))
    else:
        made = await stored(lambda: written_serving.take_in(conversation=each.id, by=installation(), now=now))
        if made is not None:
            await _offer(floor, queue, made, now)


async def _takes(floor: Floor, queue: QueueRow) -> bool:
    """Return whether a queue takes one more chat now; texts always wait, whoever sent one looks again later anyhow."""
    there = any(
        queue.id in place.seat.queues and place.state is not AgentState.OFF and dict(place.seat.capacity).get(rules.CHAT)
        for place in floor.places.values()
    )
    return there and await queueing.entry(floor, queue) is Entry.WAITS


async def _case_taken_in(case: int, queue: int, now: datetime) -> TakenIn:
    return await stored(lambda: written_serving.take_in_case(case=case, queue=queue, by=installation(), now=now))


async def _offer(floor: Floor, queue: QueueRow, made: TakenIn, now: datetime) -> None:
    given = made.arrival
    call = Call(
        made.contact, queue.organisation, queue.id, given.channel, given.node, given.leg, given.hop, given.interaction, given.priority,
        given.emergency, given.enqueued_at or now,
    )  # fmt: skip
    floor.book.add(call)
    await floor.offer(call)


async def _end(conversation: int, how: Closed, now: datetime) -> None:
    await stored(lambda: written_serving.end_conversation(conversation=conversation, how=how, by=installation(), now=now))


def _conversation(call: Call) -> int | None:
    return rules.of_leg(call.leg)[0] if not call.node else None


def _case(call: Call) -> int | None:
    return rules.of_leg(call.leg)[1] if not call.node else None
