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
    count = phone.size
    if head == _SHORT:
        phone = phone & np.uint64(_SHORT_PHONE)
    width = 1 + head + _BODY + 1 + 1
    rows = np.zeros((count, width), np.uint8)
    rows[:, 0] = rows[:, -1] = DELIMITER
    _put(rows, 1, ">u2", PlatformAnswer.id)
    if head == _LONG:
        _put(rows, 3, ">u2", _BODY | _VERSION_BIT)
        rows[:, 5] = _VERSION
        _put(rows, 6, ">u2", phone_high)
        _put(rows, 8, ">u8", phone)
    else:
        _put(rows, 3, ">u2", _BODY)
        _put(rows, 5, ">u2", (phone >> np.uint64(32)).astype(np.uint16))
        _put(rows, 7, ">u4", phone.astype(np.uint32))
    _put(rows, head - 1, ">u2", serial)
    for name, value in (("reply_serial", reply_serial), ("reply_id", reply_id), ("result", result)):
        field = _FIELDS[name]
        _put(rows, 1 + head + field.offset, field.dtype or ">u1", value)
    inner = rows[:, 1:-1]
    constant = int(np.bitwise_xor.reduce(rows[0, [1, 2, 3, 4] + ([5] if head == _LONG else [])])) if count else 0
    inner[:, -1] = _folded(phone, phone_high if head == _LONG else None, serial, reply_serial, reply_id, result) ^ np.uint8(constant)
    special = rows[:, 1:-1] - np.uint8(_ESCAPE) <= DELIMITER - _ESCAPE
    if not special.any():
        return rows.reshape(-1), np.arange(0, count * width + 1, width)
    marked = np.zeros(rows.shape, np.bool_)
    marked[:, 1:-1] = special
    places = np.flatnonzero(marked)
    flat = rows.reshape(-1)
    out = np.insert(flat, places + 1, flat[places] - np.uint8(_ESCAPE - 1))
    out[places + np.arange(places.size)] = _ESCAPE
    return out, _borders(width + special.sum(axis=1))


def _folded(*columns: NDArray[np.unsignedinteger[Any]] | None) -> NDArray[np.uint8]:
    """Return the exclusive or of all bytes of a row's numbers: all numbers first, then their bytes, which is far quicker than by row."""
    mixed = np.zeros(1, np.uint64)
    for column in columns:
        if column is not None:
            mixed = mixed ^ column
    for bits in (32, 16, 8):
        mixed = mixed ^ mixed >> np.uint64(bits)
    return mixed.astype(np.uint8)


def _put(rows: NDArray[np.uint8], place: int, dtype: str | np.dtype, values: NDArray[np.generic] | int) -> None:
    """Write a column of big-endian numbers into the rows."""
    kind = np.dtype(dtype)
    numbers = np.empty((rows.shape[0], 1), kind)
    numbers[:, 0] = values
    rows[:, place : place + kind.itemsize] = numbers.view(np.uint8)


def _borders(lengths: Places) -> Places:
    borders = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=borders[1:])
    return borders
