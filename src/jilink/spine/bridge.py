"""The spine for synchronous callers: its own event loop in a thread, and plain functions that any thread may call.

Callbacks (`done`, `on_change`, handlers) run in the spine's thread: they must return quickly and hand work over, for example
through a queue and a wake-up descriptor.

A busy Python thread gives the interpreter up only every `sys.getswitchinterval` (5 ms by default), and a publish needs several
hand-overs: with a busy caller a 250 kB publish was confirmed after 36 ms at the default and after 4 ms at 0.5 ms, which is
therefore set for the process. The thread takes about 1 ms of processor time for each such publish.
"""

import asyncio
import concurrent.futures
import contextlib
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TypeVar

import structlog

from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings
from jilink.spine import subjects
from jilink.spine.buckets import Change
from jilink.spine.client import Message, Request, Spine, ensure
from jilink.spine.connection import SpineDown

T = TypeVar("T")
Done = Callable[[Exception | None], None]
Stored = Callable[[int, Exception | None], None]
"""stored(revision, None) once a key's value is on disk, stored(0, Unavailable) where that is not certain."""
Reply = Callable[[bytes], None]
SyncHandler = Callable[[str, bytes, Reply], None]
"""handler(subject, payload, reply); `reply` may be called from any thread, any number of times, also later."""

log = structlog.get_logger(__name__)
MARGIN_S = 1.0
SWITCH_S = 0.0005


