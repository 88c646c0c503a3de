"""Conversations from their beginning to their end: somebody waits, talks with an agent, moves to another queue, is gone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from jilink.services.contact.actions import serving
from jilink.services.contact.actions.serving import Arrival
from jilink.services.contact.reads.desk import QueueRow
from jilink.services.contact.reads.sides import Origin
from jilink.services.contact.router import recording, written
from jilink.services.contact.router.beside import WANTED, Beside
from jilink.services.contact.router.book import Call, Side
from jilink.services.contact.router.campaigning import Campaigning
from jilink.services.contact.router.deciding import Deciding
from jilink.services.contact.router.flowing import Flowing
from jilink.services.contact.router.store import answer, end_interaction, enqueue, installation, stored
from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules import wording
from jilink.services.contact.rules.states import ContactState, End
from jilink.spine import calls
from jilink.spine.client import Spine

CALL = "call"


class Talking(Deciding):
    """What becomes of a caller."""

    def __init__(self, spine: Spine, clock: Callable[[], datetime]) -> None:
        super().__init__(spine, clock)
        self.flows = Flowing(self)
        self.beside = Beside(self)
        self.campaigns = Campaigning(self)

    # they wait

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
        arrival = replace(arrival_of(queue, node, leg, interaction, hop=hop), priority=max(priority, queue.design.priority))
        call = await self._enqueue(arrival, queue, caller, self.clock())
        call.skills = skills
        self.orders.give(call.chain, node, calls.Park(leg=leg))
        await self.offer(call)
        return call

    async def _enqueue(self, arrival: Arrival, queue: QueueRow, caller: str, now: datetime) -> Call:
        contact, came = await stored(lambda: enqueue(arrival, queue.design.sticky_s, now))
        return self.take_in(contact, came, queue, caller, now)

    def take_in(self, contact: int, arrival: Arrival, queue: QueueRow, caller: str, now: datetime) -> Call:
        """Note somebody who waits."""
        call = Call(
            contact, queue.organisation, queue.id, arrival.channel, arrival.node, arrival.leg, arrival.hop, arrival.interaction,
            arrival.priority, arrival.emergency, arrival.enqueued_at or now, caller=caller,
            wanted=arrival.wanted, wanted_until=arrival.wanted_until,
        )  # fmt: skip
        self.book.add(call)
        return call

    async def give_up(self, call: Call, end: End) -> None:
        """Let somebody wait no more; their leg stays."""
        agent_leg = call.agent_leg
        await self._note_left(call, end)
        self.book.forget(call)
        if agent_leg:
            self.orders.give(call.chain, call.node, calls.HangUp(leg=agent_leg))
        await self.decide(h.Withdrawn(call.contact))

    async def says_first(self, call: Call) -> bool:
        """Tell whoever is recorded so, in the language that they speak in their flow."""
        run = self.flows.runs.get((call.node, call.leg))
        return await recording.announces(self, call, run.view.id if run else None)

    # they talk

    async def agent_answered(self, call: Call) -> None:
        """The agent picked up: caller and agent hear each other."""
        now, agent = self.clock(), call.agent
        self.join(call)  # before the row is written: killed between, the agent's answered leg says that they talk
        await stored(lambda: answer(call.contact, call.interaction, agent, now))
        call.state = ContactState.TALKING
        self.matcher.handle(h.Answered(call.contact), self.now_ms())
        await self.flows.connected(call)
        await self.campaigns.connected(call)
        await recording.began(self, call)

    def join(self, call: Call) -> None:
        """Let caller and agent hear each other."""
        leg = call.agent_leg

        async def failed(_reason: str) -> None:  # nobody is left in silence: both are hung up on, and the end of each is told
            self.orders.give(f"{call.chain}/end", call.node, calls.HangUp(leg=call.leg))
            self.orders.give(f"{call.chain}/end", call.node, calls.HangUp(leg=leg))

        self.orders.give(call.chain, call.node, calls.Join(talk=call.talk, legs=(call.leg, leg)), failed=failed)

    # they are gone

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
            recording.parted(self, call)
            self.remind_wrap_up(call)

    def remind_wrap_up(self, call: Call) -> None:
        """Let the wrap-up end by itself in its time."""
        queue = self.queues.get(call.queue)
        self.book.remind(self.clock() + timedelta(seconds=queue.design.wrap_up_s if queue else 0), "wrapped", call.contact)

    async def wrapped_up(self, call: Call, code: str = "", note: str = "") -> None:
        """The agent is done with it and free again."""
        now = self.clock()
        await stored(lambda: serving.wrap_up(contact=call.contact, code=code, note=note, by=installation(), now=now))
        await self.campaigns.wrapped(call, code)
        self.book.forget(call)
        await self.decide(h.Released(call.contact))

    async def dismiss(self, call: Call, end: End, words: str, language: str) -> None:
        """Tell a caller why nobody answers, and hang up."""
        if written.is_written(call):
            return await written.turned_away(self, call, end)
        await self._note_left(call, end)
        self.book.forget(call)
        play = f"d{call.contact}"
        self.book.dismissed[call.node, call.leg] = play
        speech = calls.Speech(text=words, language=wording.spoken_language(language))

        async def hang_up(_reason: str) -> None:
            self.orders.give(f"{call.chain}/end", call.node, calls.HangUp(leg=call.leg))

        self.orders.give(call.chain, call.node, calls.Play(leg=call.leg, play=play, pieces=(speech,)), failed=hang_up)

    async def move(self, call: Call, queue: QueueRow, *, wanted: int = 0) -> None:
        """Let a caller wait in another queue with the time they have waited; an agent who has them wraps up.

        They wait for the agent `wanted` before all others.
        """
        since = call.enqueued_at if call.state is ContactState.WAITING else None
        waits, agent_leg = call.state is ContactState.WAITING, call.agent_leg
        await self.note_moved(call)
        arrival = arrival_of(queue, call.node, call.leg, call.interaction, hop=call.hop + 1, since=since)
        arrival = replace(arrival, channel=call.channel)
        if waits:
            self.book.forget(call)
            await self.decide(h.Withdrawn(call.contact))
        other = await self._enqueue(arrival, queue, call.caller, self.clock())
        self.flows.moved(call, other)
        self.orders.give(call.chain, call.node, calls.Park(leg=call.leg))
        if agent_leg:
            self.orders.give(call.chain, call.node, calls.HangUp(leg=agent_leg))
        await self.offer(other)

    async def wait_again(self, queue: QueueRow, side: Side, origin: Origin) -> Call:
        """Let a caller who was put through in vain wait in their queue again, for the agent they had before all others."""
        arrival = arrival_of(queue, side.node, side.caller_leg, origin.interaction, hop=origin.hop + 1)
        arrival = replace(arrival, wanted=origin.agent, wanted_until=self.clock() + WANTED)
        call = await self._enqueue(arrival, queue, "", self.clock())
        if (run := self.flows.runs.get((call.node, call.leg))) is not None:
            run.contact, run.hops = call.contact, call.hop + 1
        self.orders.give(call.chain, call.node, calls.Park(leg=call.leg))
        await self.offer(call)
        return call

    async def record_again(self, call: Call, other: Call) -> None:
        """Let one recording end and the next agent's begin, where the queue records."""
        recording.parted(self, call)
        await recording.began(self, other)

    async def put_through(self, organisation: int, node: str, leg: str, caller: str, number: str, timeout_s: int) -> bool:
        """Put a caller of a flow through to a number. Return whether it is tried."""
        return await self.beside.put_through(organisation, node, leg, caller, number, timeout_s)

    async def note_moved(self, call: Call) -> None:
        """Note that a caller goes elsewhere; an agent who had them wraps up."""
        now = self.clock()
        call.state = await stored(lambda: serving.note_left(contact=call.contact, end=End.MOVED, by=installation(), now=now))
        if call.state is ContactState.WRAPPING:
            recording.parted(self, call)
            self.remind_wrap_up(call)


def arrival_of(queue: QueueRow, node: str, leg: str, interaction: int | None, *, hop: int = 0, since: datetime | None = None) -> Arrival:
    """Return somebody who comes to a queue by telephone."""
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
