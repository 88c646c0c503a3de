import queue
import threading
from pathlib import Path

import pytest

from jilink.kernel.settings import Settings
from jilink.spine import subjects
from jilink.spine.bridge import Reply, SpineThread
from jilink.spine.buckets import Change
from jilink.spine.client import NoResponder, SpineDown
from tests.ports import free_port
from tests.spine.server import Server

SUBJECT = subjects.positions("w1")


@pytest.fixture
def bridge(spine_server: Server):
    thread = SpineThread(spine_server.settings, "test", lay_out=True)
    thread.wait_ready(20)
    yield thread
    thread.stop()


def test_a_plain_thread_publishes_and_is_told_when_it_is_stored(bridge: SpineThread) -> None:
    outcomes: queue.Queue[Exception | None] = queue.Queue()
    for number in range(20):
        bridge.publish_soon(SUBJECT, bytes(250_000), f"m{number}", outcomes.put)
    assert [outcomes.get(timeout=20) for _ in range(20)] == [None] * 20
    assert bridge.publish(SUBJECT, b"more", "m20") == 21
    assert bridge.read_last("MEASUREMENTS", SUBJECT, 1)[0].data == b"more"


def test_a_publish_that_cannot_be_stored_is_told_so(bridge: SpineThread, spine_server: Server) -> None:
    spine_server.kill()
    outcomes: queue.Queue[Exception | None] = queue.Queue()
    bridge.publish_soon(SUBJECT, b"x", "m", outcomes.put, timeout_s=0.3)
    assert isinstance(outcomes.get(timeout=10), SpineDown)


def test_a_publish_begun_while_the_server_is_down_is_stored_when_it_is_back(bridge: SpineThread, spine_server: Server) -> None:
    spine_server.kill()
    outcomes: queue.Queue[Exception | None] = queue.Queue()
    bridge.publish_soon(SUBJECT, b"x", "m", outcomes.put, timeout_s=30)
    spine_server.start()
    assert outcomes.get(timeout=30) is None


def test_before_the_server_is_there_calls_fail_and_waiting_is_bounded(tmp_path: Path) -> None:
    thread = SpineThread(Settings(data=tmp_path, nats_port=free_port()), "early")
    with pytest.raises(SpineDown):
        thread.wait_ready(0.2)
    with pytest.raises(SpineDown):
        thread.request("watch.snapshot", b"")
    outcomes: queue.Queue[Exception | None] = queue.Queue()
    thread.publish_soon(SUBJECT, b"x", "m", outcomes.put, timeout_s=60)
    thread.stop()
    assert isinstance(outcomes.get(timeout=5), SpineDown)
    thread.publish_soon(SUBJECT, b"x", "m", outcomes.put)
    assert isinstance(outcomes.get(timeout=5), SpineDown)


def test_a_handler_answers_twice_from_another_thread(bridge: SpineThread) -> None:
    def handler(subject: str, payload: bytes, reply: Reply) -> None:
        def work() -> None:
            reply(b"sent " + payload)
            reply(b"answered " + subject.encode())

        threading.Thread(target=work).start()

    bridge.serve("terminals.command.*", handler)
    bridge.publish(SUBJECT, b"after the subscription")
    replies = bridge.request_each("terminals.command.5", b"now", timeout_s=10)
    assert [next(replies), next(replies)] == [b"sent now", b"answered terminals.command.5"]
    replies.close()
    with pytest.raises(NoResponder):
        bridge.request("terminals.nobody", b"")


def test_a_bucket_is_watched_and_written_from_plain_threads(bridge: SpineThread) -> None:
    changes: queue.Queue[Change] = queue.Queue()
    bridge.put(subjects.ADMISSION, "a", b"1")
    bridge.watch_bucket(subjects.ADMISSION, changes.put)
    first = changes.get(timeout=10)
    assert (first.key, first.value, first.ready) == ("a", b"1", False)
    assert changes.get(timeout=10).ready
    bridge.delete(subjects.ADMISSION, "a")
    assert changes.get(timeout=10).value is None
    assert bridge.get(subjects.ADMISSION, "a") is None


def test_objects_pass_through_the_bridge(bridge: SpineThread) -> None:
    outcomes: queue.Queue[Exception | None] = queue.Queue()
    bridge.put_object_soon("photo/1", bytes(300_000), outcomes.put)
    assert outcomes.get(timeout=10) is None
    assert bridge.get_object("photo/1") == bytes(300_000)
