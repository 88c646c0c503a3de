"""The people an organisation serves. Contacts and numbers are masked; revealing one is asked for and audited."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from jilink.core.parties.people import actions, merging, reads, rights
from jilink.core.parties.people.actions import ChangedMeanwhile, Contact, PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.kernel.ids import ConsentId, ContactId, MergeId, OrganisationId, PersonId
from jilink.webkit.api import cursors, marks, problems
from jilink.webkit.api.assembly import VERSIONED
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.shapes import Id, In, Line, Long, MadeOut, Out, Time

router = Router(tags=["people"])
problems.conflicts(ChangedMeanwhile)


class ContactOut(Out):
    """A way to reach a person, masked."""

    id: int
    kind: ContactKind
    masked: str
    preferred: bool
    verified_at: datetime | None


class ConsentOut(Out):
    """A consent, and whether it holds now."""

    id: int
    purpose: str
    evidence: str
    given_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None
    stands: bool


class MergeOut(Out):
    """A double that was merged into the person; `undo_until` is null once it cannot be undone."""

    id: int
    merged: int
    name: str
    at: datetime
    undo_until: datetime | None


class PersonRowOut(Out):
    """A person in a list."""

    id: int
    organisation: int
    name: str
    languages: list[str]
    contacts: list[ContactOut]


class PersonOut(PersonRowOut):
    """A person. `identity` is the masked identity number."""

    other_names: list[str]
    notes: str
    identity: str | None
    consents: list[ConsentOut]
    merges: list[MergeOut]
    version: int
    created_at: datetime
    changed_at: datetime
    erased_at: datetime | None


class ContactIn(In):
    """A way to reach a person, in any spelling."""

    kind: ContactKind
    text: str = Field(max_length=250, min_length=1)


class PersonIn(In):
    """A new person."""

    organisation: Id
    name: Line = ""
    other_names: list[Line] = Field([], max_length=20)
    languages: list[Line] = Field([], max_length=10, description="Language tags (BCP 47), the preferred one first.")
    notes: Long = ""
    contacts: list[ContactIn] = Field([], max_length=20)


class PersonEditIn(In):
    """What is to change; what is not named stays."""

    name: Line | None = None
    other_names: list[Line] | None = None
    languages: list[Line] | None = None
    notes: Long | None = None


class SearchIn(In):
    """Whom to find: by name, telephone in any spelling or its last digits, other contact, or whole identity number."""

    text: Line
    organisation: Id | None = None
    limit: int = Field(50, ge=1, le=200)
    before: Id | None = Field(None, description="The last id of the page before.")


class IdentityIn(In):
    """A resident identity number (GB 11643)."""

    number: Line


class ConsentIn(In):
    """That a person agreed to a purpose, and how that is known."""

    purpose: Line
    evidence: str = Field(max_length=400)
    given_at: Time | None = None
    expires_at: Time | None = None


class MergePeopleIn(In):
    """Which person goes on as which."""

    keep: Id
    merge: Id


class RevealedOut(Out):
    """What was revealed; an entry in the audit says to whom."""

    value: str


class VersionOut(Out):
    """The version that the thing has now."""

    version: int


class FoundPeopleOut(Out):
    """Who was found, the newest first."""

    items: list[PersonRowOut]


@router.get("/people", response=Page[PersonRowOut], operation_id="list_people")
def list_people(request: HttpRequest, paging: Query[Paging], organisation: Id | None = None) -> Cut[reads.PersonRow]:
    """Return people, the newest first. To find somebody, use `find_people`: what is looked for does not belong in an address."""
    before = cursors.number(request, paging)
    rows = reads.find(
        actor_of(request),
        organisation=OrganisationId(organisation) if organisation is not None else None,
        before=PersonId(before) if before is not None else None,
        limit=paging.limit + 1,
    )
    return cursors.by_number(request, paging, rows, lambda row: row.id)


@router.post("/people/search", response=FoundPeopleOut, operation_id="find_people")
def find_people(request: HttpRequest, given: SearchIn) -> dict[str, object]:
    """Find people by what is known of them."""
    found = reads.find(
        actor_of(request),
        given.text,
        organisation=OrganisationId(given.organisation) if given.organisation is not None else None,
        before=PersonId(given.before) if given.before is not None else None,
        limit=given.limit,
    )
    return {"items": found}


@router.post("/people", response={201: MadeOut}, operation_id="add_person")
def add_person(request: HttpRequest, given: PersonIn) -> Status[dict[str, int]]:
    """Add a person."""
    data = PersonData(given.name, "\n".join(given.other_names), tuple(given.languages), given.notes)
    contacts = tuple(Contact(each.kind, each.text) for each in given.contacts)
    made = actions.add_person(organisation=OrganisationId(given.organisation), data=data, contacts=contacts, by=actor_of(request))
    return Status(201, {"id": made})


@router.get("/people/{int:person}", response=PersonOut, operation_id="read_person")
def read_person(request: HttpRequest, person: Id) -> reads.PersonView:
    """Return one person; a number that was merged leads to the person it is now."""
    return reads.person(actor_of(request), PersonId(person))


@router.patch("/people/{int:person}", response=VersionOut, operation_id="edit_person", openapi_extra=VERSIONED)
def edit_person(request: HttpRequest, person: Id, given: PersonEditIn) -> dict[str, int]:
    """Change what is told about a person."""
    data = PersonData(
        given.name,
        "\n".join(given.other_names) if given.other_names is not None else None,
        tuple(given.languages) if given.languages is not None else None,
        given.notes,
    )
    version = marks.expected_version(request)
    return {"version": actions.edit_person(person=PersonId(person), data=data, version=version, by=actor_of(request))}


@router.get("/people/{int:person}/doubles", response=list[PersonRowOut], operation_id="list_doubles")
def list_doubles(request: HttpRequest, person: Id) -> list[reads.PersonRow]:
    """Return others who share a contact with the person: perhaps the same one."""
    return reads.doubles(actor_of(request), PersonId(person))


@router.post("/people/{int:person}/contacts", response={201: MadeOut}, operation_id="add_contact")
def add_contact(request: HttpRequest, person: Id, given: ContactIn) -> Status[dict[str, int]]:
    """Add a way to reach a person, or find it there already."""
    made = actions.add_contact(person=PersonId(person), contact=Contact(given.kind, given.text), by=actor_of(request))
    return Status(201, {"id": made})


@router.delete("/contacts/{int:contact}", response={204: None}, operation_id="remove_contact")
def remove_contact(request: HttpRequest, contact: Id) -> Status[None]:
    """Remove a way to reach a person."""
    actions.remove_contact(contact=ContactId(contact), by=actor_of(request))
    return Status(204, None)


@router.post("/contacts/{int:contact}/prefer", response={204: None}, operation_id="prefer_contact")
def prefer_contact(request: HttpRequest, contact: Id) -> Status[None]:
    """Make it the preferred one."""
    actions.prefer_contact(contact=ContactId(contact), by=actor_of(request))
    return Status(204, None)


@router.post("/contacts/{int:contact}/verify", response={204: None}, operation_id="verify_contact")
def verify_contact(request: HttpRequest, contact: Id) -> Status[None]:
    """Note that the person was in fact reached so."""
    actions.verify_contact(contact=ContactId(contact), by=actor_of(request))
    return Status(204, None)


@router.post("/contacts/{int:contact}/reveal", response=RevealedOut, operation_id="reveal_contact")
def reveal_contact(request: HttpRequest, contact: Id) -> dict[str, str]:
    """Return a contact whole; the read is audited."""
    return {"value": reads.reveal_contact(actor_of(request), ContactId(contact))}


@router.put("/people/{int:person}/identity", response={204: None}, operation_id="set_identity")
def set_identity(request: HttpRequest, person: Id, given: IdentityIn) -> Status[None]:
    """Keep a person's identity number, sealed."""
    actions.set_identity(person=PersonId(person), number=given.number, by=actor_of(request))
    return Status(204, None)


