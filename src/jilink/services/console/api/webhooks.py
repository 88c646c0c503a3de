"""Webhooks: who is told of events, and what became of each delivery (Standard Webhooks 1.0)."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from jilink.core.webhooks import actions, reads
from jilink.core.webhooks.rules import DeliveryState
from jilink.kernel.ids import OrganisationId
from jilink.webkit.api import cursors
from jilink.webkit.api.assembly import VERSIONED
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.marks import Watched
from jilink.webkit.api.shapes import Id, In, Line, Out, Words

router = Router(tags=["webhooks"])


class EndpointOut(Out):
    """An endpoint without its secret."""

    id: int
    organisation: int
    url: str
    description: str
    kinds: list[str]
    active: bool
    stopped_because: str
    rotating_until: datetime | None
    made_at: datetime
    waiting: int
    dead: int


class EndpointIn(In):
    """A new endpoint and the kinds of events it is told of: `noun.name`, `noun.*` or `*`."""

    organisation: Id
    url: str = Field(max_length=500)
    kinds: list[Line] = Field(max_length=50)
    description: Line = ""


class EndpointEditIn(In):
    """An endpoint as it is to be."""

    url: str = Field(max_length=500)
    kinds: list[Line] = Field(max_length=50)
    active: bool
    description: Line = ""


class EndpointMadeOut(Out):
    """A new endpoint and the secret that signs its deliveries."""

    endpoint: int
    secret: str


class SecretOut(Out):
    """A secret that signs deliveries."""

    secret: str


class DeliveryOut(Out):
    """One event for one endpoint; `due_at` is null where nothing more is tried."""

    id: int
    event: str
    kind: str
    state: DeliveryState
    attempts: int
    status: int | None
    failure: str
    made_at: datetime
    tried_at: datetime | None
    due_at: datetime | None
    body: str


class CountOut(Out):
    """How many that were."""

    count: int


class DeliveryMadeOut(Out):
    """The delivery that was made."""

    delivery: int


_WATCHED = Watched(EndpointOut, "/url", "/description", "/kinds", "/active")


@router.get("/webhook-kinds", response=list[str], operation_id="list_webhook_kinds")
def list_webhook_kinds(request: HttpRequest) -> list[str]:
    """Return every kind of event that endpoints may be told of."""
    return reads.kinds()


@router.get("/webhooks", response=Page[EndpointOut], operation_id="list_webhooks")
def list_webhooks(request: HttpRequest, paging: Query[Paging]) -> Cut[reads.EndpointView]:
    """Return the endpoints."""
    return cursors.of_all(request, paging, reads.endpoints(actor_of(request)), lambda row: row.id)


@router.post("/webhooks", response={201: EndpointMadeOut}, operation_id="add_webhook")
def add_webhook(request: HttpRequest, given: EndpointIn) -> Status[actions.Made]:
    """Tell an address of events from now on."""
    made = actions.add_endpoint(
        organisation=OrganisationId(given.organisation),
        url=given.url,
        kinds=" ".join(given.kinds),
        description=given.description,
        by=actor_of(request),
    )
    return Status(201, made)


@router.get("/webhooks/{int:endpoint}", response=EndpointOut, operation_id="read_webhook")
def read_webhook(request: HttpRequest, endpoint: Id) -> object:
    """Return one endpoint."""
    return _WATCHED.shown(request, reads.endpoint(actor_of(request), endpoint))


@router.put("/webhooks/{int:endpoint}", response={204: None}, operation_id="change_webhook", openapi_extra=VERSIONED)
def change_webhook(request: HttpRequest, endpoint: Id, given: EndpointEditIn) -> Status[None]:
    """Change where and of what it is told, or switch it off and on."""
    actions.change_endpoint(
        endpoint=endpoint,
        url=given.url,
        kinds=" ".join(given.kinds),
        active=given.active,
        description=given.description,
        by=actor_of(request),
        still=_WATCHED.check(request, lambda: reads.endpoint(actor_of(request), endpoint)),
    )
    return Status(204, None)


@router.delete("/webhooks/{int:endpoint}", response={204: None}, operation_id="remove_webhook", openapi_extra=VERSIONED)
def remove_webhook(request: HttpRequest, endpoint: Id) -> Status[None]:
    """Forget an endpoint with the record of its deliveries."""
    still = _WATCHED.check(request, lambda: reads.endpoint(actor_of(request), endpoint))
    actions.remove_endpoint(endpoint=endpoint, by=actor_of(request), still=still)
    return Status(204, None)


@router.post("/webhooks/{int:endpoint}/rotate", response=SecretOut, operation_id="rotate_webhook_secret")
def rotate_webhook_secret(request: HttpRequest, endpoint: Id) -> dict[str, str]:
    """Return a new secret; for a day deliveries are signed with the one before too."""
    return {"secret": actions.rotate_secret(endpoint=endpoint, by=actor_of(request))}


@router.post("/webhooks/{int:endpoint}/reveal", response=SecretOut, operation_id="reveal_webhook_secret")
def reveal_webhook_secret(request: HttpRequest, endpoint: Id) -> dict[str, str]:
    """Return the secret in force; the read is audited."""
    return {"secret": actions.reveal_secret(endpoint=endpoint, by=actor_of(request))}


@router.post("/webhooks/{int:endpoint}/test", response={202: DeliveryMadeOut}, operation_id="test_webhook")
def test_webhook(request: HttpRequest, endpoint: Id) -> Status[dict[str, int]]:
    """Send an event that means nothing."""
    return Status(202, {"delivery": actions.send_test(endpoint=endpoint, by=actor_of(request))})


@router.post("/webhooks/{int:endpoint}/replay", response={202: CountOut}, operation_id="replay_dead_deliveries")
def replay_dead_deliveries(request: HttpRequest, endpoint: Id) -> Status[dict[str, int]]:
    """Send everything again that was given up."""
    return Status(202, {"count": actions.replay_dead(endpoint=endpoint, by=actor_of(request))})


@router.get("/webhooks/{int:endpoint}/deliveries", response=Page[DeliveryOut], operation_id="list_deliveries")
def list_deliveries(request: HttpRequest, endpoint: Id, paging: Query[Paging], state: Words = "") -> Cut[reads.DeliveryView]:
    """Return an endpoint's deliveries, the newest first; `state` is waiting, delivered or dead."""
    chosen = DeliveryState(state) if state in set(DeliveryState) else None
    before = cursors.number(request, paging)
    rows = reads.deliveries(actor_of(request), endpoint, state=chosen, before=before, limit=paging.limit + 1)
    return cursors.by_number(request, paging, rows, lambda row: row.id)


@router.post("/webhook-deliveries/{int:delivery}/replay", response={202: None}, operation_id="replay_delivery")
def replay_delivery(request: HttpRequest, delivery: Id) -> Status[None]:
    """Send one delivery again under its old id."""
    actions.replay_delivery(delivery=delivery, by=actor_of(request))
    return Status(202, None)
