"""The only writers of endpoints and deliveries."""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from types import MappingProxyType

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from jilink import __version__
from jilink.core.parties import audit
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.core.webhooks import rules, sealing
from jilink.core.webhooks.models import Delivery, Endpoint
from jilink.core.webhooks.rules import DeliveryState
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId, new_event_id
from jilink.kernel.still import Still
from jilink.spine.events import EVENTS
from jilink.spine.records import Envelope

TEST_KIND = "webhooks.test"
CLAIM = timedelta(seconds=60)
"""Longer than an attempt takes: a relay that was killed in the middle leaves the delivery due again after this."""
TO_ONE = 8
"""Attempts under way to one endpoint at most."""
NONE_BUSY: Mapping[int, int] = MappingProxyType({})
_chance = SystemRandom()


class EndpointStopped(Refused):
    """The endpoint is switched off, so nothing is sent to it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A new endpoint and its secret, which is shown once and revealed again only with an audit row."""

    endpoint: int
    secret: str


def _lock(endpoint: int, by: Actor) -> Endpoint:
    row = Endpoint.objects.select_for_update().filter(pk=endpoint).first()
    require(by, Permission.MANAGE_WEBHOOKS, row.organisation_id if row else None)
    if row is None:
        raise NotFound("There is no such thing, or you may not see it.")
    return row


def _allowed() -> tuple[rules.Network, ...]:
    return rules.networks(settings.JILINK.webhooks_allow)


@transaction.atomic
def add_endpoint(
    *, organisation: OrganisationId, url: str, kinds: str, by: Actor, description: str = "", now: datetime | None = None
) -> Made:
    """Tell an address of the kinds of events named from now on. Raises NotFound, AddressRefused, KindRefused."""
    require(by, Permission.MANAGE_WEBHOOKS, organisation)
    secret = rules.new_secret(secrets.token_bytes(rules.SECRET_BYTES))
    row = Endpoint.objects.create(
        organisation_id=organisation,
        url=rules.address(url, _allowed()),
        description=description[:200],
        kinds=rules.kinds(kinds),
        secret=sealing.seal(secret),
        made_at=now or utc_now(),
    )
    audit.record(by, "webhook.added", f"webhook:{row.pk}", organisation)
    return Made(row.pk, secret)


@transaction.atomic
def change_endpoint(*, endpoint: int, url: str, kinds: str, active: bool, by: Actor, description: str = "", still: Still = None) -> None:
    """Change where and of what an endpoint is told, or switch it off and on. Raises NotFound, AddressRefused, KindRefused.

    What waits while it is off is sent once it is on again, unless its time has passed.
    """
    row = _lock(endpoint, by)
    if still is not None:
        still()
    row.url, row.kinds, row.description = rules.address(url, _allowed()), rules.kinds(kinds), description[:200]
    row.active, row.stopped_because = active, ""
    row.save(update_fields=["url", "kinds", "description", "active", "stopped_because"])
    audit.record(by, "webhook.changed", f"webhook:{row.pk}", row.organisation_id, detail="on" if active else "off")


@transaction.atomic
def remove_endpoint(*, endpoint: int, by: Actor, still: Still = None) -> None:
    """Forget an endpoint with the record of its deliveries. Raises NotFound."""
    row = _lock(endpoint, by)
    if still is not None:
        still()
    audit.record(by, "webhook.removed", f"webhook:{row.pk}", row.organisation_id)
    row.delete()


@transaction.atomic
def rotate_secret(*, endpoint: int, by: Actor, now: datetime | None = None) -> str:
    """Return a new secret; for `rules.ROTATION` deliveries are signed with the one before too. Raises NotFound."""
    row = _lock(endpoint, by)
    secret = rules.new_secret(secrets.token_bytes(rules.SECRET_BYTES))
    row.previous_secret, row.previous_until = row.secret, (now or utc_now()) + rules.ROTATION
    row.secret = sealing.seal(secret)
    row.save(update_fields=["secret", "previous_secret", "previous_until"])
    audit.record(by, "webhook.rotated", f"webhook:{row.pk}", row.organisation_id)
    return secret


