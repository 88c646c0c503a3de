"""The only writers of imports: begun, sent piece by piece, cancelled, done again in earnest, and forgotten."""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.imports import storage
from jilink.core.imports.events import ImportCarriedOn, ImportEnded
from jilink.core.imports.models import ImportJob, KnownKey, SeenKey
from jilink.core.imports.reads import row_of
from jilink.core.imports.registry import noun_of
from jilink.core.imports.rules import KEPT_FOR, LARGEST, MOST_OPEN, OVER, TRIED_FOR, UPLOADED_WITHIN, ImportRefused, ImportState
from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, require
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.kernel.refusals import kept_words


@transaction.atomic
def begin_import(
    *,
    organisation: OrganisationId,
    noun: str,
    size: int,
    by: Actor,
    name: str = "",
    options: Mapping[str, str] | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> int:
    """Announce an upload of `size` bytes and return the number of its import. Raises NotFound, ImportRefused."""
    kind = noun_of(noun)
    require(by, kind.permission, organisation)
    given = {key: value.strip() for key, value in (options or {}).items() if value.strip()}
    if set(given) != set(kind.options):
        named = ", ".join(sorted(kind.options)) or "-"
        raise ImportRefused("Importing %(noun)s takes these options: %(options)s.", noun=kind.title, options=named)
    if any(len(value) > 200 for value in given.values()):
        raise ImportRefused("An option has at most 200 characters.")
    if not 0 < size <= LARGEST:
        raise ImportRefused("An upload has between 1 byte and %(most)d MiB. Pack it with gzip, or split it.", most=LARGEST >> 20)
    under_way = ImportJob.objects.filter(organisation_id=organisation).exclude(state__in=[state.value for state in OVER]).count()
    if under_way >= MOST_OPEN:
        raise ImportRefused("%(most)d imports are under way here. Let them end, or cancel some.", most=MOST_OPEN)
    moment = now or utc_now()
    row = ImportJob.objects.create(
        organisation_id=organisation,
        noun=noun,
        name="".join(each for each in name if each.isprintable()).strip()[:120],
        options=msgspec.json.encode(given).decode(),
        dry_run=dry_run,
        state=ImportState.UPLOADING.value,
        size=size,
        actor=by.name,
        made_at=moment,
    )
    audit.record(by, "import.begun", f"import:{row.pk}", organisation, detail=f"{noun}{' dry run' if dry_run else ''}", at=moment)
    return row.pk


def receive(*, job: int, offset: int, read: Callable[[int], bytes], by: Actor, now: datetime | None = None) -> int:
    """Append bytes to an upload and return how many are kept; with the last of them the import begins.

    `read` gives the next bytes, at most so many, and none at the end. Raises NotFound, OffsetRefused, TooLong, ImportRefused, Unavailable.
    """
    row = row_of(by, job)
    if row.state != ImportState.UPLOADING:
        raise ImportRefused("This upload is over; nothing is added to it.")
    kept = storage.append(row.pk, offset=offset, size=row.size, read=read)
    return _received(row.pk, kept, by, now or utc_now())


def offset_of(*, job: int, by: Actor, now: datetime | None = None) -> int:
    """Return how many bytes of an upload are kept. One whose last byte came and was never answered begins now. Raises NotFound."""
    row = row_of(by, job)
    if row.state != ImportState.UPLOADING:
        return row.received
    return _received(row.pk, storage.length(row.pk), by, now or utc_now())


@transaction.atomic
def _received(job: int, kept: int, by: Actor, now: datetime) -> int:
    row = row_of(by, job, lock=True)
    if row.state != ImportState.UPLOADING or kept <= row.received:
        return max(kept, row.received)
    row.received = kept
    if kept == row.size:
        row.state = ImportState.WAITING.value
        carry_on(row, now)
    row.save(update_fields=["received", "state", "lap"])
    return kept


@transaction.atomic
def cancel_import(*, job: int, by: Actor, now: datetime | None = None) -> None:
    """End an import; rows that were taken stay. One that is over stays as it is. Raises NotFound."""
    row = row_of(by, job, lock=True)
    if row.state not in OVER:
        end(row, ImportState.CANCELLED, by, now or utc_now())


@transaction.atomic
def do_in_earnest(*, job: int, by: Actor, now: datetime | None = None) -> None:
    """Do an import whose dry run has ended, from the same rows. Raises NotFound, ImportRefused."""
    row, moment = row_of(by, job, lock=True), now or utc_now()
    if not row.dry_run or row.state != ImportState.DONE or not storage.path_of(row.pk, storage.ROWS).exists():
        raise ImportRefused("Only a dry run of the last day can be done in earnest. Send the file again.")
    row.refusals.all().delete()
    for counted in ("position", "done", "created", "changed", "same", "refused"):
        setattr(row, counted, 0)
    row.dry_run, row.state, row.actor, row.ended_at = False, ImportState.WAITING.value, by.name, None
    carry_on(row, moment)
    row.save()
    audit.record(by, "import.begun", f"import:{row.pk}", row.organisation_id, detail=f"{row.noun} after a dry run", at=moment)


def carry_on(row: ImportJob, now: datetime) -> None:
    """Have the relay take the next rows of a locked import, in the caller's transaction; the caller saves the row."""
    row.lap += 1
    event = ImportCarriedOn(job=row.pk, lap=row.lap)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"import:{row.pk}", now=now)


def end(row: ImportJob, state: ImportState, by: Actor, now: datetime, failure: Refused | None = None) -> None:
    """End a locked import and save it. Its bytes go once that is committed; the rows of a dry run stay for a day."""
    row.state, row.ended_at = state.value, now
    if failure is not None:
        row.failure, row.failure_values = kept_words(failure)
    row.save()
    SeenKey.objects.filter(job=row).delete()
    told = ImportEnded(job=row.pk, state=state.value, created=row.created, changed=row.changed, refused=row.refused)
    outbox.add(told, organisation=row.organisation_id, aggregate=f"import:{row.pk}", now=now)
    counts = f"{row.noun}: {row.created} made, {row.changed} changed, {row.same} as they were, {row.refused} refused"
    audit.record(
        by,
        {ImportState.DONE: "import.done", ImportState.CANCELLED: "import.cancelled", ImportState.FAILED: "import.failed"}[state],
        f"import:{row.pk}",
        row.organisation_id,
        detail=counts,
        at=now,
    )
    if not (row.dry_run and state == ImportState.DONE):
        transaction.on_commit(lambda: storage.remove(row.pk))


def forget_imports(now: datetime) -> int:
    """Give up uploads a day old, remove the rows of old dry runs, and imports after 30 days; return how many. For the retention job."""
    late = ImportJob.objects.filter(state=ImportState.UPLOADING.value, made_at__lt=now - UPLOADED_WITHIN)
    stale = list(late.values_list("pk", flat=True))
    late.update(state=ImportState.EXPIRED.value, ended_at=now)
    tried = ImportJob.objects.filter(dry_run=True, state=ImportState.DONE.value, ended_at__lt=now - TRIED_FOR)
    for job in [*stale, *tried.values_list("pk", flat=True)]:
        storage.remove(job)
    old = ImportJob.objects.filter(ended_at__lt=now - KEPT_FOR)
    for job in old.values_list("pk", flat=True):
        storage.remove(job)
    return len(stale) + old.delete()[1].get(ImportJob._meta.label, 0)


def forget_keys(noun: str, subject: int) -> int:
    """Forget which outside keys stood for a row, and return how many. No wall is asked: for holdings."""
    return KnownKey.objects.filter(noun=noun, subject=subject).delete()[0]
