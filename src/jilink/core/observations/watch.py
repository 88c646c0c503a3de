"""The watch at work: reads the stream, keeps the columns, tells viewers, writes alarms, answers questions, saves its place."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import ParamSpec, TypeVar

import pyarrow as pa
import structlog
from django.db import DatabaseError, close_old_connections
from prometheus_client import Counter, Gauge, Histogram

from jilink.core.observations import checkpoint, reads, rules
from jilink.core.observations.alarms import AlarmWriter
from jilink.core.observations.checkpoint import Place
from jilink.core.observations.columns import Edge
from jilink.core.observations.live import Boards
from jilink.core.observations.restore import Restored, restore
from jilink.core.observations.ruled import Ruled
from jilink.core.observations.safety import SafetyAlarms, flashes
from jilink.core.observations.service import Answers
from jilink.core.observations.tail import Tail
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Malformed, Unavailable
from jilink.kernel.ids import OrganisationId
from jilink.kernel.settings import Settings
from jilink.spine import arrow, subjects
from jilink.spine.client import Handler, Message, Request, Spine
from jilink.spine.measurements import POSITIONS, SESSIONS

log = structlog.get_logger(__name__)
TICK_S = 0.5
LISTEN_MS = 2000
"""How often rules of silence are looked at."""
GATHER_S = 0.05
"""Small batches that arrive within so long are taken in as one."""
SAVE_S = 20.0
OWNERS_S = 30.0
STOP_S = 5.0
RETRY_S = 1.0
_POSITIONS = subjects.positions("")
P = ParamSpec("P")
T = TypeVar("T")

ROWS = Counter("jilink_watch_rows_total", "Positions taken in")
REFUSED = Counter("jilink_watch_refused_total", "Batches that could not be decoded; the history keeps their bytes")
ASSETS = Gauge("jilink_watch_assets", "Assets known")
SEQUENCE = Gauge("jilink_watch_sequence", "Stream sequence taken in")
BEHIND = Gauge("jilink_watch_behind_messages", "Messages of the stream not taken in yet")
FRAME_BYTES = Counter("jilink_watch_frame_bytes_total", "Bytes of map frames made")
TICK_SECONDS = Histogram("jilink_watch_tick_seconds", "Time to make the map frames of one tick")


def now_ms() -> int:
    """Return the present in milliseconds since 1970 UTC."""
    return int(utc_now().timestamp() * 1000)


class Watch:
    """One watch over one stream. `run` ends only by cancellation; the checkpoint is then saved."""

    def __init__(self, settings: Settings, spine: Spine) -> None:
        self._settings, self._spine = settings, spine
        self._file: Path = checkpoint.path(settings.data)
        self._alarms = AlarmWriter()
        self._place = Place("", 0)
        self._caught_up = False
        self._owners_wanted = asyncio.Event()

    def why_not(self) -> list[str]:
        """Say why the watch cannot do its work now."""
        reasons = [] if self._spine.connected else ["no connection to the spine"]
        if not self._caught_up:
            reasons.append("reading what came before")
        return reasons + ([self._alarms.stalled] if self._alarms.stalled else [])

    async def run(self) -> None:
        """Restore, then work for ever."""
        restored = await self._restored()
        self._fleet = restored.fleet
        self._boards, self._tail = Boards(self._fleet), Tail()
        self._alarms.add(restored.edges)
        self._safety = SafetyAlarms(restored.opened)
        self._fleet.set_lasting(rules.SAFETY, self._safety.lasting.assets())
        self._ruled = Ruled(self._fleet)
        self._ruled.begin(restored.rulings, restored.ruled, restored.opened)
        self._tell_ruled(self._ruled.orphans(restored.opened, now_ms()), anew=True)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._alarms.run())
                group.create_task(self._owners())
                group.create_task(self._tick())
                group.create_task(self._save_regularly())
                await self._answer()
                await self._read()
        finally:
            writing = asyncio.create_task(self._alarms.run())  # the group has ended its own; writing twice changes nothing
            await self._save(STOP_S)
            writing.cancel()

    async def _restored(self) -> Restored:
        waiting = False
        while True:
            try:
                stream = await self._spine.stream_state(subjects.MEASUREMENTS.name)
                restored = await asyncio.to_thread(_in_thread, restore, self._settings, stream)
            except (Unavailable, DatabaseError) as error:
                if not waiting:
                    log.warning("watch.restore_waits", reason=repr(error))
                waiting = True
                await asyncio.sleep(RETRY_S)
                continue
            self._place = restored.place
            return restored

    async def _read(self) -> None:
        async def rewound(sequence: int) -> None:
            self._place = Place(self._place.life, sequence)

        place = self._place
        follower = self._spine.follow(subjects.MEASUREMENTS.name, after=place.sequence, stored_at=place.stored_at, rewound=rewound)
        async with aclosing(follower) as batches:
            async for messages in batches:
                self._take(messages)
                pending = messages[-1].pending if messages else 0
                BEHIND.set(pending)
                if not self._caught_up and pending == 0:
                    self._caught_up = True
                    self._owners_wanted.set()
                    log.info("watch.caught_up", assets=self._fleet.count, sequence=self._place.sequence)
                await asyncio.sleep(0 if pending else GATHER_S)

    def _take(self, messages: Sequence[Message]) -> None:
        """Take in messages: runs of positions as one batch each, in the order of the stream."""
        waiting: list[pa.RecordBatch] = []
        for message in messages:
            positions = message.subject.startswith(_POSITIONS)
            try:
                batch = arrow.decode(message.data, POSITIONS if positions else SESSIONS)
            except Malformed as error:
                REFUSED.inc()
                log.warning("watch.batch_refused", sequence=message.sequence, subject=message.subject, reason=error.reason)
                continue
            if positions:
                waiting.append(batch)
            else:
                self._fleet.apply_sessions(batch)
        if waiting:
            joined = pa.Table.from_batches(waiting).combine_chunks().to_batches()
            for batch in joined:
                self._alarms.add(self._fleet.apply_positions(batch))
                self._colour(self._safety.edges(batch))
                self._tell_ruled(self._ruled.take(batch))
                self._tail.add(batch)
                ROWS.inc(batch.num_rows)
        if messages:
            self._place = Place(self._place.life, messages[-1].sequence, messages[-1].time)
            SEQUENCE.set(self._place.sequence)

    def _colour(self, edges: Sequence[Edge]) -> None:
        """Write active-safety alarms, and show them at their assets."""
        self._alarms.add(edges)
        self._fleet.flash(flashes(edges))
        if self._safety.lasting.changed:
            self._fleet.set_lasting(rules.SAFETY, self._safety.lasting.assets())

    def _tell_ruled(self, edges: Sequence[Edge], *, anew: bool = False) -> None:
        """Write alarms of rules, and show them at their assets."""
        self._alarms.add(edges)
        if edges or anew:
            self._fleet.set_lasting(rules.RULED, self._ruled.evaluation.open_assets())

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        due, listened = loop.time(), 0
        while True:
            due = max(due + TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())
            if not self._caught_up:
                continue
            started = time.perf_counter()
            now = now_ms()
            if now - listened >= LISTEN_MS:
                listened = now
                self._tell_ruled(self._ruled.listen(now))
            frames = self._boards.frames(now)
            self._tail.forget(now)
            TICK_SECONDS.observe(time.perf_counter() - started)
            ASSETS.set(self._fleet.all_rows().size)
            for organisation, frame in frames:
                FRAME_BYTES.inc(len(frame))
                try:
                    await self._spine.send(subjects.live(OrganisationId(organisation)), frame)
                except Unavailable:
                    break  # viewers see a gap in the ticks and ask for a snapshot

    async def _answer(self) -> None:
        answers = Answers(self._fleet, self._boards, self._tail)
        for subject, answer in (
            (subjects.WATCH_SNAPSHOT, answers.snapshot),
            (subjects.WATCH_LATEST, answers.latest),
            (subjects.WATCH_SELECT, answers.select),
            (subjects.WATCH_TAIL, answers.tail),
        ):
            await self._spine.serve(subject, self._handler(answer))

        async def changed(_subject: str, _payload: bytes) -> None:
            self._owners_wanted.set()

        await self._spine.subscribe(subjects.event("assets", "*"), changed)
        await self._spine.subscribe(subjects.event("observations", "rule_changed"), changed)

    def _handler(self, answer: Callable[[bytes, int], bytes]) -> Handler:
        async def handle(request: Request) -> bytes | None:
            while not self._caught_up:
                await asyncio.sleep(0.05)
            try:
                return answer(request.data, now_ms())
            except Malformed as error:
                log.warning("watch.bad_question", subject=request.subject, reason=str(error))
                return None

        return handle

    async def _owners(self) -> None:
        """Learn who owns which asset and which are gone: at the start, when assets change, and regularly."""
        failing = False
        while True:
            self._owners_wanted.clear()
            try:
                assets, organisations = await asyncio.to_thread(_in_thread, reads.owners)
                rulings = await asyncio.to_thread(_in_thread, reads.rulings)
                self._fleet.set_owners(assets, organisations)
                self._safety.lasting.keep(assets.tolist())
                ended = self._ruled.set_rules(rulings, now_ms()) + self._ruled.keep(assets, organisations, now_ms())
                self._tell_ruled(ended)
                failing = False
            except DatabaseError as error:
                if not failing:
                    log.warning("watch.owners_unknown", reason=repr(error))
                failing = True
            try:
                async with asyncio.timeout(OWNERS_S):
                    await self._owners_wanted.wait()
                await asyncio.sleep(RETRY_S)
            except TimeoutError:
                continue

    async def _save_regularly(self) -> None:
        while True:
            await asyncio.sleep(SAVE_S)
            await self._save(SAVE_S)

    async def _save(self, patience_s: float) -> None:
        """Save the state with its place, once the alarms it has found are in the database."""
        place, state, edges = self._place, self._fleet.export(), self._alarms.added
        ruled = self._ruled.evaluation.export()
        if not self._caught_up:
            return
        try:
            async with asyncio.timeout(patience_s):
                await self._alarms.written(edges)
            await asyncio.to_thread(checkpoint.save, self._file, state, place, ruled)
        except (TimeoutError, OSError) as error:
            log.warning("watch.checkpoint_failed", reason=repr(error))


def _in_thread(function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    close_old_connections()
    try:
        return function(*args, **options)
    finally:
        close_old_connections()
