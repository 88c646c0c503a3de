"""The retention bucket: how long the history keeps each organisation's positions, written from the tables and never read back.

What is written is always the present state, under one lock, so repeated and late events change nothing. Organisations that are gone keep
their entry: the history still deletes their positions by it.
"""

import asyncio

from django.db import close_old_connections

from jilink.core.parties import reads
from jilink.kernel.ids import OrganisationId
from jilink.spine.client import Spine
from jilink.spine.subjects import RETENTION

_lock = asyncio.Lock()


def _retentions(below: int | None) -> dict[OrganisationId, int | None]:
    close_old_connections()
    try:
        return reads.retentions(below)
    finally:
        close_old_connections()


async def project_retention(spine: Spine, below: int | None = None) -> None:
    """Write what holds for an organisation and those below it, or (None) for all. Raises Unavailable."""
    bucket = spine.bucket(RETENTION)
    async with _lock:
        known = await bucket.all()
        for organisation, days in (await asyncio.to_thread(_retentions, below)).items():
            key = str(organisation)
            if days is None and key in known:
                await bucket.delete(key)
            elif days is not None and known.get(key) != str(days).encode():
                await bucket.put(key, str(days).encode())
