"""The admission bucket: what every gateway worker knows of every terminal, written from the tables and never read back.

What is written is always the present state, under a lock per key, so repeated and late events change nothing.
"""

import asyncio

import msgspec
from django.db import close_old_connections

from jilink.core.assets import reads
from jilink.core.parties import projection as retention
from jilink.core.parties import reads as parties
from jilink.spine.client import Spine
from jilink.spine.records import Admission, AdmissionPolicy
from jilink.spine.subjects import ADMISSION

POLICY = "policy"
TOGETHER = 128
_locks = [asyncio.Lock() for _ in range(64)]


def _admission(key: str) -> Admission | None:
    close_old_connections()
    try:
        return reads.admission(key)
    finally:
        close_old_connections()


def _policy() -> bytes:
    close_old_connections()
    try:
        return msgspec.json.encode(AdmissionPolicy(quarantine_unknown=parties.quarantine_open()))
    finally:
        close_old_connections()


def _admissions() -> dict[str, Admission]:
    close_old_connections()
    try:
        return reads.admissions()
    finally:
        close_old_connections()


async def project(spine: Spine, key: str) -> None:
    """Write what the tables now say of one terminal. Raises Unavailable."""
    async with _locks[hash(key) % len(_locks)]:
        value = await asyncio.to_thread(_admission, key)
        if value is None:
            await spine.bucket(ADMISSION).delete(key)
        else:
            await spine.bucket(ADMISSION).put(key, msgspec.json.encode(value))


async def project_policy(spine: Spine) -> None:
    """Write whether unknown terminals may wait for admission."""
    async with _locks[0]:
        await spine.bucket(ADMISSION).put(POLICY, await asyncio.to_thread(_policy))


async def project_all(spine: Spine) -> int:
    """Make the whole bucket say what the tables say and return how many entries had to be written or removed."""
    bucket = spine.bucket(ADMISSION)
    before = await bucket.all()
    wanted = {key: msgspec.json.encode(value) for key, value in (await asyncio.to_thread(_admissions)).items()}
    wanted[POLICY] = await asyncio.to_thread(_policy)
    stale = [key for key, value in wanted.items() if before.get(key) != value]
    gone = [key for key in before if key not in wanted]
    places = asyncio.Semaphore(TOGETHER)

    async def write(key: str) -> None:
        async with places:
            await (project_policy(spine) if key == POLICY else project(spine, key))

    await asyncio.gather(*(write(key) for key in [*stale, *gone]))
    await retention.project_retention(spine)
    return len(stale) + len(gone)
