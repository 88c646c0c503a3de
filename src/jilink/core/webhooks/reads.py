"""What may be asked about endpoints and deliveries."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from jilink.core.parties import reads as parties
from jilink.core.parties import walls
from jilink.core.parties.access import Actor, NotFound, organisations_of, require
from jilink.core.parties.rules import Permission
from jilink.core.webhooks.models import Delivery, Endpoint
from jilink.core.webhooks.rules import DeliveryState
from jilink.kernel.ids import OrganisationId
from jilink.spine.events import EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """An endpoint without its secret."""

    id: int
    organisation: OrganisationId
    url: str
    description: str
    kinds: tuple[str, ...]
    active: bool
    stopped_because: str
    rotating_until: datetime | None
    made_at: datetime
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """One event for one endpoint. `due_at` is None where nothing more will be tried."""

    id: int
    event: str
    kind: str
    state: str
    attempts: int
    status: int | None
    failure: str
    made_at: datetime
    tried_at: datetime | None
    due_at: datetime | None
    body: str


def kinds() -> list[str]:
    """Return every kind of event that endpoints may be told of."""
    return sorted(f"{noun}.{name}" for (noun, name), event in EVENTS.items() if event.OUTWARD)


def named_by_any(organisation: OrganisationId, kind: str) -> bool:
    """Return whether an endpoint of the organisation or of one above names this very kind, and is on. No wall is asked."""
    with walls.everything():
        rows = Endpoint.objects.filter(organisation__in=parties.line(organisation), active=True)
        return any(kind in kept.split() for kept in rows.values_list("kinds", flat=True))


def endpoints(actor: Actor) -> list[EndpointView]:
    """Return the endpoints of every organisation whose webhooks the actor manages, newest first."""
    counted = Endpoint.objects.annotate(
        waiting=Count("deliveries", filter=Q(deliveries__state=DeliveryState.WAITING)),
        dead=Count("deliveries", filter=Q(deliveries__state=DeliveryState.DEAD)),
    )
    rows = counted.filter(organisation__in=organisations_of(actor, Permission.MANAGE_WEBHOOKS)).order_by("-pk")
    return [
        EndpointView(
            id=row.pk,
            organisation=OrganisationId(row.organisation_id),
            url=row.url,
            description=row.description,
            kinds=tuple(row.kinds.split()),
            active=row.active,
            stopped_because=row.stopped_because,
            rotating_until=row.previous_until,
            made_at=row.made_at,
            waiting=row.waiting,
            dead=row.dead,
        )
        for row in rows
    ]


def endpoint(actor: Actor, number: int) -> EndpointView:
    """Return one endpoint. Raises NotFound."""
    found = next((each for each in endpoints(actor) if each.id == number), None)
    if found is None:
        raise NotFound("There is no such thing, or you may not see it.")
    return found


def delivered_to(actor: Actor, endpoint: int, delivery: int) -> bool:
    """Return whether a delivery is one of an endpoint's. Raises NotFound."""
    require(actor, Permission.MANAGE_WEBHOOKS, Endpoint.objects.filter(pk=endpoint).values_list("organisation_id", flat=True).first())
    return Delivery.objects.filter(pk=delivery, endpoint=endpoint).exists()


def deliveries(
    actor: Actor, endpoint: int, *, state: DeliveryState | None = None, before: int | None = None, limit: int = 50
) -> list[DeliveryView]:
    """Return an endpoint's deliveries, newest first; `before` is the id the page before ended with. Raises NotFound."""
    require(actor, Permission.MANAGE_WEBHOOKS, Endpoint.objects.filter(pk=endpoint).values_list("organisation_id", flat=True).first())
    rows = Delivery.objects.filter(endpoint=endpoint).order_by("-pk")
    if state is not None:
        rows = rows.filter(state=state)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [
        DeliveryView(
            id=row.pk,
            event=row.event,
            kind=row.kind,
            state=row.state,
            attempts=row.attempts,
            status=row.status,
            failure=row.failure,
            made_at=row.made_at,
            tried_at=row.tried_at,
            due_at=row.due_at if row.state == DeliveryState.WAITING else None,
            body=bytes(row.body).decode(),
        )
        for row in rows[: min(limit, 500)]
    ]
