"""Pretend terminals against the real gateway, spine and register: what an operator would see, byte for byte over TCP."""

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import pytest

from jilink.kernel.settings import Settings
from jilink.simulator.crowd import Crowd
from jilink.simulator.journal import Journal
from jilink.simulator.register import register
from jilink.simulator.terminal import Habits, State
from jilink.spine import arrow, subjects
from jilink.spine.client import Spine, connect, ensure
from jilink.spine.measurements import POSITIONS
from jilink.spine.records import Admission, CommandReply, CommandRequest, digest
from tests.site.installation import environment, listens, running_spine, until

QUICK = Habits(report_s=0.2, heartbeat_s=5, answer_s=3, tunnel_every_s=0, alarm_every_s=0, refused_s=0.5)


@contextmanager
def _gateway(env):
    log = Path(env["JILINK_DATA"]).parent / "gateway.log"
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, "-m", "jilink.site.cli", "run", "terminals"], env=env, stdout=file, stderr=file)
    port = int(env["JILINK_TERMINALS"].rpartition(":")[2])
    try:
        until(lambda: process.poll() is not None or listens(port), "the gateway listens")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def env(tmp_path):
    env = environment(tmp_path / "data")
    (tmp_path / "data").mkdir()
    with running_spine(env):
        yield env


@asynccontextmanager
async def _spine(env, vehicles):
    """The spine with the vehicles admitted: asset number = index + 1, organisation 7."""
    async with connect(Settings.from_environment(env), name="test") as spine:
        await ensure(spine)
        for vehicle in vehicles:
            entry = Admission(asset=vehicle.index + 1, organisation=7, plate=vehicle.plate)
            await spine.bucket(subjects.ADMISSION).put(digest(vehicle.phone), msgspec.json.encode(entry))
        yield spine


def _crowd(env, vehicles, **more):
    host, port = env["JILINK_TERMINALS"].split(":")
    return Crowd(vehicles, host, int(port), **{"habits": QUICK, "connects_per_s": 1000, **more})


async def _until(holds, what):
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.02)


async def _stored(spine: Spine) -> list[tuple[int, int, int, int, int, int]]:
    """Return (asset, measured second, serial, part, latitude, longitude) of every position on the spine."""
    info = await spine.jetstream.stream_info(subjects.MEASUREMENTS.name)
    rows = []
    async for messages in spine.follow(subjects.MEASUREMENTS.name):
        for message in messages:
            if message.subject.startswith("measurements.positions."):
                batch = arrow.decode(message.data, POSITIONS)
                columns = [batch.column(name).to_pylist() for name in ("asset", "measured_at", "serial", "part", "latitude", "longitude")]
                rows += [
                    (asset, int(at.timestamp()), serial, part, lat, lon) for asset, at, serial, part, lat, lon in zip(*columns, strict=True)
                ]
        if messages and messages[-1].sequence >= info.state.last_seq:
            break
    return rows


async def test_terminals_of_both_years_register_report_and_what_was_acknowledged_is_stored_as_sent(env):
    vehicles = register(20)
    assert {vehicle.year for vehicle in vehicles} == {2013, 2019}
    journal = Journal()
    with _gateway(env):
        async with _spine(env, vehicles) as spine, _crowd(env, vehicles, note=journal.note) as crowd:
            await _until(lambda: all(terminal.acknowledged_positions >= 5 for terminal in crowd.terminals), "positions")
            assert crowd.figures().online == 20
            noted = list(journal.acknowledged)
            stored = await _stored(spine)
    assets = {vehicle.phone: vehicle.index + 1 for vehicle in vehicles}
    wanted = {(assets[a.phone], int(a.measured_at.timestamp()), a.serial, a.part, a.latitude, a.longitude) for a in noted}
    assert len(wanted) == len(noted) >= 100
    assert wanted <= set(stored)


