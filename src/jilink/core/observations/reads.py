"""What may be asked about alarms."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from django.db.models import Count, Max, Q, QuerySet

from jilink.core.assets import reads as assets
from jilink.core.assets.inventory.actions import OF_SERVICES
from jilink.core.assets.models import Asset
from jilink.core.observations import evaluation
from jilink.core.observations.conditions import Condition, load
from jilink.core.observations.models import Alarm, Rule
from jilink.core.observations.ruled import Ruling
from jilink.core.observations.rules import FAMILIES, MOST_AT_ONCE
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, organisations_of
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
    title: str
    """The name of the rule that raised it; "" for what devices tell."""
    rule: int | None
    storm: int | None
    storm_size: int = 0
    """How many alarms of the storm this one stands for; 0: for itself."""
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
            title=row.title,
            rule=row.rule_id,
            storm=row.storm_id,
            raised_at=row.raised_at,
            cleared_at=row.cleared_at,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=row.acknowledged_by.username if row.acknowledged_by else "",
        )
        for row in rows.select_related("asset", "acknowledged_by")
    ]


def alarm(actor: Actor, number: int) -> AlarmView:
    """Return one alarm. Raises NotFound across a wall."""
    found = _views(Alarm.objects.filter(pk=number, organisation_id__in=organisations_of(actor, Permission.VIEW_VEHICLES)))
    if not found:
        raise NotFound("There is no such alarm, or you may not see it.")
    return found[0]


def of_asset(actor: Actor, asset: AssetId, limit: int = 50) -> list[AlarmView]:
    """Return the alarms of one asset, newest first. Raises NotFound across a wall."""
    view = assets.asset(actor, asset)
    return _views(Alarm.objects.filter(asset_id=asset, organisation_id=view.organisation).order_by("-raised_at", "-pk")[:limit])


def between(actor: Actor, asset: AssetId, start: datetime, end: datetime) -> list[AlarmView]:
    """Return the alarms of one asset raised in [start, end), oldest first. Raises NotFound across a wall."""
    view = assets.asset(actor, asset)
    rows = Alarm.objects.filter(asset_id=asset, organisation_id=view.organisation, raised_at__gte=start, raised_at__lt=end)
    return _views(rows.order_by("raised_at", "pk")[:1000])


class Standing(StrEnum):
    """Which alarms a list shows."""

    UNACKNOWLEDGED = "unacknowledged"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ALL = "all"


_STANDING = {
    Standing.UNACKNOWLEDGED: Q(acknowledged_at=None),
    Standing.OPEN: Q(cleared_at=None),
    Standing.ACKNOWLEDGED: Q(acknowledged_at__isnull=False),
    Standing.ALL: Q(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of alarms, newest first; how many there are in each standing."""

    rows: list[AlarmView]
    total: int
    counts: dict[Standing, int]


@dataclass(frozen=True, slots=True)
class News:
    """The newest alarm that nobody has acknowledged (0: none), how many there are, and how many are newer than a known one."""

    newest: int
    waiting: int
    fresh: list[AlarmView]


def _family(name: str) -> Q:
    if name not in FAMILIES:
        return Q()
    return ~Q(condition__contains=".") if name == "device" else Q(condition__startswith=f"{name}.")


def listing(
    actor: Actor,
    *,
    standing: Standing,
    since: datetime,
    text: str = "",
    family: str = "",
    storm: int = 0,
    offset: int = 0,
    limit: int = 50,
) -> Listing:
    """Return one page of the alarms raised since then: of assets with `text` in their label, of one of `rules.FAMILIES` ("" for any).

    A storm is shown once, by its newest alarm; with `storm` its alarms alone are shown, one by one.
    """
    rows = Alarm.objects.filter(
        _family(family), organisation_id__in=organisations_of(actor, Permission.VIEW_VEHICLES), raised_at__gte=since
    )
    if text:
        rows = rows.filter(asset__label__icontains=text)
    if storm:
        rows = rows.filter(storm_id=storm)
    counted = rows.aggregate(**{each.value: Count("pk", filter=condition) for each, condition in _STANDING.items()})
    chosen = rows.filter(_STANDING[standing])
    sizes: dict[int | None, int] = {}
    if not storm:
        groups = list(chosen.exclude(storm=None).order_by().values_list("storm_id").annotate(Max("pk"), Count("pk")))
        sizes = {group: size for group, _newest, size in groups}
        chosen = chosen.filter(Q(storm=None) | Q(pk__in=[newest for _group, newest, _size in groups]))
    page = _views(chosen.order_by("-raised_at", "-pk")[offset : offset + limit])
    shown = [replace(view, storm_size=sizes.get(view.storm, 0)) for view in page]
    return Listing(rows=shown, total=chosen.count(), counts={each: counted[each.value] for each in Standing})


