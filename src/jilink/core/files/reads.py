"""What may be asked about files. The noun that holds a file's id decides who may read it, and names its permission here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from jilink.core.files import storage
from jilink.core.files.models import File
from jilink.core.files.rules import INLINE
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import FileId, OrganisationId

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=3600",
}
"""What every answer that carries a file's bytes says: nothing in it can run, whatever it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A file as people see it. Degrees WGS-84 and `taken_at` are what the camera said; None where it said nothing."""

    id: FileId
    organisation: OrganisationId
    name: str
    content_type: str
    size: int
    digest: str
    inline: bool
    has_thumbnail: bool
    width: int | None
    height: int | None
    taken_at: datetime | None
    latitude: float | None
    longitude: float | None
    uploaded_at: datetime


def _view(row: File) -> FileView:
    return FileView(
        id=FileId(row.pk),
        organisation=OrganisationId(row.organisation_id),
        name=row.name,
        content_type=row.content_type,
        size=row.size,
        digest=row.digest,
        inline=row.content_type in INLINE,
        has_thumbnail=bool(row.thumbnail),
        width=row.width,
        height=row.height,
        taken_at=row.taken_at,
        latitude=row.latitude,
        longitude=row.longitude,
        uploaded_at=row.uploaded_at,
    )


def file(actor: Actor, file: FileId, permission: Permission) -> FileView:
    """Return one file. Raises NotFound."""
    return _view(_row(actor, file, permission))


def files(actor: Actor, ids: Iterable[FileId], permission: Permission) -> dict[FileId, FileView]:
    """Return those of the files that the actor may see, by id."""
    rows = File.objects.filter(pk__in=list(ids))
    return {FileId(row.pk): _view(row) for row in rows if permission in actor.grants.get(OrganisationId(row.organisation_id), frozenset())}


def content(actor: Actor, file: FileId, permission: Permission) -> tuple[FileView, bytes]:
    """Return a file and its bytes. Raises NotFound, also where the bytes are no longer kept."""
    row = _row(actor, file, permission)
    return _view(row), _bytes(row.digest)


def thumbnail(actor: Actor, file: FileId, permission: Permission) -> bytes:
    """Return the small picture (JPEG, at most 360 pixels a side). Raises NotFound where there is none."""
    return _bytes(_row(actor, file, permission).thumbnail)


def _row(actor: Actor, file: FileId, permission: Permission) -> File:
    row = File.objects.filter(pk=file).first()
    if row is None:
        raise NotFound("There is no such file, or you may not see it.")
    require(actor, permission, row.organisation_id)
    return row


def _bytes(digest: str) -> bytes:
    data = storage.get(digest) if digest else None
    if data is None:
        raise NotFound("This file is no longer kept.")
    return data
