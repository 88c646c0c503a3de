"""Much at once: uploads in pieces that can be resumed (tus 1.0.0, core, creation and termination), and what became of every row."""

from datetime import datetime
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import P, Query, Router, Status
from ninja.errors import HttpError
from ninja.params import HeaderEx
from pydantic import BaseModel, Field

from jilink.core.imports import actions, reads
from jilink.core.imports.registry import Noun, noun_of
from jilink.core.imports.rules import LARGEST, ImportState, OffsetRefused, TooLong
from jilink.kernel.ids import OrganisationId
from jilink.webkit.api import cursors, problems, streams
from jilink.webkit.api.assembly import ALSO
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.problems import PreconditionFailed
from jilink.webkit.api.shapes import BIGGEST, Flag, Id, Line, Out, TextOut, Words
from jilink.webkit.door import said

router = Router(tags=["bulk"])
TUS = "1.0.0"
BYTES = "application/offset+octet-stream"
_OFFSET = {"description": "Bytes that are kept.", "schema": {"type": "integer"}}
_VERSION = {"description": "The version of tus.", "schema": {"type": "string"}}
_UPLOADED = {"Upload-Offset": _OFFSET, "Tus-Resumable": _VERSION}
_BEGUN = {
    "responses": {
        201: {
            "description": "The upload can be sent to Location",
            "headers": {"Location": {"description": "Where the bytes go.", "schema": {"type": "string"}}, **_UPLOADED},
        }
    }
}
_TAKEN = {
    "requestBody": {
        "required": True,
        "description": "The bytes from Upload-Offset on, as many as fit into one request (32 MiB).",
        "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
    },
    "responses": {204: {"description": "They are on disk", "headers": _UPLOADED}},
}
_HEAD = {"responses": {200: {"description": "How much is kept", "headers": {**_UPLOADED, "Upload-Length": _OFFSET}}}, ALSO: ["412"]}
_CSV = {"responses": {200: {"description": "Rows", "content": {"text/csv": {"schema": {"type": "string"}}}}}}
Spoken = HeaderEx[str, P(alias="Tus-Resumable", max_length=20, description="The version of tus that the client speaks.")]
problems.conflicts(OffsetRefused)


class ColumnOut(Out):
    """A field of a row. In CSV it may also stand under its title; lists stand between semicolons; `nested` ones have a column a name."""

    name: str
    title: TextOut
    example: str
    needed: bool
    list: bool
    nested: bool


class OptionOut(Out):
    """What is said once for all rows."""

    name: str
    title: TextOut
    example: str


class ImportableOut(Out):
    """A noun that can be imported. Every row may also have `key`: what its sender calls it."""

    noun: str
    title: TextOut
    columns: list[ColumnOut]
    options: list[OptionOut]


class ImportOut(Out):
    """An import. `received` of `size` bytes are kept; `done` of `rows` rows were looked at (`rows` is null until the file was read)."""

    id: int
    organisation: int
    organisation_name: str
    noun: str
    name: str
    options: dict[str, str]
    dry_run: bool
    state: ImportState
    size: int
    received: int
    rows: int | None
    done: int
    created: int
    changed: int
    same: int
    refused: int
    failure: str
    actor: str
    made_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None


class RefusedRowOut(Out):
    """A row that was not taken: its number as a spreadsheet counts, its key, the field, and why."""

    row: int
    key: str
    field: str
    reason: str


class Wanted(BaseModel):
    """What is to be imported."""

    noun: str = Field(max_length=30)
    organisation: Id
    kind: Words = Field("", max_length=200, description="Of assets: the key of their kind.")
    campaign: Words = Field("", max_length=20, description="Of the people of a campaign: its number.")
    dry_run: Flag = Field(False, description="Look at every row and change nothing.")
    name: Line = Field("", description="Of the file.")


def _import(view: reads.ImportView) -> ImportOut:
    told = {name: getattr(view, name) for name in ImportOut.model_fields if name != "failure"}
    return ImportOut(**told, failure=said(view.failure) if view.failure is not None else "")


def _refusal(view: reads.RefusalView) -> RefusedRowOut:
    return RefusedRowOut(row=view.row, key=view.key.partition(":")[2], field=view.field, reason=said(view.reason))


def _spoken(version: str) -> None:
    """A client that says a version says ours; one that says none is taken for a plain program (tus 1.0.0, "Tus-Resumable")."""
    if version not in ("", TUS):
        raise PreconditionFailed("This server speaks tus %(version)s.", version=TUS)


