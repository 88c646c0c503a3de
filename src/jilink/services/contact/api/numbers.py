"""Numbers that people dial, and where they lead."""

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from jilink.services.contact.actions import designing
from jilink.services.contact.reads import floor
from jilink.webkit.api import cursors
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.shapes import Id, In, MadeOut, Out

router = Router(tags=["contact centre"])


class DialledOut(Out):
    """A number, and the queue or the flow (by its key) where it leads."""

    id: int
    organisation: int
    dialled: str
    queue: int | None
    flow: str


class LeadsIn(In):
    """Where a number leads: to a queue or to a flow, of this organisation."""

    organisation: Id
    queue: Id | None = None
    flow: str = Field("", max_length=40)


class DialledIn(LeadsIn):
    """A number that leads nowhere yet, as the carrier delivers it."""

    dialled: str = Field(max_length=40)


@router.get("/numbers", response=Page[DialledOut], operation_id="list_numbers")
def list_numbers(request: HttpRequest, paging: Query[Paging]) -> Cut[floor.NumberView]:
    """Return the numbers."""
    return cursors.of_all(request, paging, floor.numbers(actor_of(request)), lambda row: row.id)


@router.post("/numbers", response={201: MadeOut}, operation_id="add_number")
def add_number(request: HttpRequest, given: DialledIn) -> Status[dict[str, int]]:
    """Let a number lead somewhere."""
    made = designing.add_number(
        organisation=given.organisation, dialled=given.dialled, queue=given.queue, flow=given.flow, by=actor_of(request)
    )
    return Status(201, {"id": made})


@router.get("/numbers/{int:line}", response=DialledOut, operation_id="read_number")
def read_number(request: HttpRequest, line: Id) -> floor.NumberView:
    """Return one number."""
    return floor.number(actor_of(request), line)


@router.put("/numbers/{int:line}", response={204: None}, operation_id="move_number")
def move_number(request: HttpRequest, line: Id, given: LeadsIn) -> Status[None]:
    """Let a number lead elsewhere."""
    designing.move_number(line=line, organisation=given.organisation, queue=given.queue, flow=given.flow, by=actor_of(request))
    return Status(204, None)


@router.delete("/numbers/{int:line}", response={204: None}, operation_id="remove_number")
def remove_number(request: HttpRequest, line: Id) -> Status[None]:
    """Let a number lead nowhere."""
    designing.remove_number(line=line, by=actor_of(request))
    return Status(204, None)
