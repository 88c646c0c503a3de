"""Columns of the hot path: reads gathered over several polls, and the answers owed for frames."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from jilink.edges.terminals.session import Result
from jilink.protocols.jt808.columns import Frames, encode_answers

Int64s = npt.NDArray[np.int64]
UInt32s = npt.NDArray[np.uint32]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Reads end to end: read k is `lengths[k]` bytes of connection (fds[k], generations[k])."""

    fds: Int64s
    lengths: Int64s
    data: Bytes
    generations: UInt32s


@dataclass(slots=True)
class Window:
    """Gathers the reads of several polls until they are taken."""

    size: int = 0
    _parts: list[Gathered] = field(default_factory=list)

    def add(self, fds: Int64s, lengths: Int64s, data: Bytes, generations: UInt32s) -> None:
        """Add the reads of one poll."""
        self._parts.append(Gathered(fds, lengths, data, generations))
        self.size += data.size

    def take(self) -> Gathered | None:
        """Return what has gathered, None where that is nothing."""
        parts, self._parts, self.size = self._parts, [], 0
        if len(parts) < 2:
            return parts[0] if parts else None
        return Gathered(
            np.concatenate([part.fds for part in parts]),
            np.concatenate([part.lengths for part in parts]),
            np.concatenate([part.data for part in parts]),
            np.concatenate([part.generations for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """General answers that are owed: to whom, and for which message."""

    fds: Int64s
    generations: UInt32s
    phone: npt.NDArray[np.uint64]
    phone_high: npt.NDArray[np.uint16]
    year: npt.NDArray[np.uint16]
    serial: npt.NDArray[np.uint16]
    message: npt.NDArray[np.uint16]

    @classmethod
    def of(cls, frames: Frames, rows: Int64s) -> "Answers":
        """Return the answers owed for these rows. They are copies: the frames may go."""
        return cls(
            frames.fd[rows],
            frames.generation[rows],
            frames.phone[rows],
            frames.phone_high[rows],
            frames.year[rows],
            frames.serial[rows],
            frames.message[rows],
        )

    def encode(self, serials: npt.NDArray[np.uint16], result: Result) -> tuple[Bytes, Int64s]:
        """Return the frames end to end and their borders; `serials` are the platform's own."""
        results = np.full(self.fds.size, int(result), np.uint8)
        return encode_answers(self.phone, self.phone_high, self.year, serials, self.serial, self.message, results)
