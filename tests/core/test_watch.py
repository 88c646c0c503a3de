"""The watch with a real spine and database: answers, live frames, alarms, and the same state whatever kills it."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec
import pyarrow as pa
import pytest
from asgiref.sync import sync_to_async

from jilink.core.assets import actions as assets
from jilink.core.observations import checkpoint
from jilink.core.observations.models import Alarm
from jilink.core.observations.watch import Watch
from jilink.core.parties import access
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.kernel.settings import Settings
from jilink.protocols.jt808.safety import Adas, AlarmLabel, Dsm, Tpms, Tyre
from jilink.spine import arrow, subjects
from jilink.spine.client import Spine, connect
from jilink.spine.measurements import POSITIONS, SESSIONS
from tests.core.test_watch_columns import Row, batch, fix
from tests.core.test_watch_live import Viewer
from tests.core.world import World, until
from tests.spine.server import Server

Counts = dict[str, int]


@dataclass
class Scene:
    """Three vehicles of `north`, two of `south`, and a gateway's view of the spine. Seconds count from just now."""

    world: World
    spine: Spine
    settings: Settings
    north: list[int]
    south: list[int]
    start: datetime = field(default_factory=lambda: utc_now().replace(microsecond=0) - timedelta(seconds=60))
    sent: int = 0

    def fix(self, asset: int, second: float, **fields: object) -> Row:
        at = self.start + timedelta(seconds=second)
        owner = self.world.north if asset in self.north else self.world.south
        return fix(asset, 0, **{"organisation": owner, "measured_at": at, "received_at": at, **fields})

    async def publish(self, *rows: Row, subject: str = subjects.positions("w1")) -> None:
        self.sent += 1
        await self.spine.publish(subject, arrow.encode(batch(*rows)), str(self.sent))

    async def session(self, asset: int, second: float, online: bool, reason: str = "") -> None:
        row = {
            "organisation": self.world.north,
            "asset": asset,
            "at": self.start + timedelta(seconds=second),
            "online": online,
            "worker": "w1",
            "reason": reason,
        }
        self.sent += 1
        data = arrow.encode(pa.RecordBatch.from_pylist([row], schema=SESSIONS))
        await self.spine.publish(subjects.sessions("w1"), data, str(self.sent))

    async def ask(self, subject: str, **question: object) -> bytes:
        return await self.spine.request(subject, msgspec.json.encode(question), 10)

    async def latest(self, *organisations: int) -> dict[int, Row]:
        answer = arrow.decode(await self.ask(subjects.WATCH_LATEST, organisations=list(organisations), assets=None))
        return {row["asset"]: row for row in answer.to_pylist()}

    async def select(self, *organisations: int, **more: object) -> dict[str, object]:
        found: dict[str, object] = msgspec.json.decode(await self.ask(subjects.WATCH_SELECT, organisations=list(organisations), **more))
        return found


@pytest.fixture
async def scene(lasting_world: World, spine: Spine, spine_server: Server) -> Scene:
    def vehicles(owner: OrganisationId, count: int) -> list[int]:
        by = access.system("test")
        return [assets.add_asset(organisation=owner, kind="vehicle", label=f"V{n}", by=by) for n in range(count)]

    north = await sync_to_async(vehicles)(lasting_world.north, 3)
    south = await sync_to_async(vehicles)(lasting_world.south, 2)
    return Scene(lasting_world, spine, spine_server.settings, north, south)


@contextlib.asynccontextmanager
async def watching(settings: Settings, *, caught_up: bool = True) -> AsyncIterator[Watch]:
    async with connect(settings, name="watch-under-test") as spine:
        watch = Watch(settings, spine)
        work = asyncio.create_task(watch.run())

        async def ready() -> bool:
            return work.done() or not watch.why_not()

        if caught_up:
            await until(ready)
        try:
            yield watch
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work


