"""What the contact service does when something happened: engines learn of phones and trunks, and lent phones are taken back."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

import structlog
from django.db import close_old_connections

from jilink.core.outbox.registry import Context, reacts_to, works_beside
from jilink.core.parties import access
from jilink.kernel.clock import utc_now
from jilink.services.contact.actions.trying import take_back
from jilink.services.contact.events import PhoneDue, PhoneSet, TrunkSet
from jilink.services.contact.reads import desk, outside
from jilink.spine.calls import Phone, Trunk, encode, phone_key, trunk_key
from jilink.spine.client import Spine
from jilink.spine.subjects import PHONES, TRUNKS, Bucket

log = structlog.get_logger(__name__)
AGAIN_S = 3600.0
T = TypeVar("T")
_lock = asyncio.Lock()


@reacts_to(PhoneSet)
async def project_phone(event: PhoneSet, context: Context) -> None:
    """Let the engines know a phone as it is now. Late and repeated events change nothing: what is written is the present state."""
    key = phone_key(event.organisation, event.extension)
    await _project(context.spine, PHONES, key, lambda: desk.phone_line(event.organisation, event.extension))


@reacts_to(TrunkSet)
async def project_trunk(event: TrunkSet, context: Context) -> None:
    """Let the engines know a trunk as it is now. Late and repeated events change nothing."""
    await _project(context.spine, TRUNKS, trunk_key(event.trunk), lambda: outside.trunk_line(event.trunk))


@reacts_to(PhoneDue)
def end_loan(event: PhoneDue, context: Context) -> None:
    """Take back a phone whose time is over. One that was lent anew meanwhile stays."""
    take_back(phone=event.phone, by=access.system("contact"), now=utc_now())


@works_beside
async def keep_phones(spine: Spine) -> None:
    """Make the whole buckets say what the tables say, at the start and every hour."""
    while True:
        changed = await project_phones(spine) + await project_trunks(spine)
        if changed:
            log.info("phones.projected", changed=changed)
        await asyncio.sleep(AGAIN_S)


async def project_phones(spine: Spine) -> int:
    """Make the bucket `phones` say what the tables say and return how many entries had to be written or removed."""
    return await _project_all(spine, PHONES, desk.phone_lines)


async def project_trunks(spine: Spine) -> int:
    """Make the bucket `trunks` say what the tables say and return how many entries had to be written or removed."""
    return await _project_all(spine, TRUNKS, outside.trunk_lines)


async def _project(spine: Spine, kind: Bucket, key: str, read: Callable[[], Phone | Trunk | None]) -> None:
    bucket = spine.bucket(kind)
    async with _lock:
        line = await asyncio.to_thread(_stored, read)
        if line is None:
            await bucket.delete(key)
        else:
            await bucket.put(key, encode(line))


async def _project_all(spine: Spine, kind: Bucket, read: Callable[[], Mapping[str, Phone | Trunk]]) -> int:
    bucket = spine.bucket(kind)
    async with _lock:
        known = await bucket.all()
        wanted = {key: encode(line) for key, line in (await asyncio.to_thread(_stored, read)).items()}
        stale = [key for key, value in wanted.items() if known.get(key) != value]
        gone = [key for key in known if key not in wanted]
        for key in stale:
            await bucket.put(key, wanted[key])
        for key in gone:
            await bucket.delete(key)
    return len(stale) + len(gone)


def _stored(read: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return read()
    finally:
        close_old_connections()
