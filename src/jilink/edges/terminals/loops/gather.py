"""Bytes out of slots of equal size, end to end."""

import numpy as np

from jilink.edges.terminals.loops.base import Bytes, Int64s

_SPARSE = 6
"""From this ratio of the longest to the mean on, the bytes are picked one by one."""
_PICKED_AT_ONCE = 4096


def joined(memory: Bytes, slot_bytes: int, slots: Int64s | None, lengths: Int64s) -> Bytes:
    """Return the first `lengths[k]` bytes of slot `slots[k]`, or of slot k where None, for every k, end to end, copied.

    Whole rows are masked rather than bytes picked: numpy copies each run of a mask at once.
    """
    count, total = lengths.size, int(lengths.sum())
    if not total:
        return np.zeros(0, np.uint8)
    widest = int(lengths.max())
    if widest * count > _SPARSE * total:
        return _picked(memory, slot_bytes, np.arange(count) if slots is None else slots, lengths, total)
    if slots is None:
        rows = np.ndarray((count, widest), np.uint8, memory, strides=(slot_bytes, 1))
    else:
        every = np.ndarray((memory.size // slot_bytes,), f"V{widest}", memory, strides=(slot_bytes,))
        rows = every[slots].view(np.uint8).reshape(count, widest)
    return rows[np.arange(widest, dtype=np.uint32) < lengths.astype(np.uint32)[:, None]]


def _picked(memory: Bytes, slot_bytes: int, slots: Int64s, lengths: Int64s, total: int) -> Bytes:
    out = np.empty(total, np.uint8)
    filled = 0
    for start in range(0, slots.size, _PICKED_AT_ONCE):
        part = lengths[start : start + _PICKED_AT_ONCE]
        ends = np.cumsum(part)
        places = np.arange(int(ends[-1]))
        places += np.repeat(slots[start : start + _PICKED_AT_ONCE] * slot_bytes - (ends - part), part)
        np.take(memory, places, out=out[filled : filled + places.size], mode="clip")
        filled += places.size
    return out
