"""What may be asked about the audit: its entries with filters, page by page, and whether the chain holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q, QuerySet

from jilink.core.parties import anchors, audit, walls
from jilink.core.parties.access import Actor, require, require_anywhere
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId

MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which entries are wanted; what is empty does not narrow."""

    organisation: OrganisationId | None = None
    actor: str = ""
    """``user:7`` takes in what came with tokens of that account; ``system`` everything that the installation did."""
    actions: tuple[str, ...] = ()
    subject: str = ""
    """``asset:12``, or ``asset`` for every asset."""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it may be shown."""

    sequence: int
    at: datetime
    organisation: OrganisationId | None
    actor: str
    action: str
    subject: str
    detail: str


def entries(actor: Actor, asked: Asked, *, before: int | None = None, limit: int = 50) -> list[Entry]:
    """Return the newest entries that the actor may read, those before a sequence number where one is given. Raises NotFound."""
    rows = _rows(actor, asked)
    if before is not None:
        rows = rows.filter(sequence__lt=before)
    return [_entry(row) for row in rows[: min(limit, MOST)]]


def export(actor: Actor, asked: Asked) -> Iterator[Entry]:
    """Return every entry asked for, the newest first, read as it is taken, and leave an entry of its own. Raises NotFound."""
    rows = _rows(actor, asked)
    audit.record(actor, "audit.exported", "audit", asked.organisation)
    return (_entry(row) for row in rows.iterator(chunk_size=2000))


def verified(actor: Actor) -> audit.Verdict:
    """Walk the whole chain, for anybody who may read any of it; what a broken entry says is not told. Raises NotFound."""
    require_anywhere(actor, Permission.READ_AUDIT)
    with walls.everything():
        found = audit.verify(anchors.written(settings.JILINK.data))
    return audit.Verdict(found.entries, found.broken_at, found.why)


def _rows(actor: Actor, asked: Asked) -> QuerySet[AuditEntry]:
    allowed = require_anywhere(actor, Permission.READ_AUDIT)
    if asked.organisation is not None:
        require(actor, Permission.READ_AUDIT, asked.organisation)
        within = Q(organisation=asked.organisation)
    else:
        within = Q(organisation__in=allowed)
        if actor.may(Permission.VIEW_OPERATIONS):  # what concerns no organisation concerns those who run the installation
            within |= Q(organisation=None)
    rows = AuditEntry.objects.filter(within, **_bounds(asked))
    if asked.actor == "system":
        rows = rows.filter(actor__startswith="system:")
    elif asked.actor:
        rows = rows.filter(Q(actor=asked.actor) | Q(actor__startswith=f"{asked.actor}/"))
    if asked.subject:
        kind = asked.subject.rstrip(":")
        rows = rows.filter(subject=kind) if ":" in kind else rows.filter(Q(subject=kind) | Q(subject__startswith=f"{kind}:"))
    return rows.order_by("-sequence")


def _bounds(asked: Asked) -> dict[str, object]:
    given = {"action__in": asked.actions, "at__gte": asked.start, "at__lt": asked.end}
    return {name: value for name, value in given.items() if value}


def _entry(row: AuditEntry) -> Entry:
    organisation = OrganisationId(row.organisation) if row.organisation is not None else None
    return Entry(row.sequence, row.at, organisation, row.actor, row.action, row.subject, row.detail)
