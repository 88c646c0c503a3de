"""From the outbox to the spine, at least once and in order per aggregate.

An event's id is the message id, so the stream drops what is published a second time after a crash between
publishing and marking. Polling is by a partial index over what waits; an idle pass reads one page of it.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

import msgspec
import structlog
from django.db import close_old_connections
from django.db.models import F

from jilink.core.outbox.models import OutboxEvent
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.spine import subjects
from jilink.spine.client import Spine
from jilink.spine.records import Envelope

log = structlog.get_logger(__name__)
POLL_S = 0.1
BATCH = 500
LONGEST_PAUSE_S = 5.0
KEEP = timedelta(days=7)
TIDY_EVERY = timedelta(hours=1)


def waiting(now: datetime, limit: int = BATCH) -> list[OutboxEvent]:
    """Return the oldest events that are due and not yet published, in the order they were added."""
    close_old_connections()
    try:
        return list(OutboxEvent.objects.filter(published_at=None, not_before__lte=now).order_by("id")[:limit])
    finally:
        close_old_connections()


def _mark(published: Sequence[str], failed: Sequence[str], failure: str, now: datetime) -> None:
    try:
        OutboxEvent.objects.filter(pk__in=published).update(published_at=now, failure="")
        if failed:
            OutboxEvent.objects.filter(pk__in=failed).update(attempts=F("attempts") + 1, failure=failure[:300])
    finally:
        close_old_connections()


def tidy(now: datetime) -> int:
    """Remove events published more than `KEEP` ago and return how many there were; the stream keeps them longer."""
    try:
        return OutboxEvent.objects.filter(published_at__lt=now - KEEP).delete()[0]
    finally:
        close_old_connections()


def envelope(row: OutboxEvent, now: datetime) -> bytes:
    """Return an event as it travels."""
    return msgspec.json.encode(
        Envelope(
            id=row.id,
            noun=row.noun,
            name=row.name,
            organisation=row.organisation,
            occurred_at=row.occurred_at,
            received_at=now,
            cause=row.cause,
            payload=msgspec.Raw(bytes(row.payload)),
        )
    )


async def publish_due(spine: Spine, now: datetime) -> tuple[int, str]:
    """Publish what is due and return how many events that were, and why others were not ("" where none failed)."""
    rows = await asyncio.to_thread(waiting, now)
    published: list[str] = []
    failed: list[str] = []
    reasons: set[str] = set()

    async def publish_in_order(group: list[OutboxEvent]) -> None:
        for row in group:
            try:
                await spine.publish(subjects.event(row.noun, row.name), envelope(row, now), msg_id=row.id)
            except Unavailable as error:
                failed.append(row.id)
                reasons.add(str(error))
                return  # the later ones of this aggregate wait for this one
            published.append(row.id)

    by_aggregate = sorted(rows, key=lambda row: (row.aggregate, row.id))
    await asyncio.gather(*(publish_in_order(list(group)) for _key, group in groupby(by_aggregate, key=lambda row: row.aggregate)))
    reason = "; ".join(sorted(reasons))
    if rows:
        await asyncio.to_thread(_mark, published, failed, reason, now)
    return len(published), reason


async def run(spine: Spine) -> None:
    """Publish for ever: at once while there is something, otherwise looking again every `POLL_S`."""
    pause, tidied = POLL_S, utc_now()
    while True:
        now = utc_now()
        count, reason = await publish_due(spine, now)
        if reason and pause == POLL_S:
            log.warning("outbox.waits", reason=reason)
        elif not reason and pause != POLL_S:
            log.info("outbox.flows_again")
        pause = min(pause * 2, LONGEST_PAUSE_S) if reason else POLL_S
        if now - tidied > TIDY_EVERY:
            tidied = now
            await asyncio.to_thread(tidy, now)
        if reason or count < BATCH:
            await asyncio.sleep(pause)
