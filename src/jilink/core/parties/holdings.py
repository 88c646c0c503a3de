"""What this room itself holds about a person: contacts, consents, and the identity number."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from jilink.core.parties.models import Consent, ContactPoint, Identity
from jilink.core.parties.people import reads
from jilink.core.parties.people.holdings import Holding, hold
from jilink.kernel.ids import PersonId


class _Contact(msgspec.Struct, frozen=True):
    kind: str
    value: str
    preferred: bool
    added_at: datetime
    verified_at: datetime | None


class _Consent(msgspec.Struct, frozen=True):
    purpose: str
    evidence: str
    given_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None


class _Identity(msgspec.Struct, frozen=True):
    kind: str
    number: str
    added_at: datetime


def _contacts(person: PersonId) -> list[_Contact]:
    rows = ContactPoint.objects.filter(person=person).order_by("pk")
    return [_Contact(row.kind, row.value, row.preferred, row.added_at, row.verified_at) for row in rows]


def _move_contacts(source: PersonId, target: PersonId) -> list[int]:
    """Contacts that the other has too stay where they are, so that undoing the merge gives them back."""
    known = set(ContactPoint.objects.filter(person=target).values_list("kind", "value"))
    rows = ContactPoint.objects.filter(person=source).order_by("pk").values_list("pk", "kind", "value")
    moved = [pk for pk, kind, value in rows if (kind, value) not in known]
    preferred = ContactPoint.objects.filter(person=target, preferred=True).exists()
    ContactPoint.objects.filter(pk__in=moved).update(person=target)
    if preferred:
        ContactPoint.objects.filter(pk__in=moved).update(preferred=False)
    return moved


def _put_back_contacts(numbers: Sequence[int], person: PersonId) -> None:
    ContactPoint.objects.filter(pk__in=numbers).update(person=person)
    _prefer_one(person)


def _prefer_one(person: PersonId) -> None:
    rows = ContactPoint.objects.filter(person=person)
    first = rows.order_by("pk").first()
    if first is not None and not rows.filter(preferred=True).exists():
        rows.filter(pk=first.pk).update(preferred=True)


def _consents(person: PersonId) -> list[_Consent]:
    rows = Consent.objects.filter(person=person).order_by("pk")
    return [_Consent(row.purpose, row.evidence, row.given_at, row.expires_at, row.withdrawn_at) for row in rows]


def _move_consents(source: PersonId, target: PersonId) -> list[int]:
    moved = list(Consent.objects.filter(person=source).values_list("pk", flat=True))
    Consent.objects.filter(pk__in=moved).update(person=target)
    return moved


def _identities(person: PersonId) -> list[_Identity]:
    rows = Identity.objects.filter(person=person)
    return [_Identity("resident identity number", reads.unsealed(row), row.added_at) for row in rows]


def _move_identity(source: PersonId, target: PersonId) -> list[int]:
    moved = list(Identity.objects.filter(person=source).values_list("pk", flat=True))
    Identity.objects.filter(pk__in=moved).update(person=target)
    return moved


hold(
    Holding(
        "contacts",
        export=_contacts,
        erase=lambda person: ContactPoint.objects.filter(person=person).delete()[0],
        move=_move_contacts,
        put_back=_put_back_contacts,
    )
)
hold(
    Holding(
        "consents",
        export=_consents,
        erase=lambda person: Consent.objects.filter(person=person).delete()[0],
        move=_move_consents,
        put_back=lambda numbers, person: Consent.objects.filter(pk__in=numbers).update(person=person),
    )
)
hold(
    Holding(
        "identities",
        export=_identities,
        erase=lambda person: Identity.objects.filter(person=person).delete()[0],
        move=_move_identity,
        put_back=lambda numbers, person: Identity.objects.filter(pk__in=numbers).update(person=person),
    )
)
