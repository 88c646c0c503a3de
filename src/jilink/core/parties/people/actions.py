"""The only writers of people, their contacts, identity numbers and consents."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.models import Consent, ContactPoint, Identity, Person
from jilink.core.parties.people import rules, sealing
from jilink.core.parties.people.events import PersonAdded, PersonChanged
from jilink.core.parties.people.reads import HIDDEN, row_of
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA, utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import ConsentId, ContactId, OrganisationId, PersonId
from jilink.kernel.texts import gettext_noop


class ChangedMeanwhile(Refused):
    """Somebody else changed the person since it was read."""


class IdentityTaken(Refused):
    """Another person of the organisation has this identity number; `person` is who."""

    def __init__(self, message: str, person: PersonId) -> None:
        super().__init__(message)
        self.person = person


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach somebody, as it was told."""

    kind: ContactKind
    text: str


@dataclass(frozen=True, slots=True)
class PersonData:
    """What is told about a person. In an edit, None leaves a field as it is."""

    name: str | None = None
    other_names: str | None = None
    languages: tuple[str, ...] | None = None
    notes: str | None = None


@transaction.atomic
def add_person(
    *, organisation: OrganisationId, data: PersonData, by: Actor, contacts: tuple[Contact, ...] = (), now: datetime | None = None
) -> PersonId:
    """Add a person and return the number. Raises NotFound, PersonRefused, ContactRefused."""
    require(by, Permission.MANAGE_PEOPLE, organisation)
    moment = now or utc_now()
    row = Person(organisation_id=organisation, created_at=moment, changed_at=moment)
    _take(row, data)
    row.save()
    for place, each in enumerate(dict.fromkeys((each.kind, rules.contact(each.kind, each.text)) for each in contacts)):
        ContactPoint.objects.create(
            organisation_id=organisation,
            person=row,
            kind=each[0].value,
            value=each[1],
            tail=rules.tail(each[0], each[1]),
            preferred=place == 0,
            added_at=moment,
        )
    outbox.add(PersonAdded(person=row.pk), organisation=organisation, aggregate=f"person:{row.pk}", now=moment)
    audit.record(by, "person.added", f"person:{row.pk}", organisation, at=moment)
    return PersonId(row.pk)


@transaction.atomic
def edit_person(*, person: PersonId, data: PersonData, by: Actor, version: int | None = None, now: datetime | None = None) -> int:
    """Change what is told about a person and return the new version; fields that are None stay.

    With `version`, only if nobody changed the person since: else ChangedMeanwhile. Raises NotFound, PersonRefused.
    """
    row = _locked(person, by)
    if version is not None and row.version != version:
        raise ChangedMeanwhile("Somebody else changed this person in the meantime. Look at it again.")
    _take(row, data)
    return _changed(row, "person.changed", by, now)


@transaction.atomic
def add_contact(*, person: PersonId, contact: Contact, by: Actor, now: datetime | None = None) -> ContactId:
    """Add a way to reach a person, or find it there already. The first is the preferred one. Raises NotFound, ContactRefused."""
    row, moment = _locked(person, by), now or utc_now()
    value = rules.contact(contact.kind, contact.text)
    first = not row.contacts.exists()
    point, made = ContactPoint.objects.get_or_create(
        person=row,
        kind=contact.kind.value,
        value=value,
        defaults={"organisation_id": row.organisation_id, "tail": rules.tail(contact.kind, value), "preferred": first, "added_at": moment},
    )
    if made:
        _changed(row, "person.contact_added", by, moment)
    return ContactId(point.pk)


@transaction.atomic
def remove_contact(*, contact: ContactId, by: Actor, now: datetime | None = None) -> None:
    """Remove a way to reach a person. Raises NotFound."""
    point, row = _point(contact, by)
    point.delete()
    left = row.contacts.order_by("pk").first()
    if point.preferred and left is not None:
        row.contacts.filter(pk=left.pk).update(preferred=True)
    _changed(row, "person.contact_removed", by, now)


@transaction.atomic
def prefer_contact(*, contact: ContactId, by: Actor, now: datetime | None = None) -> None:
    """Make one way to reach a person the preferred one. Raises NotFound."""
    point, row = _point(contact, by)
    row.contacts.exclude(pk=point.pk).update(preferred=False)
    row.contacts.filter(pk=point.pk).update(preferred=True)
    _changed(row, "person.contact_preferred", by, now)


@transaction.atomic
def verify_contact(*, contact: ContactId, by: Actor, now: datetime | None = None) -> None:
    """Note that the person was in fact reached so. Raises NotFound."""
    point, row = _point(contact, by)
    moment = now or utc_now()
    ContactPoint.objects.filter(pk=point.pk).update(verified_at=moment)
    _changed(row, "person.contact_verified", by, moment)


