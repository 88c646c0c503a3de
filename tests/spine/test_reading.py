import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from jilink.spine import subjects
from jilink.spine.client import Message, Spine, connect
from tests.spine.server import Server

EVENT = subjects.event("case", "opened")


async def publish(spine: Spine, *payloads: bytes, subject: str = EVENT) -> None:
    for payload in payloads:
        await spine.publish(subject, payload, timeout_s=20)


async def consume(spine: Spine, count: int, *, ack: bool = True) -> list[Message]:
    got: list[Message] = []
    async with asyncio.timeout(30), aclosing(spine.consume("EVENTS", "reader", batch=4)) as batches:
        async for messages in batches:
            got += messages
            if ack:
                await spine.ack(messages)
            if len(got) >= count:
                await spine.connection.client.flush()
                return got
    return got


async def test_a_consumer_resumes_after_the_last_acknowledged_message(spine: Spine, spine_server: Server) -> None:
    await publish(spine, b"1", b"2", b"3")
    assert [message.data for message in await consume(spine, 3)] == [b"1", b"2", b"3"]
    await publish(spine, b"4")
    async with connect(spine_server.settings, name="successor") as successor:
        assert [message.data for message in await consume(successor, 1)] == [b"4"]


async def test_what_was_not_acknowledged_comes_again_at_once_and_in_order(spine: Spine, spine_server: Server) -> None:
    await publish(spine, b"1", b"2", b"3", b"4", b"5", b"6")
    assert len(await consume(spine, 6, ack=False)) >= 6
    async with connect(spine_server.settings, name="successor") as successor:
        again = await consume(successor, 6)
    assert [message.data for message in again] == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert [message.sequence for message in again] == [1, 2, 3, 4, 5, 6]


async def test_a_consumer_goes_on_through_the_servers_death(spine: Spine, spine_server: Server) -> None:
    got: list[bytes] = []

    async def read() -> None:
        async with aclosing(spine.consume("EVENTS", "reader", batch=4)) as batches:
            async for messages in batches:
                await spine.ack(messages)
                got.extend(message.data for message in messages)
                if b"5" in got:
                    return

    reading = asyncio.create_task(read())
    await publish(spine, b"1", b"2")
    await asyncio.to_thread(spine_server.kill)
    await asyncio.to_thread(spine_server.start)
    await publish(spine, b"3", b"4", b"5")
    async with asyncio.timeout(30):
        await reading
    assert sorted(set(got)) == [b"1", b"2", b"3", b"4", b"5"]


async def test_a_follower_goes_on_through_the_servers_death_with_each_message_once(spine: Spine, spine_server: Server) -> None:
    got: list[int] = []

    async def read() -> None:
        async with aclosing(spine.follow("EVENTS", after=1)) as batches:
            async for messages in batches:
                got.extend(message.sequence for message in messages)
                if len(got) == 4:
                    return

    await publish(spine, b"1", b"2")
    reading = asyncio.create_task(read())
    await publish(spine, b"3")
    await asyncio.to_thread(spine_server.kill)
    await asyncio.to_thread(spine_server.start)
    await publish(spine, b"4", b"5")
    async with asyncio.timeout(30):
        await reading
    assert got == [2, 3, 4, 5]


async def _lose_the_end(spine: Spine, server: Server) -> list[bytes]:
    """Tear the stream's last file, give lost numbers to new messages, and return what the stream holds then."""
    await asyncio.to_thread(server.kill)
    server.cut("EVENTS", 2500)
    await asyncio.to_thread(server.start)
    await publish(spine, b"n1", b"n2", b"n3", b"n4")
    return [message.data for message in reversed(await spine.read_last("EVENTS", EVENT, 20))]


@pytest.mark.parametrize("reads_meanwhile", [True, False])
async def test_a_follower_misses_nothing_when_a_stream_loses_its_end(spine: Spine, spine_server: Server, reads_meanwhile: bool) -> None:
    got: list[Message] = []
    back: list[int] = []

    async def rewound(sequence: int) -> None:
        back.append(sequence)
        got.append(Message("", b"", sequence, datetime.max.replace(tzinfo=UTC), {}, 0, 0, 0, ""))

    async def read(after: int, stored_at: datetime | None) -> None:
        async with aclosing(spine.follow("EVENTS", after=after, stored_at=stored_at, rewound=rewound)) as batches:
            async for messages in batches:
                got.extend(messages)

    await publish(spine, *(bytes([65 + number]) * 1000 for number in range(6)))
    reader = asyncio.create_task(read(0, None))
    async with asyncio.timeout(20):
        while len(got) < 6:
            await asyncio.sleep(0.01)
    if not reads_meanwhile:
        reader.cancel()
    left = await _lose_the_end(spine, spine_server)
    if not reads_meanwhile:
        reader = asyncio.create_task(read(got[-1].sequence, got[-1].time))
    async with asyncio.timeout(20):
        while got[-1].data != b"n4":
            await asyncio.sleep(0.01)
    reader.cancel()
    assert back == [len(left) - 4]
    assert left[-4:] == [b"n1", b"n2", b"n3", b"n4"]
    assert [message.data for message in got[7:]] == [b"n1", b"n2", b"n3", b"n4"]


async def test_a_follower_of_an_empty_stream_learns_at_once_that_nothing_waits(spine: Spine) -> None:
    async with asyncio.timeout(5), aclosing(spine.follow("EVENTS")) as batches:
        assert await anext(batches) == []


async def test_a_follower_reads_only_its_subjects(spine: Spine) -> None:
    await publish(spine, b"no", subject="events.case.closed")
    await publish(spine, b"yes")
    async with asyncio.timeout(10), aclosing(spine.follow("EVENTS", [EVENT])) as batches:
        assert [message.data for message in await anext(batches)] == [b"yes"]


async def test_the_last_messages_come_newest_first(spine: Spine) -> None:
    for number in range(40):
        await publish(spine, b"%d" % number, subject=f"frames.recorded.{number % 3}")
    last = await spine.read_last("FRAMES", "frames.recorded.1", 3)
    assert [message.data for message in last] == [b"37", b"34", b"31"]
    assert [message.data for message in await spine.read_last("FRAMES", "frames.recorded.*", 2)] == [b"39", b"38"]
    assert len(await spine.read_last("FRAMES", "frames.recorded.0", 100)) == 14
    assert await spine.read_last("FRAMES", "frames.quarantine.0", 5) == []


async def test_reading_the_last_while_the_first_message_of_a_stream_arrives_finds_it_or_nothing(spine: Spine) -> None:
    async def write(stream: str) -> None:
        await spine.stream_state(stream)  # answered just before the reader's own question, so that the message comes right after that
        await spine.send(f"{stream}.a", b"first")

    async def both(stream: str) -> list[bytes]:
        await spine.jetstream.add_stream(name=stream, subjects=[f"{stream}.>"], allow_direct=True)
        _, found = await asyncio.gather(write(stream), spine.read_last(stream, f"{stream}.a", 5))
        return [message.data for message in found]

    async with asyncio.timeout(30):
        assert all(found in ([], [b"first"]) for found in [await both(f"stream{number}") for number in range(10)])
