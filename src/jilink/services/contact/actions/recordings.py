"""What becomes of recordings: noted, taken into the house, held, removed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from django.db import transaction

from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.reads import line
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId
from jilink.services.contact.events import RecordingArrived, RecordingKept
from jilink.services.contact.models import Contact, Fact, Keeping, Recording, Satisfaction
from jilink.services.contact.reads.recordings import row_of
from jilink.services.contact.recordings import sound, vault
from jilink.services.contact.recordings.vault import Wrapped
from jilink.services.contact.rules import recordings as rules
from jilink.services.contact.rules.design import read_design
from jilink.services.contact.rules.recordings import RecordingRefused, RecordingState

HIDDEN = "There is no such thing, or you may not see it."
SWEPT_AFTER = timedelta(days=1)
AT_ONCE = 500
BEGUN = "rec_begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A recording that lies in the spine."""

    name: str
    source: str
    seconds: float
    sha256: str
    ended_at: datetime


@transaction.atomic
def note_arrived(*, arrived: Arrived, by: Actor, now: datetime) -> int | None:
    """Note a recording, and return its id; told twice it is one. None where its contact is not there (any more). Raises NotFound."""
    if not by.is_installation:
        raise NotFound(HIDDEN)
    match = rules.NAME.fullmatch(arrived.name)
    contact = Contact.objects.filter(pk=int(match[1])).first() if match else None
    known = Recording.objects.filter(name=arrived.name).first()
    if contact is None or known is not None:
        return known.pk if known else None
    told = Fact.objects.filter(contact=contact, what=BEGUN, at__lte=arrived.ended_at).order_by("-at").values_list("at", flat=True).first()
    begun = told or max(contact.answered_at or contact.offered_at, arrived.ended_at - timedelta(seconds=arrived.seconds + 3))
    row = Recording.objects.create(
        organisation_id=contact.organisation_id,
        contact=contact,
        name=arrived.name,
        state=RecordingState.ARRIVED.value,
        source=arrived.source,
        begun_at=begun,
        ended_at=begun + timedelta(seconds=arrived.seconds),
        seconds=arrived.seconds,
        sha256=arrived.sha256,
        keep_until=rules.keep_until(arrived.ended_at, _days(contact)),
    )
    event = RecordingArrived(recording=row.pk, source=arrived.source)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"recording:{row.pk}", now=now)
    return row.pk


def keep(*, recording: int, data: bytes, by: Actor, now: datetime) -> None:
    """Seal a recording that arrived, and keep it; one that is kept, or removed meanwhile, stays so. Raises NotARecording, Unavailable.

    The file is on disk before the row says so; killed between, it is done again and the file that no row names is swept.
    """
    if not by.is_installation:
        raise NotFound(HIDDEN)
    if not Recording.objects.filter(pk=recording, state=RecordingState.ARRIVED).exists():
        return
    heard, key = sound.look_at(data), vault.new_key()
    file = vault.put(heard.played(), heard.size, key)
    if not _kept(recording, heard, file, key, now):
        vault.remove(file)


@transaction.atomic
def _kept(recording: int, heard: sound.Sound, file: str, key: bytes, now: datetime) -> bool:
    row = Recording.objects.select_for_update().filter(pk=recording, state=RecordingState.ARRIVED).first()
    if row is None:
        return False
    facts = Fact.objects.filter(contact=row.contact_id, what__in=rules.SHOWN).values_list("what", "at")
    wrapped = vault.wrap(key, file)
    row.state, row.file, row.size, row.peaks = RecordingState.KEPT.value, file, heard.size, heard.peaks
    row.key, row.wrapped, row.seconds = wrapped.key, wrapped.sealed, heard.seconds
    row.marks = msgspec.json.encode(rules.marks(facts, row.begun_at, heard.seconds)).decode()
    row.save()
    event = RecordingKept(recording=row.pk, contact=row.contact_id)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"recording:{row.pk}", now=now)
    return True


@transaction.atomic
def note_said(*, contact: int, what: str, by: Actor, now: datetime) -> None:
    """Note what a caller was told before anybody answered. Raises NotFound."""
    row = Contact.objects.filter(pk=contact).first()
    if row is None or not by.is_installation:
        raise NotFound(HIDDEN)
    Fact.objects.create(contact=row, what=what, agent=None, at=now)


@transaction.atomic
def open_recording(*, recording: int, by: Actor, now: datetime | None = None, download: bool = False) -> None:
    """Note in the audit that somebody listens to a recording, or takes it along. Raises NotFound, RecordingRefused."""
    row = row_of(by, recording)
    if row.state != RecordingState.KEPT:
        raise RecordingRefused("The recording is still being taken in. Try again in a moment.")
    place, subject, moment = row.organisation_id, f"contact:{row.contact_id}", now or utc_now()
    if download:
        audit.record(by, "recording.downloaded", subject, place, detail=row.name, at=moment)
    else:
        audit.record(by, "recording.heard", subject, place, detail=row.name, at=moment)


