"""What may be asked about the people an organisation serves. Contacts and numbers are masked; revealing one is asked for and audited."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, organisations_of, require
from jilink.core.parties.models import Consent, ContactPoint, Identity, Merge, Person
from jilink.core.parties.people import rules, sealing
from jilink.core.parties.people.rules import ContactKind, ContactRefused
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import ConsentId, ContactId, MergeId, OrganisationId, PersonId

HIDDEN = "There is no such thing, or you may not see it."
FEWEST_DIGITS = 4
LONGEST_CHAIN = 100
MOST_MERGED = 1000
_BY_WORDS = (ContactKind.EMAIL, ContactKind.WECHAT, ContactKind.OTHER)


@dataclass(frozen=True, slots=True)
class ContactView:
    """A way to reach a person, masked."""

    id: ContactId
    kind: ContactKind
    masked: str
    preferred: bool
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConsentView:
    """One consent, and whether it holds now."""

    id: ConsentId
    purpose: str
    evidence: str
    given_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None
    stands: bool


@dataclass(frozen=True, slots=True)
class MergeView:
    """A double that was merged into a person; `undo_until` is None once it cannot be undone any more."""

    id: MergeId
    merged: PersonId
    name: str
    at: datetime
    undo_until: datetime | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as a line of a list."""

    id: PersonId
    organisation: OrganisationId
    name: str
    languages: tuple[str, ...]
    contacts: tuple[ContactView, ...]


@dataclass(frozen=True, slots=True)
class PersonView:
    """Everything of a person that is shown without being revealed."""

    id: PersonId
    organisation: OrganisationId
    name: str
    other_names: tuple[str, ...]
    languages: tuple[str, ...]
    notes: str
    contacts: tuple[ContactView, ...]
    identity: str | None
    """The masked identity number."""
    consents: tuple[ConsentView, ...]
    merges: tuple[MergeView, ...]
    version: int
    created_at: datetime
    changed_at: datetime
    erased_at: datetime | None


def row_of(actor: Actor, permission: Permission, person: PersonId | int) -> Person:
    """Return the row of a person for this room's own use, the one it was merged into included. Raises NotFound."""
    row = Person.objects.filter(pk=person).first()
    for _step in range(LONGEST_CHAIN):
        if row is None or row.merged_into_id is None:
            break
        row = Person.objects.filter(pk=row.merged_into_id).first()
    require(actor, permission, row.organisation_id if row else None)
    if row is None:  # `require` refuses where there is no organisation
        raise NotFound(HIDDEN)
    return row


def person(actor: Actor, number: PersonId, now: datetime | None = None) -> PersonView:
    """Return one person; a number that was merged leads to the person it is now. Raises NotFound."""
    row, moment = row_of(actor, Permission.VIEW_PEOPLE, number), now or utc_now()
    return PersonView(
        PersonId(row.pk),
        OrganisationId(row.organisation_id),
        row.name,
        _lines(row.other_names),
        _tags(row.languages),
        row.notes,
        tuple(_contact(each) for each in row.contacts.order_by("-preferred", "pk")),
        _masked_identity(row),
        tuple(_consent(each, moment) for each in row.consents.order_by("-given_at", "-pk")),
        tuple(_merge(each, moment) for each in Merge.objects.filter(kept=row, undone_at=None).select_related("merged").order_by("-at")),
        row.version,
        row.created_at,
        row.changed_at,
        row.erased_at,
    )


def organisation_of(actor: Actor, number: PersonId) -> OrganisationId:
    """Return whose person it is. Raises NotFound where the actor may not see it."""
    return OrganisationId(row_of(actor, Permission.VIEW_PEOPLE, number).organisation_id)


