"""General answers (0x8001) for many terminals at once, derived from the declared message (JT/T 808-2019, 8.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jilink.protocols.jt808.columns.carry import DELIMITER, Bytes, Places
from jilink.protocols.jt808.general import PlatformAnswer

_ESCAPE = 0x7D
_FIELDS = {field.name: field for field in PlatformAnswer.fixed()}
_BODY = PlatformAnswer.width() or 0
_LONG, _SHORT = 17, 12
_SHORT_PHONE = (1 << 48) - 1
_VERSION_BIT, _VERSION = 0x4000, 1


def encode_answers(
    phone: NDArray[np.uint64],
    phone_high: NDArray[np.uint16],
    year: NDArray[np.uint16],
    serial: NDArray[np.uint16],
    reply_serial: NDArray[np.uint16],
    reply_id: NDArray[np.uint16],
    result: NDArray[np.uint8],
) -> tuple[Bytes, Places]:
    """Return escaped answer frames end to end and their n + 1 borders, in the order of the rows.

    Each is addressed as its terminal writes itself (`Frames.phone`, `phone_high`, `year`); `serial` is the platform's own
    serial number towards that terminal.
    """
    count = phone.size
    long = year == 2019
    if not long.any():
        return _encode(_SHORT, phone, phone_high, serial, reply_serial, reply_id, result)
    if long.all():
        return _encode(_LONG, phone, phone_high, serial, reply_serial, reply_id, result)
    columns = (phone, phone_high, serial, reply_serial, reply_id, result)
    parts = [(rows, *_encode(head, *(column[rows] for column in columns))) for head, rows in ((_SHORT, ~long), (_LONG, long))]
    lengths = np.zeros(count, np.int64)
    for rows, _, borders in parts:
        lengths[rows] = np.diff(borders)
    borders = _borders(lengths)
    out = np.empty(int(borders[-1]), np.uint8)
    mine = np.repeat(long, lengths)
    out[~mine], out[mine] = parts[0][1], parts[1][1]
    return out, borders


def _encode(
    head: int,
    phone: NDArray[np.uint64],
    phone_high: NDArray[np.uint16],
    serial: NDArray[np.uint16],
    reply_serial: NDArray[np.uint16],
    reply_id: NDArray[np.uint16],
    result: NDArray[np.uint8],
) -> tuple[Bytes, Places]:
    """Encode answers of one header form: rows of equal length, then the few escapes that lengthen them."""
    count, width = phone.size, 1 + head + _BODY + 1 + 1
    long = head == _LONG
    row = _Row(count, width)
    row.put(1, 2, PlatformAnswer.id)
    row.put(3, 2, _BODY | (_VERSION_BIT if long else 0))
    if long:
        row.put(5, 1, _VERSION)
        row.put(6, 2, phone_high)
    row.put(8 if long else 5, 8 if long else 6, phone if long else phone & np.uint64(_SHORT_PHONE))
    row.put(head - 1, 2, serial)
    for name, value in (("reply_serial", reply_serial), ("reply_id", reply_id), ("result", result)):
        field = _FIELDS[name]
        row.put(1 + head + field.offset, field.size, value)
    row.put(width - 2, 1, row.exclusive_or())
    row.put(0, 1, DELIMITER)
    row.put(width - 1, 1, DELIMITER)
    rows = row.bytes()
    special = rows - np.uint8(_ESCAPE) <= DELIMITER - _ESCAPE
    special[:, 0] = special[:, -1] = False
    places = np.flatnonzero(special)
    if not places.size:
        return rows.reshape(-1), np.arange(0, count * width + 1, width)
    flat = rows.reshape(-1)
    out = np.insert(flat, places + 1, flat[places] - np.uint8(_ESCAPE - 1))
    out[places + np.arange(places.size)] = _ESCAPE
    return out, _borders(width + np.bincount(places // width, minlength=count))


class _Row:
    """Rows of equal width in words of eight bytes, the first byte highest: a number is put into all rows by a shift and an or."""

    def __init__(self, count: int, width: int) -> None:
        self._width = width
        self._words = np.zeros((-(-width // 8), count), np.uint64)

    def put(self, place: int, size: int, values: NDArray[np.unsignedinteger[Any]] | int) -> None:
        """Write big-endian numbers of `size` bytes at this byte of every row."""
        wide = np.uint64(values) if isinstance(values, int) else values.astype(np.uint64)
        first, last = place // 8, (place + size - 1) // 8
        below = 8 * (8 * (last + 1) - place - size)  # bits of the last word after the number
        self._words[last] |= wide << np.uint64(below)
        if first != last:
            self._words[first] |= wide >> np.uint64(64 - below)

    def exclusive_or(self) -> NDArray[np.uint8]:
        """Return the exclusive or of all bytes of each row."""
        mixed: NDArray[np.uint64] = np.bitwise_xor.reduce(self._words, axis=0)
        for bits in (32, 16, 8):
            mixed ^= mixed >> np.uint64(bits)
        return mixed.astype(np.uint8)

    def bytes(self) -> Bytes:
        """Return the rows as bytes, (count, width)."""
        rows = np.empty((self._words.shape[1], self._words.shape[0]), ">u8")
        rows[:] = self._words.T
        return np.ascontiguousarray(rows.view(np.uint8)[:, : self._width])


def _borders(lengths: Places) -> Places:
    borders = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=borders[1:])
    return borders
