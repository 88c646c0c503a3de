"""Lines to carriers and gateways."""

from typing import Any

import msgspec
from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from jilink.core.parties.access import require
from jilink.core.parties.rules import Permission
from jilink.services.contact.actions import trunks
from jilink.services.contact.reads import outside
from jilink.services.contact.rules.trunks import read_trunk
from jilink.webkit.api import cursors, marks
from jilink.webkit.api.assembly import VERSIONED
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Page, Paging
from jilink.webkit.api.shapes import Id, In, MadeOut, Out

router = Router(tags=["contact centre"])


class TrunkOut(Out):
    """A trunk without its password."""

    id: int
    organisation: int
    name: str
    design: dict[str, Any]
    has_password: bool
    enabled: bool
    version: int


class TrunkIn(In):
    """A new trunk; the password is kept sealed and never told again."""

    organisation: Id
    name: str = Field(max_length=60)
    design: dict[str, Any]
    password: str = Field("", max_length=120)


class TrunkEditIn(In):
    """A trunk as it is to be. Without a password the one it has stays; `based_on`: the version that was read, where If-Match says none."""

    name: str = Field(max_length=60)
    design: dict[str, Any]
    password: str | None = Field(None, max_length=120)
    enabled: bool = True
    based_on: Id | None = None


def _out(view: outside.TrunkView) -> dict[str, object]:
    return {name: getattr(view, name) for name in TrunkOut.model_fields} | {"design": msgspec.to_builtins(view.design)}


@router.get("/trunks", response=Page[TrunkOut], operation_id="list_trunks")
def list_trunks(request: HttpRequest, paging: Query[Paging]) -> dict[str, object]:
    """Return the trunks."""
    cut = cursors.of_all(request, paging, outside.trunks(actor_of(request)), lambda row: row.id)
    return {"items": [_out(row) for row in cut.items], "next": cut.next}


@router.post("/trunks", response={201: MadeOut}, operation_id="add_trunk")
def add_trunk(request: HttpRequest, given: TrunkIn) -> Status[dict[str, int]]:
    """Add a trunk."""
    actor = actor_of(request)
    require(actor, Permission.MANAGE_QUEUES, given.organisation)
    design = read_trunk(msgspec.json.encode(given.design))
    made = trunks.add_trunk(organisation=given.organisation, name=given.name, design=design, password=given.password, by=actor)
    return Status(201, {"id": made})


@router.get("/trunks/{int:trunk}", response=TrunkOut, operation_id="read_trunk")
def read_one(request: HttpRequest, trunk: Id) -> dict[str, object]:
    """Return one trunk."""
    return _out(outside.trunk(actor_of(request), trunk))


@router.put("/trunks/{int:trunk}", response={204: None}, operation_id="change_trunk", openapi_extra=VERSIONED)
def change_trunk(request: HttpRequest, trunk: Id, given: TrunkEditIn) -> Status[None]:
    """Change a trunk, or switch it off and on."""
    actor = actor_of(request)
    seen = outside.trunk(actor, trunk)
    based_on = marks.expected_version(request) or given.based_on or seen.version
    design = read_trunk(msgspec.json.encode(given.design))
    trunks.change_trunk(trunk=trunk, name=given.name, design=design, based_on=based_on, password=given.password, by=actor)
    if given.enabled != seen.enabled:
        trunks.enable_trunk(trunk=trunk, enabled=given.enabled, by=actor)
    return Status(204, None)


@router.delete("/trunks/{int:trunk}", response={204: None}, operation_id="remove_trunk")
def remove_trunk(request: HttpRequest, trunk: Id) -> Status[None]:
    """Take a trunk away."""
    trunks.remove_trunk(trunk=trunk, by=actor_of(request))
    return Status(204, None)
