"""Both socket loops keep the same promises, tested with real sockets."""

import errno
import os
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from jilink.edges.terminals.loops import Limits, Loop, Reads, choose, io_uring_obstacle
from jilink.kernel.errors import Refused

DEADLINE_S = 10.0
LIMITS = Limits(queue_bytes=64 * 1024, linger_s=0.2, accept_pause_s=0.05, receive_buffers=64, receive_bytes=512)


class Harness:
    """A loop with a listener, and everything it has said so far."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = self.listener.getsockname()
        loop.add_listener(self.listener)
        self.opened: list[tuple[int, tuple[str, int]]] = []
        self.closed: list[int] = []
        self.received: dict[int, bytearray] = {}
        self.woken = 0
        self.clients: list[socket.socket] = []

    def client(self) -> socket.socket:
        sock = socket.create_connection(self.address, timeout=DEADLINE_S)
        self.clients.append(sock)
        return sock

    def poll_once(self, timeout_s: float = 0.05) -> Reads:
        reads = self.loop.poll(timeout_s)
        for fd, peer in reads.opened:
            self.opened.append((fd, peer))
            self.received[fd] = bytearray()
        start = 0
        for fd, length in zip(reads.fds.tolist(), reads.lengths.tolist(), strict=True):
            self.received[fd] += reads.data[start : start + length].tobytes()
            start += length
        assert start == reads.data.size
        self.closed += reads.closed.tolist()
        self.woken += reads.woken
        return reads

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not done():
            assert time.monotonic() < deadline, "not reached in time"
            self.poll_once()

    def connect(self, count: int = 1) -> tuple[list[socket.socket], list[int]]:
        """Return clients and, in the same order, the descriptors the loop knows them by."""
        clients = [self.client() for _ in range(count)]
        before = len(self.opened)
        self.until(lambda: len(self.opened) == before + count)
        by_port = {peer[1]: fd for fd, peer in self.opened[before:]}
        return clients, [by_port[client.getsockname()[1]] for client in clients]

    def send(self, *rows: tuple[int, bytes], generations: list[int] | None = None) -> None:
        fds = np.array([fd for fd, _ in rows], np.int64)
        lengths = np.array([len(content) for _, content in rows], np.int64)
        buffer = np.frombuffer(b"".join(content for _, content in rows), np.uint8)
        owners = self.loop.generation[fds] if generations is None else np.array(generations, np.uint32)
        self.loop.send(fds, owners, buffer, np.cumsum(lengths) - lengths, lengths)


@pytest.fixture(params=["epoll", "io_uring"])
def harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    if request.param == "io_uring" and (obstacle := io_uring_obstacle()):
        pytest.fail(f"this machine cannot run the io_uring loop: {obstacle}")
    made = Harness(choose(request.param, LIMITS))
    yield made
    for client in made.clients:
        client.close()
    made.loop.shutdown()


def read_exactly(sock: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = sock.recv(count - len(got))
        assert piece, f"ended after {len(got)} of {count} bytes"
        got += piece
    return got


def test_many_connections_are_read_whole_and_answered_in_order(harness: Harness) -> None:
    clients, fds = harness.connect(200)
    for number, client in enumerate(clients):
        client.sendall(b"~%06d~" % number * 50)
    harness.until(lambda: all(len(harness.received[fd]) == 400 for fd in fds))
    assert all(harness.received[fd] == b"~%06d~" % number * 50 for number, fd in enumerate(fds))
    for turn in range(3):
        harness.send(*((fd, b"answer %03d %d" % (number, turn)) for number, fd in enumerate(fds)))
    for number, client in enumerate(clients):
        assert read_exactly(client, 36) == b"".join(b"answer %03d %d" % (number, turn) for turn in range(3))
    assert harness.loop.connections() == 200


def test_each_connection_is_reported_with_its_peer(harness: Harness) -> None:
    clients, fds = harness.connect(3)
    assert [harness.loop.peer(fd) for fd in fds] == [client.getsockname()[:2] for client in clients]
    assert [dict(harness.opened)[fd] for fd in fds] == [client.getsockname()[:2] for client in clients]


def test_a_long_upload_arrives_unbroken_though_it_fills_every_receive_buffer(harness: Harness) -> None:
    (client,), (fd,) = harness.connect()
    content = os.urandom(3_000_000)
    sender = threading.Thread(target=client.sendall, args=(content,))
    sender.start()
    harness.until(lambda: len(harness.received[fd]) == len(content))
    sender.join()
    assert bytes(harness.received[fd]) == content


@pytest.mark.parametrize("count", [3, 40])
def test_peers_that_speak_and_leave_at_once_are_heard_whole_and_reported(harness: Harness, count: int) -> None:
    clients, fds = harness.connect(count)
    words = {fd: os.urandom(1 + 97 * place) for place, fd in enumerate(fds)}
    words[fds[-1]] = os.urandom(4 * LIMITS.receive_bytes)
    for client, fd in zip(clients, fds, strict=True):
        client.sendall(words[fd])
        client.close()
    harness.until(lambda: sorted(harness.closed) == sorted(fds))
    assert {fd: bytes(harness.received[fd]) for fd in fds} == words


def test_several_rows_for_one_connection_arrive_in_order(harness: Harness) -> None:
    (one, two), (first, second) = harness.connect(2)
    harness.send((first, b"a"), (second, b"x"), (first, b"b"), (first, b"c"), (second, b"y"), (first, b"d"))
    harness.poll_once()
    harness.until(lambda: harness.loop.counters.answers >= 5)
    harness.poll_once()
    assert read_exactly(one, 4) == b"abcd"
    assert read_exactly(two, 2) == b"xy"


def test_a_peer_that_leaves_is_reported_once_and_its_number_can_return(harness: Harness) -> None:
    (client,), (fd,) = harness.connect()
    generation = int(harness.loop.generation[fd])
    client.sendall(b"last words")
    client.close()
    harness.until(lambda: fd in harness.closed)
    assert harness.received[fd] == b"last words"
    assert harness.loop.generation[fd] == generation
    harness.until(lambda: harness.loop.connections() == 0)
    assert harness.loop.generation[fd] == generation + 1
    _, (again,) = harness.connect()
    assert again == fd
    assert harness.closed == [fd]


def test_a_delayed_answer_never_reaches_the_next_owner_of_the_descriptor(harness: Harness) -> None:
    (client,), (fd,) = harness.connect()
    generation = int(harness.loop.generation[fd])
    client.close()
    harness.until(lambda: harness.loop.connections() == 0)
    (stranger,), (same,) = harness.connect()
    assert same == fd
    harness.send((fd, b"for the old owner"), generations=[generation])
    harness.send((fd, b"for the new owner"))
    assert read_exactly(stranger, 17) == b"for the new owner"
    assert harness.loop.counters.answers_dropped == 1


def test_a_peer_that_ended_its_side_still_gets_its_answer(harness: Harness) -> None:
    (client,), (fd,) = harness.connect()
    client.sendall(b"~question~")
    client.shutdown(socket.SHUT_WR)
    harness.until(lambda: fd in harness.closed)
    harness.send((fd, b"~answer~"))
    harness.until(lambda: harness.loop.connections() == 0)
    assert read_exactly(client, 8) == b"~answer~"
    assert client.recv(1) == b""


def test_a_reset_is_reported_and_later_answers_are_dropped(harness: Harness) -> None:
    (client, other), (fd, healthy) = harness.connect(2)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    harness.until(lambda: fd in harness.closed)
    harness.send((fd, b"nobody"), (healthy, b"somebody"))
    assert read_exactly(other, 8) == b"somebody"
    harness.until(lambda: harness.loop.connections() == 1)
    assert harness.loop.counters.resets == 1
    assert harness.closed == [fd]


def test_answers_into_a_connection_that_breaks_meanwhile_harm_no_other(harness: Harness) -> None:
    clients, fds = harness.connect(20)
    for client in clients[:10]:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    for _ in range(3):
        harness.send(*((fd, b"tick") for fd in fds))
    harness.until(lambda: harness.loop.connections() == 10)
    assert all(read_exactly(client, 12) == b"tick" * 3 for client in clients[10:])
    assert sorted(harness.closed) == sorted(fds[:10])


@pytest.mark.parametrize("company", [0, 20])
def test_what_a_socket_does_not_take_at_once_is_sent_later_in_order(harness: Harness, company: int) -> None:
    others, their_fds = harness.connect(company)
    here, there = socket.socketpair()
    there.settimeout(DEADLINE_S)
    harness.clients.append(there)
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    fd = harness.loop.adopt(here, ("192.0.2.7", 99))
    harness.until(lambda: len(harness.opened) == company + 1)
    assert harness.opened[-1] == (fd, ("192.0.2.7", 99))
    pieces = [bytes([number]) * 1000 for number in range(50)]
    for piece in pieces:
        harness.send((fd, piece), *((other, piece[:10]) for other in their_fds))
    got = bytearray()
    there.setblocking(False)
    deadline = time.monotonic() + DEADLINE_S
    while len(got) < 50_000 and time.monotonic() < deadline:
        harness.poll_once(0.001)
        try:
            got += there.recv(700)
        except BlockingIOError:
            continue
    assert got == b"".join(pieces)
    assert all(read_exactly(other, 500) == b"".join(piece[:10] for piece in pieces) for other in others)
    assert harness.closed == []


def test_a_reader_slower_than_the_bound_is_closed_and_counted(harness: Harness) -> None:
    here, there = socket.socketpair()
    harness.clients.append(there)
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    fd = harness.loop.adopt(here)
    harness.until(lambda: bool(harness.opened))
    for _ in range(200):
        harness.send((fd, bytes(1000)))
    harness.until(lambda: fd in harness.closed)
    assert harness.loop.counters.slow_readers == 1
    harness.until(lambda: harness.loop.connections() == 0)


def test_close_delivers_what_was_sent_before_and_is_not_reported(harness: Harness) -> None:
    (client,), (fd,) = harness.connect()
    harness.send((fd, b"goodbye"))
    harness.loop.close(np.array([fd], np.int64))
    assert read_exactly(client, 7) == b"goodbye"
    assert client.recv(1) == b""
    harness.until(lambda: harness.loop.connections() == 0)
    harness.poll_once(0)
    assert harness.closed == []


def test_wake_from_another_thread_ends_a_long_wait(harness: Harness) -> None:
    harness.poll_once(0)
    threading.Timer(0.05, harness.loop.wake).start()
    began = time.monotonic()
    reads = harness.poll_once(DEADLINE_S)
    assert reads.woken
    assert time.monotonic() - began < DEADLINE_S / 2
    harness.loop.wake()
    assert harness.poll_once(0).woken
    assert not harness.poll_once(0).woken


def test_out_of_descriptors_callers_wait_and_are_served_once_some_are_free(harness: Harness) -> None:
    harness.poll_once(0)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    harness.address = listener.getsockname()
    waiting = [harness.client() for _ in range(8)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        harness.loop.add_listener(listener)
        harness.until(lambda: harness.loop.counters.accepts_paused > 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert harness.opened == []
    harness.until(lambda: len(harness.opened) == 8)
    for client in waiting:
        client.sendall(b"still here")
    harness.until(lambda: sum(len(content) for content in harness.received.values()) == 80)


def test_after_stop_accepting_connections_live_and_callers_are_refused(harness: Harness) -> None:
    (client,), (fd,) = harness.connect()
    harness.loop.stop_accepting()
    harness.poll_once(0)
    with pytest.raises(OSError) as refusal:
        socket.create_connection(harness.address, timeout=1)
    assert refusal.value.errno == errno.ECONNREFUSED
    client.sendall(b"alive")
    harness.until(lambda: harness.received[fd] == b"alive")


def test_ipv4_callers_of_an_ipv6_listener_keep_their_ipv4_address(harness: Harness) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.fail("this machine has no dual-stack IPv6, which the gateway's listener needs")
    listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    harness.loop.add_listener(listener)
    client = socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=DEADLINE_S)
    harness.clients.append(client)
    harness.until(lambda: bool(harness.opened))
    assert harness.opened[0][1] == client.getsockname()


def test_connections_cost_only_array_entries(harness: Harness) -> None:
    _, fds = harness.connect(50)
    table = harness.loop
    arrays = [value for value in vars(table).values() if isinstance(value, np.ndarray)]
    arrays += [value for value in vars(vars(table)["_table"]).values() if isinstance(value, np.ndarray)]
    distinct = {array.ctypes.data: array for array in arrays}.values()
    assert sum(array.itemsize for array in distinct) <= 32
    assert len(fds) == 50


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(Refused):
        choose("select")


def test_auto_says_why_it_chose() -> None:
    loop = choose("auto", LIMITS)
    try:
        assert loop.name in ("epoll", "io_uring")
        assert loop.reason
    finally:
        loop.shutdown()
