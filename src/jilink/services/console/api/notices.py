"""What a member was told, for programs that act for them."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from jilink.kernel.clock import utc_now
from jilink.services.console.actions import notices as actions
from jilink.services.console.reads import notices as reads
from jilink.services.console.rules.notices import CHOSEN, Kind, Way
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.shapes import Id, In, Out

router = Router(tags=["cases"])


class NoticeOut(Out):
    """One notice: why one was told, of how many cases, the last of them (null once it is out of reach), and by which member."""

    id: int
    kind: Kind
    count: int
    case: int | None
    number: str
    by: int | None
    at: datetime
    read: bool


class Wishes(In):
    """How one hears of what concerns several people: not at all, by the bell, or by letter too."""

    team: Way = Field(description="New cases of one's teams.")
    unit: Way = Field(description="New cases of the unit that nobody in particular has.")
    waiting: Way = Field(description="Requests that wait for a decision.")


class ReadIn(In):
    """Up to which notice everything was read."""

    upto: Id = Field(description="Id of the newest notice that was shown.")


@router.get("/notices", response=list[NoticeOut], operation_id="list_notices")
def list_notices(request: HttpRequest) -> list[dict[str, object]]:
    """Return one's own last hundred notices, the newest first."""
    found = reads.notices(actor_of(request), now=utc_now())
    return [
        {name: getattr(each, name) for name in ("id", "kind", "count", "by", "at", "read")}
        | {"case": each.case.id if each.case else None, "number": each.case.number if each.case else ""}
        for each in found
    ]


@router.get("/notices/wishes", response=Wishes, operation_id="read_notice_wishes")
def read_notice_wishes(request: HttpRequest) -> dict[str, Way]:
    """Return how one hears of what concerns several people."""
    return {kind.value: way for kind, way in reads.wishes(actor_of(request)).items()}


@router.put("/notices/wishes", response={204: None}, operation_id="set_notice_wishes")
def set_notice_wishes(request: HttpRequest, given: Wishes) -> Status[None]:
    """Say how one wants to hear of what concerns several people."""
    actions.set_wishes(wishes={kind: getattr(given, kind.value) for kind in CHOSEN}, by=actor_of(request))
    return Status(204, None)


@router.post("/notices/read", response={204: None}, operation_id="read_notices")
def read_notices(request: HttpRequest, given: ReadIn) -> Status[None]:
    """Mark one's own notices as read, up to one."""
    actions.read_notices(by=actor_of(request), upto=given.upto)
    return Status(204, None)
