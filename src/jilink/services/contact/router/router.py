"""The router: facts of the engines and asks of people in, orders and rows out. One thing at a time; orders go out beside.

Every row is written before what follows from it is ordered, and ids of legs, talks and plays follow from the contact, so that a router
that was killed reads its rows, looks at what the engines hold (`restoring`), and goes on; facts of the time between come then.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import structlog

from jilink.services.contact.actions import serving
from jilink.services.contact.actions.serving import Arrival
from jilink.services.contact.reads import desk
from jilink.services.contact.reads.desk import Place, QueueRow
from jilink.services.contact.router import phones, queueing
from jilink.services.contact.router.book import Book, Call
from jilink.services.contact.router.flowing import Flowing
from jilink.services.contact.router.orders import Orders
from jilink.services.contact.router.store import answer, begin_and_enqueue, begin_interaction, end_interaction, installation, stored
from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules import waiting, wording
from jilink.services.contact.rules.design import Recording
from jilink.services.contact.rules.floor import shares
from jilink.services.contact.rules.happenings import Decision, QueuePlan, Reserve, Returned, Work
from jilink.services.contact.rules.matcher import Matcher
from jilink.services.contact.rules.needs import need_of
from jilink.services.contact.rules.states import AgentState, ContactState, End
from jilink.services.contact.rules.waiting import Entry
from jilink.spine import calls
from jilink.spine.calls import Fact
from jilink.spine.client import Spine

log = structlog.get_logger(__name__)
CALL = "call"
UNKNOWN_NUMBER = 1
"""ITU-T Q.850: unallocated number."""


class Router:
    """Everything in hand: filled by `restoring.restore`, told by `take`."""

    def __init__(self, spine: Spine, clock: Callable[[], datetime]) -> None:
        self.spine, self.clock = spine, clock
        self.lock = asyncio.Lock()
        self.orders = Orders(spine)
        self.matcher = Matcher()
        self.book = Book()
        self.queues: dict[int, QueueRow] = {}
        self.plans: dict[int, QueuePlan] = {}
        self.arrivals: dict[int, int] = {}
        self.places: dict[int, Place] = {}
        self.flows = Flowing(self)

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

    def seat(self, place: Place) -> None:
        """Let an agent be there; what follows is decided with the next happening."""
        self.places[place.agent] = place
        self.matcher.handle(h.Seated(place.seat), self.now_ms())

    # what the engines tell

    async def take(self, fact: Fact) -> None:
        """Do what follows from a fact. One told twice changes nothing."""
        async with self.lock:
            match fact:
                case calls.LegArrived():
                    await self._arrived(fact)
                case calls.LegAnswered():
                    await self._answered(fact.node, fact.leg)
                case calls.LegEnded():
                    await self._ended(fact)
                case calls.DigitPressed():
                    await self.flows.pressed(fact)
                case calls.RecordingEnded():
                    await self.flows.recorded(fact)
                case calls.PlayEnded():
                    await self.flows.play_ended(fact)
                    if self.book.dismissed.get((fact.node, fact.leg)) == fact.play:
                        self.orders.give(f"{fact.node}/{fact.leg}", fact.node, calls.HangUp(leg=fact.leg))
                case calls.PhoneChanged():
                    await phones.changed(self, fact)
                case calls.TransferAsked():
                    self.orders.give(fact.leg, fact.node, calls.TransferDone(leg=fact.leg, succeeded=False))
                case _:
                    pass

    async def _arrived(self, fact: calls.LegArrived) -> None:
        if self.book.of_leg(fact.node, fact.leg) is not None or (fact.node, fact.leg) in self.flows.runs:
            return
        leads = await stored(lambda: None if desk.is_known(fact.node, fact.leg) else (desk.leads_to(fact.dialled) or (0, None, "")))
        if leads is None:
            return  # told again, of a call that is over
        if leads[2]:
            interaction = await self._interaction(leads[0], fact)
            await self.flows.begin(fact, leads[0], leads[2], interaction)
            return
        queue = self.queues.get(leads[1]) if leads[1] is not None else None
        if queue is None:
            log.info("call.leads_nowhere", node=fact.node)
            self.orders.give(f"{fact.node}/{fact.leg}", fact.node, calls.HangUp(leg=fact.leg, cause=UNKNOWN_NUMBER))
            return
        reference, asset, now = f"{fact.node}/{fact.leg}", _vehicle(fact), self.clock()
        self.orders.give(reference, fact.node, calls.Answer(leg=fact.leg))
        entry = await queueing.entry(self, queue)
        arrival = _arrival(queue, fact.node, fact.leg, None)
        contact, interaction = await stored(lambda: begin_and_enqueue(arrival, queue.organisation, fact.caller, reference, asset, now))
        call = self._take_in(contact, replace(arrival, interaction=interaction), queue, fact.caller, now)
        if entry is Entry.WAITS:
            self.orders.give(reference, fact.node, calls.Park(leg=fact.leg))
            await self.offer(call)
        else:
            await self.dismiss(call, End.TURNED_AWAY, wording.refusal(entry, queue.design.language), queue.design.language)

    async def _interaction(self, organisation: int, fact: calls.LegArrived) -> int:
        reference, asset, now = f"{fact.node}/{fact.leg}", _vehicle(fact), self.clock()
        return await stored(lambda: begin_interaction(organisation, fact.caller, reference, asset, now))

    async def queue_up(
        self,
        queue: QueueRow,
        node: str,
        leg: str,
        interaction: int | None,
        caller: str,
        *,
        hop: int,
        priority: int,
        skills: tuple[str, ...],
    ) -> Call:
        """Let a caller of a flow wait in a queue."""
        arrival = replace(_arrival(queue, node, leg, interaction, hop=hop), priority=max(priority, queue.design.priority))
        call = await self._enqueue(arrival, queue, caller, self.clock())
        call.skills = skills
        self.orders.give(call.chain, node, calls.Park(leg=leg))
        await self.offer(call)
        return call

    async def give_up(self, call: Call, end: End) -> None:
        """Let somebody wait no more; their leg stays."""
        agent_leg = call.agent_leg
        await self._note_left(call, end)
        self.book.forget(call)
        if agent_leg:
            self.orders.give(call.chain, call.node, calls.HangUp(leg=agent_leg))
        await self.decide(h.Withdrawn(call.contact))

    async def _enqueue(self, arrival: Arrival, queue: QueueRow, caller: str, now: datetime) -> Call:
        contact = await stored(lambda: serving.enqueue(arrival=arrival, by=installation(), now=now))
        return self._take_in(contact, arrival, queue, caller, now)

    def _take_in(self, contact: int, arrival: Arrival, queue: QueueRow, caller: str, now: datetime) -> Call:
        call = Call(
            contact, queue.organisation, queue.id, arrival.channel, arrival.node, arrival.leg, arrival.hop, arrival.interaction,
            arrival.priority, arrival.emergency, arrival.enqueued_at or now, caller=caller,
        )  # fmt: skip
        self.book.add(call)
        return call

    async def offer(self, call: Call) -> None:
        """Let a call wait for an agent."""
        design = self.queues[call.queue].design
        waited = (self.clock() - call.enqueued_at).total_seconds()
        if (after := waiting.next_telling_s(design.telling, waited)) is not None:
            self.book.remind(call.enqueued_at + timedelta(seconds=after), "tell", call.contact)
        if design.rule.most_wait_s:
            self.book.remind(call.enqueued_at + timedelta(seconds=design.rule.most_wait_s), "overflow", call.contact)
        await self.decide(h.Offered(self.work(call)))

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
        )

    async def _answered(self, node: str, leg: str) -> None:
        if (ear := self.book.ears.get((node, leg))) is not None and (call := self.book.calls.get(ear.contact)) is not None:
            if ear.mode == "barge":
                self.orders.give(call.chain, node, calls.Join(talk=call.talk, legs=(call.leg, call.agent_leg, leg)))
            else:
                hears = calls.Listen(leg=leg, target=call.agent_leg, talk=f"e{leg}", whisper=ear.mode == "whisper")
                self.orders.give(call.chain, node, hears)
            return
        call = self.book.of_leg(node, leg)
        if call is not None and leg == call.agent_leg and call.state is ContactState.RINGING:
            await self.agent_answered(call)
        elif call is not None and leg == call.agent_leg and call.away:
            phones.is_back(call)
            self._join(call)

    async def agent_answered(self, call: Call) -> None:
        """The agent picked up: caller and agent hear each other."""
        now, agent = self.clock(), call.agent
        self._join(call)  # before the row is written: killed between, the agent's answered leg says that they talk
        await stored(lambda: answer(call.contact, call.interaction, agent, now))
        call.state = ContactState.TALKING
        self.matcher.handle(h.Answered(call.contact), self.now_ms())
        await self.flows.connected(call)
        if self.queues[call.queue].design.recording is Recording.ALL:
            self.orders.give(call.chain, call.node, calls.Record(recording=call.recording, leg=call.leg))

    def _join(self, call: Call) -> None:
        leg = call.agent_leg

        async def failed(_reason: str) -> None:  # nobody is left in silence: both are hung up on, and the end of each is told
            self.orders.give(f"{call.chain}/end", call.node, calls.HangUp(leg=call.leg))
            self.orders.give(f"{call.chain}/end", call.node, calls.HangUp(leg=leg))

        self.orders.give(call.chain, call.node, calls.Join(talk=call.talk, legs=(call.leg, leg)), failed=failed)

    async def _ended(self, fact: calls.LegEnded) -> None:
        self.book.ears.pop((fact.node, fact.leg), None)
        self.book.dismissed.pop((fact.node, fact.leg), None)
        call = self.book.of_leg(fact.node, fact.leg)
        if call is None or fact.leg == call.leg:
            await self.flows.gone(fact.node, fact.leg)
        if call is None:
            return
        if fact.leg == call.leg:
            await self.caller_left(call, End.LOST if fact.cause == 0 else End.ABANDONED)
        elif call.state is ContactState.RINGING:
            await self.decide(h.RingFailed(call.contact))
        elif call.state is ContactState.TALKING and not call.away:
            await self.agent_left(call)

    async def caller_left(self, call: Call, end: End) -> None:
        """The caller is gone: who talked to them wraps up, nobody else waits for them."""
        was = call.state
        if was is ContactState.WRAPPING:
            return
        await self._note_left(call, end)
        if was in (ContactState.RINGING, ContactState.TALKING):
            self.orders.give(call.chain, call.node, calls.HangUp(leg=call.agent_leg))
        if was is not ContactState.TALKING:
            self.book.forget(call)
            await self.decide(h.Withdrawn(call.contact))

    async def agent_left(self, call: Call) -> None:
        """The agent hung up: the conversation is over."""
        await self._note_left(call, End.SERVED)
        if not await self.flows.parted(call):
            self.orders.give(call.chain, call.node, calls.HangUp(leg=call.leg))

    async def _note_left(self, call: Call, end: End) -> None:
        now, answered = self.clock(), call.state is ContactState.TALKING
        call.state = await stored(lambda: serving.note_left(contact=call.contact, end=end, by=installation(), now=now))
        if (call.node, call.leg) not in self.flows.runs:
            await stored(lambda: end_interaction(call.interaction, answered=answered, now=now))
        if call.state is ContactState.WRAPPING:
            self.remind_wrap_up(call)

    def remind_wrap_up(self, call: Call) -> None:
        """Let the wrap-up end by itself in its time."""
        queue = self.queues.get(call.queue)
        self.book.remind(self.clock() + timedelta(seconds=queue.design.wrap_up_s if queue else 0), "wrapped", call.contact)

    async def wrapped_up(self, call: Call, code: str = "", note: str = "") -> None:
        """The agent is done with it and free again."""
        now = self.clock()
        await stored(lambda: serving.wrap_up(contact=call.contact, code=code, note=note, by=installation(), now=now))
        self.book.forget(call)
        await self.decide(h.Released(call.contact))

    async def dismiss(self, call: Call, end: End, words: str, language: str) -> None:
        """Tell a caller why nobody answers, and hang up."""
        await self._note_left(call, end)
        self.book.forget(call)
        play = f"d{call.contact}"
        self.book.dismissed[call.node, call.leg] = play
        speech = calls.Speech(text=words, language=wording.spoken_language(language))

        async def hang_up(_reason: str) -> None:
            self.orders.give(f"{call.chain}/end", call.node, calls.HangUp(leg=call.leg))

        self.orders.give(call.chain, call.node, calls.Play(leg=call.leg, play=play, pieces=(speech,)), failed=hang_up)

    async def move(self, call: Call, queue: QueueRow) -> None:
        """Let a caller wait in another queue with the time they have waited; an agent who has them wraps up."""
        since = call.enqueued_at if call.state is ContactState.WAITING else None
        waits, agent_leg = call.state is ContactState.WAITING, call.agent_leg
        await self._note_moved(call)
        arrival = _arrival(queue, call.node, call.leg, call.interaction, hop=call.hop + 1, since=since)
        if waits:
            self.book.forget(call)
            await self.decide(h.Withdrawn(call.contact))
        other = await self._enqueue(arrival, queue, call.caller, self.clock())
        self.flows.moved(call, other)
        self.orders.give(call.chain, call.node, calls.Park(leg=call.leg))
        if agent_leg:
            self.orders.give(call.chain, call.node, calls.HangUp(leg=agent_leg))
        await self.offer(other)

    async def _note_moved(self, call: Call) -> None:
        now = self.clock()
        call.state = await stored(lambda: serving.note_left(contact=call.contact, end=End.MOVED, by=installation(), now=now))
        if call.state is ContactState.WRAPPING:
            self.remind_wrap_up(call)

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


def _arrival(queue: QueueRow, node: str, leg: str, interaction: int | None, *, hop: int = 0, since: datetime | None = None) -> Arrival:
    return Arrival(
        queue=queue.id,
        channel=CALL,
        node=node,
        leg=leg,
        hop=hop,
        interaction=interaction,
        priority=queue.design.priority,
        emergency=queue.design.emergency,
        enqueued_at=since,
    )


def _vehicle(fact: calls.LegArrived) -> int | None:
    """Return the vehicle a call is about, where a trunk's headers say so; phones of ours are not believed."""
    said = fact.headers.get("X-Vehicle", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 and not fact.from_phone else None
