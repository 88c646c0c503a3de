import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from jilink.spine import backup, subjects
from jilink.spine.backup import BackupDamaged
from jilink.spine.client import Spine, connect, ensure
from jilink.spine.subjects import ADMISSION
from tests.spine.server import running_server

EVENT = subjects.event("case", "opened")


async def test_streams_buckets_objects_and_places_come_back_on_another_server(spine: Spine, tmp_path: Path) -> None:
    for number in range(50):
        await spine.publish(EVENT, bytes([number]) * 20_000, str(number))
    await spine.bucket(ADMISSION).put("a", b"1")
    await spine.put_object("photo/1", bytes(300_000))
    async with asyncio.timeout(20), aclosing(spine.consume("EVENTS", "reader", batch=10)) as batches:
        read = 0
        async for messages in batches:
            await spine.ack(messages)
            read += len(messages)
            if read >= 30:
                break
    await spine.connection.client.flush()
    seen: dict[str, int] = {}
    names = await backup.save(spine, tmp_path / "backup", seen.__setitem__)
    assert {"EVENTS", "MEASUREMENTS", "KV_admission", "OBJ_media"} <= set(names)
    assert all(seen[name] == (tmp_path / "backup" / f"{name}.snapshot").stat().st_size for name in seen)
    with running_server(tmp_path / "other") as other:
        async with connect(other.settings, name="restorer") as restorer:
            await ensure(restorer)
            await restorer.publish(EVENT, b"to be replaced")
            assert await backup.restore(restorer, tmp_path / "backup") == names
            assert await restorer.bucket(ADMISSION).get("a") == b"1"
            assert await restorer.get_object("photo/1") == bytes(300_000)
            async with asyncio.timeout(20), aclosing(restorer.consume("EVENTS", "reader", batch=64)) as batches:
                assert (await anext(batches))[0].sequence == read + 1
            assert await restorer.publish(EVENT, b"after", "after") == 51


async def test_a_damaged_backup_replaces_nothing(spine: Spine, tmp_path: Path) -> None:
    await spine.publish(EVENT, b"kept")
    await backup.save(spine, tmp_path / "backup")
    path = tmp_path / "backup" / "OBJ_media.snapshot"
    path.write_bytes(path.read_bytes()[:-1])
    await spine.publish(EVENT, b"newer")
    with pytest.raises(BackupDamaged):
        await backup.restore(spine, tmp_path / "backup")
    assert (await spine.stream_state("EVENTS")).messages == 2
