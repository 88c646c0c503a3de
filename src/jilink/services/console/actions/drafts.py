"""Keeping what is typed until it is sent."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.console.models import Draft

LONGEST = 20_000
KEPT = timedelta(days=30)
MOST = 200
_PLACE = re.compile(r"[a-z_]{1,20}(:[a-z0-9_-]{1,40}){0,2}\Z")


class DraftRefused(Refused):
    """A draft is at most 20,000 characters at a place such as ``case:12:note``."""


@transaction.atomic
def keep_draft(*, place: str, text: str, by: Actor, now: datetime | None = None) -> None:
    """Keep what is typed at a place until it is sent, thirty days at most; nothing typed is nothing kept. Raises DraftRefused."""
    moment = now or utc_now()
    if by.user is None:
        raise NotFound("There is no such thing, or you may not see it.")
    if not _PLACE.match(place) or len(text) > LONGEST:
        raise DraftRefused("This is too long to be kept as a draft.")
    if not text.strip():
        drop_draft(place=place, by=by)
        return
    Draft.objects.update_or_create(user_id=by.user, place=place, defaults={"text": text.replace("\0", ""), "saved_at": moment})
    Draft.objects.filter(saved_at__lt=moment - KEPT).delete()
    older = Draft.objects.filter(user_id=by.user).order_by("-saved_at", "-pk").values_list("pk", flat=True)[MOST : MOST + 50]
    Draft.objects.filter(pk__in=list(older)).delete()


@transaction.atomic
def drop_draft(*, place: str, by: Actor) -> None:
    """Forget a draft: it was sent, or thrown away. Where there is none, nothing happens."""
    Draft.objects.filter(user_id=by.user or 0, place=place).delete()


@transaction.atomic
def forget_cases(numbers: Iterable[str]) -> None:
    """Forget what anybody typed at cases of these numbers, which were removed."""
    for number in numbers:
        Draft.objects.filter(place__startswith=f"case:{number}:").delete()
