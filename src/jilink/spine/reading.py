"""Reading streams by pull: in order, through restarts of either side.

Own loop over the pull protocol (NATS ADR-13, "Pull Subscribe internals") instead of nats-py's `fetch`, which turns every
wait into errors and cannot see that a server has forgotten the consumer. A reader asks for a number of messages, tops the
order up when half of them have come, and starts over when the server's heartbeats stop or the connection was renewed.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js import api

from jilink.kernel.errors import Unavailable
from jilink.spine.connection import Connection, SpineDown, status

log = structlog.get_logger(__name__)
HEARTBEAT_S = 2.0
SILENCE_S = 6.0
EXPIRES_S = 30.0
RETRY_S = 0.2
NO_PLACE = 20_000
"""How many messages a durable consumer may have delivered without acknowledgement."""


class StreamMissing(Unavailable):
    """The stream does not exist (yet): `ensure` creates it."""


class _Lost(Exception):
    """The server stopped serving this consumer: make it anew."""


@dataclass(frozen=True, slots=True)
class Message:
    """One stored message. `sequence` is its place in the stream, `pending` how many of the reader's messages follow."""

    subject: str
    data: bytes
    sequence: int
    time: datetime
    headers: dict[str, str]
    delivered: int
    pending: int
    order: int
    reply: str


@dataclass(frozen=True, slots=True)
class StreamState:
    """What a stream holds. `life` changes when the stream is made anew: sequences of different lives do not compare."""

    life: str
    first: int
    last: int
    messages: int
    bytes: int


SAME_MOMENT = timedelta(milliseconds=2)
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")
Rewound = Callable[[int], Awaitable[None]]
"""Told the sequence after which reading goes on because the stream has lost what came later."""
Prepare = Callable[[int], Awaitable[tuple[str, int, int]]]
"""Make the consumer that goes on after a sequence (0: from the beginning); return its name, how many messages wait and how many it has
delivered so far."""


async def consume(
    connection: Connection, stream: str, durable: str, subjects: Sequence[str] = (), *, batch: int = 64, ack_wait_s: float = 60.0
) -> AsyncGenerator[list[Message], None]:
    """Yield batches that the caller acknowledges when their effect is safe; for ever.

    The consumer is durable: after a restart of the caller or of the server, reading resumes at the oldest message not
    acknowledged, at once and in order; what stays unacknowledged for `ack_wait_s` is delivered again. One reader a durable.
    """
    config = api.ConsumerConfig(
        name=durable,
        durable_name=durable,
        ack_policy=api.AckPolicy.EXPLICIT,
        ack_wait=ack_wait_s,
        max_ack_pending=NO_PLACE,
        filter_subjects=list(subjects) or None,
    )

    async def prepare(_after: int) -> tuple[str, int, int]:
        jetstream = connection.client.jetstream(timeout=10)
        info = await connection.guard(jetstream.add_consumer(stream, config))
        if info.num_ack_pending:  # NATS 2.14: give them again now, not when their time is over
            try:
                await connection.guard(jetstream.reset_consumer(stream, durable))
            except (nats.js.errors.APIError, nats.errors.NoRespondersError):
                log.info("spine.consumer_not_reset", stream=stream, durable=durable)
            info = await connection.guard(jetstream.consumer_info(stream, durable))
        return durable, info.num_pending or 0, info.delivered.consumer_seq if info.delivered else 0

    async with aclosing(_read(connection, stream, prepare, batch)) as batches:
        async for messages in batches:
            if messages:
                yield messages


