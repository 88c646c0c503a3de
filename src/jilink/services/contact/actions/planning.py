"""Forecasts that somebody knows better than the history."""

from datetime import date, datetime

from django.db import transaction

from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.contact.models import Correction, Queue
from jilink.services.contact.reads import planning
from jilink.services.contact.rules.forecasting import SLOTS

MOST_PERCENT = 1000


class CorrectionRefused(Refused):
    """A forecast cannot be corrected so."""


@transaction.atomic
def correct_forecast(
    *, queue: int, day: date, first: int, last: int, percent: int, reason: str, by: Actor, now: datetime | None = None
) -> None:
    """Expect `percent` of what the history says in the half-hours from `first` to before `last`; 100 takes a correction away.

    Raises NotFound, CorrectionRefused.
    """
    row, moment = Queue.objects.select_for_update().filter(pk=queue, retired_at=None).first(), now or utc_now()
    require(by, Permission.MANAGE_QUEUES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(planning.HIDDEN)
    why = " ".join(reason.split())[:200]
    if not 0 <= first < last <= SLOTS or not 0 <= percent <= MOST_PERCENT:
        raise CorrectionRefused("The end lies after the beginning, and 0 to %(most)d per cent is expected.", most=MOST_PERCENT)
    if not why and percent != 100:
        raise CorrectionRefused("Say why something else is expected.")
    Correction.objects.filter(queue=row, day=day, slot__gte=first, slot__lt=last).delete()
    if percent != 100:
        said = planning.forecast(by, queue, day, now=moment)
        Correction.objects.bulk_create(
            Correction(
                organisation_id=row.organisation_id,
                queue=row,
                day=day,
                slot=one.slot,
                expected=round(one.expected.count * percent / 100, 2),
                reason=why,
                by_id=by.user,
                at=moment,
            )
            for one in said.half_hours[first:last]
        )
    audit.record(by, "forecast.corrected", f"queue:{row.pk}", row.organisation_id, at=moment, detail=f"{day} {percent} %")
