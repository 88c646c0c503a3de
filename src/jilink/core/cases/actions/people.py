"""Whom a case is for: a person that the organisation, or whoever opens the case, knows."""

from jilink.core.cases.reads.ground import HIDDEN
from jilink.core.parties import walls
from jilink.core.parties.access import Actor, NotFound, organisations_of
from jilink.core.parties.models import Person
from jilink.core.parties.rules import Permission

LONGEST_CHAIN = 20


def served(organisation: int, person: int | None, by: Actor) -> int | None:
    """Return the person as it is now, whom it was merged into included. Raises NotFound across a wall and for nobody."""
    if person is None:
        return None
    with walls.everything():  # a unit may name a person of the organisation that answers for its case
        row = Person.objects.filter(pk=person).first()
        for _step in range(LONGEST_CHAIN):
            if row is None or row.merged_into_id is None:
                break
            row = Person.objects.filter(pk=row.merged_into_id).first()
    known = row is not None and (row.organisation_id == organisation or row.organisation_id in organisations_of(by, Permission.VIEW_PEOPLE))
    if row is None or not known:
        raise NotFound(HIDDEN)
    return row.pk