async def follow(
    connection: Connection,
    stream: str,
    subjects: Sequence[str] = (),
    *,
    after: int = 0,
    stored_at: datetime | None = None,
    rewound: Rewound | None = None,
    batch: int = 256,
    last_per_subject: bool = False,
) -> AsyncGenerator[list[Message], None]:
    """Yield batches of what lies after a sequence, each message once and in order; for ever, nothing to acknowledge.

    For readers that keep their place themselves. The first batch is empty where nothing waits, so that the reader knows it
    is up to date; later `pending` of the last message says how many follow. With `last_per_subject` only the newest of each
    subject comes at the beginning.

    A stream can lose its end (a damaged file, a copy of an older day) and then gives the same numbers to other messages. So whenever
    reading begins, the message at the place must still be the one stored at `stored_at`; otherwise reading goes on after the last message
    that is not newer, and `rewound` is told its sequence before any batch that follows.
    """
    name, place, at = "", after, stored_at

    async def prepare(_last: int) -> tuple[str, int, int]:
        nonlocal name, place, at
        if place:
            kept = await _still_there(connection, stream, place, at)
            if kept != place:
                log.error("spine.stream_lost_its_end", stream=stream, read_up_to=place, goes_on_after=kept)
                place, at = kept, None
                if rewound is not None:
                    await rewound(kept)
        jetstream = connection.client.jetstream(timeout=10)
        policy = api.DeliverPolicy.LAST_PER_SUBJECT if last_per_subject and not place else api.DeliverPolicy.BY_START_SEQUENCE
        name = connection.client.new_inbox().rpartition(".")[2]
        config = api.ConsumerConfig(
            name=name,
            deliver_policy=policy,
            opt_start_seq=place + 1 if policy is api.DeliverPolicy.BY_START_SEQUENCE else None,
            ack_policy=api.AckPolicy.NONE,
            inactive_threshold=120.0,
            mem_storage=True,
            num_replicas=1,
            filter_subjects=list(subjects) or None,
        )
        info = await connection.guard(jetstream.add_consumer(stream, config))
        return name, info.num_pending or 0, 0

    try:
        async with aclosing(_read(connection, stream, prepare, batch)) as batches:
            async for messages in batches:
                if messages:
                    place, at = messages[-1].sequence, messages[-1].time
                yield messages
    finally:
        if name and connection.up.is_set():
            await _forget(connection, stream, name)


async def read_last(connection: Connection, stream: str, subject: str, count: int) -> list[Message]:
    """Return up to `count` newest messages of a subject, newest first. Raises Unavailable.

    Streams are only read forward: the place to begin at is found by bisection over the sequence numbers.
    """
    if count <= 0:
        return []
    state = await stream_state(connection, stream)
    low, high = state.first, state.last + 1  # fewer than `count` at or after `high`
    while low < high:
        middle = (low + high) // 2
        if await _count_from(connection, stream, subject, middle) < count:
            high = middle
        else:
            low = middle + 1
    start = max(low - 1, state.first, 1)  # the last place with `count` or more, else the beginning (an empty stream says 0)
    found: list[Message] = []
    if await _count_from(connection, stream, subject, start):
        async with aclosing(follow(connection, stream, [subject], after=start - 1)) as batches:
            async for messages in batches:
                found += messages
                if not messages or messages[-1].pending == 0:
                    break
    return found[::-1][:count]


async def stream_state(connection: Connection, stream: str) -> StreamState:
    """Return what a stream holds now. Raises Unavailable."""
    try:
        info = await connection.guard(connection.client.jetstream(timeout=10).stream_info(stream))
    except nats.js.errors.NotFoundError as error:
        raise StreamMissing(f"stream {stream} does not exist") from error
    except (nats.errors.Error, TimeoutError) as error:
        raise SpineDown(f"the spine did not describe {stream}: {error}") from error
    life = info.created.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ") if info.created else ""
    return StreamState(life, info.state.first_seq, info.state.last_seq, info.state.messages, info.state.bytes)


async def _count_from(connection: Connection, stream: str, subject: str, sequence: int) -> int:
    """Return how many messages of a subject lie at or after a sequence (direct get of one, NATS ADR-31)."""
    request = json.dumps({"seq": max(sequence, 1), "next_by_subj": subject, "batch": 1}).encode()
    reply = await connection.call(f"$JS.API.DIRECT.GET.{stream}", request, 5.0)
    headers = reply.headers or {}
    if status(reply):
        return 0
    return 1 + int(headers.get("Nats-Num-Pending", "0"))


async def _still_there(connection: Connection, stream: str, sequence: int, at: datetime | None) -> int:
    """Return the sequence where it still names the message stored at that time, else that of the last message that is not newer."""
    state = await stream_state(connection, stream)
    if sequence <= state.last:
        found = await _first_from(connection, stream, sequence)
        if at is None or found is None or found[0] != sequence or abs(found[1] - at) < SAME_MOMENT:
            return sequence
    if at is None:
        return state.last
    low, high = max(state.first, 1) - 1, state.last  # the last one not newer lies between
    while low < high:
        middle = (low + high + 1) // 2
        found = await _first_from(connection, stream, middle)
        if found is None or found[1] > at + SAME_MOMENT:
            high = middle - 1
        else:
            low = found[0]
    return low