def find(
    actor: Actor, text: str = "", *, organisation: OrganisationId | None = None, before: PersonId | None = None, limit: int = 50
) -> list[PersonRow]:
    """Return people found by name, telephone, other contact or identity number, the newest first; with no text, all of them.

    Telephones are found in any spelling, or by their last digits (four or more); names by any part; identity numbers whole. What a
    person had before a merge finds them too. `before` is the last id of the page before. Raises NotFound for an organisation across a wall.
    """
    allowed = organisations_of(actor, Permission.VIEW_PEOPLE)
    if organisation is not None:
        require(actor, Permission.VIEW_PEOPLE, organisation)
        allowed = frozenset({organisation})
    rows = Person.objects.filter(organisation__in=allowed, erased_at=None)
    words = " ".join(text.split())
    if words:
        match = _matching(words, allowed)
        rows = rows.filter(match | Q(pk__in=_survivors(rows.exclude(merged_into=None).filter(match))))
    rows = rows.filter(merged_into=None)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return _rows(list(rows.order_by("-pk")[:limit]))


def telephones(number: PersonId) -> list[tuple[ContactId, str]]:
    """Return the telephones of a person as they are dialled, the preferred one first. No wall is asked: for whoever calls them."""
    rows = ContactPoint.objects.filter(person=number, kind=ContactKind.PHONE.value).order_by("-preferred", "pk")
    return [(ContactId(row.pk), row.value) for row in rows]


def _survivors(merged: QuerySet[Person]) -> set[int]:
    """Return whom these rows were merged into, by way of others too."""
    found: set[int] = set()
    ahead = set(merged.order_by("-pk").values_list("merged_into_id", flat=True)[:MOST_MERGED])
    for _step in range(LONGEST_CHAIN):
        further = dict(Person.objects.filter(pk__in=ahead).values_list("pk", "merged_into_id"))
        found |= {pk for pk, into in further.items() if into is None}
        ahead = {into for into in further.values() if into is not None}
        if not ahead:
            break
    return found


def _matching(words: str, allowed: Iterable[int]) -> Q:
    if rules.looks_like_identity(words):
        number = words.replace(" ", "").upper()
        ring = sealing.keyring()
        return Q(identity__lookup__in=[lookup for one in allowed for lookup in ring.lookups(one, number)])
    digits = "".join(character for character in words if character.isdigit())
    if digits and not any(character.isalpha() for character in words):
        return Q(pk__in=_by_telephone(words, digits, allowed).values("person"))
    others = ContactPoint.objects.filter(organisation__in=allowed, kind__in=_BY_WORDS, value__in={words, words.lower()})
    return Q(name__icontains=words) | Q(other_names__icontains=words) | Q(pk__in=others.values("person"))


def _by_telephone(words: str, digits: str, allowed: Iterable[int]) -> QuerySet[ContactPoint]:
    """Return the telephones written so, else those that end so."""
    points = ContactPoint.objects.filter(organisation__in=allowed)
    try:
        whole = points.filter(kind=ContactKind.PHONE, value=rules.phone(words))
    except ContactRefused:
        whole = points.none()
    if whole.exists():
        return whole
    least, most = rules.ending_in(digits)
    return points.filter(tail__gte=least, tail__lte=most) if len(digits) >= FEWEST_DIGITS else points.none()


def by_contact(actor: Actor, organisation: OrganisationId, kind: ContactKind, text: str) -> list[PersonId]:
    """Return who is reached so, the newest first: for whoever calls, writes or comes. Raises NotFound, ContactRefused."""
    require(actor, Permission.VIEW_PEOPLE, organisation)
    value = rules.contact(kind, text)
    points = ContactPoint.objects.filter(
        organisation=organisation, kind=kind, value=value, person__merged_into=None, person__erased_at=None
    )
    return [PersonId(pk) for pk in points.order_by("-person_id").values_list("person_id", flat=True)]


def names(actor: Actor, numbers: Iterable[int]) -> dict[PersonId, str]:
    """Return how people are called, for lists; those behind a wall or without a name are left out."""
    allowed = organisations_of(actor, Permission.VIEW_PEOPLE)
    rows = Person.objects.filter(pk__in=set(numbers), organisation__in=allowed).exclude(name="")
    return {PersonId(pk): name for pk, name in rows.values_list("pk", "name")}


