"""What a loop remembers of its connections: arrays indexed by descriptor, and queues only for slow readers."""

import contextlib
import ctypes
import math
import os
import resource
import select
import socket
from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from jilink.edges.terminals.loops.base import Bytes, Counters, Int64s, Limits, Peer, UInt32s

FREE, OPEN, ENDED, DOOMED = 0, 1, 2, 3
"""States of a descriptor: nobody's; reading; the peer ended its side and may still collect answers; closed at the next poll."""

_MOST_DESCRIPTORS = 1 << 22

_libc = ctypes.CDLL(None, use_errno=True)
_libc.send.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_libc.send.restype = ctypes.c_ssize_t


class Connections:
    """State, generation and owed bytes of every connection of one loop: nine bytes a descriptor, idle or not."""

    def __init__(self, limits: Limits) -> None:
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.capacity = _MOST_DESCRIPTORS if allowed == resource.RLIM_INFINITY else min(allowed, _MOST_DESCRIPTORS)
        self.limits = limits
        self.counters = Counters()
        self.generation: UInt32s = np.zeros(self.capacity, np.uint32)
        self.state: NDArray[np.uint8] = np.zeros(self.capacity, np.uint8)
        self._first_row: NDArray[np.int32] = np.zeros(self.capacity, np.int32)
        self.open_count = 0
        self.queues: dict[int, bytearray] = {}
        self.opened: list[tuple[int, Peer]] = []
        self.ended: list[int] = []
        self._given_peers: dict[int, Peer] = {}
        self._lingering: deque[tuple[float, int, int]] = deque()
        self._doomed: list[int] = []

    def open(self, fd: int, peer: Peer | None) -> bool:
        """Begin a connection and report it; false where the descriptor is beyond the table (the caller closes it)."""
        if fd >= self.capacity:
            return False
        self.state[fd] = OPEN
        self.open_count += 1
        if peer is not None:
            self._given_peers[fd] = peer
        self.opened.append((fd, peer if peer is not None else peer_of(fd)))
        return True

    def end(self, fd: int, now: float) -> None:
        """The peer sends no more: report it, and keep the descriptor a while for the answers it is owed."""
        self.state[fd] = ENDED
        self.ended.append(fd)
        self._lingering.append((now + self.limits.linger_s, fd, int(self.generation[fd])))

    def doom(self, fd: int) -> None:
        """The connection is broken: report it where that is news, and close the descriptor at the poll after the report."""
        if self.state[fd] == OPEN:
            self.ended.append(fd)
        self.state[fd] = DOOMED
        self.queues[fd] = bytearray()  # so that what is sent meanwhile takes the queue's path, which ends here
        self._doomed.append(fd)

    def forget(self, fd: int) -> None:
        """The descriptor is closed: its number may serve another connection from now on."""
        self.state[fd] = FREE
        self.generation[fd] += 1
        self.open_count -= 1
        self.counters.closed += 1
        self.queues.pop(fd, None)
        self._given_peers.pop(fd, None)
        if self.opened:
            self.opened = [(other, peer) for other, peer in self.opened if other != fd]

    def due(self, now: float) -> list[int]:
        """Return the descriptors to close at the beginning of a poll: doomed and reported ones, and those who lingered enough."""
        unreported = set(self.ended)
        due = [fd for fd in self._doomed if fd not in unreported]
        self._doomed = [fd for fd in self._doomed if fd in unreported]
        while self._lingering and self._lingering[0][0] <= now:
            _, fd, generation = self._lingering.popleft()
            if self.state[fd] == ENDED and self.generation[fd] == generation and fd not in unreported:
                due.append(fd)
        return due

    def report(self) -> tuple[list[tuple[int, Peer]], list[int]]:
        """Return and forget what the next `Reads` has to tell: opened and closed connections."""
        opened, ended = self.opened, self.ended
        self.opened, self.ended = [], []
        return opened, ended

    def has_news(self) -> bool:
        """Whether a poll has something to report without waiting."""
        return bool(self.opened or self.ended)

    def every(self) -> list[int]:
        """Return every descriptor that is not free."""
        return [int(fd) for fd in np.flatnonzero(self.state != FREE)]

    def peer(self, fd: int) -> Peer:
        """Return the other side's address."""
        return self._given_peers.get(fd) or peer_of(fd)

    def owe(self, fd: int, rest: bytes | memoryview) -> bool:
        """Queue what a socket did not take; false where the reader is too slow (the caller dooms it)."""
        queue = self.queues.setdefault(fd, bytearray())
        if len(queue) + len(rest) > self.limits.queue_bytes:
            self.counters.slow_readers += 1
            return False
        queue += rest
        return True

    def may_go_at_once(self, fds: Int64s) -> NDArray[np.bool_]:
        """Return which rows need not wait for an earlier one of the same connection, in `fds` or in its queue."""
        rows = np.arange(fds.size, dtype=np.int32)
        self._first_row[fds[::-1]] = rows[::-1]  # where a connection has several rows the first is written last, and stays
        at_once: NDArray[np.bool_] = self._first_row[fds] == rows
        if self.queues:
            at_once &= ~np.isin(fds, np.array(list(self.queues), np.int64))
        return at_once

    def rows_to_send(self, fds: Int64s, generations: UInt32s, starts: Int64s, lengths: Int64s) -> tuple[Int64s, Int64s, Int64s]:
        """Return (fds, starts, lengths) without rows of gone connections, rows that touch joined to one write."""
        alive = (self.generation[fds] == generations) & (self.state[fds] - np.uint8(OPEN) <= ENDED - OPEN) & (lengths > 0)
        if not alive.all():
            self.counters.answers_dropped += int(alive.size - np.count_nonzero(alive))
            fds, starts, lengths = fds[alive], starts[alive], lengths[alive]
        self.counters.answers += fds.size
        if fds.size > 1:
            joins = (fds[1:] == fds[:-1]) & (starts[1:] == starts[:-1] + lengths[:-1])
            if joins.any():
                first = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), ~joins)))
                lengths = np.add.reduceat(lengths, first)
                fds, starts = fds[first], starts[first]
        return fds, starts, lengths


