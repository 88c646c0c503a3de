"""Taking away everybody an organisation knows, before it is removed itself. Only the installation does it: people are erased one by one."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from jilink.core.parties import audit
from jilink.core.parties.access import Actor, require
from jilink.core.parties.models import Merge, Person, Team, User
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused


class OnlyTheInstallation(Refused):
    """No person takes away a whole organisation's people at once."""


@transaction.atomic
def remove_people(*, organisation: int, by: Actor) -> int:
    """Remove everybody the organisation serves with contacts, consents and merges, and return how many there were. Raises NotFound."""
    _require(by, organisation)
    Merge.objects.filter(organisation_id=organisation).delete()
    rows = Person.objects.filter(organisation_id=organisation)
    rows.exclude(merged_into=None).update(merged_into=None)
    count = rows.count()
    rows.delete()
    if count:
        audit.record(by, "person.removed_all", f"organisation:{organisation}", organisation, detail=str(count))
    return count


@transaction.atomic
def remove_accounts(*, organisations: Sequence[int], usernames: Sequence[str], by: Actor) -> int:
    """Remove teams and programs of the organisations, and accounts of these names, and return how many accounts. Raises NotFound.

    An account that is also a member elsewhere stays.
    """
    for organisation in organisations:
        _require(by, organisation)
    Team.objects.filter(organisation_id__in=organisations).delete()
    known = Q(service_of_id__in=organisations) | Q(username__in=usernames, service_of=None)
    rows = [row for row in User.objects.filter(known) if not row.memberships.exclude(organisation_id__in=organisations).exists()]
    for row in rows:
        audit.record(by, "user.removed", f"user:{row.pk}", None)
        row.delete()
    return len(rows)


def _require(by: Actor, organisation: int) -> None:
    require(by, Permission.MANAGE_MEMBERS, organisation)
    if not by.is_installation:
        raise OnlyTheInstallation("Only the command line takes away an organisation's people at once.")