def of_storms(actor: Actor, storms: Sequence[int]) -> list[int]:
    """Return the alarms of storms that nobody has acknowledged, of the organisations in which the actor may."""
    allowed = organisations_of(actor, Permission.ACKNOWLEDGE_ALARMS)
    rows = Alarm.objects.filter(storm_id__in=storms, organisation_id__in=allowed, acknowledged_at=None)
    return list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])


def news(actor: Actor, *, after: int, since: datetime, limit: int = 20) -> News:
    """Return what nobody has acknowledged of the alarms raised since then, and those of them written after the alarm `after`."""
    rows = Alarm.objects.filter(
        organisation_id__in=organisations_of(actor, Permission.VIEW_VEHICLES), raised_at__gte=since, acknowledged_at=None
    )
    found = rows.aggregate(newest=Max("pk"), waiting=Count("pk"))
    newest = found["newest"] or 0
    return News(newest, found["waiting"], _views(rows.filter(pk__gt=after).order_by("-pk")[:limit]) if newest > after else [])


def open_alarms_before(actor: Actor, before: tuple[datetime, int] | None, limit: int = 100) -> list[AlarmView]:
    """Return open alarms of the actor's organisations, newest first: those raised before a moment and number."""
    rows = Alarm.objects.filter(organisation_id__in=organisations_of(actor, Permission.VIEW_VEHICLES), cleared_at=None)
    if before is not None:
        rows = rows.filter(Q(raised_at__lt=before[0]) | Q(raised_at=before[0], pk__lt=before[1]))
    return _views(rows.order_by("-raised_at", "-pk")[:limit])


def open_conditions(assets: Sequence[AssetId] | None = None) -> dict[AssetId, dict[str, datetime]]:
    """Return every open condition with the time it was raised, by asset. For the watch, which belongs to no organisation."""
    rows = Alarm.objects.filter(cleared_at=None)
    if assets is not None:
        rows = rows.filter(asset_id__in=assets)
    found: dict[AssetId, dict[str, datetime]] = {}
    for asset, condition, raised_at in rows.values_list("asset_id", "condition", "raised_at").iterator(chunk_size=2000):
        found.setdefault(AssetId(asset), {})[condition] = raised_at
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """A rule as people see it. `open` is how many of its alarms go on."""

    id: int
    organisation: OrganisationId
    organisation_name: str
    name: str
    condition: Condition
    level: int | None
    enabled: bool
    changed_at: datetime
    changed_by: str
    open: int


def rule(actor: Actor, number: int) -> RuleView:
    """Return one rule. Raises NotFound without MANAGE_RULES."""
    found = [each for each in rules_of(actor) if each.id == number]
    if not found:
        raise NotFound("There is no such rule, or you may not see it.")
    return found[0]


def rules_of(actor: Actor) -> list[RuleView]:
    """Return the rules of the organisations in which the actor may manage rules, by organisation and name."""
    rows = Rule.objects.filter(organisation_id__in=organisations_of(actor, Permission.MANAGE_RULES))
    opened = dict(Alarm.objects.filter(cleared_at=None, rule__in=rows).values_list("rule_id").annotate(Count("pk")))
    return [
        RuleView(
            id=row.pk,
            organisation=OrganisationId(row.organisation_id),
            organisation_name=row.organisation.name,
            name=row.name,
            condition=load(row.condition),
            level=row.level,
            enabled=row.enabled,
            changed_at=row.changed_at,
            changed_by=row.changed_by.username if row.changed_by else "",
            open=opened.get(row.pk, 0),
        )
        for row in rows.select_related("organisation", "changed_by").order_by("organisation__path", "name")
    ]


def rulings() -> list[Ruling]:
    """Return every rule that is switched on, with the organisations it holds for. For the watch, which belongs to no organisation."""
    return [
        Ruling(
            rule=evaluation.Rule(
                id=row.pk, version=row.version, organisations=frozenset(parties.below(row.organisation_id)), condition=load(row.condition)
            ),
            title=row.name,
            level=row.level,
        )
        for row in Rule.objects.filter(enabled=True).order_by("pk")
    ]


def owners() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the assets that services keep (ascending) and their organisations. For the watch, which belongs to no organisation.

    What is only looked after (`assets.inventory`) has no latest values: a lamp post is no vehicle that never called.
    """
    rows = np.array(
        list(Asset.objects.filter(kind__in=OF_SERVICES).order_by("pk").values_list("pk", "organisation_id").iterator(chunk_size=10_000)),
        np.int64,
    )
    pairs = rows.reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
