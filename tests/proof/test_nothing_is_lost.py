"""Whatever is killed and whenever: what a terminal was told to be safe is in the history once, and the watch shows the newest of it."""

import asyncio
import contextlib
import inspect
import os
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jilink.history.columns import china_day
from jilink.history.reads import Reads
from jilink.history.tables import History
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings, addresses
from jilink.simulator.crowd import Crowd
from jilink.simulator.journal import Journal
from jilink.simulator.register import register
from jilink.simulator.terminal import Habits
from jilink.site.demonstration import SEED
from jilink.spine import arrow, subjects
from jilink.spine.client import connect
from jilink.spine.measurements import LATEST
from jilink.spine.records import Admission, digest
from tests.proof import facts
from tests.proof.killing import kill_at_random
from tests.site.installation import Up, jilink, running_up

pytestmark = pytest.mark.proof

TERMINALS = int(os.environ.get("JILINK_PROOF_TERMINALS", "2000"))
KILL_S = float(os.environ.get("JILINK_PROOF_SECONDS", "60"))
SEED_OF_KILLS = int(os.environ.get("JILINK_PROOF_SEED", "0")) or time.time_ns() % 1_000_000
_say = partial(print, flush=True)
HABITS = Habits(report_s=5.0, heartbeat_s=20.0, answer_s=8.0, refused_s=2.0, tunnel_every_s=0.0, alarm_every_s=600.0)


async def _until(holds: Callable[[], object], what: str, patience_s: float) -> float:
    """Poll a plain or asynchronous condition; return how long it took."""
    begun = time.monotonic()
    while True:
        held = holds()
        if await held if inspect.isawaitable(held) else held:
            return time.monotonic() - begun
        assert time.monotonic() - begun < patience_s, f"waited {patience_s:.0f} s in vain: {what}"
        await asyncio.sleep(0.1)


async def _admissions(settings: Settings) -> dict[str, Admission]:
    async with connect(settings, name="proof") as spine:
        entries = await spine.bucket(subjects.ADMISSION).all()
    return {key: msgspec.json.decode(value, type=Admission) for key, value in entries.items() if key != "policy"}


async def _all_committed(settings: Settings) -> None:
    """Wait until the history has taken in the last position of the stream."""
    async with connect(settings, name="proof") as spine:
        last = (await spine.read_last(subjects.MEASUREMENTS.name, subjects.positions("*"), 1))[0].sequence
    history = History(settings)
    await _until(lambda: history.committed_sequence() >= last, f"the history commits {last}", 60)


async def _shown(settings: Settings, organisations: set[int]) -> pa.Table:
    question = msgspec.json.encode({"organisations": sorted(organisations), "assets": None})
    async with connect(settings, name="proof") as spine:
        while True:
            with contextlib.suppress(Unavailable):
                return pa.Table.from_batches([arrow.decode(await spine.request(subjects.WATCH_LATEST, question, 20), LATEST)])
            await asyncio.sleep(0.2)


async def _driven(up: Up, seed: int) -> Journal:
    """Drive the terminals while processes are killed, then until each has delivered everything; return what they know to be safe."""
    journal, (host, port) = Journal(), addresses(up.settings.terminals)[0]
    async with Crowd(register(TERMINALS, SEED), host, port, habits=HABITS, note=journal.note, connects_per_s=400.0) as crowd:
        took = await _until(lambda: crowd.figures().online >= 0.95 * TERMINALS, "the terminals come online", 60)
        _say(f"{crowd.figures().online} terminals online after {took:.1f} s")
        hits = await kill_at_random(up, seed, KILL_S)
        _say(f"killed {dict(hits)}; {crowd.figures()}")
        crowd.rest()
        took = await _until(lambda: not crowd.figures().waiting, "everything is delivered", 90)
        figures = crowd.figures()
        _say(f"delivered after {took:.1f} s; {figures}")
        assert figures.sent == figures.acknowledged == len(journal.acknowledged)
    return journal


async def _check(up: Up, journal: Journal) -> None:
    admissions = await _admissions(up.settings)
    await _all_committed(up.settings)
    known = facts.of_journal(journal.acknowledged, admissions)
    expected, organisations = set(known), {admission.organisation for admission in admissions.values()}
    history = History(up.settings)
    reads = Reads(history)

    stored = DeltaTable(history.storage.url).to_pyarrow_table()
    found = facts.of_table(stored)
    _say(f"acknowledged {len(known)} ({len(expected)} different), rows stored {len(found)}, different {len(set(found))}")
    assert expected - set(found) == set(), "acknowledged and lost"
    assert set(found) - expected == set(), "stored and never sent"

    now = utc_now()
    first, last = china_day(now - timedelta(hours=1)), china_day(now + timedelta(hours=1))
    mileage = reads.mileage(sorted(organisations), first, last)
    counted = dict(zip(mileage["asset"].to_pylist(), mileage["fixes"].to_pylist(), strict=True))
    assert counted == Counter(fact[0] for fact in expected), "each fact once"
    for phone in sorted({note.phone for note in journal.acknowledged})[:: max(TERMINALS // 50, 1)]:
        one = admissions[digest(phone)]
        track = facts.of_table(reads.track(one.organisation, one.asset, now - timedelta(hours=1), now + timedelta(hours=1)))
        assert Counter(track) == Counter(fact for fact in expected if fact[0] == one.asset)

    shown = facts.newest(facts.of_table(await _shown(up.settings, organisations)))
    model = facts.newest(expected)
    assert shown == model
    _say(f"latest values of {len(shown)} assets agree with the model")


def test_every_acknowledged_position_is_kept_once_though_everything_is_killed(tmp_path: Path) -> None:
    _say(f"\nJILINK_PROOF_SEED={SEED_OF_KILLS}")
    with running_up(tmp_path / "data", JILINK_HISTORY_COMMIT_S="2", JILINK_TERMINALS_WORKERS="2") as up:
        up.wait_ready()
        begun = time.monotonic()
        assert jilink("demo", "load", "--vehicles", str(TERMINALS), env=up.env).returncode == 0
        _say(f"{TERMINALS} vehicles entered in {time.monotonic() - begun:.1f} s")

        async def run() -> None:
            took = await _until(lambda: _projected(up.settings), "the gateway knows every terminal", 60)
            _say(f"projected after {took:.1f} s")
            await _check(up, await _driven(up, SEED_OF_KILLS))

        asyncio.run(run())


async def _projected(settings: Settings) -> bool:
    return len(await _admissions(settings)) >= TERMINALS
