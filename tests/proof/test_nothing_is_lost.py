"""Whatever is killed and whenever: what a terminal was told to be safe is in the history once, and the watch shows the newest of it."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from jilink.kernel.settings import addresses
from jilink.simulator.crowd import Crowd
from jilink.simulator.journal import Journal
from jilink.simulator.register import register
from jilink.simulator.terminal import Habits
from jilink.site.demonstration import SEED
from tests.proof.checking import check, projected, say, until
from tests.proof.killing import kill_at_random
from tests.site.installation import Up, jilink, running_up

pytestmark = pytest.mark.proof

TERMINALS = int(os.environ.get("JILINK_PROOF_TERMINALS", "2000"))
KILL_S = float(os.environ.get("JILINK_PROOF_SECONDS", "60"))
SEED_OF_KILLS = int(os.environ.get("JILINK_PROOF_SEED", "0")) or time.time_ns() % 1_000_000
HABITS = Habits(report_s=5.0, heartbeat_s=20.0, answer_s=8.0, refused_s=2.0, tunnel_every_s=0.0, alarm_every_s=600.0)


async def _driven(up: Up, seed: int) -> Journal:
    """Drive the terminals while processes are killed, then until each has delivered everything; return what they know to be safe."""
    journal, (host, port) = Journal(), addresses(up.settings.terminals)[0]
    async with Crowd(register(TERMINALS, SEED), host, port, habits=HABITS, note=journal.note, connects_per_s=400.0) as crowd:
        took = await until(lambda: crowd.figures().online >= 0.95 * TERMINALS, "the terminals come online", 60)
        say(f"{crowd.figures().online} terminals online after {took:.1f} s")
        hits = await kill_at_random(up, seed, KILL_S)
        say(f"killed {dict(hits)}; {crowd.figures()}")
        crowd.rest()
        took = await until(lambda: not crowd.figures().waiting, "everything is delivered", 90)
        figures = crowd.figures()
        say(f"delivered after {took:.1f} s; {figures}")
        assert figures.sent == figures.acknowledged == len(journal.acknowledged)
    return journal


def test_every_acknowledged_position_is_kept_once_though_everything_is_killed(tmp_path: Path) -> None:
    say(f"\nJILINK_PROOF_SEED={SEED_OF_KILLS}")
    with running_up(tmp_path / "data", ready=True, JILINK_HISTORY_COMMIT_S="2", JILINK_TERMINALS_WORKERS="2") as up:
        up.wait_ready()
        begun = time.monotonic()
        assert jilink("demo", "load", "--vehicles", str(TERMINALS), env=up.env).returncode == 0
        say(f"{TERMINALS} vehicles entered in {time.monotonic() - begun:.1f} s")

        async def run() -> None:
            took = await until(lambda: projected(up.settings, TERMINALS), "the gateway knows every terminal", 60)
            say(f"projected after {took:.1f} s")
            await check(up.settings, await _driven(up, SEED_OF_KILLS))

        asyncio.run(run())
