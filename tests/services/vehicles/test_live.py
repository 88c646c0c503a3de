"""Live frames: a snapshot first, then every change once, the same bytes for everyone; nobody can hold memory."""

import asyncio
import struct
from collections.abc import AsyncIterator

import msgspec
import pytest

from jilink.kernel.ids import OrganisationId
from jilink.services.vehicles.live import HEAD, WAITING_FRAMES, Hub
from jilink.spine import subjects
from jilink.spine.client import Request, Spine
from tests.spine.server import Server

NORTH, SOUTH = OrganisationId(1), OrganisationId(2)


def frame(kind: int, organisation: int, tick: int) -> bytes:
    return HEAD.pack(kind, 1, 0, organisation, tick) + struct.pack("<Iffff", 0, 0, 0, 0, 0)


class Watch:
    """Answers snapshots with its present tick and counts them."""

    def __init__(self, spine: Spine) -> None:
        self.spine, self.tick, self.snapshots = spine, 10, 0

    async def serve(self) -> None:
        await self.spine.serve(subjects.WATCH_SNAPSHOT, self._answer)

    async def _answer(self, request: Request) -> bytes:
        self.snapshots += 1
        return frame(1, msgspec.json.decode(request.data)["organisation"], self.tick)

    async def change(self, organisation: OrganisationId = NORTH) -> None:
        self.tick += 1
        await self.spine.send(subjects.live(organisation), frame(2, organisation, self.tick))


@pytest.fixture
async def watch(spine: Spine) -> Watch:
    made = Watch(spine)
    await made.serve()
    return made


@pytest.fixture
async def hub(spine_server: Server) -> AsyncIterator[Hub]:
    made = Hub(spine_server.settings)
    yield made
    await made.spine.close()


async def take(frames: AsyncIterator[bytes]) -> tuple[int, int, int]:
    """Return kind, organisation and tick of the next frame that is no heartbeat."""
    while True:
        async with asyncio.timeout(15):
            message = await anext(frames)
        assert int.from_bytes(message[:4], "little") == len(message) - 4
        if len(message) > 4:
            kind, _version, _zero, organisation, tick = HEAD.unpack_from(message, 4)
            return kind, organisation, tick


async def test_a_viewer_gets_a_snapshot_and_then_each_change_once(watch: Watch, hub: Hub) -> None:
    frames = hub.frames([NORTH])
    assert await take(frames) == (1, NORTH, 10)
    await watch.change()
    assert await take(frames) == (2, NORTH, 11)
    await watch.spine.send(subjects.live(NORTH), frame(2, NORTH, 9))  # older than what the viewer has
    await watch.change()
    assert await take(frames) == (2, NORTH, 12)
    await frames.aclose()


async def test_a_viewer_sees_the_organisations_asked_for_and_no_other(watch: Watch, hub: Hub) -> None:
    frames = hub.frames([NORTH])
    assert await take(frames) == (1, NORTH, 10)
    await watch.change(SOUTH)
    await watch.change(NORTH)
    assert await take(frames) == (2, NORTH, 12)
    await frames.aclose()


async def test_a_viewer_that_reads_too_slowly_gets_a_fresh_snapshot(watch: Watch, hub: Hub) -> None:
    slow, quick = hub.frames([NORTH]), hub.frames([NORTH])
    assert (await take(slow), await take(quick)) == ((1, NORTH, 10), (1, NORTH, 10))
    for number in range(WAITING_FRAMES + 5):
        await watch.change()
        assert await take(quick) == (2, NORTH, 11 + number)
    assert await take(slow) == (1, NORTH, watch.tick)
    await watch.change()
    assert await take(slow) == (2, NORTH, watch.tick)
    await slow.aclose()
    await quick.aclose()


async def test_the_last_viewer_closes_the_subscription(watch: Watch, hub: Hub) -> None:
    await hub.open()
    before = len(hub.spine.connection.listenings)
    first, second = hub.frames([NORTH]), hub.frames([NORTH])
    await take(first)
    await take(second)
    open_now = len(hub.spine.connection.listenings)
    await first.aclose()
    assert len(hub.spine.connection.listenings) == open_now == before + 1
    await second.aclose()
    assert len(hub.spine.connection.listenings) == before


async def test_a_stream_ends_where_the_watch_is_silent_so_that_the_viewer_comes_back(spine: Spine, hub: Hub) -> None:
    frames = hub.frames([NORTH])
    with pytest.raises(StopAsyncIteration):
        await take(frames)
