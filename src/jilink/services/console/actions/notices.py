"""Telling members what happens to cases that concern them: once, until they have read it, by letter where they asked for that."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
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
from jilink.services.console.models import Letterbox, Notice, NoticeEvent, NoticeWish
from jilink.services.console.rules.notices import CHOSEN, KEPT, KEPT_READ, MAIL_AFTER, MAILING, TOGETHER, Kind, Way, usual

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
    list(get_user_model().objects.select_for_update(no_key=True).filter(pk__in=known).order_by("pk").values_list("pk"))  # one after another
    posted = set(Letterbox.objects.filter(user_id__in=known).values_list("user_id", flat=True))
    wishes = dict(NoticeWish.objects.filter(user_id__in=known, kind=kind.value).values_list("user_id", "way"))
    for user in sorted(known):
        way = Way(wishes.get(user, usual(kind)))
        if way == Way.NOT or NoticeEvent.objects.filter(user_id=user, event=event).exists():
            continue
        row = _grown(user, kind, case, by, moment) if kind in CHOSEN else None
        if row is not None:
            NoticeEvent.objects.create(notice=row, user_id=user, event=event, case=case)
            continue
        row = Notice.objects.create(user_id=user, kind=kind.value, case=case, by=by, at=moment)
        NoticeEvent.objects.create(notice=row, user_id=user, event=event, case=case)
        new += 1
        _wake(user, moment)
        if user in posted and way == Way.LETTER:
            waits = ConsoleNoticeWaits(notice=row.pk)
            outbox.add(waits, organisation=INSTALLATION, aggregate=f"user:{user}", now=moment, not_before=moment + MAIL_AFTER)
    return new


def _grown(user: int, kind: Kind, case: int, by: int | None, now: datetime) -> Notice | None:
    """Let an unread notice of the last hour tell of a case too, and return it; None where there is no such notice."""
    told = Notice.objects.select_for_update().filter(user_id=user, kind=kind.value, read_at=None, at__gt=now - TOGETHER)
    row = told.order_by("-pk").first()
    if row is not None:
        row.count, row.case, row.by = row.count + (not row.events.filter(case=case).exists()), case, by
        row.save(update_fields=["count", "case", "by"])
    return row


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
    """Take the letter about a notice to send it, and return whether it is ours: nobody else has it, and none left before."""
    free = Q(mailing_until=None) | Q(mailing_until__lte=now)
    return bool(Notice.objects.filter(free, pk=notice, mailed_at=None).update(mailing_until=now + MAILING))


@transaction.atomic
def end_letter(*, notice: int, left: bool, now: datetime) -> None:
    """Note that a letter that was taken has left, or give it back."""
    Notice.objects.filter(pk=notice).update(mailing_until=None, **({"mailed_at": now} if left else {}))


@transaction.atomic
def forget_notices(now: datetime) -> int:
    """Remove what was read a month ago, and everything after half a year; return how many notices that were."""
    gone = Notice.objects.filter(Q(read_at__lt=now - KEPT_READ) | Q(at__lt=now - KEPT))
    return gone.delete()[1].get(Notice._meta.label, 0)


def _wake(user: int, now: datetime) -> None:
    outbox.add(ConsoleNoticed(user=user), organisation=INSTALLATION, aggregate=f"user:{user}", now=now)
