"""Queues: how each is served, and how it stands now."""

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from jilink.core.parties.access import require
from jilink.core.parties.rules import Permission
from jilink.services.contact.actions import designing
from jilink.services.contact.reads import floor
from jilink.services.contact.rules.design import read_design
from jilink.webkit.api import cursors, marks
from jilink.webkit.api.assembly import VERSIONED
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Page, Paging
from jilink.webkit.api.shapes import Id, In, MadeOut, Out

router = Router(tags=["contact centre"])


class QueueOut(Out):
    """A queue and how it stands now. `design` is described in the handbook of the contact centre."""

    id: int
    organisation: int
    key: str
    version: int
    design: dict[str, Any]
    waiting: int
    ringing: int
    talking: int
    wrapping: int
    longest_since: datetime | None


class QueueIn(In):
    """A new queue; of its design only the name is needed."""

    organisation: Id
    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    design: dict[str, Any]


class QueueEditIn(In):
    """A queue as it is to be served. `based_on`: the version that was read, where If-Match does not say it."""

    design: dict[str, Any]
    based_on: Id | None = None


def _out(view: floor.QueueView) -> dict[str, object]:
    named = {name: getattr(view, name) for name in QueueOut.model_fields}
    return named | {"design": msgspec.to_builtins(view.design)}


@router.get("/queues", response=Page[QueueOut], operation_id="list_queues")
def list_queues(request: HttpRequest, paging: Query[Paging]) -> dict[str, object]:
    """Return the queues as they stand now."""
    cut = cursors.of_all(request, paging, floor.queues(actor_of(request)), lambda row: row.id)
    return {"items": [_out(row) for row in cut.items], "next": cut.next}


@router.post("/queues", response={201: MadeOut}, operation_id="add_queue")
def add_queue(request: HttpRequest, given: QueueIn) -> Status[dict[str, int]]:
    """Add a queue."""
    actor = actor_of(request)
    require(actor, Permission.MANAGE_QUEUES, given.organisation)
    design = read_design(msgspec.json.encode(given.design))
    return Status(201, {"id": designing.add_queue(organisation=given.organisation, key=given.key, design=design, by=actor)})


@router.get("/queues/{int:queue}", response=QueueOut, operation_id="read_queue")
def read_queue(request: HttpRequest, queue: Id) -> dict[str, object]:
    """Return one queue."""
    return _out(floor.queue(actor_of(request), queue))


@router.put("/queues/{int:queue}", response={204: None}, operation_id="change_queue", openapi_extra=VERSIONED)
def change_queue(request: HttpRequest, queue: Id, given: QueueEditIn) -> Status[None]:
    """Serve a queue in another way from now on."""
    actor = actor_of(request)
    seen = floor.queue(actor, queue)
    require(actor, Permission.MANAGE_QUEUES, seen.organisation)
    based_on = marks.expected_version(request) or given.based_on or seen.version
    designing.change_queue(queue=queue, design=read_design(msgspec.json.encode(given.design)), based_on=based_on, by=actor)
    return Status(204, None)


@router.delete("/queues/{int:queue}", response={204: None}, operation_id="retire_queue")
def retire_queue(request: HttpRequest, queue: Id) -> Status[None]:
    """Let a queue take nobody more; its figures stay. Refused while a number leads there or somebody is in it."""
    designing.retire_queue(queue=queue, by=actor_of(request))
    return Status(204, None)
