"""Files of cases for whoever was let to the case: the case's answer lends the reader its organisations' files, and no others."""

from collections.abc import Iterable
from dataclasses import replace

from jilink.core.cases.reads import CaseView
from jilink.core.files import reads as files
from jilink.core.files.reads import FileView
from jilink.core.parties import walls
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import FileId, OrganisationId


def lent(actor: Actor, view: CaseView, permission: Permission) -> Actor:
    """Return the actor with one permission over the files of the two organisations that have the case; the door was asked before."""
    granted = frozenset({permission})
    return replace(actor, grants={OrganisationId(view.row.organisation): granted, OrganisationId(view.row.unit): granted})


def attached(actor: Actor, view: CaseView) -> dict[int, FileView]:
    """Return the files of a case that the actor was shown, by id."""
    return _seen(actor, view, (each.file for each in view.files))


def _seen(actor: Actor, view: CaseView, ids: Iterable[int]) -> dict[int, FileView]:
    with walls.everything():
        found = files.files(lent(actor, view, Permission.VIEW_CASES), [FileId(each) for each in ids], Permission.VIEW_CASES)
    return {int(key): value for key, value in found.items()}
