"""What the contact service does when something happened: engines learn of phones."""

import asyncio

import structlog
from django.db import close_old_connections

from jilink.core.outbox.registry import Context, reacts_to, works_beside
from jilink.services.contact.events import PhoneSet
from jilink.services.contact.reads import desk
from jilink.spine.calls import Phone, encode, phone_key
from jilink.spine.client import Spine
from jilink.spine.subjects import PHONES

log = structlog.get_logger(__name__)
AGAIN_S = 3600.0
_lock = asyncio.Lock()


@reacts_to(PhoneSet)
async def project_phone(event: PhoneSet, context: Context) -> None:
    """Let the engines know a phone as it is now. Late and repeated events change nothing: what is written is the present state."""
    bucket, key = context.spine.bucket(PHONES), phone_key(event.organisation, event.extension)
    async with _lock:
        line = await asyncio.to_thread(_line, event.organisation, event.extension)
        if line is None:
            await bucket.delete(key)
        else:
            await bucket.put(key, encode(line))


@works_beside
async def keep_phones(spine: Spine) -> None:
    """Make the whole bucket say what the tables say, at the start and every hour."""
    while True:
        changed = await project_phones(spine)
        if changed:
            log.info("phones.projected", changed=changed)
        await asyncio.sleep(AGAIN_S)


async def project_phones(spine: Spine) -> int:
    """Make the bucket `phones` say what the tables say and return how many entries had to be written or removed."""
    bucket = spine.bucket(PHONES)
    async with _lock:
        known = await bucket.all()
        wanted = {key: encode(line) for key, line in (await asyncio.to_thread(_lines)).items()}
        stale = [key for key, value in wanted.items() if known.get(key) != value]
        gone = [key for key in known if key not in wanted]
        for key in stale:
            await bucket.put(key, wanted[key])
        for key in gone:
            await bucket.delete(key)
    return len(stale) + len(gone)


def _line(organisation: int, extension: str) -> Phone | None:
    close_old_connections()
    try:
        return desk.phone_line(organisation, extension)
    finally:
        close_old_connections()


def _lines() -> dict[str, Phone]:
    close_old_connections()
    try:
        return desk.phone_lines()
    finally:
        close_old_connections()
