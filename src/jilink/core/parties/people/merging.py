"""Merging two rows that are one person, and undoing it: every moved row is remembered."""

from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.models import Identity, Merge, Person
from jilink.core.parties.people import rules
from jilink.core.parties.people.events import PersonMerged, PersonParted
from jilink.core.parties.people.holdings import holdings
from jilink.core.parties.people.reads import HIDDEN
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import MergeId, PersonId


class MergeRefused(Refused):
    """These two cannot be merged, or a merge cannot be undone; the message says why."""


@transaction.atomic
def merge_people(*, keep: PersonId, merge: PersonId, by: Actor, now: datetime | None = None) -> MergeId:
    """Let everything held about `merge` be held about `keep`. Raises NotFound, MergeRefused.

    Refused across organisations, and where both have an identity number: no number is kept twice, so theirs differ.
    """
    rows = {row.pk: row for row in Person.objects.select_for_update().filter(pk__in={keep, merge}).order_by("pk")}
    kept, merged = rows.get(keep), rows.get(merge)
    for row in (kept, merged):
        require(by, Permission.MERGE_PEOPLE, row.organisation_id if row else None)
    if kept is None or merged is None:  # `require` refuses where there is no organisation
        raise NotFound(HIDDEN)
    _check(kept, merged)
    moment = now or utc_now()
    moved = {each.name: tuple(each.move(merge, keep)) for each in holdings()}
    record = Merge.objects.create(
        organisation_id=kept.organisation_id,
        kept=kept,
        merged=merged,
        moved=msgspec.json.encode(rules.Moved({name: numbers for name, numbers in moved.items() if numbers})).decode(),
        at=moment,
        by_id=by.user,
    )
    merged.merged_into = kept
    for row in (kept, merged):
        _touch(row, moment)
    _tell(PersonMerged(person=merged.pk, into=kept.pk), kept, moment)
    audit.record(by, "person.merged", f"person:{merged.pk}", kept.organisation_id, detail=f"person:{kept.pk}")
    return MergeId(record.pk)


def _check(kept: Person, merged: Person) -> None:
    if kept.pk == merged.pk:
        raise MergeRefused("This is the same person already.")
    if kept.organisation_id != merged.organisation_id:
        raise MergeRefused("These two belong to different organisations.")
    if any(row.merged_into_id is not None or row.erased_at is not None for row in (kept, merged)):
        raise MergeRefused("One of the two was merged or erased already.")
    if Identity.objects.filter(person__in=[kept, merged]).count() == 2:
        raise MergeRefused("These two have different identity numbers, so they are two people.")


@transaction.atomic
def undo_merge(*, merge: MergeId, by: Actor, now: datetime | None = None) -> PersonId:
    """Give back every row that a merge moved and is still there; return the person that stands again. Raises NotFound, MergeRefused."""
    record = Merge.objects.select_for_update().filter(pk=merge).first()
    require(by, Permission.MERGE_PEOPLE, record.organisation_id if record else None)
    if record is None:  # `require` refuses where there is no organisation
        raise NotFound(HIDDEN)
    rows = {row.pk: row for row in Person.objects.select_for_update().filter(pk__in={record.kept_id, record.merged_id}).order_by("pk")}
    kept, merged = rows[record.kept_id], rows[record.merged_id]
    moment = now or utc_now()
    if record.undone_at is not None or kept.erased_at is not None:
        raise MergeRefused("There is nothing to undo any more.")
    if kept.merged_into_id is not None:
        raise MergeRefused("The person was itself merged later. Undo that first.")
    if moment >= record.at + rules.UNDO_WITHIN:
        raise MergeRefused("A merge can be undone within 30 days.")
    moved = msgspec.json.decode(record.moved, type=rules.Moved).rows
    for each in holdings():
        if each.name in moved:
            each.put_back(moved[each.name], PersonId(merged.pk))
    merged.merged_into = None
    for row in (kept, merged):
        _touch(row, moment)
    record.undone_at = moment
    record.save(update_fields=["undone_at"])
    _tell(PersonParted(person=merged.pk, kept=kept.pk), kept, moment)
    audit.record(by, "person.parted", f"person:{merged.pk}", kept.organisation_id, detail=f"person:{kept.pk}")
    return PersonId(merged.pk)


def _touch(row: Person, now: datetime) -> None:
    row.version += 1
    row.changed_at = now
    row.save()


def _tell(event: PersonMerged | PersonParted, kept: Person, now: datetime) -> None:
    outbox.add(event, organisation=kept.organisation_id, aggregate=f"person:{kept.pk}", now=now)
