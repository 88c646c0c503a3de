"""A terminal's side of the wire: serial numbers, packages, frames. No I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808 import codec
from jilink.protocols.jt808.frame import Splitter
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.joiner import Joiner
from jilink.protocols.jt808.message import Message, Year


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as it went out: the serial of its first package and the frames of all."""

    id: int
    serial: int
    frames: tuple[bytes, ...]

    @property
    def bytes(self) -> bytes:
        """All frames, one after another."""
        return b"".join(self.frames)


class Link:
    """Numbers, cuts and frames what goes up; reads what comes down, joining packages."""

    def __init__(self, phone: str, year: Year) -> None:
        self.phone, self.year = phone, year
        self.malformed = 0
        """Frames that could not be read."""
        self._serial = 0
        self._profile = codec.profile_of("standard")
        self.begin()

    def begin(self) -> None:
        """Forget half-received frames, for a new connection; serial numbers go on."""
        self._splitter = Splitter()
        self._joiner = Joiner()

    def encode(self, message: Message) -> Sent:
        """Return a message ready to send. One that does not fit a package is cut into several with consecutive serials."""
        first = self._serial
        frames = codec.encode_message(message, Header(message.id, self.phone, first, self.year))
        self._serial = (first + len(frames)) & 0xFFFF
        return Sent(message.id, first, tuple(frames))

    def decode(self, data: bytes, now: datetime) -> Iterator[codec.Decoded]:
        """Yield each message that is whole now. What cannot be read is counted in `malformed`."""
        try:
            pieces = self._splitter.feed(data)
        except Malformed:
            self.malformed += 1
            return
        for piece in pieces:
            try:
                packet = codec.open_frame(piece)
                whole = self._joiner.add(packet.header, packet.body, now.timestamp())
                if whole is not None:
                    yield codec.decode_body(whole.header, whole.body, self._profile)
            except Malformed:
                self.malformed += 1
