"""What may be asked about alarms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet

from jilink.core.assets import reads as assets
from jilink.core.assets.models import Asset
from jilink.core.observations.models import Alarm
from jilink.core.parties.access import Actor, organisations_of
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AssetId, OrganisationId


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmView:
    """An alarm as people see it."""

    id: int
    asset: AssetId
    label: str
    organisation: OrganisationId
    condition: str
    level: int | None
    alarm_label: str
    """Ties it to its attachments; "" for device alarms."""
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str


def _views(rows: QuerySet[Alarm]) -> list[AlarmView]:
    return [
        AlarmView(
            id=row.pk,
            asset=AssetId(row.asset_id),
            label=row.asset.label,
            organisation=OrganisationId(row.organisation_id),
            condition=row.condition,
            level=row.level,
            alarm_label=row.label,
            raised_at=row.raised_at,
            cleared_at=row.cleared_at,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=row.acknowledged_by.username if row.acknowledged_by else "",
        )
        for row in rows.select_related("asset", "acknowledged_by")
    ]


def of_asset(actor: Actor, asset: AssetId, limit: int = 50) -> list[AlarmView]:
    """Return the alarms of one asset, newest first. Raises NotFound across a wall."""
    view = assets.asset(actor, asset)
    return _views(Alarm.objects.filter(asset_id=asset, organisation_id=view.organisation).order_by("-raised_at", "-pk")[:limit])


def between(actor: Actor, asset: AssetId, start: datetime, end: datetime) -> list[AlarmView]:
    """Return the alarms of one asset raised in [start, end), oldest first. Raises NotFound across a wall."""
    view = assets.asset(actor, asset)
    rows = Alarm.objects.filter(asset_id=asset, organisation_id=view.organisation, raised_at__gte=start, raised_at__lt=end)
    return _views(rows.order_by("raised_at", "pk")[:1000])


def open_alarms(actor: Actor, *, offset: int = 0, limit: int = 100) -> tuple[int, list[AlarmView]]:
    """Return how many alarms are open in the actor's organisations, and one page of them, newest first."""
    rows = Alarm.objects.filter(organisation_id__in=organisations_of(actor, Permission.VIEW_VEHICLES), cleared_at=None)
    return rows.count(), _views(rows.order_by("-raised_at", "-pk")[offset : offset + limit])


def open_conditions(assets: Sequence[AssetId] | None = None) -> dict[AssetId, dict[str, datetime]]:
    """Return every open condition with the time it was raised, by asset. For the watch, which belongs to no organisation."""
    rows = Alarm.objects.filter(cleared_at=None)
    if assets is not None:
        rows = rows.filter(asset_id__in=assets)
    found: dict[AssetId, dict[str, datetime]] = {}
    for asset, condition, raised_at in rows.values_list("asset_id", "condition", "raised_at").iterator(chunk_size=2000):
        found.setdefault(AssetId(asset), {})[condition] = raised_at
    return found


def owners() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return all assets (ascending) and their organisations. For the watch, which belongs to no organisation."""
    rows = np.array(list(Asset.objects.order_by("pk").values_list("pk", "organisation_id").iterator(chunk_size=10_000)), np.int64)
    pairs = rows.reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