def doubles(actor: Actor, number: PersonId) -> list[PersonRow]:
    """Return others of the organisation that share a contact with the person: perhaps the same one. Raises NotFound."""
    row = row_of(actor, Permission.VIEW_PEOPLE, number)
    found: set[int] = set()
    for kind, value in row.contacts.exclude(kind=ContactKind.ADDRESS).values_list("kind", "value"):
        same = ContactPoint.objects.filter(organisation=row.organisation_id, kind=kind, value=value, person__merged_into=None)
        found |= set(same.exclude(person=row).values_list("person_id", flat=True))
    return _rows(list(Person.objects.filter(pk__in=found, erased_at=None).order_by("-pk")[:20]))


def consents_to(number: PersonId, purpose: str, now: datetime) -> bool:
    """Return whether the person agreed to the purpose and it still holds. No wall is asked: for rules and actions of other rooms."""
    rows = Consent.objects.filter(person=number, purpose=purpose)
    return any(rules.stands(each.given_at, each.expires_at, each.withdrawn_at, now) for each in rows)


@transaction.atomic
def reveal_contact(actor: Actor, contact: ContactId, *, told_since: datetime | None = None) -> str:
    """Return a contact whole, and leave an entry in the audit. Raises NotFound.

    Who has to read it again for the same purpose says since when; an entry of theirs from then on is enough.
    """
    row = ContactPoint.objects.filter(pk=contact).first()
    require(actor, Permission.REVEAL_PEOPLE, row.organisation_id if row else None)
    if row is None:  # `require` refuses where there is no organisation
        raise NotFound(HIDDEN)
    subject, detail = f"person:{row.person_id}", f"contact:{row.pk}"
    if told_since is None or not audit.told(actor, "person.contact_revealed", subject, row.organisation_id, detail, told_since):
        audit.record(actor, "person.contact_revealed", subject, row.organisation_id, detail=detail)
    return row.value


@transaction.atomic
def reveal_identity(actor: Actor, number: PersonId) -> str:
    """Return an identity number whole, and leave an entry in the audit. Raises NotFound, KeyMissing."""
    row = row_of(actor, Permission.REVEAL_IDENTITIES, number)
    kept = Identity.objects.filter(person=row).first()
    if kept is None:
        raise NotFound(HIDDEN)
    audit.record(actor, "person.identity_revealed", f"person:{row.pk}", row.organisation_id)
    return unsealed(kept)


def unsealed(row: Identity) -> str:
    """Return an identity number for this room's own use. Raises KeyMissing."""
    return sealing.keyring().unseal(row.organisation_id, sealing.Sealed(row.key, bytes(row.sealed), row.lookup))


def _masked_identity(row: Person) -> str | None:
    kept = Identity.objects.filter(person=row).first()
    return rules.masked_identity(unsealed(kept)) if kept else None


def _rows(rows: list[Person]) -> list[PersonRow]:
    points: dict[int, list[ContactView]] = {}
    for each in ContactPoint.objects.filter(person__in=rows).order_by("-preferred", "pk"):
        points.setdefault(each.person_id, []).append(_contact(each))
    return [
        PersonRow(PersonId(row.pk), OrganisationId(row.organisation_id), row.name, _tags(row.languages), tuple(points.get(row.pk, ())))
        for row in rows
    ]


def _contact(row: ContactPoint) -> ContactView:
    return ContactView(ContactId(row.pk), ContactKind(row.kind), rules.masked_contact(row.kind, row.value), row.preferred, row.verified_at)


def _consent(row: Consent, now: datetime) -> ConsentView:
    stands = rules.stands(row.given_at, row.expires_at, row.withdrawn_at, now)
    return ConsentView(ConsentId(row.pk), row.purpose, row.evidence, row.given_at, row.expires_at, row.withdrawn_at, stands)


def _merge(row: Merge, now: datetime) -> MergeView:
    until = row.at + rules.UNDO_WITHIN
    return MergeView(MergeId(row.pk), PersonId(row.merged_id), row.merged.name, row.at, until if now < until else None)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.splitlines())


def _tags(text: str) -> tuple[str, ...]:
    return tuple(tag for tag in text.split(",") if tag)
