"""What agents and supervisors ask about further legs: consultation, putting through, keys, taking over."""

from jilink.core.parties import access, audit
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.services.contact.router import asks
from jilink.services.contact.router.book import Call, Ear
from jilink.services.contact.router.router import TAKE, Router
from jilink.services.contact.router.store import stored
from jilink.services.contact.rules.sides import SideRefused
from jilink.services.contact.rules.states import ContactState
from jilink.spine import calls

HIDDEN = "There is no such thing, or you may not see it."


class Legs:
    """Answers what is asked about further legs."""

    def __init__(self, router: Router) -> None:
        self._router = router

    async def do(self, ask: asks.Beside, by: Actor) -> None:
        """Do it. Raises Refused."""
        router = self._router
        if isinstance(ask, asks.TakeOver):
            await self._take_over(ask, by)
            return
        call = self._talking(ask.contact, by)
        match ask:
            case asks.Consult():
                await router.beside.consult(call, ask.agent, ask.number)
            case asks.PutOn():
                await router.beside.put_on(call, ask.agent, ask.number)
            case asks.SideDeed():
                await router.beside.do(call, ask.deed)
            case asks.SendKeys():
                router.orders.give(call.chain, call.node, calls.SendDigits(leg=call.leg, digits=ask.digits))

    def _talking(self, contact: int, by: Actor) -> Call:
        call = self._router.book.calls.get(contact)
        if call is None or by.user is None or call.agent != by.user or not call.node:
            raise NotFound(HIDDEN)
        if call.state is not ContactState.TALKING:
            raise SideRefused("Nobody talks in this contact now.")
        return call

    async def _take_over(self, ask: asks.TakeOver, by: Actor) -> None:
        router, call = self._router, self._router.book.calls.get(ask.contact)
        access.require(by, Permission.SUPERVISE_QUEUES, call.organisation if call else None)
        place = router.places.get(ask.account)
        if call is None or call.state is not ContactState.TALKING or not call.node or call.agent == ask.account:
            raise SideRefused("Nobody talks in this contact now.")
        if place is None or not place.endpoint:
            raise SideRefused("Begin work at a phone first: it will ring.")
        if router.book.side_of(call.contact) is not None:
            raise SideRefused("They are with somebody else just now; listen until they are back.")
        now = router.clock()
        await stored(lambda: audit.record(by, "call.taken_over", f"contact:{call.contact}", call.organisation, at=now))
        heard = [ear for ear in router.book.ears.values() if (ear.contact, ear.account) == (call.contact, ask.account) and ear.answered]
        if heard:
            router.book.ears.pop((heard[0].node, heard[0].leg))
            await router.beside.hand_to(call, ask.account, heard[0].leg)
            return
        leg = calls.new_id("ear")
        router.book.ears[call.node, leg] = Ear(call.node, leg, call.contact, TAKE, ask.account)
        headers = {"X-Contact": str(call.contact), "X-Listen": TAKE}
        router.orders.give(call.chain, call.node, calls.Dial(leg=leg, endpoint=place.endpoint, caller=call.caller, headers=headers))
