"""The append-only audit: who did or read what, each entry tied to the one before it by a hash.

Changing, removing or inserting an entry anywhere, the end included, breaks the chain, and `verify` says where. Whoever writes every
entry and the head anew is found out by places that were written down outside of the database (`anchors`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from jilink.core.parties.access import Actor, require
from jilink.core.parties.anchors import Anchor
from jilink.core.parties.models import AuditEntry, AuditHead
from jilink.core.parties.rules import Permission, link
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: the number of entries looked at, and the first broken one (None when whole) with what is wrong."""

    entries: int
    broken_at: int | None
    why: str = ""
    entry: str = ""
    """Of the broken entry, as it stands now: when, who, what; empty where none stands there."""


@transaction.atomic
def record(
    actor: Actor, action: str, subject: str, organisation: OrganisationId | int | None, *, detail: str = "", at: datetime | None = None
) -> None:
    """Append one entry in the caller's transaction. `subject` names a thing by kind and id, such as ``asset:12``."""
    head, _made = AuditHead.objects.select_for_update().get_or_create(pk=1)
    moment = at or utc_now()
    sequence = head.sequence + 1
    digest = link(
        sequence=sequence,
        at=moment,
        organisation=organisation,
        actor=actor.name,
        action=action,
        subject=subject,
        detail=detail,
        previous=head.digest,
    )
    AuditEntry.objects.create(
        sequence=sequence,
        at=moment,
        organisation=organisation,
        actor=actor.name,
        action=action,
        subject=subject,
        detail=detail,
        previous=head.digest,
        digest=digest,
    )
    head.sequence, head.digest = sequence, digest
    head.save(update_fields=["sequence", "digest"])


def told(actor: Actor, action: str, subject: str, organisation: int, detail: str, since: datetime) -> bool:
    """Return whether an actor left this very entry at `since` or later. No wall is asked."""
    rows = AuditEntry.objects.filter(organisation=organisation, actor=actor.name, action=action, subject=subject, detail=detail)
    return rows.order_by("-sequence").filter(at__gte=since).values_list("pk", flat=True).first() is not None


def verify(known: Iterable[Anchor] = ()) -> Verdict:
    """Walk the whole chain and return what was found; it stops at the first broken entry.

    `known` are places of the chain from outside of the database: what was written anew as a whole, hashes included, differs from them.
    """
    previous, count = "", 0
    wanted = {anchor.sequence: anchor.digest for anchor in known}
    for entry in AuditEntry.objects.order_by("sequence").iterator(chunk_size=2000):
        count += 1
        why = _fault(entry, count, previous)
        if why:
            words = f"{entry.at.isoformat()} {entry.actor} {entry.action} {entry.subject}" if entry.sequence == count else ""
            return Verdict(count, count, why, words)
        if wanted.pop(count, entry.digest) != entry.digest:
            return Verdict(count, count, "it, or something before it, was written anew: it differs from what was written down outside")
        previous = entry.digest
    head = AuditHead.objects.filter(pk=1).first()
    if wanted or (head.sequence if head else 0, head.digest if head else "") != (count, previous):
        return Verdict(count, count + 1, "the end of the chain was cut off, or something was added past it")
    return Verdict(count, None)


def _fault(entry: AuditEntry, place: int, previous: str) -> str:
    if entry.sequence != place:
        return "it was removed"
    expected = link(
        sequence=place,
        at=entry.at,
        organisation=entry.organisation,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        detail=entry.detail,
        previous=entry.previous,
    )
    if entry.digest != expected:
        return "it was changed after it was written"
    return "it is not tied to the entry before it" if entry.previous != previous else ""


def entries(actor: Actor, organisation: OrganisationId, *, limit: int = 200, before: int | None = None) -> list[AuditEntry]:
    """Return the newest entries of one organisation, those before a sequence number where one is given. Raises NotFound."""
    require(actor, Permission.READ_AUDIT, organisation)
    rows = AuditEntry.objects.filter(organisation=organisation)
    if before is not None:
        rows = rows.filter(sequence__lt=before)
    return list(rows.order_by("-sequence")[:limit])
