"""Frames: delimiters, escapes, checksum, and a splitter of streams that does no I/O (JT/T 808-2019, 4.4).

A frame here is what stands between two delimiters, still escaped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from jilink.kernel.errors import Malformed

MOST_FRAME = 4096
"""Escaped bytes of a frame at most: 21 header, 1023 body and 1 checksum, each perhaps escaped, and room for wrong lengths."""


class BadFrame(Malformed):
    """What stands between delimiters is no frame."""


class BadEscape(BadFrame):
    """An escape byte is followed by something that is no escape."""

    def __init__(self, message: str) -> None:
        super().__init__("escape", message)


class BadChecksum(BadFrame):
    """The checksum does not match."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__("checksum", f"checksum is {found:02x}, the bytes give {expected:02x}")


class NotAFrame(BadFrame):
    """The bytes are no frame at all."""

    def __init__(self, message: str) -> None:
        super().__init__("frame", message)


class TooLong(Malformed):
    """No delimiter came within the longest frame."""

    def __init__(self, message: str) -> None:
        super().__init__("too-long", message)


@dataclass(frozen=True)
class Delimiting:
    """A delimiter and the two-byte escapes behind it."""

    mark: int
    escapes: tuple[tuple[bytes, bytes], ...]
    """(plain, escaped), in the order in which to escape; unescaping goes backward."""

    def escape(self, data: bytes) -> bytes:
        """Return the bytes with every special one escaped."""
        for plain, escaped in self.escapes:
            data = data.replace(plain, escaped)
        return data

    def unescape(self, data: bytes) -> bytes:
        """Return the plain bytes. Raises BadEscape."""
        if not any(lead in data for lead in self._leads):
            return data
        return self._pattern.sub(self._plain, data)

    @cached_property
    def _leads(self) -> frozenset[bytes]:
        return frozenset(escaped[:1] for _, escaped in self.escapes)

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        return re.compile(b"[" + b"".join(re.escape(lead) for lead in self._leads) + b"].?", re.DOTALL)

    @cached_property
    def _meanings(self) -> dict[bytes, bytes]:
        return {escaped: plain for plain, escaped in self.escapes}

    def _plain(self, found: re.Match[bytes]) -> bytes:
        plain = self._meanings.get(found[0])
        if plain is None:
            raise BadEscape(f"{found[0].hex()} at byte {found.start()} is no escape")
        return plain


STANDARD = Delimiting(0x7E, ((b"\x7d", b"\x7d\x01"), (b"\x7e", b"\x7d\x02")))
"""JT/T 808-2019, 4.4.2."""

VENDOR_E7 = Delimiting(0xE7, ((b"\xe6", b"\xe6\x01"), (b"\xe7", b"\xe6\x02"), (b"\x3e", b"\x3e\x01"), (b"\x3d", b"\x3e\x02")))
"""One vendor's delimiter and escapes (seen in one code base only)."""

DELIMITINGS = (STANDARD, VENDOR_E7)
MARKS = {known.mark: known for known in DELIMITINGS}


def checksum(data: bytes) -> int:
    """Return the exclusive or of all bytes."""
    number = int.from_bytes(data)
    half = 4 << (len(data) - 1).bit_length() if data else 0
    while half >= 8:  # the lower half of what is left takes the upper one in
        number ^= number >> half
        half >>= 1
    return number & 0xFF


def wrap(packet: bytes, delimiting: Delimiting = STANDARD) -> bytes:
    """Return header and body as a frame with checksum, escapes and delimiters."""
    mark = bytes((delimiting.mark,))
    return mark + delimiting.escape(packet + bytes((checksum(packet),))) + mark


def unwrap(frame: bytes, delimiting: Delimiting = STANDARD) -> bytes:
    """Return header and body of a frame (with or without its delimiters). Raises Malformed.

    The two bytes of the delimiter are cut off only where they stand outside, and what has an unescaped delimiter inside is no frame.
    """
    data = frame.strip(bytes((delimiting.mark,)))
    if delimiting.mark in data:
        raise NotAFrame("a delimiter stands inside the frame")
    if not data:
        raise NotAFrame("nothing stands between the delimiters")
    data = delimiting.unescape(data)
    expected = checksum(data[:-1])
    if expected != data[-1]:
        raise BadChecksum(expected, data[-1])
    return data[:-1]


class Splitter:
    """Cuts a stream of bytes into frames, whatever pieces they come in.

    Bytes before the first delimiter are counted in `skipped` and dropped; a delimiter shared by two frames and empty frames are
    accepted; either delimiter may begin the stream and then holds. At most `most` bytes are kept waiting: a longer frame raises TooLong,
    and the splitter then looks for the next delimiter.
    """

    __slots__ = ("_buffer", "_inside", "delimiting", "most", "skipped")

    def __init__(self, delimiting: Delimiting | None = None, most: int = MOST_FRAME) -> None:
        self.delimiting = delimiting
        self.most = most
        self.skipped = 0
        self._buffer = bytearray()
        self._inside = False

    @property
    def waiting(self) -> int:
        """Bytes of an unfinished frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that are complete now, escaped and without delimiters. Raises TooLong."""
        if self.delimiting is None:
            data = self._find_delimiting(data)
            if self.delimiting is None:
                return []
        mark = bytes((self.delimiting.mark,))
        pieces = data.split(mark)
        frames: list[bytes] = []
        for number, piece in enumerate(pieces):
            if number:
                if self._inside and self._buffer:
                    frames.append(bytes(self._buffer))
                self._buffer.clear()
                self._inside = True
            if self._inside:
                self._buffer += piece
            else:
                self.skipped += len(piece)
        if len(self._buffer) > self.most:
            self.skipped += len(self._buffer)
            self._buffer.clear()
            self._inside = False
            if not frames:
                raise TooLong(f"no delimiter within {self.most} bytes")
        whole = [frame for frame in frames if len(frame) <= self.most]
        self.skipped += sum(map(len, frames)) - sum(map(len, whole))
        return whole

    def _find_delimiting(self, data: bytes) -> bytes:
        places = [(data.find(bytes((known.mark,))), known) for known in DELIMITINGS]
        found = [(place, known) for place, known in places if place >= 0]
        if not found:
            self.skipped += len(data)
            return b""
        place, self.delimiting = min(found, key=lambda pair: pair[0])
        self.skipped += place
        return data[place:]