class SpineThread:
    """A `Spine` in a thread of its own. The constructor returns at once; calls fail with SpineDown until it is connected."""

    def __init__(self, settings: Settings, name: str, *, lay_out: bool = False) -> None:
        """Start. With `lay_out` the declared streams and buckets are made before `wait_ready` returns."""
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_S))
        self._ready = threading.Event()
        self._started = threading.Event()
        self._lay_out = lay_out
        self._thread = threading.Thread(target=self._main, args=(settings, name), name=f"spine-{name}", daemon=True)
        self._thread.start()
        self._started.wait()

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until the spine has been reached for the first time. Raises SpineDown after the time given."""
        if not self._ready.wait(timeout_s):
            raise SpineDown(f"the spine was not reached within {timeout_s:.0f} s")

    @property
    def connected(self) -> bool:
        """Whether a server answers now."""
        return self._ready.is_set() and self._spine.connected

    def stop(self) -> None:
        """Close the connection and end the thread. Publishes in flight get SpineDown. Calling it twice changes nothing."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop may have ended in between
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    def publish_soon(self, subject: str, payload: bytes, msg_id: str | None, done: Done, *, timeout_s: float = 10.0) -> None:
        """Begin a durable publish and return; `done(None)` follows when it is stored, `done(Unavailable)` when that is not certain."""

        def begin() -> None:
            task = self._loop.create_task(self._spine.publish(subject, payload, msg_id, timeout_s=timeout_s))
            self._tasks.add(task)
            task.add_done_callback(finish)

        def finish(task: asyncio.Task[int]) -> None:
            self._tasks.discard(task)
            done(SpineDown("the spine client stopped") if task.cancelled() else _expected(task.exception()))

        try:
            self._loop.call_soon_threadsafe(begin)
        except RuntimeError:
            done(SpineDown("the spine client stopped"))

    def publish(self, subject: str, payload: bytes, msg_id: str | None = None, *, timeout_s: float = 10.0) -> int:
        """Store durably and return the stream sequence. Raises Unavailable."""
        return self.run(self._spine.publish(subject, payload, msg_id, timeout_s=timeout_s), timeout_s + MARGIN_S)

    def send(self, subject: str, payload: bytes) -> None:
        """Send without storing and without waiting; lost where the spine is down."""

        async def quietly() -> None:
            with contextlib.suppress(Unavailable):
                await self._spine.send(subject, payload)

        self._spawn(quietly())

    def request(self, subject: str, payload: bytes, timeout_s: float = 2.0) -> bytes:
        """Return the first reply. Raises NoResponder at once where nobody listens, SpineTimeout, SpineDown."""
        return self.run(self._spine.request(subject, payload, timeout_s), timeout_s + MARGIN_S)

    def request_each(self, subject: str, payload: bytes, timeout_s: float) -> Iterator[bytes]:
        """Yield replies as they come until the caller stops. Raises as `request` when the time is over."""
        replies = self._spine.request_each(subject, payload, timeout_s)
        try:
            while True:
                yield self.run(anext(replies), timeout_s + MARGIN_S)
        finally:
            self.run(replies.aclose(), MARGIN_S)

    def serve(self, subject: str, handler: SyncHandler) -> None:
        """Answer requests on a subject (wildcards allowed) for the life of the thread, reconnections included."""

        async def handle(request: Request) -> None:
            def reply(data: bytes) -> None:
                self._spawn(_quiet(request.reply(data)))

            handler(request.subject, request.data, reply)

        self._spawn_when_ready(lambda: self._spine.serve(subject, handle))

    def subscribe(self, subject: str, handler: Callable[[str, bytes], None]) -> None:
        """Receive what is sent on a subject while connected: `handler(subject, payload)` in the spine's thread."""

        async def handle(subject: str, payload: bytes) -> None:
            handler(subject, payload)

        self._spawn_when_ready(lambda: self._spine.subscribe(subject, handle))

    def watch_bucket(self, bucket: subjects.Bucket, on_change: Callable[[Change], None]) -> None:
        """Call `on_change` with every value now in the bucket, once with `ready`, then with each change, for ever."""

        async def watch() -> None:
            async for change in self._spine.bucket(bucket).watch():
                on_change(change)

        self._spawn_when_ready(watch)

    def get(self, bucket: subjects.Bucket, key: str) -> bytes | None:
        """Return a key's value, None where there is none. Raises Unavailable."""
        return self.run(self._spine.bucket(bucket).get(key), 10.0)

    def put(self, bucket: subjects.Bucket, key: str, value: bytes) -> int:
        """Store a key's value on disk and return its revision. Raises Unavailable."""
        return self.run(self._spine.bucket(bucket).put(key, value), 11.0)

    def delete(self, bucket: subjects.Bucket, key: str) -> None:
        """Delete a key. Raises Unavailable."""
        self.run(self._spine.bucket(bucket).delete(key), 11.0)

    def put_soon(self, bucket: subjects.Bucket, key: str, value: bytes, stored: Stored) -> None:
        """Begin to store a key's value and return; `stored` follows."""
        revision = 0

        async def put() -> None:
            nonlocal revision
            revision = await self._spine.bucket(bucket).put(key, value)

        self._background(put, lambda error: stored(revision, error))

    def put_object(self, name: str, data: bytes, *, bucket: str = subjects.MEDIA) -> None:
        """Store an object whole. Raises Unavailable."""
        self.run(self._spine.put_object(name, data, bucket=bucket), 65.0)

    def put_object_soon(self, name: str, data: bytes, done: Done, *, bucket: str = subjects.MEDIA) -> None:
        """Begin to store an object and return; `done` follows as for `publish_soon`."""
        self._background(lambda: self._spine.put_object(name, data, bucket=bucket), done)

    def get_object(self, name: str, *, bucket: str = subjects.MEDIA) -> bytes | None:
        """Return an object's bytes, None where there is none. Raises Unavailable."""
        return self.run(self._spine.get_object(name, bucket=bucket), 65.0)

    def read_last(self, stream: str, subject: str, count: int) -> list[Message]:
        """Return up to `count` newest messages of a subject, newest first. Raises Unavailable."""
        return self.run(self._spine.read_last(stream, subject, count), 15.0)

    def stream_size(self, stream: str) -> tuple[int, int]:
        """Return how many messages and bytes a stream holds. Raises Unavailable."""
        return self.run(self._spine.stream_size(stream), 11.0)

    def run(self, work: Coroutine[object, object, T] | Awaitable[T], timeout_s: float) -> T:
        """Run a coroutine in the spine's thread and return its result. Raises SpineDown where that takes longer."""

        async def awaited() -> T:
            return await work

        coroutine = awaited()
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise SpineDown("the spine client stopped") from None
        try:
            return future.result(timeout_s)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise SpineDown(f"the spine client did not finish within {timeout_s:.0f} s") from None
        except concurrent.futures.CancelledError:
            raise SpineDown("the spine client stopped") from None

    def _background(self, work: Callable[[], Awaitable[object]], done: Done) -> None:
        async def attempt() -> None:
            try:
                await work()
            except Unavailable as error:
                done(error)
            else:
                done(None)

        if not self._spawn(attempt()):
            done(SpineDown("the spine client stopped"))

    def _spawn(self, work: Coroutine[object, object, None]) -> bool:
        def begin() -> None:
            task = self._loop.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._finished)

        try:
            self._loop.call_soon_threadsafe(begin)
        except RuntimeError:
            work.close()
            return False
        return True

    def _spawn_when_ready(self, work: Callable[[], Awaitable[object]]) -> None:
        async def later() -> None:
            await self._connected.wait()
            await work()

        self._spawn(later())

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("spine.task_failed", exc_info=error)

    def _main(self, settings: Settings, name: str) -> None:
        asyncio.run(self._live(settings, name))

    async def _live(self, settings: Settings, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._connected = asyncio.Event()
        self._tasks: set[asyncio.Task[int] | asyncio.Task[None]] = set()
        self._spine = Spine(settings, name)
        self._started.set()
        opening = asyncio.create_task(self._open())
        await self._stopping.wait()
        for task in [opening, *self._tasks]:
            task.cancel()
        await asyncio.gather(opening, *self._tasks, return_exceptions=True)
        await self._spine.close()

    async def _open(self) -> None:
        await self._spine.open()
        if self._lay_out:
            await ensure(self._spine)
        self._connected.set()
        self._ready.set()


async def _quiet(work: Awaitable[None]) -> None:
    with contextlib.suppress(Unavailable):
        await work


def _expected(error: BaseException | None) -> Exception | None:
    if error is None or isinstance(error, Exception):
        return error
    return SpineDown(repr(error))
