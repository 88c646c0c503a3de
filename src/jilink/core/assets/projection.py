"""The admission bucket: what every gateway worker knows of every terminal, written from the tables and never read back.

What is written is always the present state, one round after another, so repeated and late events change nothing.
"""

import asyncio
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import msgspec
from django.db import DatabaseError, close_old_connections

from jilink.core.assets import reads
from jilink.core.parties import projection as retention
from jilink.core.parties import reads as parties
from jilink.kernel.errors import Unavailable
from jilink.spine.buckets import KeyValues
from jilink.spine.client import Spine
from jilink.spine.records import Admission, AdmissionPolicy
from jilink.spine.subjects import ADMISSION

POLICY = "policy"
TOGETHER = 500
_policy_lock = asyncio.Lock()


def _policy() -> bytes:
    close_old_connections()
    try:
        return msgspec.json.encode(AdmissionPolicy(quarantine_unknown=parties.quarantine_open()))
    finally:
        close_old_connections()


def _admissions(keys: Sequence[str] | None = None) -> dict[str, Admission]:
    close_old_connections()
    try:
        return reads.admissions(keys)
    finally:
        close_old_connections()


class _Rounds:
    """Writes in rounds: all keys asked for since the round before, read from the tables together and stored side by side.

    A round begins after whoever waits for it has asked, and rounds do not overlap, so the last value written is the present one.
    """

    def __init__(self) -> None:
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._work: asyncio.Task[None] | None = None

    async def write(self, spine: Spine, key: str) -> None:
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run(spine))
        await asyncio.shield(asked)

    async def _run(self, spine: Spine) -> None:
        bucket = spine.bucket(ADMISSION)
        while self._asked:
            keys = list(self._asked)[:TOGETHER]
            futures = {key: self._asked.pop(key) for key in keys}
            try:
                wanted = await asyncio.to_thread(_admissions, keys)
            except (Unavailable, DatabaseError) as error:
                for future in futures.values():
                    future.set_exception(error)
                continue
            results = await asyncio.gather(*(_store(bucket, key, wanted.get(key)) for key in keys), return_exceptions=True)
            for key, result in zip(keys, results, strict=True):
                if isinstance(result, BaseException):
                    futures[key].set_exception(result)
                else:
                    futures[key].set_result(None)


async def _store(bucket: KeyValues, key: str, value: Admission | None) -> None:
    if value is None:
        await bucket.delete(key)
    else:
        await bucket.put(key, msgspec.json.encode(value))


_rounds: WeakKeyDictionary[Spine, _Rounds] = WeakKeyDictionary()


async def project(spine: Spine, key: str) -> None:
    """Write what the tables now say of one terminal. Raises Unavailable."""
    await _rounds.setdefault(spine, _Rounds()).write(spine, key)


async def project_policy(spine: Spine) -> None:
    """Write whether unknown terminals may wait for admission."""
    async with _policy_lock:
        await spine.bucket(ADMISSION).put(POLICY, await asyncio.to_thread(_policy))


async def project_all(spine: Spine) -> int:
    """Make the whole bucket say what the tables say and return how many entries had to be written or removed."""
    bucket = spine.bucket(ADMISSION)
    before = await bucket.all()
    wanted = {key: msgspec.json.encode(value) for key, value in (await asyncio.to_thread(_admissions)).items()}
    wanted[POLICY] = await asyncio.to_thread(_policy)
    stale = [key for key, value in wanted.items() if before.get(key) != value]
    gone = [key for key in before if key not in wanted]
    await asyncio.gather(*(project_policy(spine) if key == POLICY else project(spine, key) for key in [*stale, *gone]))
    await retention.project_retention(spine)
    return len(stale) + len(gone)
