"""What one address and one device may ask of us, counted in columns so that the hot path pays a few additions a batch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]

WINDOW_S = 10.0
"""Rates are averaged over this long, so that a burst from a terminal's memory passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds in force; 0 means none."""

    connections_per_address: int
    bytes_per_s: int
    frames_per_s: int
    malformed_per_minute: int


class Addresses:
    """Open connections by peer address."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, int] = {}

    def enter(self, address: str) -> bool:
        """Count one more connection. False where the address has as many as it may; then nothing is counted."""
        held = self._open.get(address, 0)
        if self._limit and held >= self._limit:
            return False
        self._open[address] = held + 1
        return True

    def leave(self, address: str) -> None:
        """Count one connection less."""
        held = self._open.get(address, 0) - 1
        if held > 0:
            self._open[address] = held
        else:
            self._open.pop(address, None)


class Rates:
    """Bytes, frames and malformed frames of each descriptor."""

    def __init__(self, limits: Limits, capacity: int) -> None:
        self._limits = limits
        self._bytes = np.zeros(capacity, np.int64)
        self._frames = np.zeros(capacity, np.int64)
        self._malformed = np.zeros(capacity, np.int32)
        self._window = 0.0
        self._minute = 0.0
        self._top = 0

    def open(self, descriptor: int) -> None:
        """Begin to count a new connection."""
        self._top = max(self._top, descriptor + 1)
        self._bytes[descriptor] = self._frames[descriptor] = self._malformed[descriptor] = 0

    def count(self, reads: Int64s, lengths: Int64s, frames: Int64s, malformed: Int64s) -> Int64s:
        """Add one batch and return the descriptors that are over a limit (each once).

        `reads` and `lengths` are the reads, `frames` and `malformed` the descriptor of each frame and of each malformed one.
        """
        limits = self._limits
        np.add.at(self._bytes, reads, lengths)
        np.add.at(self._frames, frames, 1)
        over = np.zeros(reads.size, bool)
        if limits.bytes_per_s:
            over |= self._bytes[reads] > limits.bytes_per_s * WINDOW_S
        if limits.frames_per_s:
            over |= self._frames[reads] > limits.frames_per_s * WINDOW_S
        if malformed.size:
            np.add.at(self._malformed, malformed, 1)
            if limits.malformed_per_minute:
                over |= self._malformed[reads] > limits.malformed_per_minute
        return np.unique(reads[over])

    def malformed(self, descriptor: int) -> bool:
        """Count one malformed frame; True where the device has sent more than it may this minute."""
        self._malformed[descriptor] += 1
        return 0 < self._limits.malformed_per_minute < int(self._malformed[descriptor])

    def tick(self, now: float) -> None:
        """Begin new windows as they fall due (`now`: monotonic seconds)."""
        if now - self._window >= WINDOW_S:
            self._window = now
            self._bytes[: self._top] = 0
            self._frames[: self._top] = 0
        if now - self._minute >= 60.0:
            self._minute = now
            self._malformed[: self._top] = 0


class Budget:
    """A bucket of so many a second, for what may be published about rubbish. Pure: `now` is passed in."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._rate = per_second
        self._burst = burst
        self._left = burst
        self._at = 0.0

    def spend(self, now: float) -> bool:
        """Take one; False where none is left."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) if self._at else self._burst
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
