"""Photos, sound, video and attachments of alarms. Sensitive: each recording that is fetched leaves an audit row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from django.conf import settings

from jilink.core.assets import reads as assets
from jilink.core.parties import audit
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.services.vehicles.models import Media, MediaRetention
from jilink.services.vehicles.reads.orders import Order
from jilink.webkit.link import spine

PAGE = 24
PHOTOGRAPH_ANSWER = 0x0805
ORDERED_WITHIN = timedelta(days=1)
"""Terminals use the numbers of their recordings again; one that came later than this was not ordered by that command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording as people see it. Degrees WGS-84, None where not positioned."""

    id: int
    asset: AssetId
    kind: str
    content_type: str
    size: int
    sha256: str
    cause: str
    channel: int
    media_id: int
    taken_at: datetime
    received_at: datetime
    latitude: float | None
    longitude: float | None
    alarm_label: str
    name: str


def _view(row: Media) -> Recording:
    return Recording(
        id=row.pk,
        asset=AssetId(row.asset_id),
        kind=row.kind,
        content_type=row.content_type,
        size=row.size,
        sha256=row.sha256,
        cause=row.cause,
        channel=row.channel,
        media_id=row.media_id,
        taken_at=row.taken_at,
        received_at=row.received_at,
        latitude=None if row.latitude is None else row.latitude / 1e6,
        longitude=None if row.longitude is None else row.longitude / 1e6,
        alarm_label=row.alarm_label,
        name=row.name,
    )


def of_asset(actor: Actor, asset: AssetId, *, page: int = 1, size: int = PAGE) -> tuple[int, list[Recording]]:
    """Return how many recordings a vehicle has, and one page of them, newest first. Raises NotFound without VIEW_MEDIA."""
    view = assets.asset(actor, asset, Permission.VIEW_MEDIA)
    rows = Media.objects.filter(asset_id=asset, organisation_id=view.organisation)
    return rows.count(), [_view(row) for row in rows.order_by("-taken_at", "-pk")[(page - 1) * size : page * size]]


def of_alarms(actor: Actor, asset: AssetId, labels: Sequence[str]) -> dict[str, list[Recording]]:
    """Return the attachments of a vehicle's alarms by label. Raises NotFound without VIEW_MEDIA."""
    view = assets.asset(actor, asset, Permission.VIEW_MEDIA)
    wanted = [label for label in labels if label]
    rows = Media.objects.filter(asset_id=asset, organisation_id=view.organisation, alarm_label__in=wanted).order_by("channel", "pk")
    found: dict[str, list[Recording]] = {}
    for row in rows if wanted else ():
        found.setdefault(row.alarm_label, []).append(_view(row))
    return found


def of_orders(actor: Actor, asset: AssetId, orders: Sequence[Order]) -> dict[str, list[Recording]]:
    """Return what each order to take photographs brought, by command: the recordings that the terminal's answer names."""
    view = assets.asset(actor, asset, Permission.VIEW_MEDIA)
    numbers = {order.id: _numbers(order.reply) for order in orders if order.reply_message == PHOTOGRAPH_ANSWER}
    wanted = {number for named in numbers.values() for number in named}
    rows = Media.objects.filter(asset_id=asset, organisation_id=view.organisation, alarm_label="", media_id__in=wanted)
    recordings = [_view(row) for row in rows.order_by("taken_at", "pk")] if wanted else []
    return {
        order.id: [
            each
            for each in recordings
            if each.media_id in numbers[order.id] and order.given_at <= each.received_at <= order.given_at + ORDERED_WITHIN
        ]
        for order in orders
        if order.id in numbers
    }


def kept_days(organisations: Iterable[OrganisationId]) -> dict[OrganisationId, int]:
    """Return how many days each keeps recordings (0: for ever): its own word, else the nearest above, else the setting. Asks no wall."""
    said = dict(MediaRetention.objects.values_list("organisation_id", "days"))
    return {
        each: next((said[one] for one in reversed(parties.line(each)) if one in said), settings.JILINK.media_days) for each in organisations
    }


def own_days() -> dict[int, int]:
    """Return what organisations say of themselves. For a page that asks who may see it."""
    return dict(MediaRetention.objects.values_list("organisation_id", "days"))


def expired(now: datetime, limit: int) -> list[tuple[int, str]]:
    """Return number and object of recordings past their retention, oldest first; the object "" where another recording still needs it."""
    found: list[tuple[int, str]] = []
    owners = {OrganisationId(pk) for pk in Media.objects.values_list("organisation_id", flat=True).distinct()}
    for organisation, days in kept_days(owners).items():
        if days and len(found) < limit:
            rows = Media.objects.filter(organisation_id=organisation, received_at__lt=now - timedelta(days=days)).order_by("received_at")
            found += rows.values_list("pk", "name")[: limit - len(found)]
    going = {pk for pk, _name in found}
    names = {name for _pk, name in found}
    needed = set(Media.objects.filter(name__in=names).exclude(pk__in=going).values_list("name", flat=True))
    return [(pk, "" if name in needed else name) for pk, name in found]


class _Number(msgspec.Struct):
    value: int


class _Answer(msgspec.Struct):
    media: list[_Number] = []


def _numbers(reply: str) -> frozenset[int]:
    try:
        return frozenset(number.value for number in msgspec.json.decode(reply, type=_Answer).media)
    except msgspec.ValidationError:
        return frozenset()  # the answer says that it failed, and names none


def content(actor: Actor, asset: AssetId, media: int, now: datetime) -> tuple[Recording, bytes]:
    """Return a recording and its bytes; the read is audited. Raises NotFound, Unavailable."""
    view = assets.asset(actor, asset, Permission.VIEW_MEDIA)
    row = Media.objects.filter(pk=media, asset_id=asset, organisation_id=view.organisation).first()
    if row is None:
        raise NotFound("There is no such recording, or you may not see it.")
    data = spine().get_object(row.name)
    if data is None:
        raise NotFound("This recording is no longer kept.")
    audit.record(actor, "media.read", f"media:{row.pk}", view.organisation, detail=f"asset:{asset}", at=now)
    return _view(row), data
