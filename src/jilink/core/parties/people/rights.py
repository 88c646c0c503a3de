"""What a person may ask of whoever holds data about them: to get it and to have it erased (Personal Information Protection Law, 45, 47)."""

from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.models import Merge, Person
from jilink.core.parties.people.events import PersonErased
from jilink.core.parties.people.holdings import holdings
from jilink.core.parties.people.reads import HIDDEN, row_of
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import PersonId


class _Known(msgspec.Struct, frozen=True):
    number: int
    name: str
    other_names: list[str]
    languages: list[str]
    notes: str
    known_since: datetime
    erased_at: datetime | None


@transaction.atomic
def export_person(*, person: PersonId, by: Actor, now: datetime | None = None) -> bytes:
    """Return everything held about a person as JSON, one list a room, and leave an entry in the audit. Raises NotFound.

    ``{"made_at", "people": [the person and every double merged into it], "<room>": [...]}``.
    """
    row = row_of(by, Permission.EXPORT_PEOPLE, person)
    numbers = _with_doubles(row)
    known = [
        _Known(each.pk, each.name, each.other_names.splitlines(), each.languages.split(","), each.notes, each.created_at, each.erased_at)
        for each in Person.objects.filter(pk__in=numbers).order_by("pk")
    ]
    parts: dict[str, object] = {"made_at": now or utc_now(), "people": known}
    for each in holdings():
        parts[each.name] = [one for number in numbers for one in each.export(number)]
    audit.record(by, "person.exported", f"person:{row.pk}", row.organisation_id)
    return msgspec.json.format(msgspec.json.encode(parts), indent=2)


@transaction.atomic
def erase_person(*, person: PersonId, by: Actor, now: datetime | None = None) -> None:
    """Take out everything that tells of a person, in every room, for good. Raises NotFound, and Refused where a room must keep it still.

    Numbers stay valid and name nobody; the audit holds numbers alone, so its chain stays whole.
    """
    row = Person.objects.select_for_update().get(pk=row_of(by, Permission.ERASE_PEOPLE, person).pk)
    if row.erased_at is not None:
        raise NotFound(HIDDEN)
    moment, numbers = now or utc_now(), _with_doubles(row)
    for number in numbers:
        for each in holdings():
            each.erase(number)
    Person.objects.filter(pk__in=numbers).update(
        name="", other_names="", languages="", notes="", erased_at=moment, changed_at=moment, version=row.version + 1
    )
    for number in numbers:
        outbox.add(PersonErased(person=number), organisation=row.organisation_id, aggregate=f"person:{number}", now=moment)
        audit.record(by, "person.erased", f"person:{number}", row.organisation_id)


def _with_doubles(row: Person) -> list[PersonId]:
    """Return the person and all that were merged into it, directly or by way of others."""
    found, ahead = [row.pk], [row.pk]
    while ahead:
        ahead = list(Merge.objects.filter(kept__in=ahead, undone_at=None).exclude(merged__in=found).values_list("merged_id", flat=True))
        found += ahead
    return [PersonId(number) for number in found]