async def test_the_watch_tells_latest_values_counts_and_the_tail(scene: Scene) -> None:
    a, b, c = scene.north
    async with watching(scene.settings):
        await scene.publish(scene.fix(a, 0), scene.fix(b, 0, speed=0), scene.fix(scene.south[0], 0))
        await scene.publish(scene.fix(a, 10, speed=500, alarm=2), scene.fix(c, 10))
        await scene.session(c, 20, False, "idle")
        north, south = int(scene.world.north), int(scene.world.south)

        async def settled() -> bool:
            return (await scene.select(north))["counts"] == {"moving": 0, "idle": 1, "alarm": 1, "offline": 1}

        await until(settled)
        assert (await scene.select(north, south, state="moving")) == {
            "counts": {"moving": 1, "idle": 1, "alarm": 1, "offline": 1},
            "total": 1,
            "assets": [scene.south[0]],
        }
        assert (await scene.select(north, offset=1, limit=1))["assets"] == [b]
        latest = await scene.latest(north)
        assert latest.keys() == {a, b, c}
        assert (latest[a]["speed"], latest[a]["state"], latest[a]["online"]) == (500, 3, True)
        one = arrow.decode(await scene.ask(subjects.WATCH_LATEST, organisations=[south], assets=[a, scene.south[0]]))
        assert one.column("asset").to_pylist() == [scene.south[0]], "an asset of another organisation is not told"
        window = {"start_ms": int(scene.start.timestamp() * 1000), "end_ms": int(scene.start.timestamp() * 1000) + 10_001}
        tail = arrow.decode(await scene.ask(subjects.WATCH_TAIL, organisation=north, asset=a, **window), POSITIONS)
        assert tail.column("speed").to_pylist() == [400, 500]
        assert arrow.decode(await scene.ask(subjects.WATCH_TAIL, organisation=south, asset=a, **window)).num_rows == 0


async def known(scene: Scene) -> bool:
    """Tell whether the watch knows the organisation's vehicles, also those that never told their place."""
    viewer = Viewer()
    viewer.take(await scene.ask(subjects.WATCH_SNAPSHOT, organisation=int(scene.world.north)), int(scene.world.north))
    return viewer.shown.keys() == set(scene.north)


async def test_viewers_follow_the_live_frames_from_a_snapshot(scene: Scene) -> None:
    viewer, frames = Viewer(), asyncio.Queue[bytes]()
    north = int(scene.world.north)

    async def receive(_subject: str, frame: bytes) -> None:
        frames.put_nowait(frame)

    await scene.publish(scene.fix(scene.north[0], 0), scene.fix(scene.south[0], 0))
    async with watching(scene.settings):
        await scene.spine.subscribe(subjects.live(scene.world.north), receive)
        await until(lambda: known(scene))
        viewer.take(await scene.ask(subjects.WATCH_SNAPSHOT, organisation=north), north)
        assert {asset: shown[4] for asset, shown in viewer.shown.items()} == {scene.north[0]: 1, scene.north[1]: 0, scene.north[2]: 0}
        await scene.publish(scene.fix(scene.north[1], 29), scene.fix(scene.north[0], 30, speed=770))
        async with asyncio.timeout(10):
            while viewer.shown[scene.north[0]][3] != 77:
                frame = await frames.get()
                if int.from_bytes(frame[8:12], "little") > viewer.tick:
                    viewer.take(frame, north)
        assert viewer.snapshots == 1, "a first or further fix inside the box is an ordinary change"


async def alarms() -> list[tuple[int, str, datetime, datetime | None]]:
    rows = Alarm.objects.order_by("raised_at", "asset_id").values_list("asset_id", "condition", "raised_at", "cleared_at")
    return [row async for row in rows]


async def test_device_alarms_are_raised_and_cleared_once_however_often_they_are_told(scene: Scene) -> None:
    a, b, _ = scene.north
    at = [scene.start + timedelta(seconds=second) for second in range(60)]
    expected = [(a, "overspeed", at[5], at[9]), (a, "emergency", at[7], None), (b, "rollover", at[8], None), (a, "overspeed", at[11], None)]

    async def written() -> bool:
        return await alarms() == expected

    rows = [scene.fix(a, 5, alarm=2), scene.fix(a, 7, alarm=3), scene.fix(b, 8, alarm=1 << 30), scene.fix(a, 9, alarm=1)]
    async with watching(scene.settings):
        await scene.publish(*rows)
        await scene.publish(scene.fix(a, 11, alarm=3))
        await until(written)
        await scene.publish(*rows)
        assert (await scene.select(int(scene.world.north)))["total"] == 2
    shutil.rmtree(scene.settings.data / "watch")
    async with watching(scene.settings):
        await scene.publish(scene.fix(a, 20))
        expected[1:4] = [(a, "emergency", at[7], at[20]), expected[2], (a, "overspeed", at[11], at[20])]
        await until(written)


