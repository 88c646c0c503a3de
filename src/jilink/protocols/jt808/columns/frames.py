"""Frames of many connections at once: cut, unescaped, checked, and their headers as columns (JT/T 808-2019, 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jilink.protocols.jt808.columns.carry import DELIMITER, Bytes, Pieces, Places
from jilink.protocols.jt808.frame import MOST_FRAME
from jilink.protocols.wire.columns import at, padded

REASONS = ("", "header", "checksum", "escape", "too-long", "truncated")
"""What `Frames.reason` counts into, by the names the scalar decoder gives; 0 is a good frame."""
_OK, _HEADER_SHORT, _CHECKSUM, _ESCAPE, _TOO_LONG, TRUNCATED = range(len(REASONS))

_ESCAPE_BYTE = 0x7D
_SHORT_HEADER, _LONG_HEADER, _PACKAGE = 12, 17, 4
_LENGTH_BITS, _ENCRYPTION_BITS, _PACKAGE_BIT, _VERSION_BIT = 0x3FF, 0x1C00, 0x2000, 0x4000

_HEADER = np.dtype(
    {
        "names": ["message", "properties", "phone6_high", "phone6_low", "serial6", "phone10_high", "phone10_low", "serial10"],
        "formats": [">u2", ">u2", ">u2", ">u4", ">u2", ">u2", ">u8", ">u2"],
        "offsets": [0, 2, 4, 6, 10, 5, 7, 15],
        "itemsize": _LONG_HEADER + _PACKAGE,
    }
)
"""Both header forms over each other (JT/T 808-2019, table 2; JT/T 808-2013, table 2)."""
_VERSION_AND_PHONE, _VERSION_AT = np.dtype("V11"), 4


@dataclass(frozen=True, slots=True)
class Frames:
    """A row a frame, in order of arrival for each connection; one array a column.

    A terminal's phone is 20 packed digits in two integers, `phone` the last 16 and `phone_high` the first 4, so that the 6 bytes
    of 2011/2013 and the 10 bytes of 2019 give the same numbers. `year` is 2019 or 2013 (which is also 2011). `start` and `end`
    bound the body in `buffer`. `plain` is false for what needs joining or decrypting, `odd_length` where the length in the
    header is not the body's. Where `reason` is not 0 the other columns mean nothing.
    """

    fd: Places
    generation: NDArray[np.uint32]
    message: NDArray[np.uint16]
    serial: NDArray[np.uint16]
    phone: NDArray[np.uint64]
    phone_high: NDArray[np.uint16]
    year: NDArray[np.uint16]
    start: Places
    end: Places
    plain: NDArray[np.bool_]
    odd_length: NDArray[np.bool_]
    reason: NDArray[np.uint8]
    buffer: Bytes
    received: Bytes
    received_start: Places
    received_end: Places

    @property
    def count(self) -> int:
        """How many frames there are, good and bad."""
        return self.fd.size

    def raw(self, row: int) -> bytes:
        """Return a frame as received, with its delimiters."""
        return self.received[self.received_start[row] : self.received_end[row]].tobytes()


def read_frames(pieces: Pieces) -> Frames:
    """Cut pieces at their delimiters into frames. One shared delimiter between frames and empty frames are accepted (4.4.1)."""
    data = pieces.data
    delimiters = np.flatnonzero(data == DELIMITER)
    buffer, borders, broken = _unescape(data, delimiters)
    sizes = np.diff(borders)
    kept = np.flatnonzero(sizes > 1)
    checksums = np.bitwise_xor.reduceat(buffer[: borders[-1]], borders[:-1])[kept] if kept.size else np.zeros(0, np.uint8)
    starts, sizes = borders[kept] + 1, sizes[kept] - 1
    received_start = delimiters[kept]
    if received_start.size == pieces.starts.size and np.array_equal(received_start, pieces.starts):
        fds, generations = pieces.fds, pieces.generations
    else:
        piece = np.searchsorted(pieces.starts, received_start, "right") - 1
        fds, generations = pieces.fds[piece], pieces.generations[piece]
    header = at(buffer, _HEADER, starts)
    properties = header["properties"].astype(np.uint16)
    told = properties & _LENGTH_BITS
    package = (properties & _PACKAGE_BIT) != 0
    extra = 1 + np.where(package, _PACKAGE, 0) if package.any() else 1
    long = _long_headers(buffer, starts, properties, told, sizes - extra)
    head = np.where(long, _LONG_HEADER, _SHORT_HEADER) if long.any() else np.full(1, _SHORT_HEADER)
    body = sizes - extra - head
    reason = np.where(body < 0, np.uint8(_HEADER_SHORT), np.uint8(_OK))
    reason[checksums != DELIMITER] = _CHECKSUM
    if broken is not None:
        reason[broken[kept]] = _ESCAPE
    received_end = delimiters[kept + 1] + 1
    reason[received_end - received_start > MOST_FRAME + 2] = _TOO_LONG
    begin = starts + head + (extra - 1)
    return Frames(
        fd=fds,
        generation=generations,
        message=header["message"].astype(np.uint16),
        serial=_by_form(long, header["serial10"], header["serial6"], np.uint16),
        phone=_short_phone(header) if not long.any() else np.where(long, header["phone10_low"].astype(np.uint64), _short_phone(header)),
        phone_high=_by_form(long, header["phone10_high"], np.zeros(1, ">u2"), np.uint16),
        year=np.where(long, np.uint16(2019), np.uint16(2013)),
        start=begin,
        end=begin + body,
        plain=(properties & (_ENCRYPTION_BITS | _PACKAGE_BIT)) == 0,
        odd_length=body != told,
        reason=reason,
        buffer=buffer,
        received=data,
        received_start=received_start,
        received_end=received_end,
    )


def _unescape(data: Bytes, delimiters: Places) -> tuple[Bytes, Places, NDArray[np.bool_] | None]:
    """Return the padded bytes without escapes, where the delimiters then are, and which stretches held a wrong escape.

    7d 02 stands for 7e and 7d 01 for 7d (4.4.2); two pairs never overlap, so all are replaced at once.
    """
    escapes = np.flatnonzero(data == _ESCAPE_BYTE)
    if not escapes.size:
        return padded(data), delimiters, None
    second = data[escapes + 1]  # never beyond the end: a piece ends with a delimiter
    right = (second == 1) | (second == 2)
    broken = None
    if not right.all():
        broken = np.zeros(delimiters.size, np.bool_)
        broken[np.searchsorted(delimiters, escapes[~right]) - 1] = True
        escapes = escapes[right]
    plain = padded(data)
    plain[escapes] = plain[escapes + 1] + np.uint8(_ESCAPE_BYTE - 1)
    kept = np.ones(plain.size, np.bool_)
    kept[escapes + 1] = False
    return plain[kept], delimiters - np.searchsorted(escapes, delimiters), broken


def _long_headers(
    buffer: Bytes, starts: Places, properties: NDArray[np.uint16], told: NDArray[np.integer[Any]], rest: Places
) -> NDArray[np.bool_]:
    """Return which frames have the 2019 header: those whose version bit says so, but where only the other form fits the length.

    A frame without the bit must also have a version and a decimal phone there, as in the scalar reading.
    """
    long: NDArray[np.bool_] = (properties & _VERSION_BIT) != 0
    misfit = rest - np.where(long, _LONG_HEADER, _SHORT_HEADER) != told
    if misfit.any():
        turns = np.flatnonzero(misfit & (rest - np.where(long, _SHORT_HEADER, _LONG_HEADER) == told))
        believed = (
            at(buffer, _VERSION_AND_PHONE, starts[turns] + _VERSION_AT).view(np.uint8).reshape(turns.size, _VERSION_AND_PHONE.itemsize)
        )
        version, phone = believed[:, 0], believed[:, 1:]
        plausible = (version >= 1) & (version <= 9) & ((phone < 0xA0) & ((phone & 15) < 10)).all(axis=1)
        turns = turns[long[turns] | plausible]
        long[turns] = ~long[turns]
    return long


def _by_form(
    long: NDArray[np.bool_], of_2019: NDArray[np.uint16], of_2013: NDArray[np.uint16], dtype: type[np.uint16]
) -> NDArray[np.uint16]:
    if not long.any():
        return np.broadcast_to(of_2013.astype(dtype), long.shape)
    return np.where(long, of_2019.astype(dtype), of_2013.astype(dtype))


def _short_phone(header: NDArray[np.void]) -> NDArray[np.uint64]:
    phones: NDArray[np.uint64] = header["phone6_high"].astype(np.uint64) << np.uint64(32) | header["phone6_low"].astype(np.uint64)
    return phones


def phone_number(digits: str) -> tuple[int, int]:
    """Return (phone_high, phone) of up to 20 digits (hexadecimal letters, as IMEI-derived phones have, included)."""
    number = int(digits, 16)
    return number >> 64, number & 0xFFFFFFFFFFFFFFFF


def phone_text(phone_high: int, phone: int, year: int) -> str:
    """Return the digits as the header of that year writes them: 20 in 2019, else 12."""
    return f"{phone_high << 64 | phone:0{20 if year == 2019 else 12}x}"
