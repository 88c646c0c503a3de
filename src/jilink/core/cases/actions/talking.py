"""Words about a case: notes for colleagues, and replies to whom we serve. Two kinds, two tables, never one field with a switch."""

from datetime import datetime

from django.db import transaction

from jilink.core.cases.actions.desk import lay
from jilink.core.cases.events import CaseNoted, CaseReplyWritten
from jilink.core.cases.models import Note, Reply
from jilink.core.cases.reads.concerned import mentioned
from jilink.core.cases.reads.ground import HIDDEN
from jilink.core.cases.rules.timeline import Noted, Replied
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused

LONGEST = 10_000
SETTLED = frozenset({"sent", "failed"})


class WordsNeeded(Refused):
    """A note or a reply needs words, at most 10,000 characters."""


class RecipientNeeded(Refused):
    """A reply needs somebody it goes to, and a channel."""


@transaction.atomic
def add_note(*, case: int, text: str, by: Actor, now: datetime | None = None) -> int:
    """Write words for colleagues, which never leave the house, and return their id; whom they call by ``@name`` is told.

    Raises NotFound, WordsNeeded.
    """
    desk = lay(case, Permission.WORK_CASES, by, now)
    row = Note.objects.create(case=desk.row, text=_words(text), actor=by.name, at=desk.now)
    desk.write(Noted(note=row.pk))
    desk.save()
    desk.tell(CaseNoted, what="noted", mentions=mentioned(desk.row, row.text))
    return row.pk


@transaction.atomic
def send_reply(
    *,
    case: int,
    text: str,
    recipient: str,
    channel: str,
    by: Actor,
    address: str = "",
    person: int | None = None,
    now: datetime | None = None,
) -> int:
    """Write to somebody outside and return the reply's id; whoever carries the channel sends it and says what became of it.

    `recipient` is the name that was shown on the button, `address` where the channel reaches them ("" for the person's own).
    Raises NotFound, WordsNeeded, RecipientNeeded.
    """
    desk = lay(case, Permission.WORK_CASES, by, now)
    if not recipient.strip() or not channel.strip():
        raise RecipientNeeded("Say to whom the reply goes, and by which channel.")
    row = Reply.objects.create(
        case=desk.row,
        person=person if person is not None else desk.row.person,
        recipient=recipient.strip()[:120],
        channel=channel.strip()[:20],
        address=" ".join(address.split())[:120],  # a line break would begin another header of a letter
        text=_words(text),
        actor=by.name,
        at=desk.now,
    )
    desk.write(Replied(reply=row.pk))
    desk.save()
    desk.tell(CaseReplyWritten, reply=row.pk, channel=row.channel)
    return row.pk


@transaction.atomic
def settle_reply(*, reply: int, state: str, by: Actor, failure: str = "", now: datetime | None = None) -> bool:
    """Note that a reply was ``sent`` or has ``failed``, and return whether that was new; the first word stays. Raises NotFound."""
    known = Reply.objects.filter(pk=reply).values_list("case_id", flat=True).first()
    desk = lay(known or 0, Permission.WORK_CASES, by, now)
    if state not in SETTLED:
        raise NotFound(HIDDEN)
    changed = Reply.objects.filter(pk=reply, state="waiting").update(state=state, failure=failure[:200], settled_at=desk.now)
    if changed:
        desk.save()
        desk.tell(CaseNoted, what=f"reply_{state}")
    return bool(changed)


def _words(text: str) -> str:
    words = text.strip()
    if not 0 < len(words) <= LONGEST:
        raise WordsNeeded("Write something, at most 10,000 characters.")
    return words
