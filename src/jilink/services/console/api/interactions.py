"""Interactions: contacts on one channel, what was said in them, and how they ended."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile
from pydantic import BaseModel, Field

from jilink.core.interactions import actions, reads
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.rules import Channel, Direction, Outcome, Side
from jilink.kernel.ids import AssetId, InteractionId, OrganisationId, PersonId, TeamId
from jilink.services.console.api.files import BYTES, sent
from jilink.services.console.api.people import RevealedOut
from jilink.webkit.api import cursors
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.shapes import Flag, Id, In, Latitude, Line, Long, Longitude, MadeOut, Out, Time

router = Router(tags=["interactions"])


class InteractionOut(Out):
    """One contact, its number or address masked."""

    id: int
    organisation: int
    team: int | None
    assignee: int | None
    channel: Channel
    direction: Direction
    masked: str
    person: int | None
    asset: int | None
    language: str
    latitude: float | None
    longitude: float | None
    accuracy_m: float | None
    subject: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    parts: int


class PartOut(Out):
    """One thing that was said. `by` is empty for their words."""

    number: int
    side: Side
    by: str
    text: str
    file: int | None
    at: datetime


class InteractionIn(In):
    """A new contact. With `source` and `reference` of the system that it comes from, adding it twice adds it once."""

    organisation: Id
    channel: Channel
    direction: Direction = Direction.IN
    contact: str = Field("", max_length=250, description="Telephone or address on their side, in any spelling.")
    person: Id | None = None
    asset: Id | None = None
    team: Id | None = None
    language: str = Field("", max_length=12)
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    accuracy_m: float | None = Field(None, ge=0, le=100_000)
    subject: Line = ""
    source: str = Field("", max_length=20)
    reference: str = Field("", max_length=60)
    started_at: Time | None = None


class PartIn(In):
    """What was said."""

    side: Side
    text: Long
    reference: str = Field("", max_length=60)
    at: Time | None = None


class FilePartIn(BaseModel):
    """What stands beside a file that was sent."""

    side: Side
    text: str = Field("", max_length=20_000)
    reference: str = Field("", max_length=60)


class PartMadeOut(Out):
    """The number of the part in its contact."""

    number: int


class WhoseIn(In):
    """Whose contact it was; null where that was wrong."""

    person: Id | None


class HandOverIn(In):
    """Who has it now."""

    team: Id | None = None
    assignee: Id | None = None


class EndIn(In):
    """How it ended."""

    outcome: Outcome


@router.get("/interactions", response=Page[InteractionOut], operation_id="list_interactions")
def list_interactions(
    request: HttpRequest,
    paging: Query[Paging],
    person: Id | None = None,
    asset: Id | None = None,
    channel: Channel | None = None,
    going_on: Flag = False,
) -> Cut[reads.InteractionView]:
    """Return the contacts within reach, the newest first."""
    before = cursors.number(request, paging)
    rows = reads.interactions(
        actor_of(request),
        person=PersonId(person) if person is not None else None,
        asset=AssetId(asset) if asset is not None else None,
        channel=channel,
        going_on=going_on,
        before=InteractionId(before) if before is not None else None,
        size=paging.limit + 1,
    )
    return cursors.by_number(request, paging, rows, lambda row: row.id)


@router.post("/interactions", response={201: MadeOut}, operation_id="add_interaction")
def add_interaction(request: HttpRequest, given: InteractionIn) -> Status[dict[str, int]]:
    """Add a contact."""
    contact = Contact(
        channel=given.channel,
        direction=given.direction,
        contact=given.contact,
        person=PersonId(given.person) if given.person is not None else None,
        asset=AssetId(given.asset) if given.asset is not None else None,
        team=TeamId(given.team) if given.team is not None else None,
        language=given.language,
        latitude=given.latitude,
        longitude=given.longitude,
        accuracy_m=given.accuracy_m,
        subject=given.subject,
        source=given.source,
        reference=given.reference,
        started_at=given.started_at,
    )
    made = actions.add_interaction(organisation=OrganisationId(given.organisation), contact=contact, by=actor_of(request))
    return Status(201, {"id": made})


@router.get("/interactions/{int:interaction}", response=InteractionOut, operation_id="read_interaction")
def read_interaction(request: HttpRequest, interaction: Id) -> reads.InteractionView:
    """Return one contact."""
    return reads.interaction(actor_of(request), InteractionId(interaction))


@router.get("/interactions/{int:interaction}/parts", response=list[PartOut], operation_id="list_parts")
def list_parts(request: HttpRequest, interaction: Id, after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0) -> list[reads.PartView]:
    """Return what was said after a part's number, in order."""
    return reads.parts(actor_of(request), InteractionId(interaction), after=after)


@router.post("/interactions/{int:interaction}/parts", response={201: PartMadeOut}, operation_id="add_part")
def add_part(request: HttpRequest, interaction: Id, given: PartIn) -> Status[dict[str, int]]:
    """Add what was said."""
    made = actions.add_part(
        interaction=InteractionId(interaction),
        side=given.side,
        text=given.text,
        reference=given.reference,
        at=given.at,
        by=actor_of(request),
    )
    return Status(201, {"number": made})


@router.post("/interactions/{int:interaction}/files", response={201: PartMadeOut}, operation_id="add_part_file")
def add_part_file(request: HttpRequest, interaction: Id, given: Form[FilePartIn], file: File[UploadedFile]) -> Status[dict[str, int]]:
    """Add a file that was sent."""
    made = actions.add_part(
        interaction=InteractionId(interaction),
        side=given.side,
        text=given.text,
        reference=given.reference,
        file=(file.read(), file.name or ""),
        by=actor_of(request),
    )
    return Status(201, {"number": made})


@router.get("/interactions/{int:interaction}/parts/{int:number}/file", operation_id="read_part_file", openapi_extra=BYTES)
def read_part_file(request: HttpRequest, interaction: Id, number: Id) -> HttpResponse:
    """Return the file of a part."""
    return sent(*reads.part_file(actor_of(request), InteractionId(interaction), number))


@router.post("/interactions/{int:interaction}/reveal", response=RevealedOut, operation_id="reveal_interaction")
def reveal_interaction(request: HttpRequest, interaction: Id) -> dict[str, str]:
    """Return the number or address on their side; the read is audited."""
    return {"value": reads.reveal_contact(actor_of(request), InteractionId(interaction))}


@router.put("/interactions/{int:interaction}/person", response={204: None}, operation_id="identify_person")
def identify_person(request: HttpRequest, interaction: Id, given: WhoseIn) -> Status[None]:
    """Say whose contact it was."""
    person = PersonId(given.person) if given.person is not None else None
    actions.identify_person(interaction=InteractionId(interaction), person=person, by=actor_of(request))
    return Status(204, None)


@router.post("/interactions/{int:interaction}/hand-over", response={204: None}, operation_id="hand_over")
def hand_over(request: HttpRequest, interaction: Id, given: HandOverIn) -> Status[None]:
    """Give a contact to a team, a member, or nobody."""
    team = TeamId(given.team) if given.team is not None else None
    actions.hand_over(interaction=InteractionId(interaction), team=team, assignee=given.assignee, by=actor_of(request))
    return Status(204, None)


@router.post("/interactions/{int:interaction}/end", response={204: None}, operation_id="end_interaction")
def end_interaction(request: HttpRequest, interaction: Id, given: EndIn) -> Status[None]:
    """End a contact."""
    actions.end_interaction(interaction=InteractionId(interaction), outcome=given.outcome, by=actor_of(request))
    return Status(204, None)
