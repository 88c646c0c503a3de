"""The spine as every process meets it: durable publish, request and reply, streams, buckets, objects.

A message counts as stored only by the PubAck of the stream that was meant (NATS documentation, "JetStream model deep
dive"); a core NATS or MQTT acknowledgement is never taken for it. Everything that fails raises `Unavailable`.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BufferedIOBase

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.object_store import ObjectStore

from jilink.kernel.errors import Refused, Unavailable
from jilink.kernel.settings import Settings
from jilink.spine import layout, reading, subjects
from jilink.spine.buckets import KeyValues
from jilink.spine.connection import Connection, Listening, NoResponder, SpineDown, SpineTimeout, status
from jilink.spine.reading import Message

__all__ = ["Message", "NoResponder", "Request", "Spine", "SpineDown", "SpineTimeout", "StoreRefused", "connect", "ensure"]

log = structlog.get_logger(__name__)
IN_FLIGHT_BYTES = 256 << 20
IN_FLIGHT = 4096
RETRY_S = 0.1
HANDLERS = 256


class StoreRefused(Unavailable):
    """The server answered, but did not store: full, wrong stream, or its JetStream is down."""


class NoSuchStream(Refused):
    """No declared stream takes this subject: a durable publish there can never succeed."""


class _Fault(msgspec.Struct, frozen=True):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _PubAck(msgspec.Struct, frozen=True):
    stream: str = ""
    seq: int = 0
    duplicate: bool = False
    error: _Fault | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a handler gets it. `reply` may be awaited any number of times."""

    subject: str
    data: bytes
    reply: Callable[[bytes], Awaitable[None]]


Handler = Callable[[Request], Awaitable[bytes | None]]
"""Answers with what it returns; None when it has replied by itself or has nothing to say."""


@contextlib.asynccontextmanager
async def connect(settings: Settings, *, name: str) -> AsyncIterator["Spine"]:
    """Give a connected `Spine`; wait for the server as long as it takes, close it at the end."""
    spine = Spine(settings, name)
    try:
        await spine.open()
        yield spine
    finally:
        await spine.close()


async def ensure(spine: "Spine") -> None:
    """Make every declared stream, bucket and object store exist, waiting until the server can. Doing it again changes nothing."""
    failing = False
    while True:
        await spine.connection.up.wait()
        try:
            await spine.connection.guard(layout.lay(spine.jetstream))
        except (nats.errors.Error, Unavailable, TimeoutError, OSError) as error:
            if not failing:
                log.warning("spine.layout_waits", reason=repr(error))
            failing = True
            await asyncio.sleep(RETRY_S)
            continue
        return


