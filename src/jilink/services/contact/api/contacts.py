"""Contacts of queues: what came, who served it, what became of it; and the figures of intervals."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from jilink.kernel.clock import utc_now
from jilink.services.contact.reads import contacts, floor
from jilink.webkit.api import cursors
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Page, Paging
from jilink.webkit.api.shapes import Id, Out, Time

Minutes = Annotated[int, Field(ge=15, le=1440)]
router = Router(tags=["contact centre"])


class QueuedContactOut(Out):
    """One interaction in one queue. Seconds; null while it is not over."""

    id: int
    organisation: int
    queue: int
    channel: str
    state: str
    end: str | None
    agent: int | None
    interaction: int | None
    offered_at: datetime
    answered_at: datetime | None
    left_at: datetime | None
    ended_at: datetime | None
    code: str
    wait_s: float | None
    talk_s: float | None


class SoughtIn(Schema):
    """Which contacts: times are of coming to the queue."""

    begin: Time | None = None
    end: Time | None = None
    queue: Id | None = None
    agent: Id | None = None
    channel: str = Field("", max_length=10)
    outcome: str = Field("", max_length=12, description="How it left the queue, or `answered`.")
    code: str = Field("", max_length=40)


class QueueFiguresOut(Out):
    """The figures of one queue in one interval. Shares from 0 to 1."""

    begin: datetime
    queue: int
    offered: int
    answered: int
    in_target: int
    abandoned: int
    short: int
    moved: int
    waiting: int
    service_level: float | None
    abandoned_share: float | None
    mean_wait_s: float | None
    longest_wait_s: float
    mean_handling_s: float | None
    talk_s: float
    hold_s: float
    wrap_up_s: float


def _out(row: contacts.ContactRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in QueuedContactOut.model_fields}


@router.get("/queue-contacts", response=Page[QueuedContactOut], operation_id="list_queue_contacts")
def list_contacts(request: HttpRequest, sought: Query[SoughtIn], paging: Query[Paging]) -> dict[str, object]:
    """Return contacts, the newest first."""
    given = contacts.Sought(**sought.dict())
    rows = contacts.contacts(actor_of(request), given, before=cursors.number(request, paging), limit=paging.limit + 1)
    cut = cursors.by_number(request, paging, rows, lambda row: row.id)
    return {"items": [_out(row) for row in cut.items], "next": cut.next}


@router.get("/queue-contacts/{int:contact}", response=QueuedContactOut, operation_id="read_queue_contact")
def read_contact(request: HttpRequest, contact: Id) -> dict[str, object]:
    """Return one contact."""
    return _out(contacts.contact(actor_of(request), contact).row)


@router.get("/queue-figures", response=list[QueueFiguresOut], operation_id="list_queue_figures")
def figures(request: HttpRequest, begin: Time, end: Time, minutes: Minutes = 30) -> list[dict[str, object]]:
    """Return the figures of queues by interval, of at most 100 days at once."""
    rows = floor.figures(actor_of(request), begin, end, utc_now(), minutes)
    return [{name: getattr(row, name) for name in QueueFiguresOut.model_fields} for row in rows]
