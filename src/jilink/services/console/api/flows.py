"""Flows: conversations as data, and the addresses that they ask."""

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest
from msgspec.structs import replace
from ninja import Query, Router, Status
from pydantic import Field

from jilink.core.flows import actions, reads
from jilink.core.flows.rules.definition import Flow, FlowRefused, FlowTest, read_flow
from jilink.core.flows.rules.faults import MOST_LINES
from jilink.core.flows.rules.simulation import simulate
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.still import Still
from jilink.webkit.api import cursors, problems
from jilink.webkit.api.assembly import VERSIONED
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Page, Paging
from jilink.webkit.api.marks import Watched
from jilink.webkit.api.problems import Fault
from jilink.webkit.api.shapes import Id, In, MadeOut, Out

router = Router(tags=["flows"])
KEY = r"^[a-z][a-z0-9_]{0,39}$"


def _problems(error: Refused) -> list[Fault]:
    found = error.problems if isinstance(error, FlowRefused) else ()
    return [Fault(detail=f"{each.place}: {each.words}", pointer="/definition") for each in found]


problems.explains(FlowRefused, _problems)


class FlawOut(Out):
    """One thing wrong with a flow, and where."""

    place: str
    reason: str


class FlowLineOut(Out):
    """A version of a flow in a list."""

    id: int
    organisation: int
    key: str
    version: int
    state: str
    label: dict[str, str]
    edited_at: datetime
    published_at: datetime | None


class FlowOut(Out):
    """One version of a flow. `problems` are those of a draft; `outdated` names called flows of which a newer version is in use."""

    id: int
    organisation: int
    key: str
    version: int
    state: str
    definition: dict[str, Any]
    problems: list[FlawOut]
    outdated: list[str]
    edited_at: datetime
    published_at: datetime | None


class FlowIn(In):
    """A draft; it may still have faults."""

    organisation: Id
    key: str = Field(pattern=KEY)
    definition: dict[str, Any]


class TrialIn(In):
    """A contact to play through, as the tests of a flow are written."""

    test: dict[str, Any]


class HeardOut(Out):
    """One line of a transcript."""

    ours: bool
    kind: str
    text: str
    language: str


class TrialOut(Out):
    """What came of it; `outcome` is "" while it waits for another line."""

    heard: list[HeardOut]
    steps: list[str]
    outcome: str


class HookIn(In):
    """An address that flows may ask."""

    organisation: Id
    key: str = Field(pattern=KEY)
    url: str = Field(max_length=500)


class HookMadeOut(Out):
    """The secret with which requests to the address are signed; it is shown this once."""

    secret: str


class HookOut(Out):
    """An address that flows may ask."""

    id: int
    organisation: int
    key: str
    url: str
    made_at: datetime


def _out(view: reads.FlowView) -> dict[str, object]:
    named = {name: getattr(view, name) for name in FlowOut.model_fields}
    flaws = [{"place": one.place, "reason": one.words} for one in view.problems]
    return named | {"definition": msgspec.to_builtins(view.definition), "problems": flaws, "outdated": list(view.outdated)}


_WATCHED = Watched(FlowOut, "/version", "/state", *(f"/definition/{part}" for part in Flow.__struct_fields__))


def _still(request: HttpRequest, flow: int) -> Still:
    return _WATCHED.check(request, lambda: _out(reads.flow(actor_of(request), flow)))


def _newest(request: HttpRequest, given: FlowIn) -> dict[str, object] | None:
    """Return the draft that a saved one takes the place of, or else the version that it comes after."""
    actor = actor_of(request)
    rows = [row for row in reads.flows(actor) if (row.organisation, row.key) == (given.organisation, given.key)]
    return _out(reads.flow(actor, rows[0].id)) if rows else None


@router.get("/flows", response=Page[FlowLineOut], operation_id="list_flows")
def list_flows(request: HttpRequest, paging: Query[Paging]) -> dict[str, object]:
    """Return every version of the flows that may be seen."""
    cut = cursors.of_all(request, paging, reads.flows(actor_of(request)), lambda row: row.id)
    named = [name for name in FlowLineOut.model_fields if name != "label"]
    items = [{name: getattr(row, name) for name in named} | {"label": msgspec.to_builtins(row.definition.label)} for row in cut.items]
    return {"items": items, "next": cut.next}


