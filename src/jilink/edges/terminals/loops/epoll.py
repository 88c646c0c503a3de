"""The loop on epoll, works everywhere: readiness as columns, reads and writes of many sockets by one system call where AIO is allowed."""

import ctypes
import errno
import math
import os
import select
import socket
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from jilink.edges.terminals.loops.aio import Aio
from jilink.edges.terminals.loops.base import Bytes, Int64s, Limits, Peer, Reads, UInt32s, empty_reads
from jilink.edges.terminals.loops.connections import DOOMED, ENDED, FREE, OPEN, Connections, Pace, close_quietly, contiguous, plain_address

_MOST_EVENTS = 16384
_MOST_ACCEPTS = 2048
_MOST_ROUNDS = 16
_FEW = 16
"""Up to so many sockets are read and written by one system call each."""
_READING = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
_ENDING = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Accept failures that pass by themselves once connections close (accept(2))."""

_EVENT = np.dtype(
    {"names": ["mask", "fd"], "formats": ["u4", "i4"], "offsets": [0, 4], "itemsize": 12}
    if os.uname().machine == "x86_64"
    else {"names": ["mask", "fd"], "formats": ["u4", "i4"], "offsets": [0, 8], "itemsize": 16}
)
"""struct epoll_event, which is packed on x86-64 alone (sys/epoll.h)."""
_libc = ctypes.CDLL(None, use_errno=True)
_libc.epoll_wait.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int)


class EpollLoop:
    """See `Loop`. Connections are edge-triggered, which spares the kernel looking twice at each.

    A read that brings less than was asked for has emptied the socket (epoll(7), question 9); one that brings all is followed by
    another, and a peer's end is told by the event itself, after which reading goes on until it is met.
    """

    name = "epoll"

    def __init__(self, limits: Limits, reason: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.reason = reason
        self._limits = limits
        self._clock = clock
        self._table = Connections(limits)
        self.generation: UInt32s = self._table.generation
        self.counters = self._table.counters
        self._epoll = select.epoll()
        self._events = np.zeros(_MOST_EVENTS, _EVENT)
        self._aio = _aio_or_none(limits.receive_bytes)
        self._unread: list[int] = []
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake_fd, select.EPOLLIN)
        self._listeners: dict[int, socket.socket] = {}
        self._special = {self._wake_fd}
        self._paused: list[tuple[float, int]] = []
        self._pace = Pace(limits, self._wake_fd)
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
        events = self._wait(0.0 if self._table.has_news() or self._unread else timeout_s)
        fds, masks = events["fd"].astype(np.int64), events["mask"]
        woken = False
        writable: list[int] = []
        ending: list[int] = []
        if (masks != select.EPOLLIN).any():
            writable = fds[(masks & select.EPOLLOUT) != 0].tolist()
            ending = fds[(masks & _ENDING) != 0].tolist()
            fds = fds[(masks & ~np.uint32(select.EPOLLOUT)) != 0]
        special = self._table.state[fds] == FREE
        if special.any():
            woken = self._serve_special(set(fds[special].tolist()))
            fds = fds[~special]
        if self._unread:
            fds, self._unread = np.unique(np.concatenate((fds, np.array(self._unread, np.int64)))), []
        reads = self._read(fds, ending) if fds.size else None
        for fd in writable:
            self._flush(fd)
        opened, closed = self._table.report()
        self._pace.took(reads[0].size if reads else 0, now)
        if reads is None:
            return empty_reads(opened, closed, woken)
        return Reads(*reads, opened, np.array(closed, np.int64), woken)

    def send(self, fds: Int64s, generations: UInt32s, buffer: Bytes, starts: Int64s, lengths: Int64s) -> None:
        """See `Loop.send`."""
        fds, starts, lengths = self._table.rows_to_send(fds, generations, starts, lengths)
        self.counters.bytes_out += int(lengths.sum())
        buffer = contiguous(buffer)
        if self._aio is not None and fds.size > _FEW:
            at_once = self._table.may_go_at_once(fds)
            if at_once.all():
                self._send_together(self._aio, fds, starts, lengths, buffer)
                return
            self._send_together(self._aio, fds[at_once], starts[at_once], lengths[at_once], buffer)
            fds, starts, lengths = fds[~at_once], starts[~at_once], lengths[~at_once]
        self._send_each(fds, starts, lengths, buffer)

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
        if self._aio is not None:
            self._aio.close()

    def _wait(self, timeout_s: float) -> NDArray[np.void]:
        """Under load let sockets collect for a moment rather than wake for each message; otherwise wait for the first."""
        pause = self._pace.gather(timeout_s)
        if pause and ((events := self._ready(0.0)).size or pause >= timeout_s):
            return events
        return self._ready(max(timeout_s - pause, 0.0))

    def _ready(self, timeout_s: float) -> NDArray[np.void]:
        """Return what is ready, waiting for the first; nothing after the time-out. Valid until the next call."""
        until = self._clock() + timeout_s
        while True:
            found = int(_libc.epoll_wait(self._epoll.fileno(), self._events.ctypes.data, _MOST_EVENTS, math.ceil(timeout_s * 1e3)))
            if found >= 0:
                return self._events[:found]
            if (number := ctypes.get_errno()) != errno.EINTR:
                raise OSError(number, f"epoll_wait: {os.strerror(number)}")
            timeout_s = max(until - self._clock(), 0.0)

    def _begin(self, fd: int, peer: Peer | None) -> None:
        if not self._table.open(fd, peer):
            os.close(fd)
            return
        self.counters.accepted += 1
        self._epoll.register(fd, _READING)

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

    def _read(self, ready: Int64s, ending: list[int]) -> tuple[Int64s, Int64s, Bytes] | None:
        """Read until each socket is empty (those in `ending` until their end), at most so many times; the rest is for the next poll."""
        fds: list[Int64s] = []
        lengths: list[Int64s] = []
        parts: list[Bytes] = []
        for _ in range(_MOST_ROUNDS):
            results, size, chunks = self._read_once(ready)
            done = np.flatnonzero(results > 0)
            for row in np.flatnonzero(results <= 0).tolist() if done.size < results.size else ():
                if results[row] not in (-errno.EAGAIN, -errno.EINTR):
                    self._finish(int(ready[row]), broken=bool(results[row] < 0))
            if done.size:
                fds.append(ready[done])
                lengths.append(results[done])
                parts += chunks
            more = results >= size
            if ending:
                more |= (results > 0) & np.isin(ready, np.array(ending, np.int64))
            ready = ready[more]
            if not ready.size:
                break
        self._unread = ready.tolist()
        if not parts:
            return None
        reads = np.concatenate(fds), np.concatenate(lengths), np.concatenate(parts)
        self.counters.reads += reads[0].size
        self.counters.bytes_in += reads[2].size
        return reads

    def _read_once(self, ready: Int64s) -> tuple[Int64s, int, list[Bytes]]:
        """Return of one read each: the bytes got, 0 at an end or negative errno; the bytes asked for; and what came, end to end."""
        if self._aio is not None and ready.size > _FEW:
            results, parts = self._aio.read(ready)
            return results, self._limits.receive_bytes, parts
        size = 4 * self._limits.receive_bytes
        results = np.zeros(ready.size, np.int64)
        chunks: list[bytes] = []
        for row, fd in enumerate(ready.tolist()):
            try:
                chunk = os.read(fd, size)
            except OSError as error:
                results[row] = -(error.errno or errno.EIO)
                continue
            results[row] = len(chunk)
            chunks.append(chunk)
        return results, size, [np.frombuffer(bytearray().join(chunks), np.uint8)]

    def _send_together(self, aio: Aio, fds: Int64s, starts: Int64s, lengths: Int64s, buffer: Bytes) -> None:
        """Send one row to each of many sockets."""
        results = aio.write(fds, buffer, starts, lengths)
        short = results != lengths
        for row in np.flatnonzero(short).tolist() if short.any() else ():
            fd, result, start = int(fds[row]), int(results[row]), int(starts[row])
            if result < 0 and result not in (-errno.EAGAIN, -errno.EINTR):
                self._break(fd)
            else:
                self._owe(fd, buffer[start + max(result, 0) : start + int(lengths[row])].tobytes())

    def _send_each(self, fds: Int64s, starts: Int64s, lengths: Int64s, buffer: Bytes) -> None:
        """Send rows by a system call each, in order; a connection may have several."""
        content = memoryview(buffer)  # type: ignore[arg-type]  # -- an array of bytes is a buffer, which numpy's types say from Python 3.12 on
        queues, write = self._table.queues, os.write
        rows = zip(fds.tolist(), starts.tolist(), (starts + lengths).tolist(), strict=True)
        while True:
            fd, start, end = -1, 0, 0
            try:
                for fd, start, end in rows:
                    done = 0 if fd in queues else write(fd, content[start:end])
                    if done != end - start:
                        self._owe(fd, bytes(content[start + done : end]))
                break
            except BlockingIOError:
                self._owe(fd, bytes(content[start:end]))
            except OSError:
                self._break(fd)

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
            self._epoll.modify(fd, select.EPOLLOUT | (_READING if self._table.state[fd] == OPEN else 0))

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
            self._epoll.modify(fd, _READING if self._table.state[fd] == OPEN else 0)


def _aio_or_none(read_bytes: int) -> Aio | None:
    """Return a context for AIO, None where it is forbidden or all the machine's are taken."""
    try:
        return Aio(read_bytes)
    except OSError:
        return None
