"""Words about a case: notes for colleagues, and replies to whom we serve. Two kinds, two tables, never one field with a switch."""

from datetime import datetime, timedelta
from enum import StrEnum

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
from jilink.kernel.refusals import kept_words

LONGEST = 10_000
SETTLED = frozenset({"sent", "failed"})
CARRYING = timedelta(minutes=5)
"""Whoever carries a reply away has so long before somebody else tries: more than a mail server is waited for."""


class TakenReply(StrEnum):
    """What became of taking a reply."""

    FIRST = "first"
    """It is ours, and was nobody's before."""
    AGAIN = "again"
    """It is ours; whoever had it before could not carry it away, or never said."""
    ELSEWHERE = "elsewhere"
    """Somebody else has it now."""
    OVER = "over"
    """It was sent, or has failed."""


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
def take_reply(*, reply: int, by: Actor, now: datetime | None = None) -> TakenReply:
    """Take a reply that waits, to carry it away: within `CARRYING` nobody else gets it. Raises NotFound."""
    row = Reply.objects.filter(pk=reply).first()
    moment = lay(row.case_id if row else 0, Permission.WORK_CASES, by, now).now
    row = Reply.objects.select_for_update().get(pk=reply)
    if row.state != "waiting":
        return TakenReply.OVER
    before, row.carried_until = row.carried_until, moment + CARRYING
    if before is not None and before > moment:
        return TakenReply.ELSEWHERE
    row.save(update_fields=["carried_until"])
    return TakenReply.FIRST if before is None else TakenReply.AGAIN


@transaction.atomic
def give_back_reply(*, reply: int, by: Actor, now: datetime | None = None) -> None:
    """Let whoever comes next take a reply that could not be carried away now. Raises NotFound."""
    row = Reply.objects.filter(pk=reply).first()
    moment = lay(row.case_id if row else 0, Permission.WORK_CASES, by, now).now
    Reply.objects.filter(pk=reply, state="waiting").update(carried_until=moment)


@transaction.atomic
def settle_reply(*, reply: int, state: str, by: Actor, failure: Refused | str = "", now: datetime | None = None) -> bool:
    """Note that a reply was ``sent`` or has ``failed``, and return whether that was new; the first word stays. Raises NotFound.

    A `failure` in words of a program's own stays as it is; a refusal is said in the language of whoever reads it.
    """
    known = Reply.objects.filter(pk=reply).values_list("case_id", flat=True).first()
    desk = lay(known or 0, Permission.WORK_CASES, by, now)
    if state not in SETTLED:
        raise NotFound(HIDDEN)
    words, values = kept_words(failure) if isinstance(failure, Refused) else (failure[:200], "{}")
    waiting = Reply.objects.filter(pk=reply, state="waiting")
    changed = waiting.update(state=state, failure=words, failure_values=values, settled_at=desk.now)
    if changed:
        desk.save()
        desk.tell(CaseNoted, what=f"reply_{state}")
    return bool(changed)


def _words(text: str) -> str:
    words = text.strip()
    if not 0 < len(words) <= LONGEST:
        raise WordsNeeded("Write something, at most 10,000 characters.")
    return words