@transaction.atomic
def reveal_secret(*, endpoint: int, by: Actor) -> str:
    """Return the secret in force and leave an audit row. Raises NotFound, Unsealable."""
    row = _lock(endpoint, by)
    audit.record(by, "webhook.revealed", f"webhook:{row.pk}", row.organisation_id)
    return sealing.unseal(row.secret)


@transaction.atomic
def send_test(*, endpoint: int, by: Actor, now: datetime | None = None) -> int:
    """Send an event that means nothing and return its delivery. Raises NotFound, EndpointStopped."""
    row = _lock(endpoint, by)
    if not row.active:
        raise EndpointStopped("Switch the endpoint on first.")
    moment = now or utc_now()
    body = _body(TEST_KIND, moment, row.organisation_id, msgspec.Raw(b"{}"))
    delivery = Delivery.objects.create(
        organisation_id=row.organisation_id, endpoint=row, event=new_event_id(), kind=TEST_KIND, body=body, due_at=moment, made_at=moment
    )
    audit.record(by, "webhook.tested", f"webhook:{row.pk}", row.organisation_id)
    return delivery.pk


@transaction.atomic
def replay_delivery(*, delivery: int, by: Actor, now: datetime | None = None) -> None:
    """Send one delivery again, whatever became of it, under its old id; asking twice is asking once. Raises NotFound, EndpointStopped."""
    endpoint = Delivery.objects.filter(pk=delivery).values_list("endpoint_id", flat=True).first()
    row = _lock(endpoint or 0, by)
    if not row.active:
        raise EndpointStopped("Switch the endpoint on first.")
    _wait_again(Delivery.objects.filter(pk=delivery).values_list("pk", flat=True), now or utc_now())
    audit.record(by, "webhook.replayed", f"webhook:{row.pk}", row.organisation_id, detail=f"delivery:{delivery}")


@transaction.atomic
def replay_dead(*, endpoint: int, by: Actor, now: datetime | None = None) -> int:
    """Send everything again that was given up for an endpoint and return how much that is. Raises NotFound, EndpointStopped."""
    row = _lock(endpoint, by)
    if not row.active:
        raise EndpointStopped("Switch the endpoint on first.")
    count = _wait_again(Delivery.objects.filter(endpoint=row, state=DeliveryState.DEAD).values_list("pk", flat=True), now or utc_now())
    audit.record(by, "webhook.replayed", f"webhook:{row.pk}", row.organisation_id, detail=f"{count} deliveries")
    return count


def _wait_again(deliveries: Iterable[int], now: datetime) -> int:
    return Delivery.objects.filter(pk__in=list(deliveries)).update(state=DeliveryState.WAITING, attempts=0, due_at=now, failure="")


# what the installation itself does


def take_in(envelope: Envelope, now: datetime) -> int:
    """Note an event for every endpoint that wants it and return how many those are; told again, nothing is noted twice.

    Only kinds that declare themselves `OUTWARD` leave, and only those that happened since the endpoint was made.
    """
    event = EVENTS.get((envelope.noun, envelope.name))
    if event is None or not event.OUTWARD or not envelope.organisation:
        return 0
    kind = f"{envelope.noun}.{envelope.name}"
    line = parties.line(OrganisationId(envelope.organisation))
    rows = Endpoint.objects.filter(organisation__in=line, active=True, made_at__lte=envelope.occurred_at)
    wanting = [row for row in rows if rules.wants(row.kinds, kind)]
    body = _body(kind, envelope.occurred_at, envelope.organisation, envelope.payload)
    Delivery.objects.bulk_create(
        [
            Delivery(organisation_id=row.organisation_id, endpoint=row, event=envelope.id, kind=kind, body=body, due_at=now, made_at=now)
            for row in wanting
        ],
        ignore_conflicts=True,
    )
    return len(wanting)


