"""Campaigns: numbers are dialled as the pacing says, and whoever answers is with an agent within 2 s or hears who called.

An attempt is a row before it is dialled, and its leg follows from the row: a router that was killed dials nobody again. In previews and
progressive campaigns an agent is kept free for each call by the matcher itself; in predictive ones whoever answers waits in the queue.
Whoever answers is a contact of the campaign's queue like any other, so that everything after is as for a caller.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from django.conf import settings
from django.db import transaction

from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.rules import Channel, Direction
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.ids import OrganisationId, PersonId
from jilink.services.contact.actions import dialling as actions
from jilink.services.contact.actions import serving
from jilink.services.contact.actions.dialling import Placed
from jilink.services.contact.actions.serving import Arrival
from jilink.services.contact.reads import dialling
from jilink.services.contact.reads.desk import Place, QueueRow
from jilink.services.contact.reads.dialling import Outgoing, Running
from jilink.services.contact.reads.outside import WayOut, way_out
from jilink.services.contact.router.book import Book, Call
from jilink.services.contact.router.orders import Orders
from jilink.services.contact.router.store import installation, stored
from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules import pacing, wording
from jilink.services.contact.rules.campaigns import CampaignRefused, mode_now
from jilink.services.contact.rules.happenings import Work
from jilink.services.contact.rules.matcher import Matcher
from jilink.services.contact.rules.pacing import AGENT_WITHIN_S, Mode
from jilink.services.contact.rules.states import ContactState, End
from jilink.services.contact.rules.trunks import TrunkRefused
from jilink.spine import calls

log = structlog.get_logger(__name__)
CALL = "call"
LATE = "campaign"
PRIORITY = 100
MOST_AT_ONCE = 20
LOOK_S = 1.0
GONE = timedelta(seconds=60)
"""So long after a call ought to be over it is taken for lost."""
STOP_KEY = "9"
NO_LINE = 38
"""ITU-T Q.850: network out of order."""


class Floor(Protocol):
    """What is asked of the router."""

    lock: asyncio.Lock
    orders: Orders
    matcher: Matcher
    book: Book
    queues: dict[int, QueueRow]
    places: dict[int, Place]

    def clock(self) -> datetime:
        """Return the time."""

    def now_ms(self) -> int:
        """Return the time as the matcher counts it."""

    def work(self, call: Call) -> Work:
        """Return a call as the matcher knows it."""

    def take_in(self, contact: int, arrival: Arrival, queue: QueueRow, caller: str, now: datetime) -> Call:
        """Note somebody who waits."""

    def decide(self, happening: h.Happening) -> Awaitable[None]:
        """Tell the matcher what happened."""

    def dismiss(self, call: Call, end: End, words: str, language: str) -> Awaitable[None]:
        """Tell somebody why nobody answers, and hang up."""


@dataclass(slots=True)
class _Line:
    """A call that goes out, and the number while it is known."""

    call: Outgoing
    number: str = ""
    abandoned: bool = False


@dataclass(slots=True)
class Campaigning:
    """The calls that go out."""

    floor: Floor
    _lines: dict[tuple[str, str], _Line] = field(default_factory=dict)
    _turn: int = 0

    async def restore(self) -> None:
        """Go on with the calls of a router before: whoever was kept free for one is again."""
        for each in await stored(dialling.outgoing):
            self._lines[each.node, each.leg] = _Line(each, abandoned=each.abandoned)
            if each.agent and each.answered_at is None:
                self._keep(each)
        known = list(self.floor.book.calls)
        for contact in await stored(lambda: dialling.campaign_contacts(known)):
            call = self.floor.book.calls[contact]
            call.at_once = True
            if call.state in (ContactState.WAITING, ContactState.RINGING):
                self.floor.book.remind(self.floor.clock(), LATE, contact)

    async def look(self) -> None:
        """Dial what the campaigns may dial now, and close what was lost."""
        now = self.floor.clock()
        for line in [one for one in self._lines.values() if self._is_lost(one, now)]:
            self.floor.orders.give(_chain(line.call), line.call.node, calls.HangUp(leg=line.call.leg))
            await self._over(line, NO_LINE)
        for campaign in await stored(dialling.running):
            if campaign.queue in self.floor.queues and (agents := await self._agents(campaign, now)):
                node = self._node()
                placed = await stored(_placing(campaign.id, node, agents, now))
                for one in placed:
                    await self._dial(one, campaign)

    async def dial_shown(self, target: int, by: Actor) -> None:
        """Dial the record that an agent looks at. Raises Refused where that may not be now."""
        agent, now, node = by.user or 0, self.floor.clock(), self._node()
        if not self.floor.matcher.is_free(agent, CALL):
            raise CampaignRefused("Be ready, and end what you have in hand, before you call somebody.")
        one = await stored(lambda: actions.place_shown(target=target, node=node, agent=agent, by=installation(), now=now))
        campaign = await stored(lambda: dialling.campaign(one.call.campaign))
        if campaign is None:
            raise NotFound("There is no such thing, or you may not see it.")
        await self._dial(one, campaign)

    # what the engines tell

    async def picked_up(self, fact: calls.LegAnswered) -> bool:
        """Let somebody who answered have an agent; return whether the leg is one of a campaign."""
        line = self._lines.get((fact.node, fact.leg))
        if line is None:
            return False
        call, now = line.call, self.floor.clock()
        queue = self.floor.queues.get(call.queue)
        if call.contact is not None:
            return True  # told again
        if queue is None:
            self.floor.orders.give(_chain(call), call.node, calls.HangUp(leg=call.leg))
            return True
        at = fact.at if timedelta(0) <= now - fact.at < timedelta(seconds=5) else now
        arrival = Arrival(queue=call.queue, channel=CALL, node=call.node, leg=call.leg, priority=PRIORITY)
        contact, taken = await stored(lambda: _take(call, arrival, line.number, at, now))
        if taken is None:
            return True
        line.call = taken
        waiting = self.floor.take_in(contact, arrival, queue, line.number, now)
        waiting.at_once = True
        self.floor.book.remind(at + timedelta(seconds=AGENT_WITHIN_S), LATE, contact)
        work = self.floor.work(waiting)
        await self.floor.decide(h.Handed(work, -call.attempt) if call.agent else h.Offered(work))
        return True

    async def over(self, fact: calls.LegEnded) -> None:
        """Note that a call is over."""
        line = self._lines.get((fact.node, fact.leg))
        if line is not None:
            await self._over(line, fact.cause)

    async def pressed(self, fact: calls.DigitPressed) -> None:
        """Call somebody no more who pressed the key for it after they heard who called."""
        line, now = self._lines.get((fact.node, fact.leg)), self.floor.clock()
        if line is not None and line.abandoned and fact.digit == STOP_KEY:
            attempt = line.call.attempt
            await stored(lambda: actions.note_stop_key(attempt=attempt, by=installation(), now=now))
            self.floor.orders.give(_chain(line.call), line.call.node, calls.HangUp(leg=line.call.leg))

    # what becomes of the contact

    async def connected(self, call: Call) -> None:
        """Note that an agent has somebody whom a campaign called."""
        line, now, agent = self._lines.get((call.node, call.leg)), self.floor.clock(), call.agent
        if call.at_once and line is not None:
            attempt = line.call.attempt
            await stored(lambda: actions.note_connected(attempt=attempt, agent=agent, by=installation(), now=now))

    async def wrapped(self, call: Call, code: str) -> None:
        """Note what the agent chose, from which follows whether they are called again."""
        now = self.floor.clock()
        if call.at_once:
            await stored(lambda: actions.note_code(contact=call.contact, code=code, by=installation(), now=now))

    async def late(self, call: Call) -> None:
        """Tell somebody who called, where no agent was there in time: the call is abandoned, and counts."""
        line, now = self._lines.get((call.node, call.leg)), self.floor.clock()
        if call.state not in (ContactState.WAITING, ContactState.RINGING) or line is None:
            return
        attempt, agent_leg = line.call.attempt, call.agent_leg
        campaign = await stored(lambda: dialling.campaign(line.call.campaign))
        await stored(lambda: actions.note_abandoned(attempt=attempt, by=installation(), now=now))
        line.abandoned = True
        language = campaign.design.language if campaign else "zh"
        who = campaign.design.who.in_(language) if campaign else ""
        await self.floor.dismiss(call, End.ABANDONED, wording.abandoned(who, language), language)
        if agent_leg:
            self.floor.orders.give(f"{call.chain}/agent", call.node, calls.HangUp(leg=agent_leg))
        await self.floor.decide(h.Withdrawn(call.contact))

    # within

    async def _agents(self, campaign: Running, now: datetime) -> list[int]:
        """Return for whom to dial now: an agent to be kept free for each call, or 0."""
        mode = campaign.design.mode
        here = [line for line in self._lines.values() if line.call.queue == campaign.queue]
        lines = min(MOST_AT_ONCE, campaign.design.lines - sum(line.call.campaign == campaign.id for line in here))
        if mode is Mode.PREVIEW or lines <= 0:
            return []
        free = self._free(campaign.queue)
        ringing = sum(line.call.answered_at is None and not line.call.agent for line in here)
        state = pacing.Campaign(free=len(free), busy=0, ringing=ringing, queued=self._queued(campaign.queue))
        if mode is Mode.PREDICTIVE:
            told = await stored(lambda: dialling.standing(campaign.id, now))
            mode = mode_now(mode, told.live, told.abandoned)
            state = pacing.Campaign(
                free=len(free), busy=self._busy(campaign.queue), ringing=ringing, queued=self._queued(campaign.queue),
                answer_rate=told.answer_rate, handling_s=told.handling_s, ring_s=campaign.design.ring_s,
                answered_live=told.live, abandoned=told.abandoned,
            )  # fmt: skip
        count = min(lines, pacing.to_dial(mode, state))
        return [0] * count if mode is Mode.PREDICTIVE else free[:count]

    def _free(self, queue: int) -> list[int]:
        """Return who could take a call of the queue now, another first each time."""
        found = sorted(
            place.agent
            for place in self.floor.places.values()
            if queue in place.seat.queues and self.floor.matcher.is_free(place.agent, CALL)
        )
        self._turn += 1
        turn = self._turn % len(found) if found else 0
        return [*found[turn:], *found[:turn]]

    def _queued(self, queue: int) -> int:
        waiting = (call for call in self.floor.book.calls.values() if call.queue == queue and call.at_once)
        return sum(call.state is ContactState.WAITING for call in waiting)

    def _busy(self, queue: int) -> int:
        held = (ContactState.RINGING, ContactState.TALKING, ContactState.WRAPPING)
        return sum(call.queue == queue and call.state in held for call in self.floor.book.calls.values())

    def _node(self) -> str:
        names = calls.names(settings.JILINK)
        self._turn += 1
        return names[self._turn % len(names)]

    def _keep(self, call: Outgoing) -> None:
        """Keep an agent free for a call: for the matcher they serve something already."""
        work = Work(contact=-call.attempt, queue=call.queue, channel=CALL, since_ms=self.floor.now_ms())
        self.floor.matcher.handle(h.Resumed(work, call.agent), self.floor.now_ms())

    async def _dial(self, one: Placed, campaign: Running) -> None:
        call = one.call
        line = self._lines[call.node, call.leg] = _Line(call, one.number)
        if call.agent:
            self._keep(call)
        way = await stored(lambda: _way(call.organisation, one.number))
        if way is None:
            log.warning("campaign.no_trunk", campaign=call.campaign)
            await self._over(line, NO_LINE)
            return
        order = calls.Dial(
            leg=call.leg, endpoint=way.endpoint, number=way.number, caller=campaign.design.caller or way.caller,
            timeout_s=campaign.design.ring_s,
        )  # fmt: skip

        async def failed(reason: str) -> None:
            log.info("campaign.not_dialled", campaign=call.campaign, reason=reason)
            async with self.floor.lock:
                await self._over(line, NO_LINE)

        self.floor.orders.give(_chain(call), call.node, order, failed=failed)

    async def _over(self, line: _Line, cause: int) -> None:
        call, now = line.call, self.floor.clock()
        if self._lines.pop((call.node, call.leg), None) is None:
            return
        await stored(lambda: actions.note_over(attempt=call.attempt, cause=cause, by=installation(), now=now))
        if call.agent:  # where they answered, `Handed` has ended it already, and this changes nothing
            await self.floor.decide(h.Released(-call.attempt))

    def _is_lost(self, line: _Line, now: datetime) -> bool:
        """Return whether a call ought to be over long since: the end of it was never told."""
        call, known = line.call, self.floor.book.of_leg(line.call.node, line.call.leg)
        if call.answered_at is None:
            return now > call.dialled_at + timedelta(seconds=60) + GONE
        told = (call.node, call.leg) in self.floor.book.dismissed
        talks = known is not None and known.state is not ContactState.WRAPPING
        return not told and not talks and now > call.answered_at + GONE


def _chain(call: Outgoing) -> str:
    return f"{call.node}/{call.leg}"


def _way(organisation: int, number: str) -> WayOut | None:
    try:
        return way_out(organisation, number)
    except TrunkRefused:
        return None


def _placing(campaign: int, node: str, agents: list[int], now: datetime) -> Callable[[], list[Placed]]:
    return lambda: actions.place_calls(campaign=campaign, node=node, agents=agents, by=installation(), now=now)


@transaction.atomic
def _take(call: Outgoing, arrival: Arrival, number: str, at: datetime, now: datetime) -> tuple[int, Outgoing | None]:
    """Add the interaction and the contact of somebody who answered."""
    told = Contact(
        channel=Channel.CALL, direction=Direction.OUT, contact=number, person=PersonId(call.person) if call.person else None,
        source="call", reference=f"{call.node}/{call.leg}",
    )  # fmt: skip
    interaction = interactions.add_interaction(organisation=OrganisationId(call.organisation), contact=told, by=installation(), now=now)
    begun = Arrival(
        queue=arrival.queue, channel=arrival.channel, node=arrival.node, leg=arrival.leg, priority=arrival.priority, interaction=interaction
    )
    contact = serving.enqueue(arrival=begun, by=installation(), now=now)
    return contact, actions.note_picked_up(attempt=call.attempt, contact=contact, by=installation(), now=at)
