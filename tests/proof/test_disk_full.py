"""A disk that fills up while everything runs: no false success, and everything once there is room again."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jilink.kernel.settings import addresses
from jilink.simulator.crowd import Crowd
from jilink.simulator.journal import Journal
from jilink.simulator.register import register
from jilink.simulator.terminal import Habits
from jilink.site.demonstration import SEED
from tests.proof.checking import check, projected, say, until
from tests.site.installation import Up, jilink, running_up

pytestmark = pytest.mark.proof

TERMINALS = 60
HABITS = Habits(report_s=1.0, heartbeat_s=20.0, answer_s=4.0, refused_s=2.0, tunnel_every_s=0.0, alarm_every_s=600.0)
FULL_S = 8.0


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of 400 MB. Where none may be mounted there is nothing to prove, and the run says so."""
    folder.mkdir()
    mounting = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", folder], capture_output=True, text=True, check=False)
    if mounting.returncode:
        pytest.skip(f"a full disk needs a small file system, and none may be mounted here: {mounting.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(ballast: Path) -> None:
    """Take all the room there is."""
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while os.write(descriptor, b"\0" * size):
                    pass
            except OSError:
                continue
    finally:
        os.close(descriptor)


async def driven(up: Up, ballast: Path) -> Journal:
    """Drive terminals while the disk fills, stays full and has room again; return what they know to be safe."""
    journal, (host, port) = Journal(), addresses(up.settings.terminals)[0]
    async with Crowd(register(TERMINALS, SEED), host, port, habits=HABITS, note=journal.note) as crowd:
        await until(lambda: crowd.figures().acknowledged > 3 * TERMINALS, "terminals report", 60)
        loop = asyncio.get_running_loop()
        full_until = loop.time() + FULL_S
        while loop.time() < full_until:
            await asyncio.to_thread(fill, ballast)
            await asyncio.sleep(0.2)
        before = crowd.figures()
        say(f"full: {before}")
        assert before.waiting > TERMINALS, "nothing may be acknowledged that cannot be stored"
        ballast.unlink()
        known = len(journal.acknowledged)
        took = await until(lambda: len(journal.acknowledged) > known + 2 * TERMINALS, "positions are acknowledged again", 45)
        crowd.rest()
        await until(lambda: not crowd.figures().waiting, "everything is delivered", 90)
        say(f"acknowledged again after {took:.1f} s; {crowd.figures()}")
    return journal


def test_a_full_disk_gives_no_false_success_and_everything_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk"), running_up(tmp_path / "disk" / "data", ready=True, JILINK_HISTORY_COMMIT_S="2") as up:
        up.wait_ready()
        assert jilink("demo", "load", "--vehicles", str(TERMINALS), env=up.env).returncode == 0

        async def run() -> None:
            await until(lambda: projected(up.settings, TERMINALS), "the gateway knows every terminal", 60)
            journal = await driven(up, tmp_path / "disk" / "ballast")
            await check(up.settings, journal)

        asyncio.run(run())