def _empty(status: int, **headers: str) -> HttpResponse:
    answer = HttpResponse(
        status=status, headers={"Tus-Resumable": TUS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    )
    if status == 204:
        del answer["Content-Type"]
    return answer


def _importable(noun: Noun) -> dict[str, object]:
    columns = [
        {
            "name": name,
            "title": column.title,
            "example": column.example,
            "needed": name in noun.needed,
            "list": name in noun.lists,
            "nested": name in noun.nested,
        }
        for name, column in noun.columns.items()
    ]
    options = [{"name": name, "title": column.title, "example": column.example} for name, column in noun.options.items()]
    return {"noun": noun.key, "title": noun.title, "columns": columns, "options": options}


@router.get("/imports/nouns", response=list[ImportableOut], operation_id="list_importable")
def list_importable(request: HttpRequest) -> list[dict[str, object]]:
    """Return what may be imported, and the fields of its rows."""
    return [_importable(noun) for noun in reads.open_to(actor_of(request))]


@router.get("/imports/nouns/{noun}.csv", operation_id="read_import_template", openapi_extra=_CSV)
def read_import_template(request: HttpRequest, noun: Words) -> HttpResponse:
    """Return a CSV file with the headings of a noun and one row of examples, to be filled in."""
    found = next((each for each in reads.open_to(actor_of(request)) if each.key == noun), None) or noun_of("")
    names = [name for name in found.columns if name not in found.nested]
    rows = [["key", *names], ["", *(found.columns[name].example for name in names)]]
    return HttpResponse("\ufeff".encode() + streams.lines(rows), content_type=streams.CSV, headers=_saved(f"{found.key}.csv"))


@router.post("/imports", response={201: None}, operation_id="begin_import", openapi_extra=_BEGUN)
def begin_import(
    request: HttpRequest,
    wanted: Query[Wanted],
    upload_length: HeaderEx[int, P(alias="Upload-Length", ge=1, le=LARGEST, description="Bytes of the upload, as it is sent.")],
    tus_resumable: Spoken = "",
) -> HttpResponse:
    """Announce an upload of CSV or lines of JSON, perhaps packed with gzip. Its rows are taken in when the last byte is there."""
    _spoken(tus_resumable)
    job = actions.begin_import(
        organisation=OrganisationId(wanted.organisation),
        noun=wanted.noun,
        size=upload_length,
        name=wanted.name,
        options={"kind": wanted.kind, "campaign": wanted.campaign},
        dry_run=wanted.dry_run,
        by=actor_of(request),
    )
    return _empty(201, Location=f"/api/v1/imports/{job}/bytes", Upload_Offset="0")


@router.get("/imports", response=Page[ImportOut], operation_id="list_imports")
def list_imports(request: HttpRequest, paging: Query[Paging], noun: Words = "") -> Cut[ImportOut]:
    """Return imports, the newest first."""
    before = cursors.number(request, paging)
    rows = reads.import_jobs(actor_of(request), before=before, limit=paging.limit + 1, noun=noun)
    return cursors.by_number(request, paging, [_import(row) for row in rows], lambda row: row.id)


@router.get("/imports/{int:job}", response=ImportOut, operation_id="read_import")
def read_import(request: HttpRequest, job: Id) -> ImportOut:
    """Return one import, and how far it is."""
    return _import(reads.import_job(actor_of(request), job))


@router.api_operation(["HEAD"], "/imports/{int:job}/bytes", operation_id="find_offset", openapi_extra=_HEAD)
def find_offset(request: HttpRequest, job: Id, tus_resumable: Spoken = "") -> HttpResponse:
    """Return how many bytes of an upload are kept: go on from there."""
    _spoken(tus_resumable)
    actor = actor_of(request)
    offset = actions.offset_of(job=job, by=actor)
    size = reads.import_job(actor, job).size
    return _empty(200, Upload_Offset=str(offset), Upload_Length=str(size), Cache_Control="no-store")


@router.patch("/imports/{int:job}/bytes", response={204: None}, operation_id="send_bytes", openapi_extra=_TAKEN)
def send_bytes(
    request: HttpRequest,
    job: Id,
    upload_offset: HeaderEx[
        int,
        P(alias="Upload-Offset", ge=0, le=BIGGEST, description="Where these bytes begin; elsewhere than at the end of those kept is 409."),
    ],
    tus_resumable: Spoken = "",
) -> HttpResponse:
    """Add bytes to an upload. Those that were answered are on disk; with the last of them the rows begin to be taken in."""
    _spoken(tus_resumable)
    if request.content_type != BYTES:
        raise HttpError(415, "Send the bytes as application/offset+octet-stream.")
    try:
        kept = actions.receive(job=job, offset=upload_offset, read=request.read, by=actor_of(request))
    except TooLong as error:
        raise HttpError(413, said(error)) from error
    return _empty(204, Upload_Offset=str(kept))


@router.delete("/imports/{int:job}/bytes", response={204: None}, operation_id="end_upload")
def end_upload(request: HttpRequest, job: Id, tus_resumable: Spoken = "") -> HttpResponse:
    """Cancel an import, as tus says it (termination)."""
    _spoken(tus_resumable)
    actions.cancel_import(job=job, by=actor_of(request))
    return _empty(204)


@router.post("/imports/{int:job}/cancel", response={204: None}, operation_id="cancel_import")
def cancel_import(request: HttpRequest, job: Id) -> Status[None]:
    """End an import; rows that were taken stay."""
    actions.cancel_import(job=job, by=actor_of(request))
    return Status(204, None)


@router.post("/imports/{int:job}/apply", response={202: None}, operation_id="apply_import")
def apply_import(request: HttpRequest, job: Id) -> Status[None]:
    """Do in earnest what a dry run of the last day looked at, without sending it again."""
    actions.do_in_earnest(job=job, by=actor_of(request))
    return Status(202, None)


@router.get("/imports/{int:job}/refusals", response=Page[RefusedRowOut], operation_id="list_refusals")
def list_refusals(request: HttpRequest, job: Id, paging: Query[Paging]) -> dict[str, object]:
    """Return the rows that were not taken, in the order of the file."""
    rows = reads.refusals(actor_of(request), job, after=cursors.number(request, paging) or 0, limit=paging.limit + 1)
    cut = cursors.by_number(request, paging, rows, lambda row: row.id)
    return {"items": [_refusal(row) for row in cut.items], "next": cut.next}


@router.get("/imports/{int:job}/refusals.csv", operation_id="export_refusals", openapi_extra=_CSV)
def export_refusals(request: HttpRequest, job: Id) -> StreamingHttpResponse:
    """Return every row that was not taken as CSV, to be put right and sent again."""
    actor = actor_of(request)
    reads.import_job(actor, job)
    pages = ([_refusal(row) for row in rows] for rows in reads.all_refusals(actor, job))
    return streams.streamed(request, actor, streams.as_csv(RefusedRowOut, pages), streams.CSV, f"import-{job}.csv")


def _saved(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
