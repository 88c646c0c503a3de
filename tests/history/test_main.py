"""The process against a real spine: killed, stalled, stopped."""

import asyncio
import random
import resource
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from jilink.history.reads import Reads
from jilink.history.tables import History
from jilink.kernel.settings import Settings
from jilink.spine.client import connect, ensure
from tests.history.fixes import NOON, drive, payload, table
from tests.history.process import Process, until
from tests.ports import free_run
from tests.spine.server import Server, running_server

SPAN = (NOON - timedelta(hours=12), NOON + timedelta(hours=12))
ROWS = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path, health_port=free_run(16), history_commit_s=1) as server:
        yield server


@pytest.fixture
def process(server: Server) -> Iterator[Process]:
    process = Process(server.settings)
    yield process
    process.end()


def publish(settings: Settings, first: int, last: int, pause_s: float = 0.0) -> int:
    """Store batches of positions numbered so in the spine, with sessions between them; return the last sequence."""

    async def run() -> int:
        sequence = 0
        async with connect(settings, name="test") as spine:
            await ensure(spine)
            for number in range(first, last):
                await spine.publish("measurements.sessions.1", b"no position", f"s{number}")
                sequence = await spine.publish("measurements.positions.1", payload(batch(number)), f"p{number}", timeout_s=30)
                await asyncio.sleep(pause_s)
        return sequence

    return asyncio.run(run())


def batch(number: int) -> list[dict[str, object]]:
    return drive(ROWS, start=NOON + timedelta(seconds=10 * ROWS * number), asset=number % 3 + 1)


def stored(settings: Settings) -> int:
    return sum(f.rows for f in History(settings).files())


def test_everything_confirmed_is_stored_once_though_the_process_is_killed_at_any_moment(server: Server) -> None:
    process = Process(replace(server.settings, history_commit_s=0))
    moments = random.Random(7)
    batches = 0
    for _ in range(5):
        version = History(server.settings).version()
        process.start()
        publish(server.settings, batches, batches + 5)
        until(lambda: History(server.settings).version() > version, "a commit")  # noqa: B023 -- asked at once
        cut = threading.Timer(moments.uniform(0, 0.4), process.end)
        cut.start()
        last = publish(server.settings, batches + 5, batches + 20, pause_s=0.01)
        batches += 20
        cut.join()
    process.start()
    until(lambda: History(server.settings).committed_sequence() == last, "the last commit")
    process.end(signal.SIGTERM)
    assert stored(server.settings) == batches * ROWS
    reads = Reads(History(server.settings))
    everything = [row for number in range(batches) for row in batch(number)]
    for asset in (1, 2, 3):
        mine = table([row for row in everything if row["asset"] == asset])
        assert reads.track(1, asset, *SPAN).equals(mine)


def test_a_spine_that_is_killed_and_comes_back_loses_nothing(server: Server, process: Process) -> None:
    process.start()
    publish(server.settings, 0, 5)
    server.kill()
    server.start()
    last = publish(server.settings, 5, 10)
    until(lambda: History(server.settings).committed_sequence() == last, "the last commit")
    assert stored(server.settings) == 10 * ROWS


def test_what_was_gathered_is_committed_when_the_process_is_told_to_stop(tmp_path: Path) -> None:
    with running_server(tmp_path, health_port=free_run(16), history_commit_s=3600) as server:
        process = Process(server.settings)
        process.start()
        try:
            until(lambda: "ready" in process.reasons(), "readiness")
            last = publish(server.settings, 0, 4)
            until(lambda: waiting(process) == 4 * ROWS, "the rows in the process")
            assert History(server.settings).committed_sequence() == 0
            assert process.end(signal.SIGTERM) == 0
            assert History(server.settings).committed_sequence() == last
        finally:
            process.end()


def waiting(process: Process) -> int:
    return metric(process, "jilink_history_waiting_rows")


def metric(process: Process, name: str) -> int:
    """The value of one of the process's figures; -1 while it has none."""
    page = process.page("/metrics")
    return next((int(float(line.split()[1])) for line in page.splitlines() if line.startswith(f"{name} ")), -1)


def test_a_batch_that_is_rubbish_is_kept_counted_and_passed(server: Server, process: Process) -> None:
    process.start()
    publish(server.settings, 0, 1)

    async def rubbish() -> int:
        async with connect(server.settings, name="test") as spine:
            return await spine.publish("measurements.positions.1", b"rubbish", "r")

    sequence = asyncio.run(rubbish())
    last = publish(server.settings, 1, 2)
    until(lambda: History(server.settings).committed_sequence() == last, "the commit behind it")
    assert (server.settings.data / "history" / "set-aside" / f"{sequence}.batch").read_bytes() == b"rubbish"
    assert metric(process, "jilink_history_set_aside_total") == 1
    assert stored(server.settings) == 2 * ROWS


def test_a_disk_without_room_is_reported_and_storing_goes_on_when_there_is_room(server: Server, process: Process) -> None:
    process.start()
    first = publish(server.settings, 0, 2)
    until(lambda: History(server.settings).committed_sequence() == first, "the first commit")
    assert process.running is not None
    resource.prlimit(process.running.pid, resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    last = publish(server.settings, 2, 6)
    until(lambda: "could not write" in process.reasons(), "the report")
    assert History(server.settings).committed_sequence() == first
    resource.prlimit(process.running.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: History(server.settings).committed_sequence() == last, "the commit")
    until(lambda: process.reasons() == "ready\n", "readiness")
    assert stored(server.settings) == 6 * ROWS
