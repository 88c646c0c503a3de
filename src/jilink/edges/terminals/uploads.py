"""The active-safety attachment protocol without I/O: bytes of one connection in, frames and file blocks out, files put together.

Source: T/JSATL 12-2017, 4.7. Signalling uses JT/T 808 frames; file data comes between them as raw blocks that begin with 30316364.
"""

import struct
from dataclasses import dataclass, field

from jilink.kernel.errors import Malformed, Refused

MAGIC = bytes.fromhex("30316364")
_HEAD = struct.Struct(">4s50sII")
MOST_BLOCK = 65_536
MOST_FILE = 32 << 20
MOST_FILES = 64
MOST_ALARM = 128 << 20
LONGEST_FRAME = 4096
MOST_RANGES = 255
"""The count of missing ranges in 0x9212 is one byte; what does not fit is asked for in the next round."""


class StreamBroken(Malformed):
    """The stream is neither a frame nor a data block, so nothing after it can be found."""


class UploadRefused(Refused):
    """A file was not announced, or is larger than what one alarm may bring."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a file (T/JSATL 12-2017, table 26)."""

    name: str
    offset: int
    data: bytes


class Demultiplexer:
    """Cuts a stream into frames (bytes with both delimiters) and blocks. Holds at most one unfinished piece."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes | Block]:
        """Return what is complete, in order. Raises StreamBroken where the stream cannot be followed any further."""
        self._buffer += data
        found: list[bytes | Block] = []
        while self._buffer:
            piece = self._frame() if self._buffer[0] == 0x7E else self._block()
            if piece is None:
                break
            if piece:
                found.append(piece)
        return found

    def _frame(self) -> bytes | None:
        end = self._buffer.find(0x7E, 1)
        if end < 0:
            if len(self._buffer) > LONGEST_FRAME:
                raise StreamBroken("frame_too_long")
            return None
        if end == 1:
            del self._buffer[:1]
            return b""
        frame = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return frame

    def _block(self) -> Block | None:
        if bytes(self._buffer[:4]) != MAGIC[: len(self._buffer)]:
            raise StreamBroken("neither_frame_nor_block")
        if len(self._buffer) < _HEAD.size:
            return None
        _, name, offset, length = _HEAD.unpack_from(self._buffer)
        if length > MOST_BLOCK:
            raise StreamBroken("block_too_long")
        end = _HEAD.size + length
        if len(self._buffer) < end:
            return None
        data = bytes(self._buffer[_HEAD.size : end])
        del self._buffer[:end]
        return Block(clean_name(name.rstrip(b"\0 ").decode("gbk", "replace")), offset, data)


def clean_name(name: str) -> str:
    """Return a file name without path, at most 50 characters: what a device calls a file never becomes a place."""
    return "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isalnum() or c in "._-")[:50].lstrip(".") or "file"


@dataclass(slots=True)
class File:
    """One file on its way: its size is known, pieces may come in any order and twice."""

    name: str
    kind: int
    size: int
    data: bytearray = field(default_factory=bytearray)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """What has arrived: (start, end), sorted, not touching."""

    def add(self, offset: int, piece: bytes) -> None:
        """Take one piece. Raises UploadRefused for one that lies outside of the file."""
        end = offset + len(piece)
        if end > self.size:
            raise UploadRefused(f"bytes {offset} to {end} of a file of {self.size}")
        if not self.data:
            self.data = bytearray(self.size)
        self.data[offset:end] = piece
        merged: list[tuple[int, int]] = []
        for start, stop in sorted([*self.ranges, (offset, end)]):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
            else:
                merged.append((start, stop))
        self.ranges = merged

    def missing(self) -> list[tuple[int, int]]:
        """Return what has not arrived as (offset, length), the first 255."""
        gaps, at = [], 0
        for start, stop in [*self.ranges, (self.size, self.size)]:
            if start > at:
                gaps.append((at, start - at))
            at = max(at, stop)
        return gaps[:MOST_RANGES]


class Upload:
    """The files of one alarm on one connection."""

    def __init__(self, number: str, announced: dict[str, int]) -> None:
        """Begin with names and sizes as 0x1210 lists them. Raises UploadRefused where that is too much."""
        if len(announced) > MOST_FILES or any(size > MOST_FILE for size in announced.values()) or sum(announced.values()) > MOST_ALARM:
            raise UploadRefused("more files or bytes than one alarm may bring")
        self.number = number
        self.announced = announced
        self.files: dict[str, File] = {}

    def open(self, name: str, kind: int, size: int) -> None:
        """Begin a file (0x1211); beginning again keeps what has arrived. Raises UploadRefused for one that was not announced."""
        if self.announced.get(name) != size:
            raise UploadRefused(f"{name} of {size} bytes was not announced")
        if name not in self.files:
            self.files[name] = File(name, kind, size)

    def add(self, block: Block) -> None:
        """Take a data block. Raises UploadRefused for a file that was not begun."""
        if block.name not in self.files:
            raise UploadRefused(f"{block.name} was not begun")
        self.files[block.name].add(block.offset, block.data)

    def close(self, name: str) -> File:
        """Return the file that the terminal says is complete (0x1212). Raises UploadRefused for one that was not begun."""
        if name not in self.files:
            raise UploadRefused(f"{name} was not begun")
        return self.files[name]

    def forget(self, name: str) -> None:
        """Drop a file that is stored."""
        self.files.pop(name, None)