@router.post("/flows", response={201: MadeOut}, operation_id="save_flow", openapi_extra=VERSIONED)
def save_flow(request: HttpRequest, given: FlowIn) -> Status[dict[str, int]]:
    """Keep a draft of a flow. If-Match is of the draft there is, or of the newest version where there is none."""
    made = actions.save_flow(
        organisation=given.organisation,
        key=given.key,
        definition=msgspec.json.encode(given.definition),
        by=actor_of(request),
        still=_WATCHED.check(request, lambda: _newest(request, given)),
    )
    return Status(201, {"id": made})


@router.get("/flows/{int:flow}", response=FlowOut, operation_id="read_flow")
def read_one(request: HttpRequest, flow: Id) -> object:
    """Return one version of a flow."""
    return _WATCHED.shown(request, _out(reads.flow(actor_of(request), flow)))


@router.post("/flows/{int:flow}/try", response=TrialOut, operation_id="try_flow")
def try_flow(request: HttpRequest, flow: Id, given: TrialIn) -> dict[str, object]:
    """Play a contact through a flow without faults; nothing is called, opened or kept."""
    view = reads.flow(actor_of(request), flow)
    if view.problems:
        raise FlowRefused(view.problems)
    test = _test(given.test)
    played = simulate(view.definition, test, utc_now(), view.called)
    heard = [{name: getattr(one, name) for name in HeardOut.model_fields} for one in played.heard]
    return {"heard": heard, "steps": [one.step for one in played.passed], "outcome": played.state.outcome}


def _test(given: dict[str, Any]) -> FlowTest:
    """Return a test from JSON. Raises FlowRefused."""
    test = read_flow(msgspec.json.encode({"tests": [{"name": "-"} | given]})).tests[0]
    return replace(test, lines=test.lines[:MOST_LINES])


@router.post("/flows/{int:flow}/publish", response={204: None}, operation_id="publish_flow", openapi_extra=VERSIONED)
def publish_flow(request: HttpRequest, flow: Id) -> Status[None]:
    """Use a draft for new contacts from now on. 422 names everything that is wrong with it, and tests that fail."""
    actions.publish_flow(flow=flow, by=actor_of(request), still=_still(request, flow))
    return Status(204, None)


@router.post("/flows/{int:flow}/retire", response={204: None}, operation_id="retire_flow", openapi_extra=VERSIONED)
def retire_flow(request: HttpRequest, flow: Id) -> Status[None]:
    """Begin no more contacts by a flow."""
    actions.retire_flow(flow=flow, by=actor_of(request), still=_still(request, flow))
    return Status(204, None)


@router.delete("/flows/{int:flow}", response={204: None}, operation_id="drop_flow_draft", openapi_extra=VERSIONED)
def drop_flow_draft(request: HttpRequest, flow: Id) -> Status[None]:
    """Throw a draft away."""
    actions.drop_draft(flow=flow, by=actor_of(request), still=_still(request, flow))
    return Status(204, None)


@router.get("/flow-hooks", response=Page[HookOut], operation_id="list_flow_hooks")
def list_flow_hooks(request: HttpRequest, paging: Query[Paging]) -> dict[str, object]:
    """Return the addresses that flows may ask."""
    cut = cursors.of_all(request, paging, reads.hooks(actor_of(request)), lambda row: row.id)
    return {"items": cut.items, "next": cut.next}


@router.post("/flow-hooks", response={201: HookMadeOut}, operation_id="add_flow_hook")
def add_flow_hook(request: HttpRequest, given: HookIn) -> Status[dict[str, str]]:
    """Let flows ask an address by a name; requests are signed as webhooks are."""
    secret = actions.add_hook(organisation=given.organisation, key=given.key, url=given.url, by=actor_of(request))
    return Status(201, {"secret": secret})


@router.delete("/flow-hooks/{int:hook}", response={204: None}, operation_id="remove_flow_hook")
def remove_flow_hook(request: HttpRequest, hook: Id) -> Status[None]:
    """Let no flow ask an address any more."""
    actions.remove_hook(hook=hook, by=actor_of(request))
    return Status(204, None)
