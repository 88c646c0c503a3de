"""Damage and old copies: the history's process against a spine that has lost its end or begins another life."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from jilink.history.reads import Reads
from jilink.history.tables import History
from jilink.kernel.settings import Settings
from jilink.spine.client import connect, ensure
from tests.history.fixes import NOON, drive, payload
from tests.history.process import Process, until
from tests.ports import free_run
from tests.spine.server import Server, running_server

pytestmark = pytest.mark.proof

SPAN = (NOON - timedelta(hours=1), NOON + timedelta(hours=20))
ROWS = 50


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path, health_port=free_run(16), history_commit_s=1) as server:
        yield server


@pytest.fixture
def process(server: Server) -> Iterator[Process]:
    process = Process(server.settings)
    process.start()
    yield process
    process.end()


def publish(settings: Settings, first: int, last: int) -> list[int]:
    """Store batches numbered so, each of its own hours; return their sequences."""

    async def run() -> list[int]:
        async with connect(settings, name="test") as spine:
            await ensure(spine)
            return [await spine.publish("measurements.positions.1", payload(batch(number)), timeout_s=30) for number in range(first, last)]

    return asyncio.run(run())


def batch(number: int) -> list[dict[str, object]]:
    return drive(ROWS, start=NOON + timedelta(seconds=10 * ROWS * number))


def track(settings: Settings) -> int:
    return int(Reads(History(settings)).track(1, 1, *SPAN).num_rows)


@pytest.mark.parametrize("running", [True, False])
def test_a_spine_whose_last_file_is_cut_off_costs_nothing_that_is_confirmed_later(server: Server, process: Process, running: bool) -> None:
    publish(server.settings, 0, 10)
    until(lambda: track(server.settings) == 10 * ROWS, "the first commits")
    if not running:
        process.end()
    server.kill()
    server.cut("MEASUREMENTS", 40_000)
    server.start()
    sequences = publish(server.settings, 10, 16)
    assert sequences[0] < 10, "numbers are given a second time"
    if not running:
        process.start()
    until(lambda: track(server.settings) == 16 * ROWS, "everything old and new")
    publish(server.settings, 16, 17)
    until(lambda: track(server.settings) == 17 * ROWS, "what follows")


@pytest.mark.parametrize("replaced", ["older copy", "empty"])
def test_a_history_that_is_ahead_of_its_spine_goes_on_with_what_the_spine_stores_next(
    server: Server, process: Process, tmp_path: Path, replaced: str
) -> None:
    """As after a restore of the spine alone, where the history lies elsewhere."""
    publish(server.settings, 0, 3)
    until(lambda: track(server.settings) == 3 * ROWS, "the first commits")
    server.stop()
    store = server.settings.data / "spine" / "store"
    shutil.copytree(store, tmp_path / "copy")
    server.start()
    publish(server.settings, 3, 9)
    until(lambda: track(server.settings) == 9 * ROWS, "the later commits")
    process.end()
    server.stop()
    shutil.rmtree(store)
    if replaced == "older copy":
        shutil.copytree(tmp_path / "copy", store)
    server.start()
    publish(server.settings, 9, 17)
    process.start()
    until(lambda: track(server.settings) == 17 * ROWS, "everything old and new")