class Spine:
    """A client of the spine on one event loop. Reconnects for ever; see `connect`."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.connection = Connection(settings, name)
        self._in_flight = 0
        self._in_flight_bytes = 0
        self._places = asyncio.Semaphore(HANDLERS)
        self._handling: set[asyncio.Task[None]] = set()
        self._stores: dict[str, ObjectStore] = {}

    async def open(self) -> None:
        """Connect; wait for the server as long as it takes."""
        await self.connection.open()

    async def close(self) -> None:
        """Stop handlers, send what waits, close."""
        for task in self._handling:
            task.cancel()
        await self.connection.close()

    @property
    def connected(self) -> bool:
        """Whether a server answers now."""
        return self.connection.up.is_set()

    @property
    def jetstream(self) -> JetStreamContext:
        """The nats-py context, for management calls."""
        return self.connection.client.jetstream(timeout=10)

    # publish

    async def publish(self, subject: str, payload: bytes, msg_id: str | None = None, *, timeout_s: float = 10.0) -> int:
        """Store a message and return its stream sequence, once the server has it on disk.

        With a `msg_id` a publish that was in flight when the connection broke is repeated until the time is over
        (the stream drops the second copy within its duplicate window); without one it fails at once.
        Raises Unavailable where it is not certain that the message is stored.
        """
        headers = {"Nats-Msg-Id": msg_id} if msg_id else {}
        return await self.store(stream_of(subject), subject, payload, headers, timeout_s=timeout_s, repeatable=msg_id is not None)

    async def store(
        self, stream: str, subject: str, payload: bytes, headers: dict[str, str], *, timeout_s: float = 10.0, repeatable: bool = False
    ) -> int:
        """As `publish`, to a named stream and with headers. Repeatable: storing it twice does no harm."""
        headers["Nats-Expected-Stream"] = stream
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        with self._place(len(payload)):
            while True:
                await self.connection.wait_up(deadline - loop.time())
                try:
                    reply = await self.connection.call(subject, payload, deadline - loop.time(), headers)
                    return _sequence(reply, stream)
                except (SpineDown, NoResponder, StoreRefused) as error:
                    if not repeatable or (isinstance(error, StoreRefused) and self.connected) or loop.time() + RETRY_S >= deadline:
                        raise
                await asyncio.sleep(RETRY_S)

    async def send(self, subject: str, payload: bytes) -> None:
        """Send without storing: whoever listens now gets it, perhaps. Raises SpineDown."""
        await self.connection.send(subject, payload)

    # request and reply

    async def request(self, subject: str, payload: bytes, timeout_s: float = 2.0) -> bytes:
        """Return the first reply. Raises NoResponder at once where nobody listens, SpineTimeout, SpineDown."""
        return (await self.connection.call(subject, payload, timeout_s)).data

    async def request_each(self, subject: str, payload: bytes, timeout_s: float) -> AsyncGenerator[bytes, None]:
        """Yield replies as they come until the caller stops. Raises as `request` when the time is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        async with self.connection.replies() as (inbox, queue):
            await self.connection.send(subject, payload, reply=inbox)
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        message = await queue.get()
                except TimeoutError:
                    raise SpineTimeout(f"no further answer on {subject} within {timeout_s:.1f} s") from None
                if message is None:
                    raise SpineDown("the connection to the spine broke")
                if status(message) == "503":
                    raise NoResponder(f"nobody listens on {subject}")
                yield message.data

    async def serve(self, subject: str, handler: Handler, *, queue: str = "") -> Listening:
        """Answer requests on a subject (wildcards allowed), several at a time. With `queue`, one of the group gets each."""

        async def receive(message: Msg) -> None:
            await self._places.acquire()
            task = asyncio.create_task(self._handle(message, handler))
            self._handling.add(task)
            task.add_done_callback(self._handled)

        return await self.connection.listen(subject, receive, queue)

    async def subscribe(self, subject: str, handler: Callable[[str, bytes], Awaitable[None]]) -> Listening:
        """Receive what is sent on a subject while connected, in order: `handler(subject, payload)`."""

        async def receive(message: Msg) -> None:
            await handler(message.subject, message.data)

        return await self.connection.listen(subject, receive)

    # streams

    def consume(
        self, stream: str, durable: str, subjects: Sequence[str] = (), *, batch: int = 64, ack_wait_s: float = 60.0
    ) -> AsyncGenerator[list[Message], None]:
        """Yield batches, in stream order, that must be acknowledged (`ack`); see `reading.consume`."""
        return reading.consume(self.connection, stream, durable, subjects, batch=batch, ack_wait_s=ack_wait_s)

    def follow(
        self,
        stream: str,
        subjects: Sequence[str] = (),
        *,
        after: int = 0,
        stored_at: datetime | None = None,
        rewound: reading.Rewound | None = None,
        batch: int = 256,
    ) -> AsyncGenerator[list[Message], None]:
        """Yield batches after a sequence, for readers that keep their own place; see `reading.follow`."""
        return reading.follow(self.connection, stream, subjects, after=after, stored_at=stored_at, rewound=rewound, batch=batch)

    async def ack(self, messages: Sequence[Message]) -> None:
        """Acknowledge: the stream's consumer will not deliver them again. Losing an acknowledgement only means a redelivery."""
        for message in messages:
            await self.connection.send(message.reply, b"+ACK")

    async def read_last(self, stream: str, subject: str, count: int) -> list[Message]:
        """Return up to `count` newest messages of a subject (wildcards allowed), newest first."""
        return await reading.read_last(self.connection, stream, subject, count)

    async def stream_state(self, stream: str) -> reading.StreamState:
        """Return what a stream holds now, and which life of the stream it is. Raises Unavailable."""
        return await reading.stream_state(self.connection, stream)

    async def stream_size(self, stream: str) -> tuple[int, int]:
        """Return how many messages and bytes a stream holds. Raises Unavailable."""
        state = await self.stream_state(stream)
        return state.messages, state.bytes

    # buckets and objects

    def bucket(self, bucket: subjects.Bucket) -> KeyValues:
        """Return the key-value bucket."""
        return KeyValues(self.connection, self.store, bucket.name)

    async def put_object(self, name: str, data: bytes | BufferedIOBase, *, bucket: str = subjects.MEDIA, timeout_s: float = 60.0) -> None:
        """Store an object whole, from bytes or the rest of a file; an object of that name is replaced. Raises Unavailable."""
        with _object_errors():
            async with asyncio.timeout(timeout_s):
                await (await self._objects(bucket)).put(name, data)

    async def get_object(self, name: str, *, bucket: str = subjects.MEDIA, timeout_s: float = 60.0) -> bytes | None:
        """Return an object's bytes, checked against its digest; None where there is none. Raises Unavailable."""
        with _object_errors():
            async with asyncio.timeout(timeout_s):
                try:
                    return (await (await self._objects(bucket)).get(name)).data
                except (nats.js.errors.NotFoundError, nats.js.errors.ObjectNotFoundError):
                    return None

    async def delete_object(self, name: str, *, bucket: str = subjects.MEDIA, timeout_s: float = 60.0) -> None:
        """Remove an object; removing what is not there is no error. Raises Unavailable."""
        with _object_errors(), contextlib.suppress(nats.js.errors.NotFoundError):
            async with asyncio.timeout(timeout_s):
                await (await self._objects(bucket)).delete(name)

    async def _objects(self, bucket: str) -> ObjectStore:
        if bucket not in self._stores:
            self._stores[bucket] = await self.jetstream.object_store(bucket)
        return self._stores[bucket]

    # inside

    @contextlib.contextmanager
    def _place(self, size: int) -> Iterator[None]:
        if self._in_flight >= IN_FLIGHT or (self._in_flight and self._in_flight_bytes + size > IN_FLIGHT_BYTES):
            raise SpineDown(f"{self._in_flight} messages ({self._in_flight_bytes >> 20} MiB) wait for the spine already")
        self._in_flight += 1
        self._in_flight_bytes += size
        try:
            yield
        finally:
            self._in_flight -= 1
            self._in_flight_bytes -= size

    async def _handle(self, message: Msg, handler: Handler) -> None:
        async def reply(data: bytes) -> None:
            if message.reply:
                await self.connection.send(message.reply, data)

        try:
            answer = await handler(Request(message.subject, message.data, reply))
            if answer is not None:
                await reply(answer)
        except Exception:  # a process edge: one bad request must not end the service
            log.exception("spine.handler_failed", subject=message.subject)

    def _handled(self, task: asyncio.Task[None]) -> None:
        self._handling.discard(task)
        self._places.release()


def stream_of(subject: str) -> str:
    """Return the name of the declared stream that stores a subject. Raises NoSuchStream."""
    for stream in subjects.STREAMS:
        for pattern in stream.subjects:
            if subject.startswith(pattern.removesuffix(">")):
                return stream.name
    raise NoSuchStream(f"no stream stores {subject!r}")


def _sequence(reply: Msg, stream: str) -> int:
    try:
        ack = msgspec.json.decode(reply.data, type=_PubAck)
    except msgspec.DecodeError as error:
        raise StoreRefused(f"not a confirmation: {reply.data[:80]!r}") from error
    if ack.error is not None:
        raise StoreRefused(f"{ack.error.description} ({ack.error.err_code})")
    if ack.stream != stream or ack.seq == 0:
        raise StoreRefused(f"confirmed by {ack.stream!r} instead of {stream!r}")
    return ack.seq


@contextlib.contextmanager
def _object_errors() -> Iterator[None]:
    try:
        yield
    except (nats.errors.Error, TimeoutError, OSError) as error:
        raise StoreRefused(f"object store: {error}") from error
