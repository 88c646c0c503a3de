"""The same reads and actions for programs (OpenAPI at /api/v1/openapi.json)."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status

from jilink.core.observations import actions as alarm_actions
from jilink.core.observations import reads as observations
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId
from jilink.services.vehicles import actions
from jilink.services.vehicles.pages.vehicle import track_json
from jilink.services.vehicles.reads import fleet, orders, track
from jilink.webkit.api import cursors
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.shapes import Id, In, Out, Time, Words

router = Router(tags=["vehicles"])
VehicleState = Literal["moving", "idle", "alarm", "offline"]


class VehicleOut(Out):
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


class LatestOut(VehicleOut):
    """A vehicle with all of its latest values."""

    online: bool
    altitude_m: float | None
    fuel_l: float | None
    satellites: float | None
    network_signal: float | None
    received_at: datetime | None


class AlarmOut(Out):
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


class AcknowledgeIn(In):
    """The ids of alarms."""

    alarms: list[Id]


class AcknowledgedOut(Out):
    """When they were acknowledged, and how many nobody had acknowledged before."""

    at: datetime
    count: int


class UndoIn(In):
    """The moment that an acknowledgement answered."""

    at: Time


class CommandIn(In):
    """An order: the message's id and its fields as `protocols.jt808` declares them for that year (integers of the wire)."""

    message: int
    year: Literal[2011, 2013, 2019] = 2019
    fields: dict[str, Any] = {}


class CommandOut(Out):
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


class CommandGiven(Out):
    """The id of a new order."""

    id: str


@router.get("/vehicles", response=Page[VehicleOut], operation_id="list_vehicles")
def list_vehicles(request: HttpRequest, paging: Query[Paging], q: Words = "", state: VehicleState | None = None) -> Cut[fleet.Row]:
    """Return the vehicles whose plate contains `q` and that are in `state`, by plate. With a state a page may hold fewer than `limit`."""
    at = cursors.placed(request, paging, tuple[str, int])
    rows, after = fleet.page_after(actor_of(request), text=q.strip()[:40], state=state or "", after=at, limit=paging.limit)
    return cursors.cut(request, rows, after)


@router.get("/vehicles/{int:asset}", response=LatestOut, operation_id="read_vehicle")
def read_vehicle(request: HttpRequest, asset: Id) -> dict[str, object]:
    """Return one vehicle with its latest values."""
    detail = fleet.detail(actor_of(request), AssetId(asset))
    shown = {name: getattr(detail, name) for name in LatestOut.model_fields if hasattr(detail, name)}
    return shown | {"organisation_name": detail.organisation}


@router.get("/vehicles/{int:asset}/track", operation_id="read_track")
def read_track(request: HttpRequest, asset: Id, start: Time, end: Time) -> dict[str, object]:
    """Return the track as columns, from start to before end (with zone), at most seven days; the read is audited."""
    return track_json(track.track(actor_of(request), AssetId(asset), start, end, utc_now()))


@router.get("/vehicles/{int:asset}/commands", response=list[CommandOut], operation_id="list_commands")
def list_commands(request: HttpRequest, asset: Id) -> list[orders.Order]:
    """Return the newest orders of a vehicle."""
    return orders.of_asset(actor_of(request), AssetId(asset))


@router.post("/vehicles/{int:asset}/commands", response={202: CommandGiven}, operation_id="give_command")
def give_command(request: HttpRequest, asset: Id, given: CommandIn) -> Status[dict[str, str]]:
    """Give an order; read it again to see what became of it."""
    command = actions.give_command(asset=AssetId(asset), message=given.message, fields=given.fields, by=actor_of(request), year=given.year)
    return Status(202, {"id": command})


@router.get("/vehicles/{int:asset}/alarms", response=list[AlarmOut], operation_id="list_vehicle_alarms")
def list_vehicle_alarms(request: HttpRequest, asset: Id) -> list[observations.AlarmView]:
    """Return the newest alarms of a vehicle."""
    return observations.of_asset(actor_of(request), AssetId(asset))


@router.get("/alarms", response=Page[AlarmOut], operation_id="list_open_alarms")
def list_open_alarms(request: HttpRequest, paging: Query[Paging]) -> Cut[observations.AlarmView]:
    """Return the open alarms, newest first."""
    at = cursors.placed(request, paging, tuple[datetime, int])
    rows = observations.open_alarms_before(actor_of(request), at, paging.limit + 1)
    last = rows[paging.limit - 1] if len(rows) > paging.limit else None
    return cursors.cut(request, rows[: paging.limit], (last.raised_at, last.id) if last is not None else None)


@router.post("/alarms/{int:alarm}/acknowledge", response={204: None}, operation_id="acknowledge_alarm")
def acknowledge_alarm(request: HttpRequest, alarm: Id) -> Status[None]:
    """Note that somebody takes care of an alarm."""
    alarm_actions.acknowledge_alarms(alarms=[alarm], by=actor_of(request))
    return Status(204, None)


@router.post("/alarms/acknowledge", response=AcknowledgedOut, operation_id="acknowledge_alarms")
def acknowledge_alarms(request: HttpRequest, given: AcknowledgeIn) -> dict[str, object]:
    """Note that somebody takes care of alarms, at most 500: of all or of none."""
    done = alarm_actions.acknowledge_alarms(alarms=given.alarms, by=actor_of(request))
    return {"at": done.at, "count": len(done.assets)}


@router.post("/alarms/acknowledge/undo", response={204: None}, operation_id="undo_acknowledgement")
def undo_acknowledgement(request: HttpRequest, given: UndoIn) -> Status[None]:
    """Take back what one acknowledgement did, within ten seconds; `at` as it answered."""
    alarm_actions.undo_acknowledgement(at=given.at, by=actor_of(request))
    return Status(204, None)
