"""The only writers of files."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from jilink.core.files import pictures, rules, storage
from jilink.core.files.models import File
from jilink.core.parties.access import Actor, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import FileId, OrganisationId

SWEPT_AFTER = timedelta(days=1)


@transaction.atomic
def keep_file(
    *, organisation: OrganisationId, data: bytes, name: str, permission: Permission, by: Actor, now: datetime | None = None
) -> FileId:
    """Keep an upload and return its id; its bytes are on disk then.

    `permission` is the one under which the calling noun takes it. Raises NotFound, FileRefused, Unavailable.
    """
    require(by, permission, organisation)
    kind = rules.kind_of(data)
    rules.check_size(kind, len(data))
    row = File(organisation_id=organisation, uploaded_at=now or utc_now(), uploaded_by=by.name)
    kept = data
    if kind.family == "image":
        picture = pictures.renew(data, kind)
        kind, kept = picture.kind, picture.data
        row.thumbnail = storage.put(picture.thumbnail)
        row.width, row.height, row.taken_at = picture.width, picture.height, picture.taken_at
        row.latitude, row.longitude = picture.latitude, picture.longitude
    row.name, row.content_type, row.size = rules.name_of(name, kind), kind.content_type, len(kept)
    row.digest = storage.put(kept)
    row.save()
    return FileId(row.pk)


@transaction.atomic
def remove_file(*, file: FileId, permission: Permission, by: Actor) -> None:
    """Remove a file; its bytes go with the next sweep. Raises NotFound."""
    row = File.objects.select_for_update().filter(pk=file).first()
    require(by, permission, row.organisation_id if row else None)
    File.objects.filter(pk=file).delete()


@transaction.atomic
def remove_files(*, organisation: OrganisationId, by: Actor, now: datetime | None = None) -> int:
    """Remove all files of an organisation before it is removed itself, and return how many; their bytes go with the commit.

    Bytes that another row names, or that were put again since `now`, stay. Raises NotFound.
    """
    require(by, Permission.MANAGE_MEMBERS, organisation)
    rows, moment = File.objects.filter(organisation_id=organisation), now or utc_now()
    names = {name for pair in rows.values_list("digest", "thumbnail") for name in pair if name}
    count = rows.count()
    rows.delete()
    transaction.on_commit(lambda: _drop(names, moment))
    return count


def _drop(names: Iterable[str], moment: datetime) -> int:
    unnamed = [name for name in names if not File.objects.filter(Q(digest=name) | Q(thumbnail=name)).exists()]
    return sum(storage.remove(name, moment) for name in unnamed)


def forget_files(files: Iterable[FileId | int]) -> int:
    """Remove files when a person is erased, and return how many. No wall is asked: for holdings (`parties.people.holdings`)."""
    return File.objects.filter(pk__in=list(files)).delete()[0]


def sweep(*, now: datetime) -> int:
    """Remove bytes that no row names and that are older than a day; return how many files went."""
    moment = now - SWEPT_AFTER
    removed = 0
    for name in storage.names_older_than(moment):
        if not File.objects.filter(Q(digest=name) | Q(thumbnail=name)).exists():
            removed += storage.remove(name, moment)
    return removed