@transaction.atomic
def hold(*, recording: int, reason: str, by: Actor, now: datetime | None = None) -> None:
    """Keep a recording whatever its time, until it is released: for a dispute or by law. Raises NotFound, RecordingRefused."""
    row, moment = row_of(by, recording), now or utc_now()
    require(by, Permission.MANAGE_RECORDINGS, row.organisation_id)
    if not reason.strip() or row.held_by_id is not None or by.user is None:
        raise RecordingRefused("Say why it is held; one that is held already stays so.")
    row.held_by_id, row.held_reason, row.held_at = by.user, reason.strip()[:200], moment
    row.save(update_fields=["held_by", "held_reason", "held_at"])
    audit.record(by, "recording.held", f"contact:{row.contact_id}", row.organisation_id, detail=row.held_reason, at=moment)


@transaction.atomic
def release(*, recording: int, by: Actor, now: datetime | None = None) -> None:
    """Let the time of a recording count again. Raises NotFound."""
    row = row_of(by, recording)
    require(by, Permission.MANAGE_RECORDINGS, row.organisation_id)
    row.held_by, row.held_reason, row.held_at = None, "", None
    row.save(update_fields=["held_by", "held_reason", "held_at"])
    audit.record(by, "recording.released", f"contact:{row.contact_id}", row.organisation_id, detail=row.name, at=now or utc_now())


@transaction.atomic
def set_keeping(*, organisation: int, days: int, by: Actor, now: datetime | None = None) -> None:
    """Say for how many days recordings are kept from now on, where a queue does not say otherwise; 0 for ever. Raises NotFound."""
    require(by, Permission.MANAGE_RECORDINGS, organisation)
    if not 0 <= days <= rules.LONGEST_KEPT_DAYS:
        raise RecordingRefused("Recordings are kept for 1 to %(most)d days, or for ever (0).", most=rules.LONGEST_KEPT_DAYS)
    moment = now or utc_now()
    Keeping.objects.update_or_create(organisation_id=organisation, defaults={"days": days, "changed_at": moment})
    audit.record(by, "recordings.keeping", f"organisation:{organisation}", organisation, detail=str(days), at=moment)


def forget_recordings(now: datetime) -> int:
    """Remove recordings whose time is over and that nobody holds, file and row, and return how many; then sweep what no row names."""
    due = Recording.objects.filter(keep_until__lt=now, held_by=None).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
    removed = remove_all(list(due))
    for name in vault.names_older_than(now - SWEPT_AFTER):
        if not Recording.objects.filter(file=name).exists():
            vault.drop(name)
    return removed


@transaction.atomic
def remove_all(recordings: Iterable[int]) -> int:
    """Remove recordings for good, and return how many. No wall is asked: for the retention job and for holdings."""
    rows = list(Recording.objects.select_for_update().filter(pk__in=list(recordings), held_by=None))
    files = [row.file for row in rows if row.file]
    Recording.objects.filter(pk__in=[row.pk for row in rows]).delete()
    transaction.on_commit(lambda: _unlink(files))
    return len(rows)


def wrap_anew() -> int:
    """Seal the key of every recording by the installation's newest key, and return how many were not. For the command line."""
    current, done = vault.wrap(vault.new_key(), "").key, 0
    for pk in list(Recording.objects.exclude(key__in=("", current)).values_list("pk", flat=True)):
        with transaction.atomic():
            row = Recording.objects.select_for_update().filter(pk=pk).first()
            if row is None:
                continue
            wrapped = vault.wrap(vault.unwrap(Wrapped(row.key, bytes(row.wrapped)), row.file), row.file)
            row.key, row.wrapped = wrapped.key, wrapped.sealed
            row.save(update_fields=["key", "wrapped"])
            done += 1
    return done


@transaction.atomic
def note_satisfaction(*, node: str, leg: str, rating: int, source: str, by: Actor, now: datetime) -> None:
    """Note what a caller thought of the contact in which they last talked on that leg; the first word stands. Raises NotFound."""
    if not by.is_installation:
        raise NotFound(HIDDEN)
    contact = Contact.objects.filter(node=node, leg=leg, answered_at__isnull=False).order_by("-hop").first()
    if contact is not None and 1 <= rating <= 5:
        Satisfaction.objects.get_or_create(
            contact=contact, defaults={"organisation_id": contact.organisation_id, "rating": rating, "source": source, "at": now}
        )


def _days(contact: Contact) -> int:
    """Return for how long a contact's recording is kept: as the queue says, else the organisation, else the nearest above."""
    if (own := read_design(contact.queue.design).keep_days) is not None:
        return own
    above = line(OrganisationId(contact.organisation_id))
    kept = dict(Keeping.objects.filter(organisation__in=above).values_list("organisation", "days"))
    return next((kept[place] for place in reversed(above) if place in kept), rules.USUAL_KEPT_DAYS)


def _unlink(files: list[str]) -> None:
    for file in files:
        vault.remove(file)
