"""The attachment server's stream: frames and raw data blocks on one connection, told apart without I/O (T/JSATL 12-2017).

A frame begins with the delimiter, a data block with `30 31 63 64`.
"""

from __future__ import annotations

import struct

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808.frame import MOST_FRAME
from jilink.protocols.jt808.safety import AttachmentData
from jilink.protocols.wire.cursor import Cursor

MAGIC = b"\x30\x31\x63\x64"
MOST_DATA = 65_536
"""Bytes of a data block at most."""
_HEAD = 62
_LENGTH = struct.Struct(">I")


class BadBlock(Malformed):
    """A data block announces more bytes than one may have."""

    def __init__(self, size: int) -> None:
        super().__init__("too-long", f"a data block of {size} bytes; at most {MOST_DATA} are allowed")


class AttachmentSplitter:
    """Cuts the stream of a file upload into frames (escaped, without delimiters) and data blocks.

    Bytes that belong to neither are counted in `skipped` and dropped. At most one data block is kept waiting; a block or a
    frame that is too long raises Malformed, after which the connection is of no use.
    """

    __slots__ = ("_buffer", "skipped")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.skipped = 0

    @property
    def waiting(self) -> int:
        """Bytes of an unfinished frame or block."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes | AttachmentData]:
        """Return what is complete now, in order. Raises Malformed."""
        self._buffer += data
        found: list[bytes | AttachmentData] = []
        while self._buffer:
            if self._buffer[0] == 0x7E:
                piece: bytes | AttachmentData | None = self._frame()
            elif self._buffer.startswith(MAGIC[: len(self._buffer)]):
                piece = self._block()
            else:
                self._skip()
                continue
            if piece is None:
                break
            if piece:
                found.append(piece)
        return found

    def _frame(self) -> bytes | None:
        end = self._buffer.find(b"\x7e", 1)
        if end < 0:
            if len(self._buffer) > MOST_FRAME:
                raise Malformed("too-long", f"no delimiter within {MOST_FRAME} bytes")
            return None
        frame = bytes(self._buffer[1:end])
        del self._buffer[: end + 1 if frame else end]
        return frame

    def _block(self) -> AttachmentData | None:
        if len(self._buffer) < _HEAD:
            return None
        (size,) = _LENGTH.unpack_from(self._buffer, _HEAD - 4)
        if size > MOST_DATA:
            raise BadBlock(size)
        if len(self._buffer) < _HEAD + size:
            return None
        raw = bytes(self._buffer[: _HEAD + size])
        del self._buffer[: _HEAD + size]
        return AttachmentData.read(Cursor(raw))

    def _skip(self) -> None:
        places = [place for place in (self._buffer.find(b"\x7e", 1), self._buffer.find(MAGIC[:1], 1)) if place > 0]
        size = min(places, default=len(self._buffer))
        self.skipped += size
        del self._buffer[:size]
