"""What the contact service does when something happened: engines learn of phones and trunks, and lent phones are taken back."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

import structlog
from django.db import close_old_connections

from jilink.core.flows import reads as flows
from jilink.core.flows.events import FlowSessionEnded
from jilink.core.outbox.registry import Context, reacts_to, works_beside
from jilink.core.parties import access
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.contact.actions import recordings
from jilink.services.contact.actions.trying import take_back
from jilink.services.contact.events import PhoneDue, PhoneSet, RecordingArrived, TrunkSet
from jilink.services.contact.reads import desk, outside
from jilink.services.contact.reads import recordings as recorded
from jilink.spine.calls import Phone, Trunk, encode, phone_key, trunk_key
from jilink.spine.client import Spine
from jilink.spine.subjects import PHONES, TRUNKS, Bucket

log = structlog.get_logger(__name__)
AGAIN_S = 3600.0
T = TypeVar("T")
_lock = asyncio.Lock()
_one_recording = asyncio.Lock()


class RecordingLost(Refused):
    """A recording that was told of is not there."""


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


@reacts_to(RecordingArrived)
async def take_in_recording(event: RecordingArrived, context: Context) -> None:
    """Seal a recording in the data folder, then remove it from the spine. Told again, or killed between, it is done once.

    One at a time: an hour of a call is 115 MB as the engine writes it.
    """
    if await asyncio.to_thread(_stored, lambda: recorded.arrived(event.recording)):
        async with _one_recording:
            data = await context.spine.get_object(event.source, timeout_s=300)
            if data is None:
                raise RecordingLost("The recording %(recording)d is not in the spine.", recording=event.recording)
            await asyncio.to_thread(
                _stored, lambda: recordings.keep(recording=event.recording, data=data, by=access.system("contact"), now=utc_now())
            )
    await context.spine.delete_object(event.source)


@reacts_to(FlowSessionEnded)
def note_satisfaction(event: FlowSessionEnded, context: Context) -> None:
    """Keep what a caller thought of the contact: the variable `satisfaction` of their flow, 1 to 5. The first word stands."""
    by = access.system("contact")
    heard = flows.heard(by, event.session)
    rating = heard.variables.get("satisfaction", "") if heard else ""
    if heard is not None and heard.channel == "call" and rating in {"1", "2", "3", "4", "5"}:
        node, _slash, leg = heard.key.partition("/")
        recordings.note_satisfaction(node=node, leg=leg, rating=int(rating), source="keypad", by=by, now=context.envelope.occurred_at)


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
