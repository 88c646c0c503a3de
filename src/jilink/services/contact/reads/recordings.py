"""Recordings as they may be listened to, and what callers thought."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db.models import Q, QuerySet

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.texts import Text
from jilink.services.contact.models import Contact, Fact, Keeping, Recording, Satisfaction
from jilink.services.contact.recordings import vault
from jilink.services.contact.recordings.vault import Wrapped
from jilink.services.contact.rules.design import read_design
from jilink.services.contact.rules.recordings import USUAL_KEPT_DAYS, Mark, RecordingState

HIDDEN = "There is no such thing, or you may not see it."
LISTEN, OWN = Permission.LISTEN_RECORDINGS, Permission.HEAR_OWN_RECORDINGS
_MARKS = msgspec.json.Decoder(tuple[Mark, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingView:
    """A recording; the sound itself is asked for by `heard`."""

    id: int
    organisation: int
    contact: int
    queue: Text
    agent: int | None
    begun_at: datetime
    seconds: float
    size: int
    ready: bool
    peaks: bytes
    marks: tuple[Mark, ...]
    keep_until: datetime | None
    held_by: int | None
    held_reason: str
    held_at: datetime | None
    rating: int | None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which recordings a list shows; None and "" stand for all."""

    begin: datetime | None = None
    end: datetime | None = None
    queue: int | None = None
    agent: int | None = None
    rated_at_most: int | None = None
    held: bool = False


def in_reach(actor: Actor, permission: Permission, *, contact: str = "contact__") -> Q:
    """Return the filter of rows about contacts that a permission reaches: whole organisations, else those of one's team or one's own."""
    reach = access.reach(actor, permission)
    found = Q(organisation__in=reach.whole)
    if reach.own:
        mates = {user for team in reach.teams for user in members.in_team(team)} | ({actor.user} if actor.user else set())
        found |= Q(organisation__in=reach.own) & Q(**{f"{contact}agent__in": mates})
    return found


def _heard(actor: Actor) -> QuerySet[Recording]:
    found = in_reach(actor, LISTEN)
    if actor.user is not None:
        found |= Q(organisation__in=access.organisations_of(actor, OWN), contact__agent=actor.user)
    return Recording.objects.select_related("contact", "contact__queue").filter(found)


def recordings(actor: Actor, wanted: Wanted, *, limit: int = 50, offset: int = 0) -> tuple[list[RecordingView], int]:
    """Return the newest recordings that the actor may listen to, and how many there are. Raises NotFound for those who may hear none."""
    if not (actor.may(LISTEN) or actor.may(OWN)):
        raise NotFound.of(LISTEN)
    rows = _heard(actor)
    for name, value in (("begun_at__gte", wanted.begin), ("begun_at__lt", wanted.end), ("contact__queue", wanted.queue)):
        rows = rows.filter(**{name: value}) if value is not None else rows
    if wanted.agent is not None:
        rows = rows.filter(contact__agent=wanted.agent)
    if wanted.rated_at_most is not None:
        rows = rows.filter(contact__in=Satisfaction.objects.filter(rating__lte=wanted.rated_at_most).values("contact"))
    if wanted.held:
        rows = rows.filter(held_by__isnull=False)
    page = list(rows.order_by("-begun_at", "-pk")[offset : offset + limit])
    rated = ratings([row.contact_id for row in page])
    return [_view(row, rated) for row in page], rows.count()


def recording(actor: Actor, recording: int) -> RecordingView:
    """Return one recording. Raises NotFound."""
    row = row_of(actor, recording)
    return _view(row, ratings([row.contact_id]))


def of_contact(actor: Actor, contact: int) -> list[RecordingView]:
    """Return the recordings of a contact that the actor may listen to, in order; none where they may hear none."""
    rows = list(_heard(actor).filter(contact=contact).order_by("begun_at", "pk"))
    rated = ratings([contact])
    return [_view(row, rated) for row in rows]


def row_of(actor: Actor, recording: int) -> Recording:
    """Return the row of a recording that the actor may listen to. Raises NotFound."""
    row = _heard(actor).filter(pk=recording).first()
    if row is None:
        raise NotFound.of(LISTEN)
    return row


def heard(actor: Actor, recording: int, first: int, last: int) -> Iterator[bytes]:
    """Yield the bytes of a range of the sound. Raises NotFound, KeyMissing, Damaged. Who opened it stands in the audit already."""
    row = row_of(actor, recording)
    if row.state != RecordingState.KEPT:
        raise NotFound(HIDDEN)
    return vault.read(row.file, vault.unwrap(Wrapped(row.key, bytes(row.wrapped)), row.file), first, last)


def filters(actor: Actor) -> tuple[dict[int, Text], dict[int, str]]:
    """Return the queues and the agents whose recordings the actor may listen to: what a list is narrowed by."""
    contacts = Contact.objects.filter(pk__in=_heard(actor).values("contact"))
    queues = {queue: read_design(design).name for queue, design in contacts.values_list("queue", "queue__design").distinct()}
    agents = {agent for agent in contacts.values_list("agent", flat=True).distinct() if agent is not None}
    return queues, members.people_named(agents)


def ratings(contacts: list[int]) -> dict[int, int]:
    """Return what callers thought of contacts, 1 to 5. For rooms that were let to the contacts themselves."""
    return dict(Satisfaction.objects.filter(contact__in=contacts).values_list("contact", "rating"))


def keeping(actor: Actor) -> dict[int, int]:
    """Return for how many days each organisation keeps recordings whose recordings the actor may manage; 0 for ever."""
    allowed = access.organisations_of(actor, Permission.MANAGE_RECORDINGS)
    said = dict(Keeping.objects.filter(organisation__in=allowed).values_list("organisation", "days"))
    return {place: said.get(place, USUAL_KEPT_DAYS) for place in sorted(allowed)}


def is_announced(node: str, leg: str) -> bool:
    """Return whether a caller was told that the call is recorded. For the router; no wall is asked."""
    return Fact.objects.filter(contact__node=node, contact__leg=leg, what="announced").exists()


def arrived(recording: int) -> bool:
    """Return whether a recording is still to be taken in. For the reaction that does; no wall is asked."""
    return Recording.objects.filter(pk=recording, state=RecordingState.ARRIVED).exists()


def _view(row: Recording, rated: dict[int, int]) -> RecordingView:
    return RecordingView(
        id=row.pk,
        organisation=row.organisation_id,
        contact=row.contact_id,
        queue=read_design(row.contact.queue.design).name,
        agent=row.contact.agent_id,
        begun_at=row.begun_at,
        seconds=row.seconds,
        size=row.size,
        ready=row.state == RecordingState.KEPT,
        peaks=bytes(row.peaks),
        marks=_MARKS.decode(row.marks),
        keep_until=row.keep_until,
        held_by=row.held_by_id,
        held_reason=row.held_reason,
        held_at=row.held_at,
        rating=rated.get(row.contact_id),
        code=row.contact.code,
    )
