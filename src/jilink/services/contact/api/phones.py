"""Phones that may sign in at the telephone engine."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from jilink.services.contact.actions import designing
from jilink.services.contact.reads import floor
from jilink.webkit.api import cursors
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.shapes import Id, In, Out

router = Router(tags=["contact centre"])


class PhoneOut(Out):
    """A phone; `endpoint` is its user name. `lent_until` is set for one that is lent for trying numbers."""

    id: int
    organisation: int
    extension: str
    endpoint: str
    user: int | None
    webrtc: bool
    enabled: bool
    caller: str
    lent_until: datetime | None


class PhoneIn(In):
    """A new phone."""

    organisation: Id
    extension: str = Field(pattern=r"^[0-9]{2,10}$")
    user: Id | None = None
    webrtc: bool = False


class PhoneEditIn(In):
    """What can be changed of a phone; `caller`: the number its calls show, "" for its extension."""

    user: Id | None = None
    caller: str = Field("", max_length=40)
    enabled: bool = True


class PhoneLoginOut(Out):
    """The password of a phone, told this once."""

    password: str


@router.get("/phones", response=Page[PhoneOut], operation_id="list_phones")
def list_phones(request: HttpRequest, paging: Query[Paging]) -> Cut[floor.PhoneView]:
    """Return the phones."""
    return cursors.of_all(request, paging, floor.phones(actor_of(request)), lambda row: row.id)


@router.post("/phones", response={201: PhoneLoginOut}, operation_id="add_phone")
def add_phone(request: HttpRequest, given: PhoneIn) -> Status[dict[str, str]]:
    """Add a phone and return its password."""
    made = designing.add_phone(
        organisation=given.organisation, extension=given.extension, user=given.user, webrtc=given.webrtc, by=actor_of(request)
    )
    return Status(201, {"password": made})


@router.get("/phones/{int:phone}", response=PhoneOut, operation_id="read_phone")
def read_phone(request: HttpRequest, phone: Id) -> floor.PhoneView:
    """Return one phone."""
    return floor.phone(actor_of(request), phone)


@router.put("/phones/{int:phone}", response={204: None}, operation_id="change_phone")
def change_phone(request: HttpRequest, phone: Id, given: PhoneEditIn) -> Status[None]:
    """Say whose a phone is, and switch it off and on."""
    designing.change_phone(phone=phone, user=given.user, caller=given.caller, enabled=given.enabled, by=actor_of(request))
    return Status(204, None)


@router.post("/phones/{int:phone}/password", response=PhoneLoginOut, operation_id="renew_phone")
def renew_phone(request: HttpRequest, phone: Id) -> dict[str, str]:
    """Give a phone another password; the old one stops."""
    return {"password": designing.renew_phone(phone=phone, by=actor_of(request))}


@router.delete("/phones/{int:phone}", response={204: None}, operation_id="remove_phone")
def remove_phone(request: HttpRequest, phone: Id) -> Status[None]:
    """Take a phone away."""
    designing.remove_phone(phone=phone, by=actor_of(request))
    return Status(204, None)
