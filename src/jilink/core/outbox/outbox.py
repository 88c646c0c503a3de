"""Writing to the outbox: the only way a fact leaves a transaction."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.outbox.models import DeadLetter, OutboxEvent
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import EventId, OrganisationId, new_event_id
from jilink.spine.events import Event


class NotInTransaction(Refused):
    """An event was added outside a transaction, so it could be lost or told of a change that never happened."""


def add(
    event: Event,
    *,
    organisation: OrganisationId | int,
    aggregate: str,
    now: datetime | None = None,
    not_before: datetime | None = None,
    cause: str = "",
) -> EventId:
    """Add an event to the caller's transaction and return its id.

    Events of one `aggregate` (``asset:12``) are published in the order they were added. With `not_before` the event is a
    timer: it is published then, and holds up no other. Raises NotInTransaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise NotInTransaction(f"{event.NOUN}.{event.NAME} was added outside a transaction")
    moment = now or utc_now()
    identity = new_event_id()
    OutboxEvent.objects.create(
        id=identity,
        noun=event.NOUN,
        name=event.NAME,
        organisation=int(organisation),
        aggregate=aggregate,
        cause=cause,
        payload=msgspec.json.encode(event),
        occurred_at=moment,
        not_before=not_before or moment,
    )
    return identity


def forget(organisations: Sequence[int]) -> int:
    """Remove every event, timer and dead letter of organisations that are removed in this transaction, and return how many events.

    What was not yet published is never told: for organisations that leave nothing behind of which anybody would have to be told.
    """
    DeadLetter.objects.filter(organisation__in=organisations).delete()
    return OutboxEvent.objects.filter(organisation__in=organisations).delete()[0]
