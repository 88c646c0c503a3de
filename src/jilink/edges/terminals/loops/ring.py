"""One io_uring, its entries written and read as numpy columns over the mapped rings (io_uring(7), io_uring_setup(2)).

Memory order: completions are posted only while this thread is inside `enter` (IORING_SETUP_DEFER_TASKRUN), and the system
call orders what was written before it, so plain loads and stores of the ring's heads and tails suffice.
"""

import ctypes
import errno
import mmap
import os

import numpy as np
from numpy.typing import NDArray

from jilink.edges.terminals.loops.base import Bytes, Int64s
from jilink.edges.terminals.loops.gather import joined

ENTRY = np.dtype(
    [
        ("opcode", "u1"), ("flags", "u1"), ("ioprio", "u2"), ("fd", "i4"), ("offset", "u8"), ("address", "u8"), ("length", "u4"),
        ("op_flags", "u4"), ("user_data", "u8"), ("buffer_group", "u2"), ("personality", "u2"), ("splice_fd", "i4"),
        ("address3", "u8"), ("pad", "u8"),
    ]
)  # fmt: skip
"""struct io_uring_sqe (linux/io_uring.h)."""
COMPLETION = np.dtype([("user_data", "u8"), ("result", "i4"), ("flags", "u4")])
"""struct io_uring_cqe."""
_BUFFER = np.dtype([("address", "u8"), ("length", "u4"), ("id", "u2"), ("reserved", "u2")])
"""struct io_uring_buf; the ring's tail lies in `reserved` of the first."""

OP_POLL_ADD, OP_ACCEPT, OP_SEND, OP_RECV = 6, 13, 26, 27
ENTRY_BUFFER_SELECT = 1 << 5
POLL_MULTISHOT, ACCEPT_MULTISHOT, RECV_MULTISHOT = 1, 1, 2
COMPLETION_HAS_BUFFER, COMPLETION_MORE, BUFFER_SHIFT = 1, 2, 16

_SYS_SETUP, _SYS_ENTER, _SYS_REGISTER = 425, 426, 427
_SETUP_CQSIZE, _SETUP_CLAMP, _SETUP_R_DISABLED, _SETUP_SUBMIT_ALL = 1 << 3, 1 << 4, 1 << 6, 1 << 7
_SETUP_SINGLE_ISSUER, _SETUP_DEFER_TASKRUN = 1 << 12, 1 << 13
_ENTER_GETEVENTS, _ENTER_EXT_ARG = 1, 8
_REGISTER_ENABLE_RINGS, _REGISTER_BUFFER_RING = 12, 22
_OFFSET_ENTRIES = 0x10000000
_WORD = 0xFFFFFFFF

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _syscall(*arguments: int) -> int:
    """Call the kernel; negative errno on failure."""
    result = int(_libc.syscall(*(ctypes.c_long(argument) for argument in arguments)))
    return result if result >= 0 else -ctypes.get_errno()