@transaction.atomic
def set_identity(*, person: PersonId, number: str, by: Actor, now: datetime | None = None) -> None:
    """Keep a person's identity number, sealed. Raises NotFound, IdentityRefused, IdentityTaken."""
    row, moment = _locked(person, by), now or utc_now()
    whole = rules.identity_number(number, moment.astimezone(CHINA).date())
    ring = sealing.keyring()
    _refuse_double(row, ring.lookups(row.organisation_id, whole))
    kept = ring.seal(row.organisation_id, whole)
    try:
        with transaction.atomic():
            Identity.objects.update_or_create(
                person=row,
                defaults={
                    "organisation_id": row.organisation_id,
                    "key": kept.key,
                    "sealed": kept.sealed,
                    "lookup": kept.lookup,
                    "added_at": moment,
                },
            )
    except IntegrityError:  # somebody entered the same number at the same moment
        _refuse_double(row, [kept.lookup])
        raise
    _changed(row, "person.identity_set", by, moment)


def _refuse_double(row: Person, lookups: list[str]) -> None:
    other = Identity.objects.filter(organisation_id=row.organisation_id, lookup__in=lookups).exclude(person=row).first()
    if other is not None:
        raise IdentityTaken(gettext_noop("Another person already has this identity number. Merge the two."), PersonId(other.person_id))


@transaction.atomic
def remove_identity(*, person: PersonId, by: Actor, now: datetime | None = None) -> None:
    """Forget a person's identity number. Raises NotFound."""
    row = _locked(person, by)
    if Identity.objects.filter(person=row).delete()[0]:
        _changed(row, "person.identity_removed", by, now)


@transaction.atomic
def give_consent(
    *,
    person: PersonId,
    purpose: str,
    evidence: str,
    by: Actor,
    given_at: datetime | None = None,
    expires_at: datetime | None = None,
    now: datetime | None = None,
) -> ConsentId:
    """Record that a person agreed to a purpose, and how that is known (``said on the recorded line``). Raises NotFound, PersonRefused."""
    row, moment = _locked(person, by), now or utc_now()
    told = evidence.strip()
    if not told or len(told) > 400:
        raise rules.PersonRefused("Say in at most 400 characters how the consent is known.")
    since = given_at or moment
    if since > moment or (expires_at is not None and expires_at <= since):
        raise rules.PersonRefused("A consent is given before now, and ends after it was given.")
    consent = Consent.objects.create(
        organisation_id=row.organisation_id,
        person=row,
        purpose=rules.purpose(purpose),
        evidence=told,
        given_at=since,
        expires_at=expires_at,
        recorded_by_id=by.user,
    )
    _changed(row, "person.consent_given", by, moment, detail=consent.purpose)
    return ConsentId(consent.pk)


@transaction.atomic
def withdraw_consent(*, consent: ConsentId, by: Actor, now: datetime | None = None) -> None:
    """End a consent; one that was withdrawn stays so. Raises NotFound."""
    given = Consent.objects.filter(pk=consent).first()
    if given is None:
        raise NotFound(HIDDEN)
    row, moment = _locked(PersonId(given.person_id), by), now or utc_now()
    if Consent.objects.filter(pk=consent, withdrawn_at=None).update(withdrawn_at=moment):
        _changed(row, "person.consent_withdrawn", by, moment, detail=given.purpose)


def seal_anew() -> int:
    """Seal every identity number with the current key, one after the other, and return how many were not. For the command line."""
    ring, done = sealing.keyring(), 0
    for pk in list(Identity.objects.exclude(key=ring.current).values_list("pk", flat=True)):
        with transaction.atomic():
            row = Identity.objects.select_for_update().filter(pk=pk).first()
            if row is None:
                continue
            number = ring.unseal(row.organisation_id, sealing.Sealed(row.key, bytes(row.sealed), row.lookup))
            kept = ring.seal(row.organisation_id, number)
            row.key, row.sealed, row.lookup = kept.key, kept.sealed, kept.lookup
            row.save(update_fields=["key", "sealed", "lookup"])
            done += 1
    return done + sealing.reseal_others(ring)


def forget_consents(now: datetime) -> int:
    """Remove the evidence of consents that ended long ago and return how many. For the retention job; no wall is asked."""
    ended = now - rules.CONSENT_KEPT
    return Consent.objects.filter(expires_at__lt=ended).delete()[0] + Consent.objects.filter(withdrawn_at__lt=ended).delete()[0]


def _take(row: Person, data: PersonData) -> None:
    row.name = row.name if data.name is None else rules.name(data.name)
    row.other_names = row.other_names if data.other_names is None else rules.names(data.other_names)
    row.languages = row.languages if data.languages is None else rules.languages(data.languages)
    row.notes = row.notes if data.notes is None else rules.notes(data.notes)


def _locked(person: PersonId, by: Actor) -> Person:
    row = Person.objects.select_for_update().get(pk=row_of(by, Permission.MANAGE_PEOPLE, person).pk)
    if row.erased_at is not None:
        raise NotFound(HIDDEN)
    return row


def _point(contact: ContactId, by: Actor) -> tuple[ContactPoint, Person]:
    point = ContactPoint.objects.filter(pk=contact).first()
    if point is None:
        raise NotFound(HIDDEN)
    return point, _locked(PersonId(point.person_id), by)


def _changed(row: Person, action: str, by: Actor, now: datetime | None, detail: str = "") -> int:
    row.version += 1
    row.changed_at = now or utc_now()
    row.save()
    outbox.add(PersonChanged(person=row.pk), organisation=row.organisation_id, aggregate=f"person:{row.pk}", now=row.changed_at)
    audit.record(by, action, f"person:{row.pk}", row.organisation_id, detail=detail)
    return row.version
