"""Case types and working calendars, which are data."""

from datetime import date, datetime
from typing import Any

import msgspec
from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from jilink.core.cases import actions, reads
from jilink.core.cases.reads.types import calendar as calendar_of
from jilink.core.cases.rules.definition import Definition, DefinitionRefused
from jilink.kernel.errors import Refused
from jilink.kernel.still import Still
from jilink.webkit.api import cursors, problems
from jilink.webkit.api.assembly import VERSIONED
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Page, Paging
from jilink.webkit.api.marks import Watched
from jilink.webkit.api.problems import Fault
from jilink.webkit.api.shapes import Id, In, MadeOut, Out

router = Router(tags=["case types"])
KEY = r"^[a-z][a-z0-9_]{0,39}$"


def _problems(error: Refused) -> list[Fault]:
    found = error.problems if isinstance(error, DefinitionRefused) else ()
    return [Fault(detail=f"{each.place}: {each.words}", pointer="/definition") for each in found]


problems.explains(DefinitionRefused, _problems)


class ProblemOut(Out):
    """One thing wrong with a definition, and where."""

    place: str
    reason: str


class TypeOut(Out):
    """One version of a case type."""

    id: int
    organisation: int
    key: str
    version: int
    state: str
    definition: dict[str, Any]
    problems: list[ProblemOut]
    edited_at: datetime
    published_at: datetime | None


class UsableOut(Out):
    """A case type that cases can be opened by."""

    key: str
    definition: dict[str, Any]


class TypeIn(In):
    """A draft; it may still contradict itself."""

    organisation: Id
    key: str = Field(pattern=KEY)
    definition: dict[str, Any]


class CalendarIn(In):
    """A working calendar, or its next years."""

    organisation: Id
    data: dict[str, Any]


class CalendarOut(Out):
    """A working calendar, and the last day it knows."""

    last: date
    data: dict[str, Any]


def _out(view: reads.TypeView) -> dict[str, object]:
    named = {name: getattr(view, name) for name in TypeOut.model_fields}
    return named | {"definition": msgspec.to_builtins(view.definition)}


_WATCHED = Watched(TypeOut, "/version", "/state", *(f"/definition/{part}" for part in Definition.__struct_fields__))


def _still(request: HttpRequest, type: int) -> Still:
    return _WATCHED.check(request, lambda: _out(reads.case_type(actor_of(request), type)))


def _newest(request: HttpRequest, given: TypeIn) -> dict[str, object] | None:
    """Return the draft that a saved one takes the place of, or else the version that it comes after."""
    rows = [row for row in reads.case_types(actor_of(request)) if (row.organisation, row.key) == (given.organisation, given.key)]
    return _out(rows[0]) if rows else None


@router.get("/case-types", response=Page[TypeOut], operation_id="list_case_types")
def list_case_types(request: HttpRequest, paging: Query[Paging]) -> dict[str, object]:
    """Return every version of the case types that may be managed."""
    cut = cursors.of_all(request, paging, reads.case_types(actor_of(request)), lambda row: row.id)
    return {"items": [_out(view) for view in cut.items], "next": cut.next}


@router.get("/case-types/in-use", response=list[UsableOut], operation_id="list_usable_types")
def list_usable_types(request: HttpRequest, organisation: Id) -> list[dict[str, object]]:
    """Return what cases can be opened in an organisation, with their forms."""
    found = reads.types_in_use(actor_of(request), organisation)
    return [{"key": key, "definition": msgspec.to_builtins(definition)} for key, definition in found.items()]


@router.post("/case-types", response={201: MadeOut}, operation_id="save_case_type", openapi_extra=VERSIONED)
def save_case_type(request: HttpRequest, given: TypeIn) -> Status[dict[str, int]]:
    """Keep a draft of a case type. If-Match is of the draft there is, or of the newest version where there is none."""
    made = actions.save_type(
        organisation=given.organisation,
        key=given.key,
        definition=msgspec.json.encode(given.definition),
        by=actor_of(request),
        still=_WATCHED.check(request, lambda: _newest(request, given)),
    )
    return Status(201, {"id": made})


@router.get("/case-types/{int:type}", response=TypeOut, operation_id="read_case_type")
def read_case_type(request: HttpRequest, type: Id) -> object:
    """Return one version of a case type."""
    return _WATCHED.shown(request, _out(reads.case_type(actor_of(request), type)))


@router.post("/case-types/{int:type}/publish", response={204: None}, operation_id="publish_case_type", openapi_extra=VERSIONED)
def publish_case_type(request: HttpRequest, type: Id) -> Status[None]:
    """Use a draft for new cases from now on. 422 names everything that is wrong with it."""
    actions.publish_type(type=type, by=actor_of(request), still=_still(request, type))
    return Status(204, None)


@router.post("/case-types/{int:type}/retire", response={204: None}, operation_id="retire_case_type", openapi_extra=VERSIONED)
def retire_case_type(request: HttpRequest, type: Id) -> Status[None]:
    """Open no more cases by a type."""
    actions.retire_type(type=type, by=actor_of(request), still=_still(request, type))
    return Status(204, None)


@router.delete("/case-types/{int:type}", response={204: None}, operation_id="drop_draft", openapi_extra=VERSIONED)
def drop_draft(request: HttpRequest, type: Id) -> Status[None]:
    """Throw a draft away."""
    actions.drop_draft(type=type, by=actor_of(request), still=_still(request, type))
    return Status(204, None)


@router.get("/calendars/{key}", response=CalendarOut, operation_id="read_calendar")
def read_calendar(request: HttpRequest, key: str, organisation: Id) -> dict[str, object]:
    """Return the working calendar that counts for an organisation."""
    data = calendar_of(actor_of(request), organisation, key)
    return {"last": data.last, "data": msgspec.to_builtins(data)}


@router.put("/calendars/{key}", response={204: None}, operation_id="load_calendar")
def load_calendar(request: HttpRequest, key: str, given: CalendarIn) -> Status[None]:
    """Load a working calendar, or the next years of one; clocks that count by it are set anew."""
    actions.load_calendar(organisation=given.organisation, key=key, data=msgspec.json.encode(given.data), by=actor_of(request))
    return Status(204, None)
