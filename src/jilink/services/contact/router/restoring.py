"""A router that begins, or an engine that is back: rows and legs are made to agree, and whoever waited is where they were."""

from jilink.kernel.errors import Unavailable
from jilink.services.contact.actions import serving
from jilink.services.contact.reads import desk
from jilink.services.contact.router import phones, written
from jilink.services.contact.router.book import Call
from jilink.services.contact.router.router import Router
from jilink.services.contact.router.store import installation, stored
from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules.states import AgentState, ContactState, End
from jilink.spine import calls
from jilink.spine.calls import LegState

LOOK_S = 3.0


async def restore(router: Router) -> None:
    """Read queues, agents and open contacts, and make them agree with what the engines hold."""
    async with router.lock:
        await router.count_arrivals()
        await router.read_queues()
        for place in await stored(desk.places):
            router.seat(place)
        rows = await stored(desk.open_contacts)
        for row in rows:
            call = Call(
                row.id, row.organisation, row.queue, row.channel, row.node, row.leg, row.hop, row.interaction, row.priority,
                row.emergency, row.enqueued_at, ContactState(row.state), "", row.agent, row.agent_leg, row.rings,
                wanted=row.wanted, wanted_until=row.wanted_until, attempts=row.attempts,
            )  # fmt: skip
            router.book.add(call)
        await phones.restore(router)
        await router.flows.restore()
        await router.campaigns.restore()
        await router.beside.restore()
        await agree(router, "", None, End.ABANDONED)  # what no engine knows of
        nodes = {row.node for row in rows if row.node} | {run.node for run in router.flows.runs.values()}
        for node in sorted(nodes | {side.node for side in router.book.sides.values()}):
            await agree(router, node, await _look(router, node), End.ABANDONED)
        await written.look(router)
        for place in sorted(router.places.values(), key=lambda place: place.agent):
            if place.state is AgentState.READY:
                await router.decide(h.Ready(place.agent))


async def node_up(router: Router, fact: calls.NodeUp) -> None:
    """Make the calls of a node agree with what its owner tells."""
    async with router.lock:
        await agree(router, fact.node, fact.legs, End.LOST)


async def agree(router: Router, node: str, legs: tuple[LegState, ...] | None, gone: End) -> None:
    """Make the calls of a node agree with the legs it has; None: it does not say, so all is as it was.

    `gone` is how a caller ended who is not there any more: while the router was away they most likely hung up. Whether an agent's leg
    that was just ordered is there proves nothing: the ring's own time tells.
    """
    there = None if legs is None else {leg.leg: leg for leg in legs}
    for call in sorted((c for c in router.book.calls.values() if c.node == node), key=lambda c: (c.enqueued_at, c.contact)):
        caller = there.get(call.leg) if there is not None else None
        call.caller = call.caller or (caller.caller if caller else "")
        if there is not None and caller is None and call.state is not ContactState.WRAPPING:
            await _lost(router, call, gone)
        else:
            await _go_on(router, call, None if there is None else there.get(call.agent_leg), told=there is not None)
    if there is not None:
        await router.flows.go_on(node, frozenset(there))
        await router.beside.agree(node, there)
    for leg in legs or ():
        known = router.book.of_leg(node, leg.leg) is not None or (node, leg.leg) in router.flows.runs or router.beside.knows(node, leg.leg)
        if leg.origin == "arrived" and leg.answered and not known:
            # somebody who was being told why nobody answers when we were killed
            router.orders.give(f"{node}/{leg.leg}", node, calls.HangUp(leg=leg.leg))


async def _look(router: Router, node: str) -> tuple[LegState, ...] | None:
    try:
        seen = await calls.give(router.spine, node, calls.Look(), timeout_s=LOOK_S)
    except Unavailable:
        return None  # its owner tells with `NodeUp`
    return seen.legs if isinstance(seen, calls.Sight) else None


async def _lost(router: Router, call: Call, gone: End) -> None:
    if call.state is ContactState.TALKING:
        _resume(router, call)
    await router.caller_left(call, gone)


async def _go_on(router: Router, call: Call, agent_leg: LegState | None, *, told: bool) -> None:
    match call.state:
        case ContactState.RINGING if agent_leg is not None and agent_leg.answered:
            _resume(router, call)
            await router.agent_answered(call)
        case ContactState.WAITING | ContactState.RINGING:
            await _wait_again(router, call)
        case ContactState.WRAPPING:
            _resume(router, call)
            router.remind_wrap_up(call)
        case _:
            _resume(router, call)
            if told and agent_leg is None and not call.away:
                await router.agent_left(call)


async def _wait_again(router: Router, call: Call) -> None:
    if router.matcher.state(call.contact):
        return
    if call.state is ContactState.RINGING:
        leg = router.book.unring(call)
        router.orders.give(call.chain, call.node, calls.HangUp(leg=leg))
        call.state = ContactState.WAITING
        now = router.clock()
        await stored(lambda: serving.note_returned(contact=call.contact, missed=False, by=installation(), now=now))
    router.orders.give(call.chain, call.node, calls.Answer(leg=call.leg), calls.Park(leg=call.leg))
    await router.offer(call)


def _resume(router: Router, call: Call) -> None:
    if not router.matcher.state(call.contact):
        router.matcher.handle(h.Resumed(router.work(call), call.agent), router.now_ms())
