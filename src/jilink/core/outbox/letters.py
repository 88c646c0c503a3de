"""Dead letters told again: somebody asks for it, and the relay tells the room once more.

A letter that its room takes this time is gone; one that it does not stays, with the new reason. Asking twice is asking once, and a
reaction that runs twice changes nothing, so that nothing is done twice.
"""

import asyncio
from datetime import datetime

import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.db.models import F

from jilink.core.outbox.consumers import tell, told
from jilink.core.outbox.models import DeadLetter
from jilink.core.outbox.registry import Context, reaction_of
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Malformed, Refused, Unavailable
from jilink.spine.client import Spine
from jilink.spine.events import decode_envelope

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 1.0
TOGETHER = 50


class NoSuchLetter(Refused):
    """There is no such dead letter: it was told again with success, or never was."""


class NoReaction(Refused):
    """The room no longer reacts to events of this kind."""


def replay(letter: int, *, now: datetime) -> str:
    """Ask that a letter's room be told again and return the letter's room and subject, for the audit. Raises NoSuchLetter.

    Who may ask is for the caller to say: this room knows no people.
    """
    row = DeadLetter.objects.filter(pk=letter).only("room", "subject").first()
    if row is None or not DeadLetter.objects.filter(pk=letter).update(replay_at=now):
        raise NoSuchLetter("There is no such letter any more.")
    return f"{row.room} {row.subject}"


def _asked() -> list[DeadLetter]:
    try:
        return list(DeadLetter.objects.exclude(replay_at=None).order_by("replay_at")[:TOGETHER])
    finally:
        close_old_connections()


def _settle(letter: int, failure: str | None, now: datetime) -> None:
    try:
        rows = DeadLetter.objects.filter(pk=letter)
        if failure is None:
            rows.delete()
        else:
            rows.update(reason=failure[:2000], attempts=F("attempts") + 1, at=now, replay_at=None)
    finally:
        close_old_connections()


async def replay_asked(spine: Spine, now: datetime) -> int:
    """Tell the rooms of all letters for which that was asked; return how many took theirs."""
    taken = 0
    for row in await asyncio.to_thread(_asked):
        failure = None
        try:
            envelope = decode_envelope(bytes(row.envelope))
            reaction = reaction_of(row.room, envelope.noun, envelope.name)
            if reaction is None:
                raise NoReaction("%(room)s no longer reacts to %(subject)s", room=row.room, subject=row.subject)
            await tell(reaction, told(reaction, envelope), Context(envelope, spine))
        except (Refused, Malformed, Unavailable, DatabaseError) as error:
            failure = f"{type(error).__name__}: {error}"
            log.warning("letter.refused_again", room=row.room, subject=row.subject, reason=failure)
        except Exception as error:  # a bug in one room's reaction must not end the relay
            failure = f"{type(error).__name__}: {error}"
            log.exception("letter.failed_again", room=row.room, subject=row.subject)
        else:
            taken += 1
            log.info("letter.taken", room=row.room, subject=row.subject)
        await asyncio.to_thread(_settle, row.pk, failure, now)
    return taken


async def run(spine: Spine) -> None:
    """Look for ever for letters to be told again."""
    while True:
        await replay_asked(spine, utc_now())
        await asyncio.sleep(LOOK_EVERY_S)
