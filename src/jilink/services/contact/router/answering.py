"""What people ask of the router, and whether they may: the door is asked again for each account."""

import msgspec
import structlog

from jilink.core.parties import access, audit
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.services.contact.actions import serving
from jilink.services.contact.reads import desk, mine
from jilink.services.contact.router import asks, recording, written
from jilink.services.contact.router.asks import Answer, Ask
from jilink.services.contact.router.book import Call, Ear
from jilink.services.contact.router.legs import Legs
from jilink.services.contact.router.router import Router
from jilink.services.contact.router.store import installation, stored
from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules.states import AgentState, ContactState
from jilink.spine import calls
from jilink.spine.client import Request

log = structlog.get_logger(__name__)
_ASK: msgspec.json.Decoder[Ask] = msgspec.json.Decoder(Ask)
HIDDEN = "There is no such thing, or you may not see it."


class AskRefused(Refused):
    """It cannot be done with the contact as it is now."""


class Answering:
    """Answers asks one after the other, between the facts of the engines."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._legs = Legs(router)

    async def serve(self, request: Request) -> bytes:
        """Answer one request."""
        try:
            ask = _ASK.decode(request.data)
            async with self._router.lock:
                await self._do(ask)
        except msgspec.DecodeError as error:
            return msgspec.json.encode(Answer(done=False, refusal=f"malformed: {error}"))
        except Refused as error:
            values = {name: value if isinstance(value, int) else str(value) for name, value in error.values.items()}
            return msgspec.json.encode(Answer(done=False, refusal=str(error), message=error.message, values=values))
        return msgspec.json.encode(Answer(done=True))

    async def _do(self, ask: Ask) -> None:
        by = await stored(lambda: access.actor_of_account(ask.account))
        if isinstance(ask, asks.Beside):
            await self._legs.do(ask, by)
        else:
            await self._serve_one(ask, by)

    async def _serve_one(self, ask: asks.Plain, by: Actor) -> None:
        match ask:
            case asks.BeginWork():
                await self._begin(ask, by)
            case asks.SetState():
                await self._set_state(ask, by)
            case asks.WrapUpDone():
                call = self._of_agent(ask.contact, by, ContactState.WRAPPING)
                await self._router.wrapped_up(call, ask.code, ask.note)
            case asks.HoldCall():
                call = self._of_agent(ask.contact, by, ContactState.TALKING)
                self._order(call, calls.Hold(leg=call.leg) if ask.on else calls.Unhold(leg=call.leg))
                await self._note(call, mine.HELD if ask.on else mine.UNHELD)
            case asks.PauseRecording():
                call = self._of_agent(ask.contact, by, ContactState.TALKING)
                self._order(call, calls.PauseRecording(recording=call.recording, leg=call.leg, paused=ask.paused))
                await self._note(call, mine.PAUSED if ask.paused else mine.RESUMED)
            case asks.RecordCall():
                await recording.record(self._router, self._of_agent(ask.contact, by, ContactState.TALKING))
            case asks.Accept() | asks.Decline() | asks.EndCall():
                await self._serve(ask, by)
            case asks.DialShown():
                await self._router.campaigns.dial_shown(ask.target, by)
            case asks.TransferToQueue():
                await self._transfer(ask, by)
            case asks.ListenIn():
                await self._listen(ask, by)
            case asks.Ranked():
                await self._rank(ask, by)

    async def _serve(self, ask: asks.Accept | asks.Decline | asks.EndCall, by: Actor) -> None:
        ends = isinstance(ask, asks.EndCall)
        call = self._of_agent(ask.contact, by, ContactState.TALKING if ends else ContactState.RINGING)
        if ends and not written.is_written(call):
            self._order(call, calls.HangUp(leg=call.leg))
        elif ends:
            await written.end(self._router, call)
        elif not written.is_written(call):
            raise AskRefused("A call is answered at the phone.")
        elif isinstance(ask, asks.Accept):
            await written.accept(self._router, call, by)
        else:
            await written.decline(self._router, call)

    async def _begin(self, ask: asks.BeginWork, by: Actor) -> None:
        now = self._router.clock()
        await stored(
            lambda: serving.begin_work(organisation=ask.organisation, phone=ask.phone, state=ask.state, by=by, now=now, reason=ask.reason)
        )
        await self._seated(ask.account)

    async def _set_state(self, ask: asks.SetState, by: Actor) -> None:
        now = self._router.clock()
        await stored(lambda: serving.set_agent_state(agent=ask.agent, state=ask.state, by=by, now=now, reason=ask.reason))
        await self._seated(ask.agent)

    async def _seated(self, agent: int) -> None:
        router = self._router
        place = await stored(lambda: desk.place(agent))
        if place is None:
            router.places.pop(agent, None)
            await router.decide(h.Left(agent))
            return
        if place.state is not AgentState.READY:
            await router.decide(h.NotReady(agent))
        router.places[agent] = place
        await router.decide(h.Seated(place.seat))
        if place.state is AgentState.READY and not router.beside.is_lent(agent):
            await router.decide(h.Ready(agent))

    async def _transfer(self, ask: asks.TransferToQueue, by: Actor) -> None:
        call = self._of_agent(ask.contact, by, ContactState.TALKING)
        queue = self._router.queues.get(ask.queue)
        if queue is None or queue.organisation != call.organisation:
            raise NotFound(HIDDEN)
        await self._router.move(call, queue)

    async def _listen(self, ask: asks.ListenIn, by: Actor) -> None:
        router, call = self._router, self._supervised(ask.contact, by)
        place = router.places.get(ask.account)
        if call.state is not ContactState.TALKING:
            raise AskRefused("Nobody talks in this contact now.")
        if place is None or not place.endpoint:
            raise AskRefused("Begin work at a phone first: it will ring.")
        now = router.clock()
        await stored(lambda: audit.record(by, "call.heard", f"contact:{call.contact}", call.organisation, detail=ask.mode, at=now))
        leg = calls.new_id("ear")
        router.book.ears[call.node, leg] = Ear(call.node, leg, call.contact, ask.mode, ask.account)
        headers = {"X-Contact": str(call.contact), "X-Listen": ask.mode}
        self._order(call, calls.Dial(leg=leg, endpoint=place.endpoint, caller=call.caller, headers=headers))

    async def _rank(self, ask: asks.Ranked, by: Actor) -> None:
        router, call = self._router, self._supervised(ask.contact, by)
        if call.state is not ContactState.WAITING or not 0 <= ask.priority <= 100 or not ask.reason.strip():
            raise AskRefused("Whoever waits can be given a priority from 0 to 100, with a reason.")
        now = router.clock()
        await stored(lambda: serving.rank(contact=call.contact, priority=ask.priority, reason=ask.reason, by=by, now=now))
        call.priority = ask.priority
        await router.decide(h.Ranked(call.contact, ask.priority))

    async def _note(self, call: Call, what: str) -> None:
        now = self._router.clock()
        await stored(lambda: serving.note_in_call(contact=call.contact, what=what, by=installation(), now=now))

    def _of_agent(self, contact: int, by: Actor, state: ContactState) -> Call:
        call = self._router.book.calls.get(contact)
        if call is None or by.user is None or call.agent != by.user:
            raise NotFound(HIDDEN)
        if call.state is not state:
            raise AskRefused("The contact is %(state)s now.", state=call.state.value)
        return call

    def _supervised(self, contact: int, by: Actor) -> Call:
        call = self._router.book.calls.get(contact)
        access.require(by, Permission.SUPERVISE_QUEUES, call.organisation if call else None)
        if call is None:
            raise NotFound(HIDDEN)
        return call

    def _order(self, call: Call, order: calls.Order) -> None:
        self._router.orders.give(call.chain, call.node, order)
