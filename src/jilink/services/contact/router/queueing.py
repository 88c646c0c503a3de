"""Whether a queue takes one more, and what those who wait are told."""

from datetime import datetime, timedelta
from typing import Protocol

import structlog

from jilink.kernel.errors import Refused
from jilink.services.contact.reads import desk
from jilink.services.contact.reads.desk import Place, QueueRow
from jilink.services.contact.router.book import Book, Call
from jilink.services.contact.router.orders import Orders
from jilink.services.contact.router.store import stored
from jilink.services.contact.rules import waiting, wording
from jilink.services.contact.rules.matcher import Matcher
from jilink.services.contact.rules.states import AgentState
from jilink.services.contact.rules.waiting import Entry
from jilink.spine import calls

log = structlog.get_logger(__name__)
CALL = "call"


class Floor(Protocol):
    """What is asked of the router."""

    matcher: Matcher
    book: Book
    orders: Orders
    places: dict[int, Place]
    handling: dict[int, float]

    def clock(self) -> datetime:
        """Return the time."""


async def entry(floor: Floor, queue: QueueRow) -> Entry:
    """Return whether a queue takes one more now. A calendar that does not tell counts as open, and is logged."""
    now, design = floor.clock(), queue.design
    try:
        is_open = not design.calendar or await stored(lambda: desk.is_open(queue.organisation, design.calendar, now))
    except Refused as error:
        log.error("queue.calendar", queue=queue.id, reason=str(error))
        is_open = True
    staff, length = staffing(floor, queue), len(floor.matcher.order(queue.id))
    return waiting.entry(
        design.rule,
        is_open=is_open,
        waiting=length,
        staffed=bool(staff.agents),
        expected_s=waiting.expected_wait_s(length + 1, staff),
        emergency=design.emergency,
    )


def staffing(floor: Floor, queue: QueueRow) -> waiting.Serving:
    """Return who serves a queue now: an agent counts for each queue they serve with an equal part."""
    mine = [place for place in floor.places.values() if queue.id in place.seat.queues and place.state is not AgentState.OFF]
    free = sum(floor.matcher.is_free(place.agent, CALL) for place in mine)
    parts = sum(1 / len(place.seat.queues) for place in mine)
    handling = floor.handling.get(queue.id, waiting.Serving(agents=0).handling_s)
    return waiting.Serving(agents=len(mine), share=parts / len(mine) if mine else 0.0, handling_s=handling, free=free)


def tell(floor: Floor, call: Call, queue: QueueRow, now: datetime) -> None:
    """Tell somebody who waits where they stand, and note when to tell them again."""
    design, position = queue.design, floor.matcher.position(call.contact)
    wait = waiting.expected_wait_s(position, staffing(floor, queue)) if design.telling.wait else None
    waited = (now - call.enqueued_at).total_seconds()
    if design.telling.position and position:
        words = wording.place_in_line(position, None if wait is None else waiting.told_minutes(wait), design.language)
        speech = calls.Speech(text=words, language=wording.spoken_language(design.language))
        play = calls.Play(leg=call.leg, play=f"p{call.contact}-{int(waited)}", pieces=(speech,))
        floor.orders.give(f"{call.chain}/told", call.node, play)
    after = waiting.next_telling_s(design.telling, waited)
    if after is not None:
        floor.book.remind(call.enqueued_at + timedelta(seconds=after), "tell", call.contact)
