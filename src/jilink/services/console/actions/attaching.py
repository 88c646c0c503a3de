"""Uploads to a case: kept and attached together, or neither."""

from django.db import transaction

from jilink.core.cases import actions as cases
from jilink.core.cases.reads import CaseView
from jilink.core.files import actions as files
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId
from jilink.services.console.reads.attached import lent


@transaction.atomic
def attach_uploads(*, view: CaseView, uploads: list[tuple[bytes, str]], by: Actor) -> list[int]:
    """Keep uploads (bytes and name), attach them to a case that the actor may work on, and return their ids.

    Raises NotFound, FileRefused, Unavailable.
    """
    if not view.may_work:
        raise NotFound("There is no such thing, or you may not see it.")
    lender = lent(by, view, Permission.WORK_CASES)
    place = OrganisationId(view.row.organisation if view.row.organisation in by.organisations else view.row.unit)
    kept = []
    for data, name in uploads:
        file = files.keep_file(organisation=place, data=data, name=name, permission=Permission.WORK_CASES, by=lender)
        cases.attach_file(case=view.row.id, file=int(file), by=by)
        kept.append(int(file))
    return kept
