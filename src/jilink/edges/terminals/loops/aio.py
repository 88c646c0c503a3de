"""Reads from and writes to many sockets by one system call each: Linux AIO over ctypes (io_submit(2), io_getevents(2)).

On a non-blocking socket such an operation is done, or answered with EAGAIN, before io_submit returns, so nothing is ever under way.
Container runtimes that forbid io_uring allow this.
"""

import ctypes
import errno
import os

import numpy as np

from jilink.edges.terminals.loops.base import Bytes, Int64s
from jilink.edges.terminals.loops.gather import joined

_BLOCK = np.dtype(
    [
        ("data", "u8"), ("key", "u4"), ("rw_flags", "u4"), ("opcode", "u2"), ("priority", "i2"), ("fd", "u4"),
        ("address", "u8"), ("length", "u8"), ("offset", "i8"), ("reserved", "u8"), ("flags", "u4"), ("event_fd", "u4"),
    ]
)  # fmt: skip
"""struct iocb of a little-endian machine (linux/aio_abi.h)."""
_EVENT = np.dtype([("data", "u8"), ("block", "u8"), ("result", "i8"), ("result2", "i8")])
"""struct io_event."""
_READ, _WRITE = 0, 1
AT_ONCE = 2048
"""Operations of one system call; few enough that what they read stays in the processor's cache (fs.aio-max-nr is 65536)."""

_libc = ctypes.CDLL(None, use_errno=True)
_SYSCALLS = {"x86_64": (206, 207, 208, 209), "aarch64": (0, 1, 4, 2)}
"""Numbers of io_setup, io_destroy, io_getevents and io_submit (asm/unistd.h)."""
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long


def _call(*arguments: int) -> int:
    """Call the kernel; negative errno on failure."""
    result = int(_syscall(*(ctypes.c_long(argument) for argument in arguments)))
    return result if result >= 0 else -ctypes.get_errno()


class Aio:
    """One context. Raises OSError where the kernel or the container has no AIO, or none left."""

    def __init__(self, read_bytes: int) -> None:
        numbers = _SYSCALLS.get(os.uname().machine)
        if numbers is None:
            raise OSError(errno.ENOSYS, "no AIO is known for this processor")
        setup, self._destroy, self._get, self._submit = numbers
        context = np.zeros(1, np.uint64)
        result = _call(setup, AT_ONCE, context.ctypes.data)
        if result < 0:
            raise OSError(-result, f"io_setup: {os.strerror(-result)}")
        self._context = int(context[0])
        self._read_bytes = read_bytes
        self._memory: Bytes = np.full(AT_ONCE * read_bytes, 0, np.uint8)  # written, so that no load pays for its pages
        self._events = np.zeros(AT_ONCE, _EVENT)
        self._reading, self._writing = np.zeros(AT_ONCE, _BLOCK), np.zeros(AT_ONCE, _BLOCK)
        for blocks, opcode in ((self._reading, _READ), (self._writing, _WRITE)):
            blocks["opcode"], blocks["data"] = opcode, np.arange(AT_ONCE)
        self._reading["length"] = read_bytes
        self._reading["address"] = self._memory.ctypes.data + np.arange(AT_ONCE, dtype=np.uint64) * np.uint64(read_bytes)
        self._read_list, self._write_list = (
            blocks.ctypes.data + np.arange(AT_ONCE, dtype=np.uint64) * np.uint64(_BLOCK.itemsize)
            for blocks in (self._reading, self._writing)
        )

    def read(self, fds: Int64s) -> tuple[Int64s, list[Bytes]]:
        """Read once from each socket: how many bytes of each (0 at its end, negative errno), and the bytes end to end in parts."""
        results, parts = [], []
        for first in range(0, fds.size, AT_ONCE):
            some = fds[first : first + AT_ONCE]
            self._reading["fd"][: some.size] = some
            result = self._run(self._read_list, some.size)
            results.append(result)
            parts.append(joined(self._memory, self._read_bytes, None, np.maximum(result, 0)))
        return np.concatenate(results), parts

    def write(self, fds: Int64s, buffer: Bytes, starts: Int64s, lengths: Int64s) -> Int64s:
        """Write once to each socket, each at most once in `fds`: how many bytes each took, or a negative errno."""
        results = []
        address, blocks = buffer.ctypes.data, self._writing
        for first in range(0, fds.size, AT_ONCE):
            part = slice(first, first + AT_ONCE)
            count = fds[part].size
            blocks["fd"][:count] = fds[part]
            blocks["address"][:count] = address + starts[part]
            blocks["length"][:count] = lengths[part]
            results.append(self._run(self._write_list, count))
        return np.concatenate(results)

    def close(self) -> None:
        """Give the context back."""
        _call(self._destroy, self._context)

    def _run(self, pointers: np.ndarray, count: int) -> Int64s:
        """Submit the first `count` blocks and return their results in order."""
        results = np.full(count, -errno.EAGAIN, np.int64)
        done = 0
        while done < count:
            submitted = _call(self._submit, self._context, count - done, pointers.ctypes.data + 8 * done)
            if submitted <= 0:  # the first of these was refused outright, such as a descriptor that is closed
                results[done] = submitted or -errno.EAGAIN
                done += 1
                continue
            got = _call(self._get, self._context, submitted, submitted, self._events.ctypes.data, 0)
            if got < 0:
                raise OSError(-got, f"io_getevents: {os.strerror(-got)}")
            events = self._events[:got]
            results[events["data"].astype(np.int64)] = events["result"]
            done += submitted
        return results