class Pace:
    """How long to let ready sockets collect under load, by how fast they came since the last poll; a write to `wake_fd` ends it."""

    def __init__(self, limits: Limits, wake_fd: int) -> None:
        self._limits = limits
        self._pause_s = limits.gather_s
        self._polled_at = 0.0
        self._loaded = False
        self._woken = select.poll()
        self._woken.register(wake_fd, select.POLLIN)

    def took(self, reads: int, now: float) -> None:
        """Take note of what a poll brought (`now`: monotonic seconds)."""
        limits = self._limits
        self._loaded = reads > 0
        if reads:
            wanted = (now - self._polled_at) * limits.gather_reads / reads
            self._pause_s = min(max(wanted, limits.gather_s), max(limits.gather_most_s, limits.gather_s))
        self._polled_at = now

    def gather(self, timeout_s: float) -> float:
        """Wait where that is worth it, at most so long; return how long that was to be."""
        if not self._loaded or timeout_s <= 0 or not self._limits.gather_s:
            return 0.0
        pause = min(self._pause_s, timeout_s)
        self._woken.poll(math.ceil(pause * 1e3))
        return pause


def peer_of(fd: int) -> Peer:
    """Ask the kernel who is on the other side; IPv4 addresses mapped into IPv6 are given as IPv4."""
    try:
        sock = socket.socket(fileno=fd)
    except OSError:
        return ("", 0)
    try:
        return plain_address(sock.getpeername())
    except OSError:
        return ("", 0)
    finally:
        sock.detach()


def plain_address(address: object) -> Peer:
    """Return (address, port) of what the socket module calls an address; an IPv4 address mapped into IPv6 as itself, no zone."""
    if not isinstance(address, tuple):
        return ("", 0)
    host, port = address[0], address[1]
    return (str(host).removeprefix("::ffff:").partition("%")[0], int(port))


def contiguous(buffer: Bytes) -> Bytes:
    """Return the buffer as one run of bytes, which ctypes and memoryview can address."""
    return np.ascontiguousarray(buffer, np.uint8)


def close_quietly(fds: Iterable[int]) -> None:
    """Close descriptors whose fate no longer matters."""
    for fd in fds:
        with contextlib.suppress(OSError):
            os.close(fd)


def shut(fd: int) -> None:
    """End both sides of a connection, which makes its pending operations complete."""
    sock = socket.socket(fileno=fd)
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.detach()


def send_now(fd: int, content: Bytes) -> int:
    """Send what a socket takes at once, in blocking mode or not; the number of bytes, or a negative errno."""
    sent = int(_libc.send(fd, content.ctypes.data, content.size, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL))
    return sent if sent >= 0 else -ctypes.get_errno()