async def feed(scene: Scene, first: int, last: int) -> None:
    """Publish batches of a fixed story: late and repeated fixes, alarms, sessions."""
    a, b, c = scene.north
    for n in range(first, last):
        await scene.publish(
            scene.fix(a, n, serial=n, speed=n * 10, alarm=n % 3),
            scene.fix(b, n - 20, received_at=scene.start + timedelta(seconds=n), serial=n, backfill=True, speed=n),
            scene.fix(b, 2 + n // 2, serial=n),
        )
        if n % 4 == 0:
            await scene.publish(scene.fix(c, n, latitude=None, longitude=None, alarm=1 << 27 if n % 8 else 0))
        await scene.session(c, n, n % 5 != 0, "" if n % 5 else "idle")


async def test_a_watch_that_was_killed_comes_to_the_same_state_as_one_that_never_stopped(scene: Scene) -> None:
    north = int(scene.world.north)
    await feed(scene, 0, 8)
    broken = replace(scene.settings, data=scene.settings.data / "broken")
    shutil.copytree(scene.settings.data / "spine", broken.data / "spine", ignore=shutil.ignore_patterns("store"))
    async with watching(broken):
        pass
    saved = checkpoint.path(broken.data).read_bytes()
    await feed(scene, 8, 16)
    async with watching(broken):
        await scene.latest(north)
    checkpoint.path(broken.data).write_bytes(saved)  # as if it had died before it saved again
    await feed(scene, 16, 20)
    async with watching(broken):
        restarted = await scene.latest(north)
        await until(lambda: quiet(scene, north, restarted))
    told = await alarms()  # a watch that stopped has written all it knows
    async with watching(scene.settings):
        steady = await scene.latest(north)
        await until(lambda: quiet(scene, north, steady))
    assert restarted == steady
    assert set(restarted) == {scene.north[0], scene.north[1], scene.north[2]}
    assert await alarms() == told, "a watch that reads everything again writes nothing new"
    assert len([row for row in told if row[3] is None]) == len({(row[0], row[1]) for row in told if row[3] is None})


async def quiet(scene: Scene, organisation: int, state: dict[int, Row]) -> bool:
    """Tell whether every open alarm of the state is in the database."""
    opened = {(row[0], row[1]) for row in await alarms() if row[3] is None}
    words = {asset: int(str(row["alarm"])) for asset, row in (await scene.latest(organisation)).items()}
    return {asset for asset, _ in opened} == {asset for asset, word in words.items() if word} and state.keys() == words.keys()


async def test_a_torn_checkpoint_costs_nothing_but_time(scene: Scene) -> None:
    await feed(scene, 0, 5)
    async with watching(scene.settings):
        before = await scene.latest(int(scene.world.north))
    file = checkpoint.path(scene.settings.data)
    file.write_bytes(file.read_bytes()[:-100])
    async with watching(scene.settings):
        assert await scene.latest(int(scene.world.north)) == before


@pytest.mark.parametrize("running", [True, False])
async def test_a_stream_that_lost_its_end_hides_nothing_that_came_after(scene: Scene, spine_server: Server, running: bool) -> None:
    """The numbers of what was lost are given to new messages; a watch that had read the lost ones takes the new ones in too."""
    north = int(scene.world.north)

    async def damage() -> None:
        await asyncio.to_thread(spine_server.kill)
        spine_server.cut("MEASUREMENTS", 9000)
        await asyncio.to_thread(spine_server.start)
        for second in (100, 101, 102, 103):
            await scene.publish(scene.fix(scene.north[1], second - 60, speed=second))

    async def shown() -> bool:
        return (await scene.latest(north)).get(scene.north[1], {}).get("speed") == 103

    await feed(scene, 0, 8)
    async with watching(scene.settings):
        await scene.latest(north)
        if running:
            await damage()
            await until(shown)
    if not running:
        await damage()
        async with watching(scene.settings):
            await until(shown)


async def test_an_asset_that_is_removed_or_moved_leaves_the_organisation(scene: Scene) -> None:
    north, south = int(scene.world.north), int(scene.world.south)
    await scene.publish(*(scene.fix(asset, 0) for asset in (*scene.north, *scene.south)))
    async with watching(scene.settings):
        assert (await scene.latest(north)).keys() == set(scene.north)
        await sync_to_async(lambda: assets.remove_asset(asset=AssetId(scene.north[0]), by=access.system("test")))()
        await scene.spine.publish(subjects.event("assets", "asset_removed"), b"{}")

        async def gone() -> bool:
            return (await scene.latest(north)).keys() == set(scene.north[1:])

        await until(gone)
        assert (await scene.latest(south)).keys() == set(scene.south)


async def test_rubbish_on_the_stream_and_in_questions_stops_nothing(scene: Scene) -> None:
    async with watching(scene.settings):
        await scene.spine.publish(subjects.positions("w9"), b"rubbish")
        await scene.spine.send(subjects.WATCH_SELECT, b"{}")
        await scene.publish(scene.fix(scene.north[0], 0))

        async def seen() -> bool:
            return (await scene.latest(int(scene.world.north))).keys() == {scene.north[0]}

        await until(seen)


def safety_item(kind: type[Adas] | type[Dsm] | type[Tpms], at: datetime, *, state: int, sequence: int = 0, **more: object) -> bytes:
    """An item as a terminal sends it, with its id and length."""
    label = AlarmLabel(terminal="T000001", measured_at=at, sequence=sequence, attachments=2, reserved=b"\0")
    record = kind(state=state, measured_at=at, label=label, latitude=43_000_000, longitude=125_000_000, **more)
    out = bytearray()
    record.write(out)
    return bytes([{Adas: 0x64, Dsm: 0x65, Tpms: 0x66}[kind], len(out)]) + bytes(out)


async def test_active_safety_alarms_are_raised_once_and_closed_at_their_end_or_at_once(scene: Scene) -> None:
    a, b, _ = scene.north
    at = [scene.start + timedelta(seconds=second) for second in range(60)]
    wheels = [Tyre(wheel=0, type=0b100), Tyre(wheel=3, type=0b1000100)]
    once = safety_item(Adas, at[5], state=0, type=1, level=2) + b"\x30\x01\x09"
    again = safety_item(Adas, at[5], state=0, sequence=1, type=1, level=1)
    begun, over = safety_item(Dsm, at[7], state=1, type=2, level=1), safety_item(Dsm, at[9], state=2, type=2, level=1)
    rows = [
        scene.fix(a, 6, items=once),
        scene.fix(a, 7, serial=2, items=again),
        scene.fix(b, 9, items=over),
        scene.fix(b, 8, serial=3, items=safety_item(Tpms, at[8], state=1, wheels=wheels)),
        scene.fix(b, 10, serial=4, items=b"\x64\xff"),
    ]
    expected = [
        (a, "adas.forward_collision", at[5], at[5]),
        (a, "adas.forward_collision", at[5], at[5]),
        (b, "dsm.phone", at[7], at[9]),
        (b, "tpms.slow_leak", at[8], None),
        (b, "tpms.under_pressure", at[8], None),
    ]

    async def written() -> bool:
        return sorted(await alarms(), key=str) == sorted(expected, key=str)

    async with watching(scene.settings):
        await scene.publish(*rows)
        await scene.publish(scene.fix(b, 7, serial=5, items=begun))  # sent after its end
        await until(written)
        await scene.publish(*rows, scene.fix(b, 7, serial=5, items=begun))
        await scene.publish(scene.fix(b, 20, items=safety_item(Tpms, at[20], state=2)))
        expected[3:] = [(b, "tpms.slow_leak", at[8], at[20]), (b, "tpms.under_pressure", at[8], at[20])]
        await until(written)
    shutil.rmtree(scene.settings.data / "watch")
    async with watching(scene.settings):
        await scene.publish(scene.fix(a, 21))
        await scene.latest(int(scene.world.north))
        assert await written()
    levels = [row async for row in Alarm.objects.filter(asset_id=a).order_by("level").values_list("level", flat=True)]
    labels = {row async for row in Alarm.objects.filter(asset_id=a).values_list("label", flat=True)}
    assert levels == [1, 2] and len(labels) == 2