async def test_a_killed_gateway_loses_nothing_and_the_backlog_follows(env):
    vehicles = register(10)
    journal = Journal()
    async with _spine(env, vehicles) as spine:
        async with _crowd(env, vehicles, note=journal.note) as crowd:
            with _gateway(env) as gateway:
                await _until(lambda: crowd.figures().acknowledged > 50, "first positions")
                gateway.kill()
                gateway.wait(10)
            await _until(lambda: crowd.figures().online == 0 and crowd.figures().waiting > 60, "a backlog")
            with _gateway(env):
                await _until(lambda: crowd.figures().online == 10 and crowd.figures().waiting < 20, "the backlog is sent")
        stored = await _stored(spine)
    assets = {vehicle.phone: vehicle.index + 1 for vehicle in vehicles}
    noted = {(assets[a.phone], int(a.measured_at.timestamp()), a.serial, a.part, a.latitude, a.longitude) for a in journal.acknowledged}
    assert noted <= set(stored)
    assert {a.message for a in journal.acknowledged} == {0x0200, 0x0704}


async def test_a_terminal_nobody_entered_is_refused_and_comes_online_once_it_is_entered(env):
    vehicles = register(1)
    with _gateway(env):
        async with _spine(env, []) as spine, _crowd(env, vehicles) as crowd:
            (terminal,) = crowd.terminals
            await _until(lambda: terminal.refused or crowd.figures().connects > 1, "a refusal")
            assert terminal.state is not State.ONLINE
            entry = Admission(asset=1, organisation=7, plate=vehicles[0].plate)
            await spine.bucket(subjects.ADMISSION).put(digest(vehicles[0].phone), msgspec.json.encode(entry))
            await _until(lambda: terminal.state is State.ONLINE and terminal.acknowledged_positions > 5, "it is online with its backlog")


ORDERS = {
    "text": (0x8300, {2013: {"flag": 4, "text": "前方雨雪"}, 2019: {"flag": 4, "type": 1, "text": "前方雨雪"}}, 0x0001),
    "position": (0x8201, {}, 0x0201),
    "all parameters": (0x8104, {}, 0x0104),
    "attributes": (0x8107, {}, 0x0107),
    "tracking": (0x8202, {2013: {"interval": 1, "duration": 5}, 2019: {"interval": 1, "duration": 5}}, 0x0001),
    "photograph": (
        0x8801,
        {
            year: {"channel": 1, "command": 1, "interval": 0, "save": 0, "resolution": 1, "quality": 5, "brightness": 127, "contrast": 60}
            for year in (2013, 2019)
        },
        0x0805,
    ),
}


async def test_orders_are_answered_as_the_standard_says(env):
    vehicles = register(8)
    pair = [next(vehicle for vehicle in vehicles if vehicle.year == year) for year in (2013, 2019)]
    with _gateway(env):
        async with _spine(env, pair) as spine, _crowd(env, pair) as crowd:
            await _until(lambda: crowd.figures().online == 2, "both are online")
            for vehicle in pair:
                for name, (message, fields, reply) in ORDERS.items():
                    state, found = await _order(spine, vehicle.index + 1, message, fields.get(vehicle.year, {}))
                    assert (name, state, found) == (name, "answered", reply)
            assert [terminal.texts for terminal in crowd.terminals] == [["前方雨雪"], ["前方雨雪"]]
            await _until(lambda: not any(terminal.recordings for terminal in crowd.terminals), "the photographs arrived whole")
            assert all(terminal.link.malformed == 0 for terminal in crowd.terminals)


async def _order(spine: Spine, asset: int, message: int, fields: dict[str, object]) -> tuple[str, int | None]:
    request = CommandRequest(command=f"{asset}-{message:x}", message=message, organisation=7, fields=fields)
    async for payload in spine.request_each(subjects.command(asset), msgspec.json.encode(request), 20.0):
        reply = msgspec.json.decode(payload, type=CommandReply)
        if reply.state != "sent":
            return (reply.state if reply.state == "answered" else f"{reply.state}: {reply.reason}"), reply.reply_message
    return "silent", None
