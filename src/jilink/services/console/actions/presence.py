"""Coming to a case, staying, leaving."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from jilink.core.cases import reads as cases
from jilink.core.outbox import outbox
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import utc_now
from jilink.services.console.events import ConsolePresenceChanged
from jilink.services.console.models import Looking, Notice
from jilink.services.console.rules.presence import Heart, beats

FORGOTTEN_AFTER = timedelta(hours=1)
_HIDDEN = "There is no such thing, or you may not see it."


@transaction.atomic
def look_at(*, case: int, page: str, edits: bool, by: Actor, now: datetime | None = None) -> None:
    """Say that a page of a case is open, and whether somebody types in it; others are told where that is new. Raises NotFound."""
    moment = now or utc_now()
    user, organisation = _let_in(by, case, moment)
    row = Looking.objects.select_for_update().filter(user_id=user, case=case, page=page).first()
    if row is None:
        Looking.objects.filter(seen_at__lt=moment - FORGOTTEN_AFTER).delete()
        row = Looking(user_id=user, case=case, page=page, edits=edits, seen_at=moment - FORGOTTEN_AFTER)
    stays = beats(Heart(row.user_id, row.edits, row.seen_at), moment) and row.edits == edits
    row.edits, row.seen_at = edits, moment
    row.save()
    if not stays:
        outbox.add(ConsolePresenceChanged(case=case), organisation=organisation, aggregate=f"case:{case}", now=moment)


@transaction.atomic
def leave(*, case: int, page: str, by: Actor, now: datetime | None = None) -> None:
    """Say that a page of a case was closed. Raises NotFound."""
    moment = now or utc_now()
    user, organisation = _let_in(by, case, moment)
    gone, _what = Looking.objects.filter(user_id=user, case=case, page=page).delete()
    if gone:
        outbox.add(ConsolePresenceChanged(case=case), organisation=organisation, aggregate=f"case:{case}", now=moment)


def _let_in(by: Actor, case: int, now: datetime) -> tuple[int, int]:
    """Return who it is and whose case it is."""
    rows = cases.rows_of(by, [case], now=now)
    if by.user is None or not rows:
        raise NotFound(_HIDDEN)
    return by.user, rows[0].organisation


@transaction.atomic
def forget_cases(cases: Iterable[int]) -> None:
    """Forget who looks at these cases, and who was told of them; they were removed."""
    gone = list(cases)
    Looking.objects.filter(case__in=gone).delete()
    Notice.objects.filter(case__in=gone).delete()
