import asyncio
from contextlib import aclosing

import pytest

from jilink.spine.buckets import Change, KeyRefused
from jilink.spine.client import Spine
from jilink.spine.subjects import ADMISSION, TOKENS
from tests.spine.server import Server


async def test_a_value_is_read_back_until_it_is_deleted(spine: Spine) -> None:
    bucket = spine.bucket(ADMISSION)
    assert await bucket.get("a") is None
    await bucket.put("a", b"1")
    await bucket.put("a", b"2")
    assert await bucket.get("a") == b"2"
    await bucket.delete("a")
    await bucket.delete("a")
    assert await bucket.get("a") is None
    assert await spine.bucket(TOKENS).all() == {}


async def test_a_key_with_a_wildcard_is_refused(spine: Spine) -> None:
    with pytest.raises(KeyRefused):
        await spine.bucket(ADMISSION).put("a*", b"1")


async def test_a_watch_gives_all_values_then_changes_through_the_servers_death(spine: Spine, spine_server: Server) -> None:
    bucket = spine.bucket(ADMISSION)
    for key in ("a", "b", "c"):
        await bucket.put(key, key.encode())
    await bucket.delete("b")
    seen: list[Change] = []
    async with asyncio.timeout(30), aclosing(bucket.watch()) as changes:
        async for change in changes:
            seen.append(change)
            if change.ready:
                break
        assert {change.key: change.value for change in seen[:-1]} == {"a": b"a", "b": None, "c": b"c"}
        assert seen[-1].key == ""
        await asyncio.to_thread(spine_server.kill)
        await asyncio.to_thread(spine_server.start)
        await bucket.put("d", b"d", timeout_s=20)
        assert (await anext(changes)).key == "d"
        await bucket.delete("a")
        change = await anext(changes)
        assert (change.key, change.value, change.ready) == ("a", None, False)


async def test_a_watch_of_an_empty_bucket_is_ready_at_once(spine: Spine) -> None:
    async with asyncio.timeout(5), aclosing(spine.bucket(TOKENS).watch()) as changes:
        assert (await anext(changes)).ready