async def _first_from(connection: Connection, stream: str, sequence: int) -> tuple[int, datetime] | None:
    """Return sequence and time of the first message at or after a sequence; None where there is none."""
    reply = await connection.call(f"$JS.API.DIRECT.GET.{stream}", json.dumps({"seq": sequence, "next_by_subj": ">"}).encode(), 5.0)
    if status(reply):
        return None
    headers = reply.headers or {}
    return int(headers["Nats-Sequence"]), datetime.fromisoformat(_NANOSECONDS.sub(r"\1", headers["Nats-Time-Stamp"]))


async def _forget(connection: Connection, stream: str, consumer: str) -> None:
    try:
        await connection.guard(connection.client.jetstream(timeout=2).delete_consumer(stream, consumer))
    except (nats.errors.Error, Unavailable, TimeoutError):
        return  # the server drops it by itself after its inactive threshold


async def _read(connection: Connection, stream: str, prepare: Prepare, batch: int) -> AsyncGenerator[list[Message], None]:
    last = 0
    first = True
    while True:
        await connection.up.wait()
        try:
            consumer, waiting, delivered = await prepare(last)
            if first and not waiting:
                yield []
            first = False
            async with aclosing(_pull(connection, stream, consumer, batch, delivered)) as batches:
                async for messages in batches:
                    last = max(last, messages[-1].sequence)
                    yield messages
        except _Lost as reason:
            log.info("spine.reader_renewed", stream=stream, reason=str(reason))
        except (nats.errors.Error, Unavailable, TimeoutError) as error:
            log.warning("spine.reader_waits", stream=stream, reason=repr(error))
            await asyncio.sleep(RETRY_S)


async def _pull(connection: Connection, stream: str, consumer: str, batch: int, delivered: int) -> AsyncGenerator[list[Message], None]:
    """Yield what one consumer delivers until it is lost.

    It counts its deliveries and has one reader, so a gap means that some went elsewhere: to a request that was still on its way when
    the connection broke, and that the client sends again with the next one.
    """
    next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
    terms = {"expires": int(EXPIRES_S * 1e9), "idle_heartbeat": int(HEARTBEAT_S * 1e9)}
    outstanding = 0
    async with connection.replies() as (inbox, queue):
        while True:
            if outstanding <= batch // 2:
                await connection.send(next_subject, json.dumps({"batch": batch - outstanding, **terms}).encode(), reply=inbox)
                outstanding = batch
            arrived = await _arrived(queue)
            messages = []
            for raw in arrived:
                code = status(raw)
                if code:
                    outstanding -= _released(raw, code)
                    continue
                outstanding -= 1
                message = _message(raw)
                delivered += 1
                if message.order != delivered:
                    raise _Lost("a gap in the order")
                messages.append(message)
            if messages:
                yield messages


async def _arrived(queue: asyncio.Queue[Msg | None]) -> list[Msg]:
    try:
        async with asyncio.timeout(SILENCE_S):
            item = await queue.get()
    except TimeoutError:
        raise _Lost("no heartbeat") from None
    arrived: list[Msg] = []
    while True:
        if item is None:
            raise _Lost("the connection was renewed")
        arrived.append(item)
        if queue.empty():
            return arrived
        item = queue.get_nowait()


def _released(message: Msg, code: str) -> int:
    """Return how many ordered messages a status message says will not come. Raises _Lost where the consumer is gone."""
    headers = message.headers or {}
    text = headers.get("Description", "")
    if code == "100":
        return 0
    if code in {"404", "408"} or (code == "409" and "Nats-Pending-Messages" in headers):
        return int(headers.get("Nats-Pending-Messages", "0"))
    raise _Lost(f"{code} {text}")


def _message(raw: Msg) -> Message:
    data = raw.metadata
    return Message(
        subject=raw.subject,
        data=raw.data,
        sequence=data.sequence.stream,
        time=data.timestamp.astimezone(UTC),
        headers=raw.headers or {},
        delivered=data.num_delivered,
        pending=data.num_pending,
        order=data.sequence.consumer,
        reply=raw.reply,
    )
