"""The process ``history``: positions from the spine to the table, and the table's upkeep."""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import nats.errors
import structlog
from prometheus_client import Counter, Gauge, Histogram

from jilink.history.maintenance import Maintenance
from jilink.history.recovery import recover
from jilink.history.tables import History
from jilink.history.writer import Writer
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings
from jilink.spine import process, subjects
from jilink.spine.client import Message, Spine, connect, ensure

log = structlog.get_logger(__name__)

COMMIT_ROWS = 1_000_000
RETRY_S = 1.0
STOP_S = 20.0
CHORES_S = 60.0
CHORES_STOP_S = 10.0
"""How long a chore may take to end: the interpreter must not go while native code still runs in a thread. What is cut off is done again."""
T = TypeVar("T")
Arrivals = asyncio.Queue[list[Message] | int]
"""What was read, in order: messages, or the sequence to go back to where the stream has lost its end."""
FOLLOWED = [subjects.positions("*")]

ROWS = Counter("jilink_history_rows_total", "Positions stored in the history")
REPEATED = Counter("jilink_history_repeated_rows_total", "Positions that were delivered again and dropped")
SET_ASIDE = Counter("jilink_history_set_aside_total", "Batches that could not be decoded and were kept aside")
COMMIT_SECONDS = Histogram("jilink_history_commit_seconds", "Time a commit took")
WAITING = Gauge("jilink_history_waiting_rows", "Positions gathered and not yet committed")
SEQUENCE = Gauge("jilink_history_committed_sequence", "Stream sequence up to which everything is in the history")
DAMAGED = Gauge("jilink_history_damaged_files", "Files of the history that were found damaged at the start")


