"""What may be asked about imports: whoever may import a noun in an organisation sees its imports there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db.models import Q, QuerySet

from jilink.core.imports.models import ImportJob, KnownKey, RefusedRow
from jilink.core.imports.registry import Noun, noun_of, nouns
from jilink.core.imports.rules import ImportState
from jilink.core.parties.access import Actor, NotFound, organisations_of, require
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.kernel.refusals import refusal_from

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """One import. `failure` says why it failed, None where it did not; `rows` is None until the upload was read."""

    id: int
    organisation: OrganisationId
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
    failure: Refused | None
    actor: str
    made_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalView:
    """A row that was not taken, and why."""

    id: int
    row: int
    key: str
    field: str
    reason: Refused


def open_to(actor: Actor) -> list[Noun]:
    """Return the nouns that the actor may import somewhere."""
    return [noun for noun in nouns() if organisations_of(actor, noun.permission)]


def import_job(actor: Actor, job: int) -> ImportView:
    """Return one import. Raises NotFound."""
    return _view(row_of(actor, job))


def import_jobs(actor: Actor, *, before: int | None = None, limit: int = PAGE, noun: str = "") -> list[ImportView]:
    """Return the imports that the actor may see, the newest first; `before` is the last number of the page before."""
    seen = Q(pk__in=())
    for each in open_to(actor):
        seen |= Q(noun=each.key, organisation__in=organisations_of(actor, each.permission))
    rows = ImportJob.objects.filter(seen).select_related("organisation")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if noun:
        rows = rows.filter(noun=noun)
    return [_view(row) for row in rows.order_by("-pk")[:limit]]


def refusals(actor: Actor, job: int, *, after: int = 0, limit: int = PAGE) -> list[RefusalView]:
    """Return refused rows of an import in the order of the file; `after` is the last number of the page before. Raises NotFound."""
    return [_refusal(row) for row in _refused(row_of(actor, job)).filter(pk__gt=after)[:limit]]


def all_refusals(actor: Actor, job: int, together: int = 500) -> Iterator[list[RefusalView]]:
    """Yield every refused row of an import, some at a time. Raises NotFound."""
    after = 0
    while rows := refusals(actor, job, after=after, limit=together):
        after = rows[-1].id
        yield rows


def known(organisation: OrganisationId, noun: str, key: str) -> int | None:
    """Return the number of what was made of the row with this key, None where none was. No wall is asked: for importers."""
    row = KnownKey.objects.filter(organisation_id=organisation, noun=noun, key=f"k:{key}").first()
    return row.subject if row is not None else None


def row_of(actor: Actor, job: int, *, lock: bool = False) -> ImportJob:
    """Return the row of an import that the actor may see and act upon. Raises NotFound."""
    rows: QuerySet[ImportJob] = ImportJob.objects.select_related("organisation")
    row = (rows.select_for_update(of=("self",)) if lock else rows).filter(pk=job).first()
    if row is None:
        raise NotFound("There is no such thing, or you may not see it.")
    require(actor, noun_of(row.noun).permission, row.organisation_id)
    return row


def _refused(job: ImportJob) -> QuerySet[RefusedRow]:
    return RefusedRow.objects.filter(job=job).order_by("pk")


def _view(row: ImportJob) -> ImportView:
    return ImportView(
        id=row.pk,
        organisation=OrganisationId(row.organisation_id),
        organisation_name=row.organisation.name,
        noun=row.noun,
        name=row.name,
        options=msgspec.json.decode(row.options, type=dict[str, str]),
        dry_run=row.dry_run,
        state=ImportState(row.state),
        size=row.size,
        received=row.received,
        rows=row.rows,
        done=row.done,
        created=row.created,
        changed=row.changed,
        same=row.same,
        refused=row.refused,
        failure=refusal_from(row.failure, row.failure_values) if row.failure else None,
        actor=row.actor,
        made_at=row.made_at,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
    )


def _refusal(row: RefusedRow) -> RefusalView:
    return RefusalView(id=row.pk, row=row.row, key=row.key, field=row.field, reason=refusal_from(row.message, row.values))
