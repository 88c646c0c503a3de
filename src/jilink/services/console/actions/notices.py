"""Telling members what happens to cases that concern them: once, until they have read it, by letter where they asked for that."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils.translation import get_language

from jilink.core.outbox import outbox
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.console.events import ConsoleNoticed, ConsoleNoticeWaits
from jilink.services.console.models import Letterbox, Notice, NoticeWish
from jilink.services.console.rules.notices import CHOSEN, KEPT, KEPT_READ, MAIL_AFTER, REMEMBERED, TOGETHER, Kind, Way, usual

INSTALLATION = 0


class AddressRefused(Refused):
    """This is no e-mail address."""


@transaction.atomic
def tell(*, users: Iterable[int], kind: Kind, case: int, event: UUID, by: int | None = None, now: datetime | None = None) -> int:
    """Tell members something of a case, and return how many were new to it: the same event twice tells once.

    What concerns several people alike grows the notice of the last hour that is still unread, and only whoever wants it hears of it.
    """
    moment, new = now or utc_now(), 0
    known = members.people_named(set(users))
    posted = set(Letterbox.objects.filter(user_id__in=known).values_list("user_id", flat=True))
    wishes = dict(NoticeWish.objects.filter(user_id__in=known, kind=kind.value).values_list("user_id", "way"))
    for user in sorted(known):
        way = Way(wishes.get(user, usual(kind)))
        if way == Way.NOT or (kind in CHOSEN and _grown(user, kind, case, event, by, moment)):
            continue
        values = {"kind": kind.value, "case": case, "by": by, "at": moment}
        row, made = Notice.objects.get_or_create(user_id=user, event=event, defaults=values)
        if not made:
            continue
        new += 1
        _wake(user, moment)
        if user in posted and way == Way.LETTER:
            waits = ConsoleNoticeWaits(notice=row.pk)
            outbox.add(waits, organisation=INSTALLATION, aggregate=f"user:{user}", now=moment, not_before=moment + MAIL_AFTER)
    return new


def _grown(user: int, kind: Kind, case: int, event: UUID, by: int | None, now: datetime) -> bool:
    """Let an unread notice of the last hour tell of one case more, and return whether there was one, or the event is known there."""
    told = Notice.objects.select_for_update().filter(user_id=user, kind=kind.value, at__gt=now - TOGETHER)
    rows = {row: msgspec.json.decode(row.grown, type=list[str]) for row in told.order_by("-pk")}
    if any(row.event == event or str(event) in grown for row, grown in rows.items()):
        return True
    row = next((row for row in rows if row.read_at is None), None)
    if row is None:
        return False
    row.count, row.case, row.by = row.count + (case != row.case), case, by
    row.grown = msgspec.json.encode([*rows[row], str(event)][-REMEMBERED:]).decode()
    row.save(update_fields=["count", "case", "by", "grown"])
    return True


@transaction.atomic
def read_notices(*, by: Actor, case: int | None = None, upto: int | None = None, now: datetime | None = None) -> int:
    """Mark one's own notices as read: those of a case, or all up to one (so that none is marked that was not shown); return how many."""
    moment = now or utc_now()
    wanted = Q(user=by.user or 0, read_at=None)
    wanted &= Q() if case is None else Q(case=case, count=1)  # who saw one of several has not seen the others
    wanted &= Q() if upto is None else Q(pk__lte=upto)
    if not Notice.objects.filter(wanted).exists():
        return 0
    changed = Notice.objects.filter(wanted).update(read_at=moment)
    _wake(by.user or 0, moment)
    return changed


@transaction.atomic
def set_letterbox(*, address: str, by: Actor, now: datetime | None = None) -> None:
    """Say where one wants letters about notices left unread; "" for nowhere. Raises AddressRefused, NotFound."""
    if by.user is None:
        raise NotFound("There is no such thing, or you may not see it.")
    wanted = address.strip()
    if not wanted:
        Letterbox.objects.filter(user_id=by.user).delete()
        return
    try:
        validate_email(wanted)
    except ValidationError as error:
        raise AddressRefused("Please enter an e-mail address, like name@example.cn.") from error
    values = {"address": wanted[:200], "language": get_language() or "zh-hans", "since": now or utc_now()}
    Letterbox.objects.update_or_create(user_id=by.user, defaults=values)


@transaction.atomic
def set_wishes(*, wishes: Mapping[Kind, Way], by: Actor) -> None:
    """Say how one wants to hear of kinds of things that concern several people. Raises NotFound, also for any other kind."""
    if by.user is None or not set(wishes) <= set(CHOSEN):
        raise NotFound("There is no such thing, or you may not see it.")
    for kind, way in wishes.items():
        NoticeWish.objects.update_or_create(user_id=by.user, kind=kind.value, defaults={"way": way.value})


@transaction.atomic
def take_letter(*, notice: int, now: datetime) -> bool:
    """Note that a letter about a notice leaves now, and return whether it should: unread still, and none left before."""
    return bool(Notice.objects.filter(pk=notice, read_at=None, mailed_at=None).update(mailed_at=now))


@transaction.atomic
def forget_notices(now: datetime) -> int:
    """Remove what was read a month ago, and everything after half a year; return how much that was."""
    return Notice.objects.filter(Q(read_at__lt=now - KEPT_READ) | Q(at__lt=now - KEPT)).delete()[0]


def _wake(user: int, now: datetime) -> None:
    outbox.add(ConsoleNoticed(user=user), organisation=INSTALLATION, aggregate=f"user:{user}", now=now)