def _body(kind: str, at: datetime, organisation: int, data: msgspec.Raw) -> bytes:
    """What is sent (specification, "Payload structure")."""
    return msgspec.json.encode({"type": kind, "timestamp": at, "organisation": organisation, "data": data})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery about to be sent."""

    delivery: int
    endpoint: int
    url: str
    headers: Mapping[str, str]
    body: bytes


@transaction.atomic
def claim_due(now: datetime, limit: int, busy: Mapping[int, int] = NONE_BUSY) -> list[Attempt]:
    """Return what is due, signed, and let nobody else have it for `CLAIM`.

    `busy` says how many attempts are under way to each endpoint: one that is slow does not take the places of the others.
    """
    full = [endpoint for endpoint, count in busy.items() if count >= TO_ONE]
    due = Delivery.objects.select_for_update(skip_locked=transaction.get_connection().features.has_select_for_update_skip_locked)
    waiting = due.filter(state=DeliveryState.WAITING, due_at__lte=now, endpoint__active=True).exclude(endpoint__in=full)
    rows: list[Delivery] = []
    taken = Counter(busy)
    for row in waiting.order_by("due_at")[: limit * 4]:
        if taken[row.endpoint_id] < TO_ONE and len(rows) < limit:
            taken[row.endpoint_id] += 1
            rows.append(row)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(due_at=now + CLAIM, tried_at=now, attempts=F("attempts") + 1)
    endpoints = Endpoint.objects.in_bulk({row.endpoint_id for row in rows})
    attempts = []
    for row in rows:
        try:
            signed = rules.headers(_secrets(endpoints[row.endpoint_id], now), row.event, now, bytes(row.body))
        except sealing.Unsealable as error:
            _stop(row.endpoint_id, str(error))
            continue
        agent = {"user-agent": f"Jilink/{__version__} (webhooks)"}
        attempts.append(Attempt(row.pk, row.endpoint_id, endpoints[row.endpoint_id].url, {**signed, **agent}, bytes(row.body)))
    return attempts


def _secrets(row: Endpoint, now: datetime) -> list[str]:
    kept = [row.secret]
    if row.previous_until is not None and row.previous_until > now:
        kept.append(row.previous_secret)
    return [sealing.unseal(secret) for secret in kept]


@transaction.atomic
def note_answer(*, delivery: int, status: int | None, failure: str, now: datetime, asked: timedelta | None = None) -> None:
    """Keep what became of an attempt: delivered, to be tried again after a pause, or given up. 410 stops the endpoint."""
    row = Delivery.objects.select_for_update().filter(pk=delivery, state=DeliveryState.WAITING).first()
    if row is None:  # its endpoint was removed meanwhile
        return
    row.status, row.failure = status, failure[:300]
    pause = rules.pause_after(row.attempts, _chance.random(), asked)
    if rules.is_taken(status):
        row.state, row.failure = DeliveryState.DELIVERED, ""
    elif rules.is_gone(status) or pause is None:
        row.state = DeliveryState.DEAD
    else:
        row.due_at = now + pause
    row.save(update_fields=["status", "failure", "state", "due_at"])
    if rules.is_gone(status):
        _stop(row.endpoint_id, "The receiver answered 410: nobody wants to be told there any more.")


def _stop(endpoint: int, reason: str) -> None:
    Endpoint.objects.filter(pk=endpoint).update(active=False, stopped_because=reason[:300])


def tidy(now: datetime) -> int:
    """Remove deliveries older than `rules.KEEP` and return how many there were."""
    settled = ~Q(state=DeliveryState.WAITING) | Q(endpoint__active=False)
    return Delivery.objects.filter(settled, made_at__lt=now - rules.KEEP).delete()[0]
