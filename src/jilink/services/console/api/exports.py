"""Everything of a noun in one answer of any length, as lines of JSON or as CSV."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router
from pydantic import BaseModel

from jilink.core.cases import reads as cases
from jilink.core.cases.reads import Filter, Order
from jilink.core.interactions import reads as interactions
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, require
from jilink.core.parties.people import reads as people
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import InteractionId, OrganisationId, PersonId
from jilink.services.console.api.case_shapes import CaseRowOut
from jilink.services.console.api.interactions import InteractionOut
from jilink.services.console.api.organisations import EntryOut
from jilink.services.console.api.people import PersonRowOut
from jilink.webkit.api import streams
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.shapes import Id

router = Router(tags=["bulk"])
TOGETHER = 200
_EXTRA = {
    "responses": {
        200: {
            "description": "The rows",
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}, "text/csv": {"schema": {"type": "string"}}},
        }
    }
}


class Exported(StrEnum):
    """What can be exported."""

    PEOPLE = "people"
    CASES = "cases"
    INTERACTIONS = "interactions"
    AUDIT = "audit"


class ExportFormat(StrEnum):
    """Lines of JSON, or comma-separated values."""

    NDJSON = "ndjson"
    CSV = "csv"


Pages = Iterator[Sequence[BaseModel]]


def _people(actor: Actor, organisation: OrganisationId) -> Pages:
    before: PersonId | None = None
    while rows := people.find(actor, organisation=organisation, before=before, limit=TOGETHER):
        yield [PersonRowOut.model_validate(row) for row in rows]
        before = rows[-1].id


def _cases(actor: Actor, organisation: OrganisationId) -> Pages:
    wanted, cursor = Filter(states=(), organisations=(organisation,)), ""
    while True:
        page = cases.cases(actor, wanted, now=utc_now(), order=Order.OLDEST, cursor=cursor, limit=TOGETHER)
        yield [CaseRowOut.model_validate(row) for row in page.rows]
        if not (cursor := page.next):
            return


def _interactions(actor: Actor, organisation: OrganisationId) -> Pages:
    before: InteractionId | None = None
    while rows := interactions.interactions(actor, before=before, size=TOGETHER):
        yield [InteractionOut.model_validate(row) for row in rows if row.organisation == organisation]
        before = rows[-1].id


def _audit(actor: Actor, organisation: OrganisationId) -> Pages:
    before: int | None = None
    while rows := audit.entries(actor, organisation, limit=TOGETHER, before=before):
        yield [EntryOut.model_validate(row) for row in rows]
        before = rows[-1].sequence


_NOUNS: dict[Exported, tuple[Permission, type[BaseModel], Callable[[Actor, OrganisationId], Pages]]] = {
    Exported.PEOPLE: (Permission.EXPORT_PEOPLE, PersonRowOut, _people),
    Exported.CASES: (Permission.REPORT_CASES, CaseRowOut, _cases),
    Exported.INTERACTIONS: (Permission.EXPORT_PEOPLE, InteractionOut, _interactions),
    Exported.AUDIT: (Permission.READ_AUDIT, EntryOut, _audit),
}


@router.get("/exports/{noun}.{form}", operation_id="export", openapi_extra=_EXTRA)
def export(request: HttpRequest, noun: Exported, form: ExportFormat, organisation: Id) -> StreamingHttpResponse:
    """Return everything of a noun in an organisation that its lists show, page by page as it is read; the export is audited."""
    actor, place = actor_of(request), OrganisationId(organisation)
    permission, shape, read = _NOUNS[noun]
    require(actor, permission, place)
    audit.record(actor, "export.made", f"organisation:{organisation}", place, detail=f"{noun} {form}")
    pages = read(actor, place)
    chunks, kind = (streams.ndjson(pages), streams.NDJSON) if form is ExportFormat.NDJSON else (streams.as_csv(shape, pages), streams.CSV)
    return streams.streamed(request, actor, chunks, kind, f"{noun}.{form}")
