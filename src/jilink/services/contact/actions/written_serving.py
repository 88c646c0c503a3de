"""What becomes of written conversations and of cases while they wait and are served. The router alone writes here."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from jilink.core.interactions.rules import Outcome
from jilink.core.parties.access import Actor, NotFound
from jilink.services.contact.actions import serving, writing
from jilink.services.contact.actions.serving import Arrival
from jilink.services.contact.models import Contact, Conversation, Queue
from jilink.services.contact.rules import written as rules
from jilink.services.contact.rules.design import read_design
from jilink.services.contact.rules.written import Closed, ConversationState

HIDDEN = "There is no such thing, or you may not see it."


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A contact that begins to wait."""

    contact: int
    arrival: Arrival


@transaction.atomic
def take_in(*, conversation: int, by: Actor, now: datetime) -> TakenIn | None:
    """Let a conversation wait in its queue; None where it does not want to any more. Raises NotFound."""
    row = Conversation.objects.select_for_update().filter(pk=conversation).first() if by.is_installation else None
    if row is None:
        raise NotFound(HIDDEN)
    if row.state != ConversationState.WANTING:
        return None
    row.state = rules.move(row.state, ConversationState.GOING)
    row.save(update_fields=["state"])
    taken = _enqueue(row.queue_id, row.channel, rules.leg_of(row.pk), row.interaction, row.opened_at, by, now)
    writing.tell(row, now)
    return taken


@transaction.atomic
def take_in_case(*, case: int, queue: int, by: Actor, now: datetime) -> TakenIn:
    """Let a case wait in a queue. Raises NotFound."""
    return _enqueue(queue, rules.CASE, rules.leg_of_case(case), None, now, by, now)


@transaction.atomic
def unattend(*, conversation: int, by: Actor, now: datetime) -> None:
    """Note that nobody takes a conversation now: whoever wrote is asked to leave a message. Raises NotFound."""
    row = Conversation.objects.select_for_update().filter(pk=conversation).first() if by.is_installation else None
    if row is None:
        raise NotFound(HIDDEN)
    if row.state in (ConversationState.WANTING, ConversationState.GOING):
        row.state = rules.move(row.state, ConversationState.UNATTENDED)
        row.save(update_fields=["state"])
        writing.tell(row, now)


@transaction.atomic
def end_conversation(*, conversation: int, how: Closed, by: Actor, now: datetime) -> None:
    """Close a conversation that an agent ended, or whose writer is gone; one that is closed stays as it is. Raises NotFound."""
    row = Conversation.objects.select_for_update().filter(pk=conversation).first() if by.is_installation else None
    if row is None:
        raise NotFound(HIDDEN)
    if row.state != ConversationState.CLOSED:
        writing.close(row, how, Outcome.UNREACHED if how is Closed.SILENCE else None, now)


@transaction.atomic
def tell_conversation(*, conversation: int, by: Actor, now: datetime) -> None:
    """Tell whoever looks at a conversation that it is otherwise: answered, moved, nearer to the front. Raises NotFound."""
    row = Conversation.objects.filter(pk=conversation).first() if by.is_installation else None
    if row is None:
        raise NotFound(HIDDEN)
    writing.tell(row, now)


def _enqueue(queue: int, channel: str, leg: str, interaction: int | None, since: datetime, by: Actor, now: datetime) -> TakenIn:
    found = Queue.objects.filter(pk=queue, retired_at=None).first()
    if found is None:
        raise NotFound(HIDDEN)
    design = read_design(found.design)
    last = Contact.objects.filter(node="", leg=leg).aggregate(last=Max("hop"))["last"]
    arrival = Arrival(
        queue=queue,
        channel=channel,
        leg=leg,
        hop=0 if last is None else last + 1,
        interaction=interaction,
        priority=design.priority,
        emergency=design.emergency,
        enqueued_at=since,
    )
    return TakenIn(serving.enqueue(arrival=arrival, by=by, now=now), arrival)
