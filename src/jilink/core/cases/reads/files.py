"""Files of a case: whoever sees the case sees its files, whichever of its two organisations they were uploaded for."""

from jilink.core.cases.models import Attachment, Case
from jilink.core.cases.reads.ground import HIDDEN, require
from jilink.core.files import reads as files
from jilink.core.files.reads import FileView
from jilink.core.parties import walls
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import FileId, OrganisationId


def case_file(actor: Actor, case: int, file: int) -> tuple[FileView, bytes]:
    """Return a file of a case and its bytes. Raises NotFound."""
    reader = _reader(actor, case, file)
    with walls.everything():
        return files.content(reader, FileId(file), Permission.VIEW_CASES)


def case_thumbnail(actor: Actor, case: int, file: int) -> bytes:
    """Return the small picture of a file of a case. Raises NotFound where there is none."""
    reader = _reader(actor, case, file)
    with walls.everything():
        return files.thumbnail(reader, FileId(file), Permission.VIEW_CASES)


def _reader(actor: Actor, case: int, file: int) -> Actor:
    """Return the actor as somebody who may read this one file, once the case's own door let them in."""
    row = require(actor, Permission.VIEW_CASES, Case.objects.filter(pk=case).first())
    if not Attachment.objects.filter(case=row, file=file).exists():
        raise NotFound(HIDDEN)
    allowed = frozenset({Permission.VIEW_CASES})
    return Actor(actor.name, actor.user, {OrganisationId(one): allowed for one in (row.organisation_id, row.unit_id)})