class Ring:
    """A submission and a completion queue, and one ring of receive buffers (group 0).

    May be made in one thread and used in another: the first to enter owns it. Raises OSError where the kernel or the
    container forbids it or is too old (needs Linux 6.1).
    """

    def __init__(self, entries: int, completions: int, buffers: int, buffer_bytes: int) -> None:
        setup = np.zeros(30, np.uint32)  # struct io_uring_params: 10 words, then the offsets of both rings
        setup[1] = completions
        setup[2] = _SETUP_CQSIZE | _SETUP_CLAMP | _SETUP_R_DISABLED | _SETUP_SUBMIT_ALL | _SETUP_SINGLE_ISSUER | _SETUP_DEFER_TASKRUN
        self._fd = _syscall(_SYS_SETUP, entries, setup.ctypes.data)
        if self._fd < 0:
            raise OSError(-self._fd, f"io_uring_setup: {os.strerror(-self._fd)}")
        self.entries, self._completions = int(setup[0]), int(setup[1])
        sub, com = setup[10:20].astype(int).tolist(), setup[20:30].astype(int).tolist()
        size = max(com[5] + self._completions * COMPLETION.itemsize, sub[6] + self.entries * 4)
        self._rings = mmap.mmap(self._fd, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
        self._entry_map = mmap.mmap(
            self._fd, self.entries * ENTRY.itemsize, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE, offset=_OFFSET_ENTRIES
        )
        words = np.frombuffer(self._rings, np.uint32, size // 4)
        self._sub_head, self._sub_tail = words[sub[0] // 4 :][:1], words[sub[1] // 4 :][:1]
        self._com_head, self._com_tail = words[com[0] // 4 :][:1], words[com[1] // 4 :][:1]
        words[sub[6] // 4 :][: self.entries] = np.arange(self.entries)  # entry k stands at place k, always
        self._queue = np.frombuffer(self._entry_map, ENTRY, self.entries)
        self._done = np.frombuffer(self._rings, COMPLETION, self._completions, com[5])
        self._timeout = np.zeros(2, np.int64)
        self._argument = np.zeros(3, np.uint64)
        self._argument[2] = self._timeout.ctypes.data
        self._enabled = False
        self._stash: list[NDArray[np.void]] = []
        try:
            self._provide(buffers, buffer_bytes)
        except OSError:
            os.close(self._fd)
            raise

    def _provide(self, buffers: int, buffer_bytes: int) -> None:
        self.buffer_bytes = buffer_bytes
        self._buffer_map = mmap.mmap(-1, buffers * _BUFFER.itemsize)
        self._buffers = np.frombuffer(self._buffer_map, _BUFFER)
        self._buffer_tail = np.frombuffer(self._buffer_map, np.uint16)[7:8]
        self._given = 0
        registration = np.zeros(5, np.uint64)
        registration[0], registration[1] = self._buffers.ctypes.data, buffers
        result = _syscall(_SYS_REGISTER, self._fd, _REGISTER_BUFFER_RING, registration.ctypes.data, 1)
        if result < 0:
            raise OSError(-result, f"io_uring buffer ring: {os.strerror(-result)}")
        self._memory: Bytes = np.full(buffers * buffer_bytes, 0, np.uint8)  # written, so that no load pays for its pages
        self.give_back(np.arange(buffers, dtype=np.int64))

    def give_back(self, ids: Int64s) -> None:
        """Return receive buffers to the kernel."""
        places = (self._given + np.arange(ids.size)) & (self._buffers.size - 1)
        self._buffers["address"][places] = self._memory.ctypes.data + (ids * self.buffer_bytes).astype(np.uint64)
        self._buffers["length"][places] = self.buffer_bytes
        self._buffers["id"][places] = ids
        self._given = (self._given + ids.size) & 0xFFFF
        self._buffer_tail[0] = self._given

    def received(self, ids: Int64s, lengths: Int64s) -> Bytes:
        """Return the bytes in these receive buffers end to end, copied."""
        return joined(self._memory, self.buffer_bytes, ids, lengths)

    def push(self, entries: NDArray[np.void]) -> None:
        """Queue operations for the next `enter`, entering at once as often as the queue fills."""
        for start in range(0, entries.size, self.entries):
            part = entries[start : start + self.entries]
            while self._unsubmitted() + part.size > self.entries:
                self.enter(0, 0.0)
                self._stash.append(self._take())
            tail = int(self._sub_tail[0])
            place = tail & (self.entries - 1)
            fit = min(part.size, self.entries - place)
            self._queue[place : place + fit] = part[:fit]
            self._queue[: part.size - fit] = part[fit:]
            self._sub_tail[0] = (tail + part.size) & _WORD

    def submit(self) -> None:
        """Submit what is queued, if anything is."""
        if self._unsubmitted():
            self.enter(0, 0.0)

    def enter(self, at_least: int, timeout_s: float) -> None:
        """Submit everything queued, then wait for `at_least` completions or the time-out."""
        if not self._enabled:
            self._enabled = True
            result = _syscall(_SYS_REGISTER, self._fd, _REGISTER_ENABLE_RINGS, 0, 0)
            if result < 0:
                raise OSError(-result, f"io_uring enable: {os.strerror(-result)}")
        whole = int(timeout_s)
        self._timeout[:] = whole, int((timeout_s - whole) * 1e9)
        while True:
            todo = self._unsubmitted()
            result = _syscall(_SYS_ENTER, self._fd, todo, at_least, _ENTER_GETEVENTS | _ENTER_EXT_ARG, self._argument.ctypes.data, 24)
            if result < 0 and -result not in (errno.ETIME, errno.EINTR, errno.EBUSY, errno.EAGAIN):
                raise OSError(-result, f"io_uring_enter: {os.strerror(-result)}")
            if result < 0 or result >= todo:
                return

    def _unsubmitted(self) -> int:
        return (int(self._sub_tail[0]) - int(self._sub_head[0])) & _WORD

    def reap(self) -> NDArray[np.void]:
        """Return all completions so far, oldest first, copied."""
        if not self._stash:
            return self._take()
        stash, self._stash = self._stash, []
        return np.concatenate((*stash, self._take()))

    def _take(self) -> NDArray[np.void]:
        head, tail = int(self._com_head[0]), int(self._com_tail[0])
        count = (tail - head) & _WORD
        place = head & (self._completions - 1)
        fit = min(count, self._completions - place)
        done = self._done[place : place + fit].copy() if fit == count else np.concatenate((self._done[place:], self._done[: count - fit]))
        self._com_head[0] = tail
        return done

    def close(self) -> None:
        """Close the ring; the kernel cancels what is under way."""
        os.close(self._fd)
