"""What the router asks of written conversations and of cases: no wall is asked, whoever calls stands on no side of any."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from jilink.core.cases import reads as cases
from jilink.core.cases.reads import Filter, Whose
from jilink.core.cases.rules.workflow import State
from jilink.core.parties import access
from jilink.services.contact.models import Capacity, CaseFeed, Contact, Conversation
from jilink.services.contact.rules import written as rules
from jilink.services.contact.rules.states import OPEN
from jilink.services.contact.rules.written import Closed, ConversationState

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Wanting:
    """A conversation that the router is to take in."""

    id: int
    queue: int
    channel: str
    gone: bool
    """Whoever wrote has closed the page."""


@dataclass(frozen=True, slots=True)
class Left:
    """A conversation that waits, or is with an agent, and was closed by its writer."""

    contact: int
    conversation: int


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A new case that nobody has and that is in no queue."""

    case: int
    queue: int


def wanting(now: datetime) -> list[Wanting]:
    """Return what the router is to take in, the first that began first."""
    rows = Conversation.objects.filter(state=ConversationState.WANTING).order_by("opened_at", "pk")[:AT_ONCE]
    return [Wanting(row.pk, row.queue_id, row.channel, row.channel == rules.CHAT and row.seen_at < now - rules.GONE) for row in rows]


def silent(now: datetime) -> list[int]:
    """Return conversations that nobody attends to and whose page is gone."""
    rows = Conversation.objects.filter(state=ConversationState.UNATTENDED, channel=rules.CHAT, seen_at__lt=now - rules.GONE)
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def left(conversations: Iterable[int], now: datetime) -> dict[int, Closed]:
    """Return which of the conversations were closed by whoever wrote, or whose page is gone."""
    found: dict[int, Closed] = {}
    rows = Conversation.objects.filter(pk__in=list(conversations)).values_list("pk", "state", "channel", "seen_at")
    for key, state, channel, seen_at in rows:
        if state == ConversationState.CLOSED:
            found[key] = Closed.VISITOR
        elif channel == rules.CHAT and seen_at < now - rules.GONE:
            found[key] = Closed.SILENCE
    return found


def waiting_cases(now: datetime) -> list[WaitingCase]:
    """Return the new cases that belong into queues and are in none, the oldest first."""
    by, found = access.system("router"), []
    for feed in CaseFeed.objects.filter(queue__retired_at=None).order_by("pk"):
        types = cases.types_in_use(by, feed.organisation_id)
        if feed.type_key not in types:
            continue
        first = types[feed.type_key].stages[0].key
        wanted = Filter(
            states=(State.OPEN.value,), whose=Whose.UNASSIGNED, types=(feed.type_key,), stages=(first,),
            organisations=(feed.organisation_id,), opened_from=feed.since,
        )  # fmt: skip
        rows = cases.cases(by, wanted, now=now, limit=AT_ONCE, order=cases.Order.OLDEST).rows
        legs = {rules.leg_of_case(row.id): row.id for row in rows}
        known = set(Contact.objects.filter(node="", leg__in=list(legs), state__in=OPEN).values_list("leg", flat=True))
        found += [WaitingCase(case, feed.queue_id) for leg, case in legs.items() if leg not in known]
    return found


def taken_cases(held: Iterable[int], now: datetime) -> set[int]:
    """Return which of the cases somebody has by now, or are over."""
    keys = list(held)
    rows = cases.rows_of(access.system("router"), keys, now=now) if keys else ()
    free = {row.id for row in rows if row.open and row.assignee is None}
    return set(keys) - free


def capacity(organisation: int, user: int) -> dict[str, int]:
    """Return what is set of how many an agent has at once, by channel."""
    rows = Capacity.objects.filter(organisation_id=organisation).order_by("user_id")
    found: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: row.user_id is not None):
        if row.user_id in (None, user):
            found[row.channel] = row.most
    return found
