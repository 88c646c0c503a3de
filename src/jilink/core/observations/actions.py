"""The only writers of alarms. Raising and clearing are bulk and idempotent: the watch repeats them after a crash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from jilink.core.assets.models import Asset
from jilink.core.observations.models import Alarm
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId, OrganisationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A condition began. Latitude and longitude in 1e-6 degrees WGS-84, None where not positioned."""

    organisation: OrganisationId
    asset: AssetId
    condition: str
    at: datetime
    latitude: int | None = None
    longitude: int | None = None
    ended_at: datetime | None = None
    """Given where it has already ended: an instantaneous alarm ends as it begins."""
    level: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A condition ended."""

    asset: AssetId
    condition: str
    at: datetime


@transaction.atomic
def raise_alarms(raised: Sequence[Raised]) -> int:
    """Open an alarm for each condition that has none open (one already ended is kept as closed), and return how many there were.

    Conditions already open, told again or of an asset that is gone are left as they are.
    """
    opened = 0
    for start in range(0, len(raised), 200):
        part = raised[start : start + 200]
        living = set(Asset.objects.filter(pk__in={item.asset for item in part}).values_list("pk", flat=True))
        rows = [
            Alarm(
                organisation_id=item.organisation,
                asset_id=item.asset,
                condition=item.condition,
                raised_at=item.at,
                cleared_at=item.ended_at,
                level=item.level,
                label=item.label,
                latitude=item.latitude,
                longitude=item.longitude,
            )
            for item in part
            if item.asset in living
        ]
        before = Alarm.objects.filter(asset_id__in={row.asset_id for row in rows}).count()
        Alarm.objects.bulk_create(rows, ignore_conflicts=True)
        opened += Alarm.objects.filter(asset_id__in={row.asset_id for row in rows}).count() - before
    return opened


@transaction.atomic
def clear_alarms(cleared: Sequence[Cleared]) -> int:
    """Close the open alarm of each condition, and return how many were closed. An alarm raised later stays open."""
    closed = 0
    for item in cleared:
        rows = Alarm.objects.filter(asset_id=item.asset, condition=item.condition, cleared_at=None, raised_at__lte=item.at)
        closed += rows.update(cleared_at=item.at)
    return closed


@transaction.atomic
def acknowledge_alarm(*, alarm: int, by: Actor, now: datetime | None = None) -> AssetId:
    """Note who took care of an alarm and when, and return its asset; the first one stays. Raises NotFound across a wall."""
    row = Alarm.objects.select_for_update().filter(pk=alarm).first()
    require(by, Permission.ACKNOWLEDGE_ALARMS, row.organisation_id if row else None)
    if row is None:
        raise NotFound("There is no such alarm, or you may not see it.")
    if row.acknowledged_at is not None:
        return AssetId(row.asset_id)
    row.acknowledged_at, row.acknowledged_by_id = now or utc_now(), by.user
    row.save(update_fields=["acknowledged_at", "acknowledged_by"])
    audit.record(by, "alarm.acknowledged", f"alarm:{row.pk}", row.organisation_id, at=row.acknowledged_at)
    return AssetId(row.asset_id)
