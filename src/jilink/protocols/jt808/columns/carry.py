"""Whole frames out of reads that end anywhere: what is unfinished waits for its connection's next read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jilink.protocols.jt808.frame import MOST_FRAME, STANDARD

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

DELIMITER = STANDARD.mark
_DELIMITER = bytes((DELIMITER,))


@dataclass(frozen=True, slots=True)
class Stray:
    """Bytes of a connection that belong to no frame: `no-delimiter` before its first frame, `too-long` without an end."""

    fd: int
    generation: int
    reason: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Pieces:
    """Runs of bytes of one connection each, beginning and ending with a delimiter; `data` holds them end to end."""

    data: Bytes
    starts: Places
    fds: Places
    generations: NDArray[np.uint32]
    strays: list[Stray]


class Carry:
    """The unfinished frames of all connections, by descriptor and generation, each at most `limit` bytes."""

    def __init__(self, limit: int = MOST_FRAME) -> None:
        self.limit = limit
        self._held: dict[int, tuple[int, bytes]] = {}
        self._begun: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._waiting: NDArray[np.bool_] = np.zeros(0, np.bool_)

    def forget(self, fds: Places) -> None:
        """Drop what closed connections left unfinished."""
        for fd in fds.tolist():
            if self._held.pop(fd, None):
                self._waiting[fd] = False

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their frame."""
        return sum(len(data) for _, data in self._held.values())

    def cut(self, data: Bytes, fds: Places, generations: NDArray[np.uint32], lengths: Places) -> Pieces:
        """Return the reads as pieces of whole frames. Reads that are whole by themselves, as nearly all are, stay in place."""
        if not fds.size:
            return Pieces(data, fds, fds, generations, [])
        ends = np.cumsum(lengths)
        starts = ends - lengths
        self._reach(int(fds.max()) + 1)
        slow = (data[starts] != DELIMITER) | (data[ends - 1] != DELIMITER) | self._waiting[fds]
        if not slow.any():
            self._begun[fds] = generations + np.uint32(1)
            return Pieces(data, starts, fds, generations, [])
        self._waiting[fds[slow]] = True  # all reads of a connection go one way, so that they stay in order
        slow = self._waiting[fds]
        groups: dict[tuple[int, int], list[bytes]] = {}
        for row in np.flatnonzero(slow).tolist():
            groups.setdefault((int(fds[row]), int(generations[row])), []).append(data[starts[row] : ends[row]].tobytes())
        strays: list[Stray] = []
        joined = [(fd, generation, self._join(fd, generation, b"".join(reads), strays)) for (fd, generation), reads in groups.items()]
        joined = [piece for piece in joined if len(piece[2]) > 1]
        self._begun[fds[~slow]] = generations[~slow] + np.uint32(1)
        lengths = np.concatenate((lengths[~slow], np.array([len(whole) for _, _, whole in joined], np.int64)))
        return Pieces(
            np.concatenate((data[np.repeat(~slow, ends - starts)], np.frombuffer(b"".join(whole for _, _, whole in joined), np.uint8))),
            np.cumsum(lengths) - lengths,
            np.concatenate((fds[~slow], np.array([fd for fd, _, _ in joined], np.int64))),
            np.concatenate((generations[~slow], np.array([generation for _, generation, _ in joined], np.uint32))),
            strays,
        )

    def _reach(self, size: int) -> None:
        if size > self._begun.size:
            more = size + self._begun.size
            self._begun = np.concatenate((self._begun, np.zeros(more, np.uint32)))
            self._waiting = np.concatenate((self._waiting, np.zeros(more, np.bool_)))

    def _join(self, fd: int, generation: int, read: bytes, strays: list[Stray]) -> bytes:
        """Put what is held of a connection before its bytes; return the whole frames and hold the rest."""
        owner, held = self._held.pop(fd, (generation, b""))
        self._waiting[fd] = False
        mark = generation + 1 & 0xFFFFFFFF
        if int(self._begun[fd]) == mark:
            if owner == generation and held:
                read = held + read
            elif not read.startswith(_DELIMITER):
                read = _DELIMITER + read
        else:
            first = read.find(_DELIMITER)
            if first:
                strays.append(Stray(fd, generation, "no-delimiter", read if first < 0 else read[:first]))
            if first < 0:
                return b""
            read = read[first:]
        last = read.rindex(_DELIMITER)
        rest = read[last:]
        self._begun[fd] = mark
        if len(rest) > self.limit:
            strays.append(Stray(fd, generation, "too-long", rest))
            self._begun[fd] = 0  # begin anew at the next delimiter
        elif len(rest) > 1:
            self._held[fd] = (generation, rest)
            self._waiting[fd] = True
        return read[: last + 1]
