"""Files of a case: the room of files keeps them, here stands to which case they belong."""

from datetime import datetime

from django.db import transaction

from jilink.core.cases.actions.desk import Desk, lay
from jilink.core.cases.events import CaseNoted
from jilink.core.cases.models import Attachment
from jilink.core.cases.reads.ground import HIDDEN
from jilink.core.cases.rules.timeline import Attached
from jilink.core.files.models import File
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission


def attach(desk: Desk, file: int | str, *, question: str = "", public: bool = False) -> Attachment:
    """Add a file to a case on the desk. Raises NotFound where no such file lies in the case's organisation or its unit."""
    known = File.objects.filter(pk=int(file) if str(file).isdigit() else -1).first()
    if known is None or known.organisation_id not in {desk.row.organisation_id, desk.row.unit_id}:
        raise NotFound(HIDDEN)
    row, made = Attachment.objects.get_or_create(
        case=desk.row, file=known, defaults={"question": question, "public": public, "actor": desk.by.name, "at": desk.now}
    )
    if made:
        desk.write(Attached(file=known.pk))
    return row


@transaction.atomic
def attach_file(*, case: int, file: int, by: Actor, question: str = "", public: bool = False, now: datetime | None = None) -> int:
    """Add a file that was uploaded for the case's organisation or its unit; adding it twice adds it once. Raises NotFound."""
    desk = lay(case, Permission.WORK_CASES, by, now)
    row = attach(desk, file, question=question, public=public)
    desk.save()
    desk.tell(CaseNoted, what="attached")
    return row.pk


@transaction.atomic
def detach_file(*, case: int, file: int, by: Actor, now: datetime | None = None) -> None:
    """Take a file away from a case; the timeline keeps that it was there. Raises NotFound."""
    desk = lay(case, Permission.WORK_CASES, by, now)
    if not Attachment.objects.filter(case=desk.row, file_id=file).delete()[0]:
        raise NotFound(HIDDEN)
    desk.write(Attached(file=file, removed=True))
    desk.save()
    desk.tell(CaseNoted, what="detached")
