"""The only writers of alarms. Raising and clearing are bulk and idempotent: the watch repeats them after a crash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from jilink.core.assets.models import Asset
from jilink.core.observations import events, rules
from jilink.core.observations.actions import storms
from jilink.core.observations.models import Alarm, Rule
from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AssetId, OrganisationId


class TooMany(Refused):
    """More alarms at once than one transaction should hold."""


class TooLate(Refused):
    """An acknowledgement can only be undone at once."""


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
    rule: int | None = None
    title: str = ""
    """The rule that raised it and its name; None and "" for what devices tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A condition ended."""

    asset: AssetId
    condition: str
    at: datetime


def raise_alarms(raised: Sequence[Raised], *, now: datetime | None = None) -> int:
    """Open an alarm for each condition that has none open (one already ended is kept as closed), and return how many were written.

    Conditions already open, told again or of an asset that is gone are left as they are: constraints of the database see to that, also
    where several processes write at once. Every alarm written is told once (`AlarmRaised`).
    """
    moment = now or utc_now()
    written = 0
    for start in range(0, len(raised), 200):
        with transaction.atomic():
            written += len(_raise(raised[start : start + 200], moment))
    return written


def _raise(part: Sequence[Raised], now: datetime) -> list[Alarm]:
    living = set(Asset.objects.filter(pk__in={item.asset for item in part}).values_list("pk", flat=True))
    standing = set(Rule.objects.filter(pk__in={item.rule for item in part if item.rule}).values_list("pk", flat=True))
    token = uuid4()
    rows = [
        Alarm(
            organisation_id=item.organisation,
            asset_id=item.asset,
            condition=item.condition,
            title=item.title,
            rule_id=item.rule,
            token=token,
            raised_at=item.at,
            cleared_at=item.ended_at,
            level=item.level,
            label=item.label,
            latitude=item.latitude,
            longitude=item.longitude,
        )
        for item in part
        if item.asset in living and (item.rule is None or item.rule in standing)
    ]
    Alarm.objects.bulk_create(rows, ignore_conflicts=True)
    made = list(Alarm.objects.filter(token=token).order_by("raised_at", "pk"))
    storms.gather(made, now)
    for row in made:
        told = events.AlarmRaised(
            alarm=row.pk,
            asset=row.asset_id,
            condition=row.condition,
            title=row.title,
            level=row.level,
            rule=row.rule_id,
            raised_at=row.raised_at,
            cleared_at=row.cleared_at,
            latitude=row.latitude,
            longitude=row.longitude,
            storm=row.storm_id or 0,
        )
        outbox.add(told, organisation=row.organisation_id, aggregate=f"alarm:{row.pk}", now=now)
    return made


@transaction.atomic
def clear_alarms(cleared: Sequence[Cleared], *, now: datetime | None = None) -> int:
    """Close the open alarm of each condition, and return how many were closed. An alarm raised later stays open."""
    closed = 0
    for item in cleared:
        rows = Alarm.objects.select_for_update().filter(
            asset_id=item.asset, condition=item.condition, cleared_at=None, raised_at__lte=item.at
        )
        for row in rows:
            row.cleared_at = item.at
            row.save(update_fields=["cleared_at"])
            told = events.AlarmCleared(alarm=row.pk, asset=row.asset_id, condition=row.condition, cleared_at=item.at)
            outbox.add(told, organisation=row.organisation_id, aggregate=f"alarm:{row.pk}", now=now)
            closed += 1
    return closed


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What one acknowledgement did: when, and the assets whose alarms it was the first to take note of."""

    at: datetime
    assets: tuple[AssetId, ...]


@transaction.atomic
def acknowledge_alarms(*, alarms: Sequence[int], by: Actor, now: datetime | None = None) -> Acknowledged:
    """Note who took care of alarms and when; where somebody did before, that stays.

    All or nothing: raises NotFound where one of them is behind a wall, TooMany beyond MOST_AT_ONCE.
    """
    wanted = set(alarms)
    if len(wanted) > rules.MOST_AT_ONCE:
        raise TooMany("At most 500 alarms can be acknowledged at once.")
    rows = list(Alarm.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    if len(rows) < len(wanted):
        raise NotFound("There is no such alarm, or you may not see it.")
    for row in rows:
        require(by, Permission.ACKNOWLEDGE_ALARMS, row.organisation_id)
    at = now or utc_now()
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # as JSON tells it, so that it can be given back
    fresh = [row for row in rows if row.acknowledged_at is None]
    for row in fresh:
        row.acknowledged_at, row.acknowledged_by_id = at, by.user
        audit.record(by, "alarm.acknowledged", f"alarm:{row.pk}", row.organisation_id, at=at)
        told = events.AlarmAcknowledged(alarm=row.pk, asset=row.asset_id, by=by.user, at=at)
        outbox.add(told, organisation=row.organisation_id, aggregate=f"alarm:{row.pk}", now=at)
    Alarm.objects.bulk_update(fresh, ["acknowledged_at", "acknowledged_by"], batch_size=200)
    return Acknowledged(at, tuple(AssetId(row.asset_id) for row in fresh))


@transaction.atomic
def undo_acknowledgement(*, at: datetime, by: Actor, now: datetime | None = None) -> int:
    """Take back what the actor acknowledged at that moment, and return how many alarms that was.

    Raises TooLate after `rules.UNDO_WITHIN`, NotFound where there is nothing of the actor's.
    """
    moment = now or utc_now()
    rows = list(Alarm.objects.select_for_update().filter(acknowledged_at=at, acknowledged_by_id=by.user).order_by("pk")) if by.user else []
    if not rows:
        raise NotFound("There is nothing to undo, or it was not yours.")
    if moment - at > rules.UNDO_WITHIN:
        raise TooLate("The ten seconds in which this could be undone are over.")
    for row in rows:
        require(by, Permission.ACKNOWLEDGE_ALARMS, row.organisation_id)
        audit.record(by, "alarm.acknowledgement_undone", f"alarm:{row.pk}", row.organisation_id, at=moment)
        told = events.AcknowledgementUndone(alarm=row.pk, asset=row.asset_id, by=by.user, at=moment)
        outbox.add(told, organisation=row.organisation_id, aggregate=f"alarm:{row.pk}", now=moment)
    return Alarm.objects.filter(pk__in=[row.pk for row in rows]).update(acknowledged_at=None, acknowledged_by=None)