def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; what has been gathered is committed before it returns."""
    state = _State()

    async def work(stopped: asyncio.Event) -> None:
        async with connect(settings, name="history") as spine:
            state.spine = spine
            await _Process(settings, spine, state, stopped).run()

    process.run("history", settings, work, state.why_not, grace_s=STOP_S)


class _State:
    spine: Spine | None = None
    stalled = ""

    def why_not(self) -> str:
        if self.spine is None or not self.spine.connected:
            return "no connection to the spine"
        return self.stalled


class _Stopped(Unavailable):
    """Told to stop while something could not be done."""


class _Process:
    """The loop between spine and table."""

    def __init__(self, settings: Settings, spine: Spine, state: _State, stopped: asyncio.Event) -> None:
        self._settings, self._spine, self._state, self._stopped = settings, spine, state, stopped
        self._history = History(settings)
        self._retention: dict[int, int] | None = None
        self._chores_stop = threading.Event()

    async def run(self) -> None:
        """Store what arrives until told to stop. What could not be committed then is read from the spine at the next start."""
        try:
            await ensure(self._spine)
            DAMAGED.set(len(await self._insist(lambda: recover(self._history))))
            stream = await self._life_of_stream()
            aside = self._settings.data / "history" / "set-aside"
            writer = await self._insist(lambda: Writer(self._history, aside, stream=stream))
        except _Stopped:
            return
        log.info("history.starts", after=writer.place, stream=stream, table=self._history.storage.url)
        SEQUENCE.set(writer.place)
        watching = asyncio.create_task(self._watch_retention())
        chores = threading.Thread(target=self._chores, name="history-chores", daemon=True)
        chores.start()
        try:
            await self._store(writer)
        except _Stopped as error:
            log.warning("history.stops_uncommitted", why=str(error), rows=writer.rows)
        finally:
            self._chores_stop.set()
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            await asyncio.to_thread(chores.join, CHORES_STOP_S)
        log.info("history.stopped", committed=writer.place)

    async def _store(self, writer: Writer) -> None:
        arrived: Arrivals = asyncio.Queue(maxsize=4)
        reader = asyncio.create_task(self._read(arrived, writer.place, writer.stored_at))
        try:
            while not self._stopped.is_set():
                await self._gather(writer, arrived, reader)
                await self._commit(writer)
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def _read(self, arrived: Arrivals, after: int, stored_at: datetime | None) -> None:
        async for messages in self._spine.follow(
            subjects.MEASUREMENTS.name, FOLLOWED, after=after, stored_at=stored_at, rewound=arrived.put
        ):
            await arrived.put(messages)

    async def _gather(self, writer: Writer, arrived: Arrivals, reader: asyncio.Task[None]) -> None:
        """Take in messages until the next commit is due: so long after the first of them, or so many rows. Raises what ended the reader."""
        loop = asyncio.get_running_loop()
        due: float | None = None
        stop = asyncio.ensure_future(self._stopped.wait())
        try:
            while writer.rows < COMMIT_ROWS and not self._stopped.is_set():
                get = asyncio.ensure_future(arrived.get())
                left = None if due is None else max(due - loop.time(), 0)
                await asyncio.wait({get, stop, reader}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if not get.done():
                    get.cancel()
                    if reader.done():
                        reader.result()
                    return
                await self._take(writer, get.result())
                if due is None and writer.uncommitted:
                    due = loop.time() + self._settings.history_commit_s
        finally:
            stop.cancel()

    async def _take(self, writer: Writer, arrival: list[Message] | int) -> None:
        """Take in messages, or go back to the place that the stream still has."""

        def take() -> None:
            if isinstance(arrival, int):
                writer.rewind(arrival)
                return
            for message in arrival:
                writer.add(message.sequence, message.data, message.time)

        before = writer.set_aside
        await self._insist(take)
        SET_ASIDE.inc(writer.set_aside - before)
        WAITING.set(writer.rows)

    async def _commit(self, writer: Writer) -> None:
        if not writer.uncommitted:
            return
        begun = time.perf_counter()
        done = await self._insist(writer.commit)
        COMMIT_SECONDS.observe(time.perf_counter() - begun)
        ROWS.inc(done.rows)
        REPEATED.inc(done.repeated)
        WAITING.set(writer.rows)
        SEQUENCE.set(done.sequence)

    async def _insist(self, work: Callable[[], T]) -> T:
        """Do something in a thread, again and again until it can be done; say so once. Raises _Stopped when told to stop meanwhile."""
        while True:
            try:
                result = await asyncio.to_thread(work)
            except Unavailable as error:
                if not self._state.stalled:
                    log.error(
                        "history.stalled",
                        why=str(error),
                        todo="nothing is lost: the spine keeps it; make room or repair, it goes on by itself",
                    )
                self._state.stalled = str(error)
            else:
                if self._state.stalled:
                    log.info("history.recovered")
                self._state.stalled = ""
                return result
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY_S):
                    await self._stopped.wait()
            if self._stopped.is_set():
                raise _Stopped(self._state.stalled)

    async def _life_of_stream(self) -> str:
        """Tell this stream from another of the same name, begun anew with sequence 1: by when it was made."""
        while True:
            try:
                created = (await self._spine.jetstream.stream_info(subjects.MEASUREMENTS.name)).created
            except (nats.errors.Error, TimeoutError, OSError) as error:
                log.warning("history.waits_for_stream", why=repr(error))
                await asyncio.sleep(RETRY_S)
                continue
            return "" if created is None else created.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")

    async def _watch_retention(self) -> None:
        known: dict[int, int] = {}
        async for change in self._spine.bucket(subjects.RETENTION).watch():
            if change.ready:
                self._retention = dict(known)
            elif change.key.isdecimal():
                days = (change.value or b"").decode(errors="replace")
                known.pop(int(change.key), None)
                if days.isdecimal():
                    known[int(change.key)] = int(days)
                if self._retention is not None:
                    self._retention = dict(known)

    def _rules(self) -> tuple[Mapping[int, int], int] | None:
        rules = self._retention
        return None if rules is None else (rules, self._settings.history_days)

    def _chores(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        maintenance = Maintenance(self._history, self._rules)
        while not self._chores_stop.wait(CHORES_S):
            try:
                maintenance.step(utc_now())
            except Exception:  # a bug in a chore must not end the upkeep of the rest; it is logged whole
                log.exception("history.chores_failed")
