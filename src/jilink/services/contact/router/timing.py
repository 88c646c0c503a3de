"""What is due: rings that nobody answers, wrap-ups that are over, announcements, waits that were long enough."""

from datetime import datetime, timedelta

from jilink.services.contact.router import phones, queueing
from jilink.services.contact.router.book import Call
from jilink.services.contact.router.campaigning import LATE
from jilink.services.contact.router.router import Router
from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules import wording
from jilink.services.contact.rules.states import ContactState, End
from jilink.services.contact.rules.waiting import Entry

AFTER_RINGING = timedelta(seconds=2)
"""What is due while it rings is looked at again then."""


async def tick(router: Router) -> None:
    """Do what is due."""
    async with router.lock:
        now, due = router.clock(), router.matcher.next_due()
        if due is not None and due <= router.now_ms():
            await router.decide(h.Tick())
        for what, contact in router.book.due(now):
            call = router.book.calls.get(contact)
            if call is not None:
                await _remind(router, what, call, now)
            elif what.startswith("flow "):
                await router.flows.silent(what)


async def _remind(router: Router, what: str, call: Call, now: datetime) -> None:
    queue = router.queues.get(call.queue)
    if what == "wrapped":
        await router.wrapped_up(call)
    elif what == "away":
        await phones.still_away(router, call)
    elif what == LATE:
        await router.campaigns.late(call)
    elif call.state is ContactState.RINGING:
        router.book.remind(now + AFTER_RINGING, what, call.contact)
    elif queue is None or call.state is not ContactState.WAITING:
        return
    elif what == "tell":
        queueing.tell(router, call, queue, now)
    elif await router.flows.waited(call) or what == "waited":
        return
    else:
        name = (call.organisation, queue.design.overflow_to)
        to = next((one for one in router.queues.values() if (one.organisation, one.key) == name), None)
        if to is not None:
            await router.move(call, to)
        else:
            await router.decide(h.Withdrawn(call.contact))
            await router.dismiss(call, End.OVERFLOWED, wording.refusal(Entry.FULL, queue.design.language), queue.design.language)
