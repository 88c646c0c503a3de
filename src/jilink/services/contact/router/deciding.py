"""What the matcher decides and what follows from it: phones that ring, and that stop ringing."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from jilink.services.contact.actions import serving
from jilink.services.contact.reads import desk
from jilink.services.contact.reads.desk import Place, QueueRow
from jilink.services.contact.router.book import Book, Call
from jilink.services.contact.router.orders import Orders
from jilink.services.contact.router.store import installation, stored
from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules import waiting
from jilink.services.contact.rules.floor import shares
from jilink.services.contact.rules.happenings import Decision, QueuePlan, Reserve, Returned, Work
from jilink.services.contact.rules.matcher import Matcher
from jilink.services.contact.rules.needs import need_of
from jilink.services.contact.rules.states import AgentState, ContactState
from jilink.spine import calls
from jilink.spine.client import Spine


class Deciding:
    """Everything in hand, and the matcher's decisions carried out."""

    def __init__(self, spine: Spine, clock: Callable[[], datetime]) -> None:
        self.spine, self.clock = spine, clock
        self.lock = asyncio.Lock()
        self.orders = Orders(spine)
        self.matcher = Matcher()
        self.book = Book()
        self.queues: dict[int, QueueRow] = {}
        self.plans: dict[int, QueuePlan] = {}
        self.arrivals: dict[int, int] = {}
        self.handling: dict[int, float] = {}
        """How long a contact takes in each queue, as its facts tell."""
        self.places: dict[int, Place] = {}

    # agents and queues

    async def read_queues(self) -> None:
        """Read the queues as they are now, and tell the matcher of those that are served in another way."""
        self.queues = await stored(desk.queues)
        parts = shares({queue.id: (self.arrivals.get(queue.id, 0), queue.design.target_s) for queue in self.queues.values()})
        for queue in self.queues.values():
            plan = msgspec.structs.replace(queue.design.plan(queue.id), share=round(parts[queue.id] * queue.design.share, 3))
            if plan != self.plans.get(queue.id):
                self.plans[queue.id] = plan
                await self.decide(h.QueueSet(plan))

    async def count_arrivals(self) -> None:
        """Count who came to each queue within the last hour: the shares follow from it."""
        now = self.clock()
        self.arrivals = await stored(lambda: desk.arrivals_an_hour(now))
        self.handling = await stored(lambda: desk.handling_s(now))

    def seat(self, place: Place) -> None:
        """Let an agent be there; what follows is decided with the next happening."""
        self.places[place.agent] = place
        self.matcher.handle(h.Seated(place.seat), self.now_ms())

    # who waits

    async def offer(self, call: Call) -> None:
        """Let a call wait for an agent; a caller who is to be told that the call is recorded hears so first."""
        if await self.says_first(call):
            return
        design = self.queues[call.queue].design
        waited = (self.clock() - call.enqueued_at).total_seconds()
        if (after := waiting.next_telling_s(design.telling, waited)) is not None:
            self.book.remind(call.enqueued_at + timedelta(seconds=after), "tell", call.contact)
        if design.rule.most_wait_s:
            self.book.remind(call.enqueued_at + timedelta(seconds=design.rule.most_wait_s), "overflow", call.contact)
        await self.decide(h.Offered(self.work(call)))

    async def says_first(self, call: Call) -> bool:
        """Return whether the caller has to hear something before; they are offered after it."""
        return False

    def work(self, call: Call) -> Work:
        """Return a call as the matcher knows it."""
        design = self.queues[call.queue].design if call.queue in self.queues else None
        return Work(
            contact=call.contact,
            queue=call.queue,
            channel=call.channel,
            since_ms=int(call.enqueued_at.timestamp() * 1000),
            need=need_of(call.skills, design.skills if design else ()),
            priority=call.priority,
            emergency=call.emergency,
            sticky=call.wanted,
            sticky_until_ms=int(call.wanted_until.timestamp() * 1000) if call.wanted_until else 0,
        )

    # what the matcher decides

    def now_ms(self) -> int:
        """Return the time as the matcher counts it."""
        return int(self.clock().timestamp() * 1000)

    async def decide(self, happening: h.Happening) -> None:
        """Tell the matcher what happened and carry out what it decides."""
        await self.carry_out(self.matcher.handle(happening, self.now_ms()))

    async def carry_out(self, decisions: list[Decision]) -> None:
        """Let phones ring and stop ringing."""
        for decision in decisions:
            call = self.book.calls.get(decision.contact)
            if isinstance(decision, Returned):
                await self._returned(decision, call)
            elif call is not None:
                await self._ring(decision, call)

    async def _ring(self, decision: Reserve, call: Call) -> None:
        agent, leg, now = decision.agent, f"c{call.contact}r{call.rings + 1}", self.clock()
        await stored(lambda: serving.note_ringing(contact=call.contact, agent=agent, agent_leg=leg, by=installation(), now=now))
        self.book.ring(call, agent, leg)
        call.state = ContactState.RINGING
        queue = self.queues[call.queue]
        headers = {"X-Contact": str(call.contact), "X-Interaction": str(call.interaction or "")}
        if call.at_once:
            headers["X-Answer"] = "now"
        dial = calls.Dial(
            leg=leg,
            endpoint=self.places[agent].endpoint,
            caller=call.caller,
            timeout_s=queue.design.ring_s + 2,
            headers=headers,
            originator=call.leg,
        )

        async def failed(_reason: str) -> None:
            async with self.lock:
                if call.agent_leg == leg and call.state is ContactState.RINGING:
                    await self.decide(h.RingFailed(call.contact))

        self.orders.give(call.chain, call.node, dial, failed=failed)

    async def _returned(self, decision: Returned, call: Call | None) -> None:
        now = self.clock()
        if call is not None:
            leg = self.book.unring(call)
            call.state = ContactState.WAITING
            self.orders.give(call.chain, call.node, calls.HangUp(leg=leg))
            await stored(lambda: serving.note_returned(contact=call.contact, missed=decision.missed, by=installation(), now=now))
        if decision.missed:
            await stored(lambda: serving.set_agent_state(agent=decision.agent, state=AgentState.MISSED, by=installation(), now=now))
            place = await stored(lambda: desk.place(decision.agent))
            if place is not None:
                self.places[decision.agent] = place
