"""The database as the router uses it: each call in a thread, with a connection of its own, as the installation."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import close_old_connections, transaction

from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.rules import Channel, Outcome
from jilink.core.parties import access
from jilink.core.parties.access import NotFound
from jilink.core.parties.people.rules import ContactRefused
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AssetId, InteractionId, OrganisationId
from jilink.services.contact.actions import serving
from jilink.services.contact.actions.serving import Arrival
from jilink.services.contact.reads import desk
from jilink.services.contact.reads.desk import QueueRow

T = TypeVar("T")
_ENDS = {True: Outcome.ANSWERED, False: Outcome.ABANDONED}


def installation() -> access.Actor:
    """Return as whom the router writes."""
    return access.system("router")


async def stored(work: Callable[[], T]) -> T:
    """Return what comes of work that reads or writes the database."""
    return await asyncio.to_thread(_run, work)


def _run(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


def begin_interaction(organisation: int, caller: str, reference: str, asset: int | None, now: datetime) -> int:
    """Add the interaction of a call and return its id. A number that is none, or a vehicle that is not theirs, is left out."""
    by, place = access.system("router"), OrganisationId(organisation)
    channel = Channel.BUTTON if asset is not None else Channel.CALL
    told = Contact(channel=channel, contact=caller, asset=None if asset is None else AssetId(asset), source="call", reference=reference)
    try:
        return interactions.add_interaction(organisation=place, contact=told, by=by, now=now)
    except (ContactRefused, NotFound):
        bare = Contact(channel=Channel.CALL, source="call", reference=reference)
        return interactions.add_interaction(organisation=place, contact=bare, by=by, now=now)


def enqueue(arrival: Arrival, sticky_s: int, now: datetime) -> tuple[int, Arrival]:
    """Let somebody wait, for a time for the agent who served them last; return the contact, and how they came."""
    if sticky_s and not arrival.wanted and (agent := desk.last_server(arrival.interaction)):
        arrival = replace(arrival, wanted=agent, wanted_until=now + timedelta(seconds=sticky_s))
    return serving.enqueue(arrival=arrival, by=installation(), now=now), arrival


@transaction.atomic
def begin_and_enqueue(
    arrival: Arrival, queue: QueueRow, caller: str, reference: str, asset: int | None, now: datetime
) -> tuple[int, Arrival]:
    """Add the interaction of a call and let it wait; return the contact, and how it came."""
    interaction = begin_interaction(queue.organisation, caller, reference, asset, now)
    return enqueue(replace(arrival, interaction=interaction), queue.design.sticky_s, now)


@transaction.atomic
def answer(contact: int, interaction: int | None, agent: int, now: datetime) -> None:
    """Note that the agent took a contact, and let them have the interaction in hand."""
    serving.note_answered(contact=contact, by=installation(), now=now)
    give_interaction(interaction, agent)


def give_interaction(interaction: int | None, agent: int) -> None:
    """Let the agent who answers have the interaction in hand; where they may not see it, nobody has."""
    if interaction is not None:
        try:
            interactions.hand_over(interaction=InteractionId(interaction), team=None, assignee=agent, by=access.system("router"))
        except NotFound:
            return


def end_interaction(interaction: int | None, *, answered: bool, now: datetime) -> None:
    """End the interaction of a call; one that somebody ended otherwise stays as it is."""
    if interaction is not None:
        try:
            interactions.end_interaction(
                interaction=InteractionId(interaction), outcome=_ENDS[answered], by=access.system("router"), now=now
            )
        except Refused:
            return
