"""The loop on io_uring: receives, accepts and answers as columns of operations, one system call for thousands."""

import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jilink.edges.terminals.loops import ring as uring
from jilink.edges.terminals.loops.base import Bytes, Int64s, Limits, Peer, Reads, UInt32s, empty_reads
from jilink.edges.terminals.loops.connections import DOOMED, ENDED, FREE, OPEN, Connections, Pace, close_quietly, contiguous, send_now, shut
from jilink.edges.terminals.loops.epoll import OUT_OF_DESCRIPTORS

_RECEIVE, _ACCEPT, _WAKE, _SEND, _WRITABLE = range(5)
_CLOSING = 5
"""State of a descriptor whose receive is still to end; only then may the number be freed."""
_ENTRIES, _COMPLETIONS = 1024, 65536
_AT_ONCE = 4096
"""Completions to ask for where all there are shall come: for fewer the kernel only does so much of what they need (20 for none)."""
_FEW = 16
"""Up to so many rows are sent by one system call each."""
_POLL_IN, _POLL_OUT = 1, 4


@dataclass(slots=True)
class _Sending:
    """Rows under way; holds the buffer until the kernel is done with it."""

    fds: Int64s
    starts: Int64s
    lengths: Int64s
    buffer: Bytes
    left: int


class UringLoop:
    """See `Loop`. Sockets stay in blocking mode: on non-blocking ones a receive answers EAGAIN instead of waiting.

    A send is tried at once and never waits in the kernel (MSG_DONTWAIT); what did not fit is queued as in the epoll loop
    and sent when the socket is writable, so each connection has at most one send under way and order is kept.
    """

    name = "io_uring"

    def __init__(self, limits: Limits, reason: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.reason = reason
        self._limits = limits
        self._clock = clock
        self._table = Connections(limits)
        self.generation: UInt32s = self._table.generation
        self.counters = self._table.counters
        self._ring = uring.Ring(_ENTRIES, _COMPLETIONS, limits.receive_buffers, limits.receive_bytes)
        self._armed: NDArray[np.bool_] = np.zeros(self._table.capacity, np.bool_)
        self._sending: dict[int, _Sending] = {}
        self._busy: set[int] = set()
        self._next_batch = 0
        self._backlog: list[NDArray[np.void]] = []
        self._listeners: dict[int, socket.socket] = {}
        self._paused: list[tuple[float, int]] = []
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._arm_wake()
        self._pace = Pace(limits, self._wake_fd)
        self._down = False

    def add_listener(self, sock: socket.socket) -> None:
        """See `Loop.add_listener`."""
        sock.setblocking(True)
        self._listeners[sock.fileno()] = sock
        self._arm_accept(sock.fileno())

    def adopt(self, sock: socket.socket, peer: Peer | None = None) -> int:
        """See `Loop.adopt`."""
        sock.setblocking(True)
        fd = sock.detach()
        self._begin(np.array([fd], np.int64), peer)
        return fd

    def poll(self, timeout_s: float) -> Reads:
        """See `Loop.poll`."""
        now = self._clock()
        for fd in self._table.due(now):
            self._bury(fd)
        while self._paused and self._paused[0][0] <= now:
            self._arm_accept(self._paused.pop(0)[1])
        done = self._wait(0.0 if self._table.has_news() or self._backlog else timeout_s)
        woken = False
        reads = None
        if done.size:
            kinds = done["user_data"] >> np.uint64(56)
            if kinds.any():
                woken = self._serve_special(done, kinds)
                done = done[kinds == _RECEIVE]
            if done.size:
                reads = self._receive(done)
        self._pace.took(reads[0].size if reads else 0, now)
        opened, closed = self._table.report()
        if reads is None:
            return empty_reads(opened, closed, woken)
        return Reads(*reads, opened, np.array(closed, np.int64), woken)

    def send(self, fds: Int64s, generations: UInt32s, buffer: Bytes, starts: Int64s, lengths: Int64s) -> None:
        """See `Loop.send`."""
        fds, starts, lengths = self._table.rows_to_send(fds, generations, starts, lengths)
        if not fds.size:
            return
        self.counters.bytes_out += int(lengths.sum())
        buffer = contiguous(buffer)
        if fds.size <= _FEW:
            self._send_few(fds, starts, lengths, buffer)
            return
        at_once = self._table.may_go_at_once(fds)
        if self._busy:
            at_once &= ~np.isin(fds, np.array(list(self._busy), np.int64))
        if at_once.all():
            self._start_sending(fds, starts, lengths, buffer)
            return
        self._start_sending(fds[at_once], starts[at_once], lengths[at_once], buffer)
        for row in np.flatnonzero(~at_once).tolist():
            self._owe(int(fds[row]), buffer[starts[row] : starts[row] + lengths[row]].tobytes())

    def close(self, fds: Int64s) -> None:
        """See `Loop.close`."""
        for fd in fds.tolist():
            state = self._table.state[fd]
            if state in (OPEN, ENDED):
                self._let_go(fd)
            elif state == DOOMED and fd in self._table.ended:
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
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # ends the accept under way, which would keep the port
            listener.close()
        self._listeners, self._paused = {}, []

    def shutdown(self) -> None:
        """See `Loop.shutdown`."""
        self._down = True
        self.stop_accepting()
        every = self._table.every()
        for fd in every:
            shut(fd)
        self._ring.enter(0, 0.0)
        self._ring.close()
        close_quietly(every)
        os.close(self._wake_fd)

    def _wait(self, timeout_s: float) -> NDArray[np.void]:
        """Under load let completions collect for a moment rather than wake for each; otherwise wait for the first."""
        self._ring.submit()
        pause = self._pace.gather(timeout_s)
        if pause:
            self._ring.enter(_AT_ONCE, 0.0)
            if (done := self._ring.reap()).size or pause >= timeout_s:
                return done
            timeout_s -= pause
        self._ring.enter(1 if timeout_s > 0 else 0, timeout_s)
        done = self._ring.reap()
        if self._backlog:
            done = np.concatenate((*self._backlog, done))
            self._backlog = []
        return done

    def _tag(self, kind: int, fds: Int64s) -> NDArray[np.uint64]:
        """Name an operation: kind, 24 bits of generation, descriptor; late completions of an earlier owner are thus known."""
        generations = self.generation[fds].astype(np.uint64) & np.uint64(0xFFFFFF)
        return np.uint64(kind << 56) | (generations << np.uint64(32)) | fds.astype(np.uint64)

    def _arm_wake(self) -> None:
        entry = np.zeros(1, uring.ENTRY)
        entry["opcode"], entry["fd"], entry["length"] = uring.OP_POLL_ADD, self._wake_fd, uring.POLL_MULTISHOT
        entry["op_flags"], entry["user_data"] = _POLL_IN, _WAKE << 56
        self._ring.push(entry)

    def _arm_accept(self, listener: int) -> None:
        entry = np.zeros(1, uring.ENTRY)
        entry["opcode"], entry["fd"], entry["ioprio"] = uring.OP_ACCEPT, listener, uring.ACCEPT_MULTISHOT
        entry["op_flags"], entry["user_data"] = socket.SOCK_CLOEXEC, _ACCEPT << 56 | listener
        self._ring.push(entry)

    def _arm(self, fds: Int64s) -> None:
        entries = np.zeros(fds.size, uring.ENTRY)
        entries["opcode"], entries["flags"] = uring.OP_RECV, uring.ENTRY_BUFFER_SELECT
        entries["ioprio"], entries["fd"], entries["user_data"] = uring.RECV_MULTISHOT, fds, self._tag(_RECEIVE, fds)
        self._armed[fds] = True
        self._ring.push(entries)

    def _arm_writable(self, fd: int) -> None:
        entry = np.zeros(1, uring.ENTRY)
        entry["opcode"], entry["fd"], entry["op_flags"] = uring.OP_POLL_ADD, fd, _POLL_OUT
        entry["user_data"] = self._tag(_WRITABLE, np.array([fd], np.int64))
        self._ring.push(entry)

    def _begin(self, fds: Int64s, peer: Peer | None = None) -> None:
        known = [fd for fd in fds.tolist() if self._table.open(fd, peer)]
        close_quietly(set(fds.tolist()) - set(known))
        self.counters.accepted += len(known)
        if known:
            self._arm(np.array(known, np.int64))

    def _serve_special(self, done: NDArray[np.void], kinds: NDArray[np.uint64]) -> bool:
        accepts = done[kinds == _ACCEPT]
        if accepts.size:
            self._accept(accepts)
        sends = done[kinds == _SEND]
        if sends.size:
            self._finish_sending(sends)
        for completion in done[kinds == _WRITABLE]:
            fd = int(completion["user_data"]) & 0xFFFFFFFF
            if completion["user_data"] == self._tag(_WRITABLE, np.array([fd], np.int64))[0]:
                self._flush(fd)
        wakes = done[kinds == _WAKE]
        if not wakes.size:
            return False
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake_fd)
        if not wakes["flags"][-1] & uring.COMPLETION_MORE:
            self._arm_wake()
        return True

    def _accept(self, done: NDArray[np.void]) -> None:
        results = done["result"].astype(np.int64)
        if (results >= 0).any():
            self._begin(results[results >= 0])
        for completion in done[(done["flags"] & uring.COMPLETION_MORE) == 0]:
            listener = int(completion["user_data"]) & 0xFFFFFFFF
            if listener not in self._listeners:
                continue
            if -int(completion["result"]) in OUT_OF_DESCRIPTORS:
                self.counters.accepts_paused += 1
                self._paused.append((self._clock() + self._limits.accept_pause_s, listener))
            else:
                self._arm_accept(listener)

    def _receive(self, done: NDArray[np.void]) -> tuple[Int64s, Int64s, Bytes] | None:
        fds = (done["user_data"] & np.uint64(0xFFFFFFFF)).astype(np.int64)
        results, flags = done["result"].astype(np.int64), done["flags"]
        current = done["user_data"] == self._tag(_RECEIVE, fds)
        over = np.flatnonzero(((flags & uring.COMPLETION_MORE) == 0) & current)
        filled = (flags & uring.COMPLETION_HAS_BUFFER) != 0
        ids = (flags >> uring.BUFFER_SHIFT).astype(np.int64)
        wanted = (results > 0) & filled & current & (self._table.state[fds] == OPEN)
        reads = None
        if wanted.all():
            reads = fds, results, self._ring.received(ids, results)
        elif wanted.any():
            lengths = results[wanted]
            reads = fds[wanted], lengths, self._ring.received(ids[wanted], lengths)
        self._ring.give_back(ids if filled.all() else ids[filled])
        if over.size:
            self._end_receives(fds[over], results[over])
        if reads is not None:
            self.counters.reads += reads[0].size
            self.counters.bytes_in += reads[2].size
        return reads

    def _end_receives(self, fds: Int64s, results: Int64s) -> None:
        """Receives that ended: begin anew where the connection goes on, finish the others."""
        self._armed[fds] = False
        open_now = self._table.state[fds] == OPEN
        no_buffer = results == -errno.ENOBUFS
        self.counters.buffers_exhausted += int(np.count_nonzero(no_buffer))
        goes_on = open_now & ((results > 0) | no_buffer | (results == -errno.EINTR) | (results == -errno.EAGAIN))
        if goes_on.any():
            self._arm(fds[goes_on])
        for fd, result in zip(fds[~goes_on].tolist(), results[~goes_on].tolist(), strict=True):
            if self._table.state[fd] == _CLOSING:
                self._bury(fd)
            elif self._table.state[fd] == OPEN and result == 0:
                self._table.end(fd, self._clock())
            elif self._table.state[fd] == OPEN:
                self._break(fd)

    def _send_few(self, fds: Int64s, starts: Int64s, lengths: Int64s, buffer: Bytes) -> None:
        """Send a few rows by a system call each, which costs less than filling the ring for them."""
        for fd, start, length in zip(fds.tolist(), starts.tolist(), lengths.tolist(), strict=True):
            row = buffer[start : start + length]
            if fd in self._table.queues or fd in self._busy:
                self._owe(fd, row.tobytes())
            elif (result := send_now(fd, row)) != length:
                self._fell_short(fd, row, result)

    def _start_sending(self, fds: Int64s, starts: Int64s, lengths: Int64s, buffer: Bytes) -> None:
        """Try to send these rows, one a connection, and handle what the kernel answers at once."""
        for first in range(0, fds.size, _ENTRIES):
            part = slice(first, first + _ENTRIES)
            rows = _Sending(fds[part], starts[part], lengths[part], buffer, fds[part].size)
            batch = self._next_batch = (self._next_batch + 1) & 0xFFFFFF
            self._sending[batch] = rows
            entries = np.zeros(rows.left, uring.ENTRY)
            entries["opcode"], entries["fd"], entries["length"] = uring.OP_SEND, rows.fds, rows.lengths
            entries["address"] = (buffer.ctypes.data + rows.starts).astype(np.uint64)
            entries["op_flags"] = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
            entries["user_data"] = np.uint64(_SEND << 56 | batch << 32) | np.arange(rows.left, dtype=np.uint64)
            self._ring.push(entries)
            self._ring.enter(0, 0.0)
            done = self._ring.reap()
            sends = (done["user_data"] >> np.uint64(56)) == _SEND
            if not sends.all():
                self._backlog.append(done[~sends])
                done = done[sends]
            self._finish_sending(done)
            if rows.left:  # the completion queue was full: these answers come with the next poll
                self._busy.update(rows.fds.tolist())

    def _finish_sending(self, done: NDArray[np.void]) -> None:
        batches = ((done["user_data"] >> np.uint64(32)) & np.uint64(0xFFFFFF)).astype(np.int64)
        for batch in np.unique(batches).tolist():
            mine = done[batches == batch]
            sending = self._sending[batch]
            sending.left -= mine.size
            if not sending.left:
                del self._sending[batch]
                self._busy.difference_update(sending.fds.tolist()) if self._busy else None
            rows = (mine["user_data"] & np.uint64(0xFFFFFFFF)).astype(np.int64)
            results = mine["result"].astype(np.int64)
            short = np.flatnonzero(results != sending.lengths[rows])
            for row, result in zip(rows[short].tolist(), results[short].tolist(), strict=True):
                start = int(sending.starts[row])
                self._fell_short(int(sending.fds[row]), sending.buffer[start : start + int(sending.lengths[row])], result)

    def _fell_short(self, fd: int, row: Bytes, result: int) -> None:
        if result < 0 and result not in (-errno.EAGAIN, -errno.EINTR):
            self._break(fd)
            return
        later = bytes(self._table.queues.pop(fd, b""))
        self._owe(fd, row[max(result, 0) :].tobytes() + later)

    def _owe(self, fd: int, rest: bytes) -> None:
        if self._table.state[fd] not in (OPEN, ENDED):
            return
        first = fd not in self._table.queues
        if not self._table.owe(fd, rest):
            self._table.doom(fd)
            shut(fd)
        elif first:
            self._arm_writable(fd)

    def _flush(self, fd: int) -> None:
        queue = self._table.queues.pop(fd, None)
        if queue and self._table.state[fd] in (OPEN, ENDED):
            whole = np.frombuffer(bytes(queue), np.uint8)
            row = np.array([fd], np.int64)
            self._start_sending(row, np.zeros(1, np.int64), np.array([whole.size], np.int64), whole)

    def _break(self, fd: int) -> None:
        if self._table.state[fd] in (OPEN, ENDED):
            self.counters.resets += int(self._table.state[fd] == OPEN)
            self._table.doom(fd)
            shut(fd)

    def _bury(self, fd: int) -> None:
        """Close a descriptor at its end, or as soon as its receive has ended (which would keep the socket alive)."""
        if self._armed[fd]:
            self._let_go(fd)
        elif self._table.state[fd] != FREE:
            shut(fd)
            os.close(fd)
            self._table.forget(fd)

    def _let_go(self, fd: int) -> None:
        self._table.queues.pop(fd, None)
        shut(fd)
        if self._armed[fd]:
            self._table.state[fd] = _CLOSING
        else:
            self._bury(fd)
