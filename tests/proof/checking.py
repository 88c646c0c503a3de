"""What the proofs have in common: waiting, and comparing what is kept and shown with what terminals know to be safe."""

import asyncio
import inspect
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import msgspec
import pyarrow as pa
from deltalake import DeltaTable

from jilink.core.observations.service import all_latest
from jilink.history.columns import china_day
from jilink.history.reads import Reads
from jilink.history.tables import History
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings
from jilink.simulator.journal import Journal
from jilink.spine import subjects
from jilink.spine.client import connect
from jilink.spine.records import Admission, digest
from tests.proof import facts

say = partial(print, flush=True)


async def until(holds: Callable[[], object], what: str, patience_s: float) -> float:
    """Poll a plain or asynchronous condition; return how long it took."""
    begun = time.monotonic()
    while True:
        held = holds()
        if await held if inspect.isawaitable(held) else held:
            return time.monotonic() - begun
        assert time.monotonic() - begun < patience_s, f"waited {patience_s:.0f} s in vain: {what}"
        await asyncio.sleep(0.1)


async def admissions_of(settings: Settings) -> dict[str, Admission]:
    """Return what the gateway is told of every terminal, by digest of its telephone number."""
    async with connect(settings, name="proof") as spine:
        entries = await spine.bucket(subjects.ADMISSION).all()
    return {key: msgspec.json.decode(value, type=Admission) for key, value in entries.items() if key != "policy"}


async def all_committed(settings: Settings) -> None:
    """Wait until the history has taken in the last position of the stream."""
    async with connect(settings, name="proof") as spine:
        last = (await spine.read_last(subjects.MEASUREMENTS.name, subjects.positions("*"), 1))[0].sequence
    history = History(settings)
    await until(lambda: history.committed_sequence() >= last, f"the history commits {last}", 60)


async def shown_by(settings: Settings, organisations: set[int]) -> pa.Table:
    """Return the watch's latest values (schema LATEST)."""
    asking = all_latest(sorted(organisations), None)
    question = next(asking)
    async with connect(settings, name="proof") as spine:
        while True:
            try:
                question = asking.send(await spine.request(subjects.WATCH_LATEST, question, 20))
            except StopIteration as done:
                table: pa.Table = done.value
                return table
            except Unavailable:
                await asyncio.sleep(0.2)


async def projected(settings: Settings, count: int) -> bool:
    """Tell whether the gateway is told of so many terminals."""
    return len(await admissions_of(settings)) >= count


async def check(settings: Settings, journal: Journal) -> None:
    """Compare history and watch with what the terminals know to be safe, once the history has committed all."""
    admissions = await admissions_of(settings)
    await all_committed(settings)
    known = facts.of_journal(journal.acknowledged, admissions)
    expected, organisations = set(known), {admission.organisation for admission in admissions.values()}
    history = History(settings)
    reads = Reads(history)

    stored = DeltaTable(history.storage.url).to_pyarrow_table()
    found = facts.of_table(stored)
    say(f"acknowledged {len(known)} ({len(expected)} different), rows stored {len(found)}, different {len(set(found))}")
    assert expected - set(found) == set(), "acknowledged and lost"
    assert set(found) - expected == set(), "stored and never sent"

    now = utc_now()
    first, last = china_day(now - timedelta(hours=1)), china_day(now + timedelta(hours=1))
    mileage = reads.mileage(sorted(organisations), first, last)
    counted = dict(zip(mileage["asset"].to_pylist(), mileage["fixes"].to_pylist(), strict=True))
    assert counted == Counter(fact[0] for fact in expected), "each fact once"
    for phone in sorted({note.phone for note in journal.acknowledged})[:: max(len(admissions) // 50, 1)]:
        one = admissions[digest(phone)]
        track = facts.of_table(reads.track(one.organisation, one.asset, now - timedelta(hours=1), now + timedelta(hours=1)))
        assert Counter(track) == Counter(fact for fact in expected if fact[0] == one.asset)

    model = facts.newest(expected)

    async def watch_agrees() -> bool:
        return facts.newest(facts.of_table(await shown_by(settings, organisations))) == model

    took = await until(watch_agrees, "the watch shows the newest of each asset", 60)  # it reads the stream by itself, beside the history
    say(f"latest values of {len(model)} assets agree with the model after {took:.1f} s")
