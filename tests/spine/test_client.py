import asyncio
from contextlib import aclosing

import pytest
from structlog.testing import capture_logs

from jilink.kernel.errors import Unavailable
from jilink.spine import subjects
from jilink.spine.client import NoResponder, NoSuchStream, Request, Spine, SpineDown, SpineTimeout, StoreRefused, connect, ensure
from tests.spine.server import Server

EVENT = subjects.event("case", "opened")


async def read(spine: Spine, count: int, **options: int) -> list[bytes]:
    got: list[bytes] = []
    async with asyncio.timeout(20), aclosing(spine.follow("EVENTS", **options)) as batches:
        async for messages in batches:
            got += [message.data for message in messages]
            if len(got) >= count:
                break
    return got


async def test_a_confirmed_message_survives_the_servers_sudden_death(spine: Spine, spine_server: Server) -> None:
    sequence = await spine.publish(EVENT, b"kept", "a")
    spine_server.kill()
    spine_server.start()
    assert sequence == 1
    assert await read(spine, 1) == [b"kept"]


async def test_a_message_with_a_known_id_is_stored_once(spine: Spine, spine_server: Server) -> None:
    first = await spine.publish(EVENT, b"one", "same")
    assert await spine.publish(EVENT, b"one", "same") == first
    spine_server.kill()
    spine_server.start()
    assert await spine.publish(EVENT, b"one", "same") == first
    assert await spine.publish(EVENT, b"two", "other") == first + 1
    assert await read(spine, 2) == [b"one", b"two"]


async def test_a_publish_in_flight_while_the_server_dies_is_confirmed_by_its_successor(spine: Spine, spine_server: Server) -> None:
    await asyncio.to_thread(spine_server.kill)
    late = asyncio.create_task(spine.publish(EVENT, b"late", "late", timeout_s=20))
    await asyncio.sleep(0)
    await asyncio.to_thread(spine_server.start)
    assert await late == 1


async def test_a_publish_without_a_server_fails_in_the_time_given(spine: Spine, spine_server: Server) -> None:
    await asyncio.to_thread(spine_server.kill)
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await spine.publish(EVENT, b"lost", "lost", timeout_s=0.3)


async def test_publishes_that_wait_are_bounded(spine: Spine, spine_server: Server) -> None:
    await asyncio.to_thread(spine_server.kill)
    payload = bytes(7 << 20)
    results = await asyncio.gather(*(spine.publish(EVENT, payload, str(n), timeout_s=0.5) for n in range(64)), return_exceptions=True)
    assert all(isinstance(result, SpineDown) for result in results)
    assert any("wait for the spine already" in str(result) for result in results)


async def test_a_subject_no_stream_stores_is_refused(spine: Spine) -> None:
    with pytest.raises(NoSuchStream):
        await spine.publish("nowhere.at.all", b"")


async def test_a_confirmation_by_another_stream_is_not_believed(spine: Spine) -> None:
    with pytest.raises(StoreRefused):
        await spine.store("FRAMES", EVENT, b"x", {})


async def test_a_request_nobody_listens_to_fails_at_once(spine: Spine) -> None:
    async with asyncio.timeout(1):
        with pytest.raises(NoResponder):
            await spine.request("terminals.command.1", b"", timeout_s=30)


async def test_a_responder_that_stays_silent_is_a_time_out(spine: Spine) -> None:
    async def silent(_request: Request) -> None:
        return None

    await spine.serve("watch.silent", silent)
    with pytest.raises(SpineTimeout):
        await spine.request("watch.silent", b"", timeout_s=0.2)


async def test_a_handler_may_reply_twice_and_serves_several_at_a_time(spine: Spine, spine_server: Server) -> None:
    second_asked = asyncio.Event()

    async def handler(request: Request) -> bytes:
        if request.data == b"first":
            await request.reply(b"sent")
            await second_asked.wait()
            return b"answered"
        second_asked.set()
        return b"quick"

    await spine.serve("terminals.command.*", handler)
    async with connect(spine_server.settings, name="asker") as asker:
        replies = asker.request_each("terminals.command.7", b"first", timeout_s=10)
        assert await anext(replies) == b"sent"
        assert await asker.request("terminals.command.8", b"second") == b"quick"
        assert await anext(replies) == b"answered"
        await replies.aclose()


async def test_a_failing_handler_does_not_end_the_service(spine: Spine) -> None:
    async def handler(request: Request) -> bytes:
        return b"%d" % (10 // int(request.data))

    await spine.serve("watch.divide", handler)
    with pytest.raises(SpineTimeout):
        await spine.request("watch.divide", b"0", timeout_s=0.2)
    assert await spine.request("watch.divide", b"5") == b"2"


async def test_serving_goes_on_after_the_server_was_killed(spine: Spine, spine_server: Server) -> None:
    async def handler(request: Request) -> bytes:
        return request.data

    await spine.serve("watch.echo", handler)
    await asyncio.to_thread(spine_server.kill)
    await asyncio.to_thread(spine_server.start)
    async with asyncio.timeout(20):
        while True:
            try:
                assert await spine.request("watch.echo", b"again") == b"again"
                break
            except Unavailable:
                await asyncio.sleep(0.05)


async def test_ensure_changes_nothing_the_second_time(spine: Spine) -> None:
    await spine.publish(EVENT, b"kept")
    await ensure(spine)
    assert await read(spine, 1) == [b"kept"]


async def test_an_object_is_given_back_whole_and_a_missing_one_is_none(spine: Spine) -> None:
    data = bytes(range(256)) * 4000
    await spine.put_object("photo/1", data)
    assert await spine.get_object("photo/1") == data
    assert await spine.get_object("photo/2") is None
    await spine.delete_object("photo/1")
    assert await spine.get_object("photo/1") is None


async def test_why_the_spine_cannot_be_reached_is_told_once_a_reason(spine_server: Server) -> None:
    spine_server.stop()
    with capture_logs() as told:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            client = Spine(spine_server.settings, "test")
            opening = group.create_task(client.open())
            while not told:
                await asyncio.sleep(0.01)
            spine_server.start()
            await opening
    await client.close()
    reasons = [event["reason"] for event in told if event["event"] == "spine.not_reached"]
    assert reasons and len(reasons) == len(set(reasons))
