"""The append-only audit: who did or read what, each entry tied to the one before it by a hash.

Changing, removing or inserting an entry anywhere, the end included, breaks the chain, and `verify` says where.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from jilink.core.parties.access import Actor, require
from jilink.core.parties.models import AuditEntry, AuditHead
from jilink.core.parties.rules import Permission, link
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: the number of entries, and the sequence of the first broken one (None when whole)."""

    entries: int
    broken_at: int | None


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


def verify() -> Verdict:
    """Walk the whole chain and return what was found."""
    previous, count = "", 0
    for entry in AuditEntry.objects.order_by("sequence").iterator(chunk_size=2000):
        count += 1
        expected = link(
            sequence=count,
            at=entry.at,
            organisation=entry.organisation,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            detail=entry.detail,
            previous=previous,
        )
        if entry.sequence != count or entry.previous != previous or entry.digest != expected:
            return Verdict(count, count)
        previous = entry.digest
    head = AuditHead.objects.filter(pk=1).first()
    if (head.sequence if head else 0, head.digest if head else "") != (count, previous):
        return Verdict(count, count + 1)
    return Verdict(count, None)


def entries(actor: Actor, organisation: OrganisationId, *, limit: int = 200) -> list[AuditEntry]:
    """Return the newest entries of one organisation. Raises NotFound without the permission to read them."""
    require(actor, Permission.READ_AUDIT, organisation)
    return list(AuditEntry.objects.filter(organisation=organisation).order_by("-sequence")[:limit])
