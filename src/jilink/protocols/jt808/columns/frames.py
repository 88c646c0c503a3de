"""Frames of many connections at once: cut, unescaped, checked, and their headers as columns (JT/T 808-2019, 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jilink.protocols.jt808.columns.carry import DELIMITER, Bytes, Pieces, Places
from jilink.protocols.jt808.frame import MOST_FRAME
from jilink.protocols.wire.columns import at, padded, stretches

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
_BYTES_BELOW = np.array([(1 << 8 * count) - 1 for count in range(8)], np.uint64)
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
    special = np.flatnonzero(data - np.uint8(_ESCAPE_BYTE) <= DELIMITER - _ESCAPE_BYTE)
    marks = data[special] == DELIMITER
    delimiters = special if marks.all() else special[marks]
    kept = np.flatnonzero(np.diff(delimiters) > 1)
    received_start, received_end = delimiters[kept], delimiters[kept + 1] + 1
    starts, ends = received_start + 1, received_end - 1
    if delimiters is special:
        buffer, broken = padded(data), None
    else:
        row = np.zeros(delimiters.size, np.int64)
        row[kept] = np.arange(kept.size)
        gaps = np.cumsum(marks)[~marks] - 1  # the delimiter before each escape
        buffer, gaps, begun, ended, wrong = _unescape(data, delimiters, gaps)
        starts[row[gaps]], ends[row[gaps]] = begun, ended
        broken = row[wrong]
    sizes = ends - starts
    checks = _exclusive_or(buffer, starts, ends)
    fds, generations = _owners(pieces, delimiters, kept)
    header = at(buffer, _HEADER, starts)
    properties = header["properties"].astype(np.uint16)
    told = properties & _LENGTH_BITS
    package = (properties & _PACKAGE_BIT) != 0
    extra = 1 + np.where(package, _PACKAGE, 0) if package.any() else 1
    long = _long_headers(buffer, starts, properties, told, sizes - extra)
    head = np.where(long, _LONG_HEADER, _SHORT_HEADER) if long.any() else np.full(1, _SHORT_HEADER)
    body = sizes - extra - head
    reason = np.where(body < 0, np.uint8(_HEADER_SHORT), np.uint8(_OK))
    _mark(reason, checks != 0, _CHECKSUM)
    if broken is not None:
        reason[broken] = _ESCAPE
    _mark(reason, received_end - received_start > MOST_FRAME + 2, _TOO_LONG)
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


def _owners(pieces: Pieces, delimiters: Places, kept: Places) -> tuple[Places, NDArray[np.uint32]]:
    """Return descriptor and generation of the frames after the delimiters `kept`. A piece begins with a delimiter."""
    if kept.size == pieces.starts.size and np.array_equal(delimiters[kept], pieces.starts):
        return pieces.fds, pieces.generations
    begins = np.zeros(pieces.data.size, np.bool_)
    begins[pieces.starts] = True
    piece = (np.cumsum(begins[delimiters]) - 1)[kept]
    return pieces.fds[piece], pieces.generations[piece]


def _mark(reason: NDArray[np.uint8], rows: NDArray[np.bool_], number: int) -> None:
    if rows.any():
        reason[rows] = number


def _exclusive_or(buffer: Bytes, starts: Places, ends: Places) -> NDArray[np.uint8]:
    """Return the exclusive or of the bytes of every stretch: what all words up to its end give, less what those up to its start give."""
    words = buffer[: buffer.size & ~7].view("<u8")
    sums = np.zeros(words.size + 1, np.uint64)
    np.bitwise_xor.accumulate(words, out=sums[1:])
    mixed = np.zeros(starts.size, np.uint64)
    for places in (starts, ends):
        word = places >> 3
        mixed ^= sums[word]
        mixed ^= words[word] & _BYTES_BELOW[places & 7]
    for bits in (32, 16, 8):
        mixed ^= mixed >> np.uint64(bits)
    return mixed.astype(np.uint8)


def _unescape(data: Bytes, delimiters: Places, gaps: Places) -> tuple[Bytes, Places, Places, Places, Places]:
    """Write the stretches that hold escapes once more behind the data, without them; most frames have none and stay in place.

    7d 02 stands for 7e and 7d 01 for 7d (4.4.2); two pairs never overlap, so all are replaced at once. `gaps` has the delimiter
    before each escape, ascending. Returns the padded bytes; of those stretches the delimiter before it (each once), where it now
    begins and ends; and the delimiters before stretches with a wrong escape.
    """
    gaps = gaps[np.flatnonzero(np.diff(gaps, prepend=-1))]
    lengths = delimiters[gaps + 1] - delimiters[gaps]
    some = stretches(padded(data), delimiters[gaps], lengths)
    escapes = np.flatnonzero(some == _ESCAPE_BYTE)
    second = some.take(escapes + 1, mode="clip")
    right = (second == 1) | (second == 2)
    stretch = np.searchsorted(np.cumsum(lengths), escapes, "right")
    wrong = gaps[stretch[~right]]
    pairs = escapes[right]
    some[pairs] = second[right] + np.uint8(_ESCAPE_BYTE - 1)
    kept = np.ones(some.size, np.bool_)
    kept[pairs + 1] = False
    lengths -= np.bincount(stretch[right], minlength=gaps.size)
    ends = data.size + np.cumsum(lengths)
    return padded(data, some[kept]), gaps, ends - lengths + 1, ends, wrong


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
