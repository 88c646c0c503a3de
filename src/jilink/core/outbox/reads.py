"""What may be asked about the outbox: for the operations page and the tests."""

from dataclasses import dataclass
from datetime import datetime

from jilink.core.outbox.models import DeadLetter, OutboxEvent


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits to be published, since when, and how many letters lie dead."""

    waiting: int
    oldest_at: datetime | None
    dead: int


def backlog(now: datetime) -> Backlog:
    """Return what is due and not published; timers of the future do not count."""
    due = OutboxEvent.objects.filter(published_at=None, not_before__lte=now)
    oldest = due.order_by("id").values_list("occurred_at", flat=True).first()
    return Backlog(due.count(), oldest, DeadLetter.objects.count())


@dataclass(frozen=True, slots=True)
class Letter:
    """An event that a room gave up on."""

    id: int
    room: str
    subject: str
    event: str
    reason: str
    attempts: int
    at: datetime
    replaying: bool
    """Whether the room is about to be told again."""


def dead_letters(limit: int = 100) -> list[Letter]:
    """Return the newest dead letters."""
    rows = DeadLetter.objects.defer("envelope").order_by("-at")[:limit]
    return [Letter(row.pk, row.room, row.subject, row.event, row.reason, row.attempts, row.at, row.replay_at is not None) for row in rows]