@router.delete("/people/{int:person}/identity", response={204: None}, operation_id="remove_identity")
def remove_identity(request: HttpRequest, person: Id) -> Status[None]:
    """Forget a person's identity number."""
    actions.remove_identity(person=PersonId(person), by=actor_of(request))
    return Status(204, None)


@router.post("/people/{int:person}/identity/reveal", response=RevealedOut, operation_id="reveal_identity")
def reveal_identity(request: HttpRequest, person: Id) -> dict[str, str]:
    """Return an identity number whole; the read is audited."""
    return {"value": reads.reveal_identity(actor_of(request), PersonId(person))}


@router.post("/people/{int:person}/consents", response={201: MadeOut}, operation_id="give_consent")
def give_consent(request: HttpRequest, person: Id, given: ConsentIn) -> Status[dict[str, int]]:
    """Record that a person agreed to a purpose."""
    made = actions.give_consent(
        person=PersonId(person),
        purpose=given.purpose,
        evidence=given.evidence,
        given_at=given.given_at,
        expires_at=given.expires_at,
        by=actor_of(request),
    )
    return Status(201, {"id": made})


@router.post("/consents/{int:consent}/withdraw", response={204: None}, operation_id="withdraw_consent")
def withdraw_consent(request: HttpRequest, consent: Id) -> Status[None]:
    """End a consent."""
    actions.withdraw_consent(consent=ConsentId(consent), by=actor_of(request))
    return Status(204, None)


@router.post("/people/merge", response={201: MadeOut}, operation_id="merge_people")
def merge_people(request: HttpRequest, given: MergePeopleIn) -> Status[dict[str, int]]:
    """Let one person go on as another; it can be undone for 30 days."""
    made = merging.merge_people(keep=PersonId(given.keep), merge=PersonId(given.merge), by=actor_of(request))
    return Status(201, {"id": made})


@router.post("/merges/{int:merge}/undo", response=MadeOut, operation_id="undo_merge")
def undo_merge(request: HttpRequest, merge: Id) -> dict[str, int]:
    """Give back every row that a merge moved; `id` is the person that stands again."""
    return {"id": merging.undo_merge(merge=MergeId(merge), by=actor_of(request))}


@router.post("/people/{int:person}/export", operation_id="export_person")
def export_person(request: HttpRequest, person: Id) -> HttpResponse:
    """Return everything held about a person, in every room, as JSON; the read is audited."""
    return HttpResponse(rights.export_person(person=PersonId(person), by=actor_of(request)), content_type="application/json")


@router.post("/people/{int:person}/erase", response={204: None}, operation_id="erase_person")
def erase_person(request: HttpRequest, person: Id) -> Status[None]:
    """Take out everything that tells of a person, in every room, for good."""
    rights.erase_person(person=PersonId(person), by=actor_of(request))
    return Status(204, None)
