"""The router: facts of the engines and asks of people in, orders and rows out. One thing at a time; orders go out beside.

Every row is written before what follows from it is ordered, and ids of legs, talks and plays follow from the contact, so that a router
that was killed reads its rows, looks at what the engines hold (`restoring`), and goes on; facts of the time between come then.
"""

import structlog

from jilink.kernel.errors import Refused
from jilink.services.contact.reads import desk
from jilink.services.contact.router import phones, queueing, recording
from jilink.services.contact.router.store import begin_and_enqueue, begin_interaction, stored
from jilink.services.contact.router.talking import Talking, arrival_of
from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules import wording
from jilink.services.contact.rules.states import ContactState, End
from jilink.services.contact.rules.waiting import Entry
from jilink.spine import calls
from jilink.spine.calls import Fact

log = structlog.get_logger(__name__)
TAKE = "take"
"""Of a supervisor's leg that takes a caller over."""
UNKNOWN_NUMBER = 1
"""ITU-T Q.850: unallocated number."""


class Router(Talking):
    """Everything in hand: filled by `restoring.restore`, told by `take`."""

    async def take(self, fact: Fact) -> None:
        """Do what follows from a fact. One told twice changes nothing."""
        async with self.lock:
            match fact:
                case calls.LegArrived():
                    await self._arrived(fact)
                case calls.LegAnswered():
                    if not await self.campaigns.picked_up(fact):
                        await self._answered(fact.node, fact.leg)
                case calls.LegEnded():
                    await self._ended(fact)
                case calls.DigitPressed():
                    await self.flows.pressed(fact)
                    await recording.pressed(self, fact)
                    await self.campaigns.pressed(fact)
                case calls.RecordingEnded():
                    await self.flows.recorded(fact)
                    await recording.ended(self, fact)
                case calls.PlayEnded():
                    await self.flows.play_ended(fact)
                    await recording.play_ended(self, fact)
                    if self.book.dismissed.get((fact.node, fact.leg)) == fact.play:
                        self.orders.give(f"{fact.node}/{fact.leg}", fact.node, calls.HangUp(leg=fact.leg))
                case calls.PhoneChanged():
                    await phones.changed(self, fact)
                case calls.TransferAsked():
                    await self._transfer_asked(fact)
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
        arrival = arrival_of(queue, fact.node, fact.leg, None)
        contact, came = await stored(lambda: begin_and_enqueue(arrival, queue, fact.caller, reference, asset, now))
        call = self.take_in(contact, came, queue, fact.caller, now)
        if entry is Entry.WAITS:
            self.orders.give(reference, fact.node, calls.Park(leg=fact.leg))
            await self.offer(call)
        else:
            await self.dismiss(call, End.TURNED_AWAY, wording.refusal(entry, queue.design.language), queue.design.language)

    async def _interaction(self, organisation: int, fact: calls.LegArrived) -> int:
        reference, asset, now = f"{fact.node}/{fact.leg}", _vehicle(fact), self.clock()
        return await stored(lambda: begin_interaction(organisation, fact.caller, reference, asset, now))

    async def _answered(self, node: str, leg: str) -> None:
        if (ear := self.book.ears.get((node, leg))) is not None and (call := self.book.calls.get(ear.contact)) is not None:
            ear.answered = True
            if ear.mode == TAKE:
                self.book.ears.pop((node, leg))
                await self.beside.hand_to(call, ear.account, leg)
            elif ear.mode == "barge":
                self.orders.give(call.chain, node, calls.Join(talk=call.talk, legs=(call.leg, call.agent_leg, leg)))
            else:
                hears = calls.Listen(leg=leg, target=call.agent_leg, talk=f"e{leg}", whisper=ear.mode == "whisper")
                self.orders.give(call.chain, node, hears)
            return
        if await self.beside.answered(node, leg):
            return
        call = self.book.of_leg(node, leg)
        if call is not None and leg == call.agent_leg and call.state is ContactState.RINGING:
            await self.agent_answered(call)
        elif call is not None and leg == call.agent_leg and call.away:
            await phones.is_back(self, call)
            self.join(call)

    async def _ended(self, fact: calls.LegEnded) -> None:
        self.book.ears.pop((fact.node, fact.leg), None)
        self.book.dismissed.pop((fact.node, fact.leg), None)
        self.book.announcing.pop((fact.node, fact.leg), None)
        self.book.announced.pop((fact.node, fact.leg), None)
        await self.campaigns.over(fact)
        if await self.beside.ended(fact.node, fact.leg):
            return
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

    async def _transfer_asked(self, fact: calls.TransferAsked) -> None:
        """A desk phone put its caller through (RFC 5589, 6): to an extension, a number of a queue, or a number outside."""
        call, done = self.book.of_leg(fact.node, fact.leg), False
        if call is not None and fact.leg == call.agent_leg and call.state is ContactState.TALKING and fact.target:
            leads = await stored(lambda: desk.leads_to(fact.target))
            queue = self.queues.get(leads[1] or 0) if leads and leads[0] == call.organisation else None
            try:
                await (self.move(call, queue) if queue else self.beside.put_on(call, 0, fact.target))
                done = True
            except Refused as error:
                log.info("transfer.refused", node=fact.node, reason=str(error))
        self.orders.give(f"{fact.node}/{fact.leg}", fact.node, calls.TransferDone(leg=fact.leg, succeeded=done))


def _vehicle(fact: calls.LegArrived) -> int | None:
    """Return the vehicle a call is about, where a trunk's headers say so; phones of ours are not believed."""
    said = fact.headers.get("X-Vehicle", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 and not fact.from_phone else None
