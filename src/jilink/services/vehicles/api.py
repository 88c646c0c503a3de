"""The same reads and actions for programs (OpenAPI at /api/v1/openapi.json)."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema, Status
from ninja.security import SessionAuth

from jilink.core.observations import actions as alarm_actions
from jilink.core.observations import reads as observations
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused, Unavailable
from jilink.kernel.ids import AssetId
from jilink.services.vehicles import actions
from jilink.services.vehicles.pages.vehicle import track_json
from jilink.services.vehicles.reads import fleet, orders, track

MOST_PAGE = 100_000


class Session(SessionAuth):
    """Whoever signed in on the pages; writes need the CSRF token."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        """Return the actor, or None for 401."""
        actor = access.actor_of(request.user)
        return actor if actor.user is not None else None


api = NinjaAPI(title="Jilink", version="1", auth=Session(), urls_namespace="api", docs_url=None)


def _problem(request: HttpRequest, status: int, title: str, detail: str) -> HttpResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return HttpResponse(msgspec.json.encode(body), status=status, content_type="application/problem+json")


@api.exception_handler(NotFound)
def not_found(request: HttpRequest, error: NotFound) -> HttpResponse:
    """What a wall hides does not exist (RFC 9457)."""
    return _problem(request, 404, "Not found", str(error))


@api.exception_handler(Refused)
def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """The rules say no."""
    return _problem(request, 422, "Refused", str(error))


@api.exception_handler(Unavailable)
def unavailable(request: HttpRequest, error: Unavailable) -> HttpResponse:
    """Something behind the pages is down."""
    return _problem(request, 503, "Not available right now", "Try again in a moment.")


def _actor(request: HttpRequest) -> Actor:
    return access.actor_of(request.user)


class VehicleOut(Schema):
    """A vehicle with its latest place; None is "not available"."""

    asset: int
    plate: str
    state: str
    organisation_name: str
    speed_kmh: float | None
    course: float | None
    latitude: float | None
    longitude: float | None
    measured_at: datetime | None
    odometer_km: float | None
    driver: str


class VehiclesOut(Schema):
    """One page of vehicles."""

    total: int
    page: int
    vehicles: list[VehicleOut]


class LatestOut(VehicleOut):
    """A vehicle with all of its latest values."""

    online: bool
    altitude_m: float | None
    fuel_l: float | None
    satellites: float | None
    network_signal: float | None
    received_at: datetime | None


class AlarmOut(Schema):
    """An alarm."""

    id: int
    asset: int
    label: str
    condition: str
    level: int | None
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str


class AcknowledgeIn(Schema):
    """The ids of alarms."""

    alarms: list[int]


class AcknowledgedOut(Schema):
    """When they were acknowledged, and how many nobody had acknowledged before."""

    at: datetime
    count: int


class UndoIn(Schema):
    """The moment that an acknowledgement answered."""

    at: datetime


class CommandIn(Schema):
    """An order: the message's id and its fields as `protocols.jt808` declares them for that year (integers of the wire)."""

    message: int
    year: Literal[2011, 2013, 2019] = 2019
    fields: dict[str, Any] = {}


class CommandOut(Schema):
    """An order and what became of it. `fields` and `reply` are JSON texts."""

    id: str
    message: int
    fields: str
    state: str
    reason: str
    reply: str
    given_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


class CommandGiven(Schema):
    """The id of a new order."""

    id: str


@api.get("/vehicles", response=VehiclesOut, operation_id="list_vehicles")
def list_vehicles(request: HttpRequest, q: str = "", state: str = "", page: int = 1) -> dict[str, object]:
    """Return a page of the vehicles whose plate contains `q` and that are in `state`."""
    number = max(1, min(page, MOST_PAGE))
    found = fleet.listing(_actor(request), text=q.replace("\0", "").strip()[:40], state=state, page=number)
    return {"total": found.total, "page": number, "vehicles": found.rows}


@api.get("/vehicles/{int:asset}", response=LatestOut, operation_id="read_vehicle")
def read_vehicle(request: HttpRequest, asset: int) -> dict[str, object]:
    """Return one vehicle with its latest values."""
    detail = fleet.detail(_actor(request), AssetId(asset))
    shown = {name: getattr(detail, name) for name in LatestOut.model_fields if hasattr(detail, name)}
    return shown | {"organisation_name": detail.organisation}


@api.get("/vehicles/{int:asset}/track", operation_id="read_track")
def read_track(request: HttpRequest, asset: int, start: datetime, end: datetime) -> dict[str, object]:
    """Return the track as columns, from start to before end (with zone), at most seven days; the read is audited."""
    if start.tzinfo is None or end.tzinfo is None:
        raise Refused("Times must have a zone, like 2026-11-22T08:00:00+08:00.")
    return track_json(track.track(_actor(request), AssetId(asset), start, end, utc_now()))


@api.get("/vehicles/{int:asset}/commands", response=list[CommandOut], operation_id="list_commands")
def list_commands(request: HttpRequest, asset: int) -> list[orders.Order]:
    """Return the newest orders of a vehicle."""
    return orders.of_asset(_actor(request), AssetId(asset))


@api.post("/vehicles/{int:asset}/commands", response={202: CommandGiven}, operation_id="give_command")
def give_command(request: HttpRequest, asset: int, given: CommandIn) -> Status[dict[str, str]]:
    """Give an order; read it again to see what became of it."""
    command = actions.give_command(asset=AssetId(asset), message=given.message, fields=given.fields, by=_actor(request), year=given.year)
    return Status(202, {"id": command})


@api.get("/vehicles/{int:asset}/alarms", response=list[AlarmOut], operation_id="list_vehicle_alarms")
def list_vehicle_alarms(request: HttpRequest, asset: int) -> list[observations.AlarmView]:
    """Return the newest alarms of a vehicle."""
    return observations.of_asset(_actor(request), AssetId(asset))


@api.get("/alarms", response=list[AlarmOut], operation_id="list_open_alarms")
def list_open_alarms(request: HttpRequest, page: int = 1) -> list[observations.AlarmView]:
    """Return a page (100) of the open alarms, newest first."""
    number = max(1, min(page, MOST_PAGE))
    return observations.open_alarms(_actor(request), offset=(number - 1) * 100)[1]


@api.post("/alarms/{int:alarm}/acknowledge", response={204: None}, operation_id="acknowledge_alarm")
def acknowledge_alarm(request: HttpRequest, alarm: int) -> Status[None]:
    """Note that somebody takes care of an alarm."""
    alarm_actions.acknowledge_alarms(alarms=[alarm], by=_actor(request))
    return Status(204, None)


@api.post("/alarms/acknowledge", response=AcknowledgedOut, operation_id="acknowledge_alarms")
def acknowledge_alarms(request: HttpRequest, given: AcknowledgeIn) -> dict[str, object]:
    """Note that somebody takes care of alarms, at most 500: of all or of none."""
    done = alarm_actions.acknowledge_alarms(alarms=given.alarms, by=_actor(request))
    return {"at": done.at, "count": len(done.assets)}


@api.post("/alarms/acknowledge/undo", response={204: None}, operation_id="undo_acknowledgement")
def undo_acknowledgement(request: HttpRequest, given: UndoIn) -> Status[None]:
    """Take back what one acknowledgement did, within ten seconds; `at` as it answered."""
    if given.at.tzinfo is None:
        raise Refused("Times must have a zone, like 2026-11-22T08:00:00+08:00.")
    alarm_actions.undo_acknowledgement(at=given.at, by=_actor(request))
    return Status(204, None)
