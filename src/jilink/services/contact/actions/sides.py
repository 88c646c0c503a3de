"""What becomes of second legs: whoever is asked, called in or put through. The router alone writes here."""

from datetime import datetime

from django.db import transaction

from jilink.core.outbox import outbox
from jilink.core.parties.access import Actor, NotFound
from jilink.services.contact.events import DeskChanged
from jilink.services.contact.models import Contact, Side
from jilink.services.contact.rules.sides import Stage

HIDDEN = "There is no such thing, or you may not see it."


@transaction.atomic
def begin_side(
    *,
    organisation: int,
    contact: int | None,
    node: str,
    caller_leg: str,
    agent: int | None,
    stage: Stage,
    by: Actor,
    now: datetime,
) -> tuple[int, bool]:
    """Note a second leg for a caller; return its id and whether it is new: a caller has one at a time. Raises NotFound."""
    _installation(by)
    known = Side.objects.filter(node=node, caller_leg=caller_leg, ended_at=None).first()
    if known is not None:
        return known.pk, False
    row = Side.objects.create(
        organisation_id=organisation, contact_id=contact, node=node, caller_leg=caller_leg, agent_id=agent, stage=stage, begun_at=now
    )
    _tell(row, now)
    return row.pk, True


@transaction.atomic
def set_stage(*, side: int, stage: Stage, by: Actor, now: datetime) -> None:
    """Note what a second leg is at. Raises NotFound."""
    row = _row(side, by)
    if row.ended_at is None:
        row.stage = stage
        row.save(update_fields=["stage"])
        _tell(row, now)


@transaction.atomic
def end_side(*, side: int, by: Actor, now: datetime) -> None:
    """Note that a second leg is over. Raises NotFound."""
    row = _row(side, by)
    if row.ended_at is None:
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        _tell(row, now)


def _tell(row: Side, now: datetime) -> None:
    served = Contact.objects.filter(pk=row.contact_id).values_list("agent", flat=True).first() if row.contact_id else None
    for agent in {served, row.agent_id} - {None}:
        outbox.add(DeskChanged(agent=agent or 0), organisation=row.organisation_id, aggregate=f"desk:{agent}", now=now)


def _row(side: int, by: Actor) -> Side:
    _installation(by)
    row = Side.objects.select_for_update().filter(pk=side).first()
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _installation(by: Actor) -> None:
    if not by.is_installation:
        raise NotFound(HIDDEN)
