"""Recordings past their retention: their bytes leave the object store, then their rows.

In this order, so that a run that was cut off is simply finished by the next one: removing what is gone is no error.
"""

import asyncio
from datetime import datetime

from django.db import close_old_connections

from jilink.core.parties import access
from jilink.kernel.clock import utc_now
from jilink.services.vehicles import actions
from jilink.services.vehicles.reads import media
from jilink.spine.client import Spine

EVERY_S = 3600.0
TOGETHER = 200


def _expired(now: datetime) -> list[tuple[int, str]]:
    try:
        return media.expired(now, TOGETHER)
    finally:
        close_old_connections()


def _forget(numbers: list[int], now: datetime) -> None:
    try:
        actions.forget_media(media=numbers, by=access.system("retention"), now=now)
    finally:
        close_old_connections()


async def trim(spine: Spine, now: datetime) -> int:
    """Delete everything whose time is over and return how many recordings that were. Raises Unavailable."""
    count = 0
    while found := await asyncio.to_thread(_expired, now):
        for name in {name for _number, name in found if name}:
            await spine.delete_object(name)
        await asyncio.to_thread(_forget, [number for number, _name in found], now)
        count += len(found)
    return count


async def run(spine: Spine) -> None:
    """Trim for ever, once an hour."""
    while True:
        await trim(spine, utc_now())
        await asyncio.sleep(EVERY_S)
