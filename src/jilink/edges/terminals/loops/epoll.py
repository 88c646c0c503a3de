"""The loop on epoll: one system call a read and a write, works everywhere."""

import errno
import os
import select
import socket
import time
from collections.abc import Callable, Sequence

import numpy as np

from jilink.edges.terminals.loops.base import Bytes, Int64s, Limits, Peer, Reads, UInt32s, empty_reads
from jilink.edges.terminals.loops.connections import DOOMED, ENDED, OPEN, Connections, close_quietly, contiguous, plain_address

_MOST_EVENTS = 16384
_MOST_ACCEPTS = 2048
_MOST_ROUNDS = 16
OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Accept failures that pass by themselves once connections close (accept(2))."""


class EpollLoop:
    """See `Loop`. Level-triggered, so that nothing is forgotten when a read stops early (epoll(7))."""

    name = "epoll"

    def __init__(self, limits: Limits, reason: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.reason = reason
        self._limits = limits
        self._clock = clock
        self._table = Connections(limits)
        self.generation: UInt32s = self._table.generation
        self.counters = self._table.counters
        self._epoll = select.epoll()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake_fd, select.EPOLLIN)
        self._listeners: dict[int, socket.socket] = {}
        self._special = {self._wake_fd}
        self._paused: list[tuple[float, int]] = []
        self._read_bytes = 4 * limits.receive_bytes
        self._loaded = False
        self._down = False

    def add_listener(self, sock: socket.socket) -> None:
        """See `Loop.add_listener`."""
        sock.setblocking(False)
        self._listeners[sock.fileno()] = sock
        self._special.add(sock.fileno())
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def adopt(self, sock: socket.socket, peer: Peer | None = None) -> int:
        """See `Loop.adopt`."""
        sock.setblocking(False)
        fd = sock.detach()
        self._begin(fd, peer)
        return fd

    def poll(self, timeout_s: float) -> Reads:
        """See `Loop.poll`."""
        now = self._clock()
        for fd in self._table.due(now):
            self._bury(fd)
        self._resume_accepting(now)
        events = self._wait(0.0 if self._table.has_news() else timeout_s)
        ready = [fd for fd, mask in events if mask == select.EPOLLIN]
        woken = False
        writable: list[int] = []
        if len(ready) != len(events):
            writable = [fd for fd, mask in events if mask & select.EPOLLOUT]
            ready = [fd for fd, mask in events if mask & ~select.EPOLLOUT]
        if not self._special.isdisjoint(ready):
            woken = self._serve_special(self._special.intersection(ready))
            ready = [fd for fd in ready if fd not in self._special]
        reads = self._read(ready) if ready else None
        for fd in writable:
            self._flush(fd)
        opened, closed = self._table.report()
        self._loaded = bool(events)
        if reads is None:
            return empty_reads(opened, closed, woken)
        return Reads(*reads, opened, np.array(closed, np.int64), woken)

    def send(self, fds: Int64s, generations: UInt32s, buffer: Bytes, starts: Int64s, lengths: Int64s) -> None:
        """See `Loop.send`."""
        fds, starts, lengths = self._table.rows_to_send(fds, generations, starts, lengths)
        content = contiguous(buffer).tobytes()
        queues, write = self._table.queues, os.write
        rows = zip(fds.tolist(), starts.tolist(), (starts + lengths).tolist(), strict=True)
        while True:
            fd, start, end = -1, 0, 0
            try:
                for fd, start, end in rows:
                    done = 0 if fd in queues else write(fd, content[start:end])
                    if done != end - start:
                        self._owe(fd, content[start + done : end])
                break
            except BlockingIOError:
                self._owe(fd, content[start:end])
            except OSError:
                self._break(fd)
        self.counters.bytes_out += int(lengths.sum())

    def close(self, fds: Int64s) -> None:
        """See `Loop.close`."""
        for fd in fds.tolist():
            if self._table.state[fd] in (OPEN, ENDED):
                self._epoll.unregister(fd)
                self._bury(fd)
            elif self._table.state[fd] == DOOMED and fd in self._table.ended:
                self._table.ended.remove(fd)

    def wake(self) -> None:
        """See `Loop.wake`."""
        if not self._down:
            os.eventfd_write(self._wake_fd, 1)

    def peer(self, fd: int) -> Peer:
        """See `Loop.peer`."""
        return self._table.peer(fd)

    def connections(self) -> int:
        """See `Loop.connections`."""
        return self._table.open_count

    def stop_accepting(self) -> None:
        """See `Loop.stop_accepting`."""
        for listener in self._listeners.values():
            listener.close()
        self._special = {self._wake_fd}
        self._listeners, self._paused = {}, []

    def shutdown(self) -> None:
        """See `Loop.shutdown`."""
        self._down = True
        self.stop_accepting()
        close_quietly(self._table.every())
        self._epoll.close()
        os.close(self._wake_fd)

    def _wait(self, timeout_s: float) -> list[tuple[int, int]]:
        """Under load let sockets collect for a moment rather than wake for each message; otherwise wait for the first."""
        if self._loaded and timeout_s > 0 and self._limits.gather_s > 0:
            pause = min(self._limits.gather_s, timeout_s)
            time.sleep(pause)
            if events := self._epoll.poll(0, _MOST_EVENTS):
                return events
            timeout_s -= pause
        return self._epoll.poll(max(timeout_s, 0.0), _MOST_EVENTS)

    def _begin(self, fd: int, peer: Peer | None) -> None:
        if not self._table.open(fd, peer):
            os.close(fd)
            return
        self.counters.accepted += 1
        self._epoll.register(fd, select.EPOLLIN)

    def _serve_special(self, ready: set[int]) -> bool:
        for fd in ready - {self._wake_fd}:
            self._accept(self._listeners[fd])
        if self._wake_fd in ready:
            os.eventfd_read(self._wake_fd)
            return True
        return False

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_MOST_ACCEPTS):
            try:
                connection, address = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in OUT_OF_DESCRIPTORS:
                    self.counters.accepts_paused += 1
                    self._epoll.unregister(listener.fileno())
                    self._paused.append((self._clock() + self._limits.accept_pause_s, listener.fileno()))
                    return
                continue  # this caller is gone already; the next may not be (accept(2), ECONNABORTED)
            connection.setblocking(False)
            self._begin(connection.detach(), plain_address(address))

    def _resume_accepting(self, now: float) -> None:
        while self._paused and self._paused[0][0] <= now:
            self._epoll.register(self._paused.pop(0)[1], select.EPOLLIN)

    def _read(self, ready: Sequence[int]) -> tuple[Int64s, Int64s, Bytes] | None:
        fds: list[int] = []
        chunks: list[bytes] = []
        size = self._read_bytes
        for _ in range(_MOST_ROUNDS):
            took = self._read_once(ready)
            if not all(took):
                ready = [fd for fd, chunk in zip(ready, took, strict=True) if chunk]
                took = [chunk for chunk in took if chunk]
            fds += ready
            chunks += took
            if not took or max(map(len, took)) < size:
                break
            ready = [fd for fd, chunk in zip(ready, took, strict=True) if len(chunk) == size]
        if not chunks:
            return None
        data = np.frombuffer(bytearray().join(chunks), np.uint8)
        self.counters.reads += len(chunks)
        self.counters.bytes_in += data.size
        return np.array(fds, np.int64), np.fromiter(map(len, chunks), np.int64, len(chunks)), data

    def _read_once(self, ready: Sequence[int]) -> list[bytes]:
        """Return one chunk for each ready descriptor, empty where none came; connections at their end are finished."""
        chunks: list[bytes] = []
        silent: dict[int, bool] = {}
        rest = iter(ready)
        read, size = os.read, self._read_bytes
        while True:
            fd = -1
            try:
                for fd in rest:
                    chunks.append(read(fd, size))
                break
            except BlockingIOError:
                silent[fd] = False
            except OSError:
                silent[fd] = True
            chunks.append(b"")
        if not all(chunks):
            for fd, chunk in zip(ready, chunks, strict=True):
                if not chunk and silent.get(fd, True):
                    self._finish(fd, broken=fd in silent)
        return chunks

    def _finish(self, fd: int, *, broken: bool) -> None:
        """No more will be read from this descriptor."""
        if broken or self._table.state[fd] == ENDED:
            self._break(fd)
        elif self._table.state[fd] == OPEN:
            self._table.end(fd, self._clock())
            self._epoll.modify(fd, select.EPOLLOUT if fd in self._table.queues else 0)

    def _break(self, fd: int) -> None:
        if self._table.state[fd] in (OPEN, ENDED):
            self.counters.resets += int(self._table.state[fd] == OPEN)
            self._epoll.unregister(fd)
            self._table.doom(fd)

    def _bury(self, fd: int) -> None:
        os.close(fd)
        self._table.forget(fd)

    def _owe(self, fd: int, rest: bytes) -> None:
        if self._table.state[fd] not in (OPEN, ENDED):
            return
        first = fd not in self._table.queues
        if not self._table.owe(fd, rest):
            self._epoll.unregister(fd)
            self._table.doom(fd)
        elif first:
            self._epoll.modify(fd, select.EPOLLOUT | (select.EPOLLIN if self._table.state[fd] == OPEN else 0))

    def _flush(self, fd: int) -> None:
        queue = self._table.queues.get(fd)
        if queue is None or self._table.state[fd] not in (OPEN, ENDED):
            return
        try:
            del queue[: os.write(fd, queue)]
        except BlockingIOError:
            return
        except OSError:
            self._break(fd)
            return
        if not queue:
            del self._table.queues[fd]
            self._epoll.modify(fd, select.EPOLLIN if self._table.state[fd] == OPEN else 0)
