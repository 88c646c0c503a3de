"""Words with one terminal: its frames decoded, ours encoded in the form its header has shown."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from jilink.edges.terminals.connections import Terminal
from jilink.edges.terminals.gateway import Gateway
from jilink.edges.terminals.session import Registration, Result
from jilink.protocols.jt808 import codec
from jilink.protocols.jt808 import frame as framing
from jilink.protocols.jt808.codec import Packet
from jilink.protocols.jt808.general import PlatformAnswer, RegistrationAnswer, ResendRequest, ResendRequest2013, TimeAnswer
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.joiner import Joiner
from jilink.protocols.jt808.media import MediaUploadAnswer
from jilink.protocols.jt808.message import Message, Unknown
from jilink.protocols.jt808.registry import message as declaration
from jilink.protocols.jt808.vendors import PROFILES
from jilink.protocols.wire.records import Record

JOIN_MOST_BYTES = 8 << 20
JOIN_MOST_MESSAGES = 4
MEDIA = 0x0801
ANSWERED_WHOLE = frozenset({0x0200, 0x0201, 0x0704, 0x0500, MEDIA})
"""Messages of which no package is answered before the whole is safe; other messages' packages are answered one by one."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message of a terminal: whole, or (`fields` None and `part` true) one package of a longer one."""

    header: Header
    raw: bytes
    body: bytes
    fields: Record | None
    year: int
    owed: tuple[int, ...]
    """Serials that are answered together with it."""
    part: bool = False

    @property
    def id(self) -> int:
        """The message id."""
        return self.header.id

    @property
    def serial(self) -> int:
        """The terminal's serial; of a joined message that of its first package."""
        return self.header.serial


class Link:
    """Decodes and encodes for terminals, joins their packages, and sends what the gateway says by itself."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def decode(self, terminal: Terminal, packet: Packet, raw: bytes) -> Received:
        """Return the message of an opened frame, or one package of a longer one. Raises Malformed."""
        header = packet.header
        if header.total > 1:
            return Received(header, raw, packet.body, None, header.year, (header.serial,), part=True)
        return self._read(terminal, header, packet.body, raw, (header.serial,))

    def join(self, terminal: Terminal, package: Received) -> Received | None:
        """Take one package; return the whole message when it was the last one. Raises Malformed where that fits no declaration."""
        if terminal.joiner is None:
            terminal.joiner = Joiner(
                wait=self._gateway.settings.terminals_join_s, most_bytes=JOIN_MOST_BYTES, most_messages=JOIN_MOST_MESSAGES
            )
        joined = terminal.joiner.add(package.header, package.body, self._gateway.clock())
        if joined is None:
            return None
        first, total = joined.header.serial, joined.header.total
        owed = tuple((first + k) & 0xFFFF for k in range(total)) if package.id in ANSWERED_WHOLE else (package.serial,)
        return self._read(terminal, joined.header, joined.body, package.raw, owed)

    def form(self, terminal: Terminal, number: int) -> type[Message] | None:
        """Return the declaration of a message to this terminal, None where its year has no such message."""
        year = terminal.year
        return declaration(number, 2019 if year == 2019 else 2011 if year == 2011 else 2013) if number & 0x8000 else None

    def encode(self, terminal: Terminal, message: Message) -> tuple[int, list[bytes]]:
        """Return the first serial and the frames of a message to this terminal. Raises Malformed where a value does not fit."""
        data = bytearray()
        message.write(data)
        serial = int(self._gateway.connections.serial[terminal.fd])
        header = Header(
            id=message.id,
            phone=terminal.phone,
            serial=serial,
            year=2019 if terminal.year == 2019 else 2013,
            version=terminal.version,
        )
        frames = codec.encode_body(bytes(data), header)
        if terminal.vendor:
            frames = [framing.wrap(framing.unwrap(frame), framing.VENDOR_E7) for frame in frames]
        self._gateway.connections.next_serial(terminal.fd, len(frames))
        return serial, frames

    def send(self, terminal: Terminal, message: Message) -> int:
        """Send a message and return its first serial."""
        serial, frames = self.encode(terminal, message)
        self._gateway.send(terminal, frames)
        return serial

    def answer(self, terminal: Terminal, received: Received, result: Result) -> None:
        """Send a general answer for every frame that is owed one (JT/T 808-2019, 8.2)."""
        for serial in received.owed:
            self.send(terminal, PlatformAnswer(reply_serial=serial, reply_id=received.id, result=int(result)))

    def answer_when_stored(self, terminal: Terminal, received: Received) -> Callable[[bool], None]:
        """Return what answers a message once it is known whether the spine has it, if the terminal is still there."""

        def answer(stored: bool) -> None:
            if self._gateway.connections.current(terminal.fd, terminal.generation):
                self.answer(terminal, received, Result.SUCCESS if stored else Result.FAILURE)

        return answer

    def register_answer(self, terminal: Terminal, received: Received, result: Registration, token: str) -> None:
        """Answer a registration; the token goes with success only (JT/T 808-2019, 8.8.2)."""
        answer = RegistrationAnswer(reply_serial=received.serial, result=int(result), token=token if result == 0 else None)
        self.send(terminal, answer)

    def media_answer(self, terminal: Terminal, media: int, missing: tuple[int, ...] = ()) -> None:
        """Answer a recording: complete, or which packages are missing (JT/T 808-2019, 8.53)."""
        self.send(terminal, MediaUploadAnswer(media=media, packages=list(missing[:255]) or None))

    def ask_again(self, terminal: Terminal, first_serial: int, missing: tuple[int, ...]) -> None:
        """Ask for the packages that are missing (JT/T 808-2019, 8.6)."""
        form = ResendRequest if terminal.year == 2019 else ResendRequest2013
        self.send(terminal, form(first_serial=first_serial, packages=list(missing[:255])))

    def tell_time(self, terminal: Terminal, now: datetime) -> None:
        """Send the time, in UTC (JT/T 808-2019, 8.5)."""
        self.send(terminal, TimeAnswer(time=now))

    def _read(self, terminal: Terminal, header: Header, body: bytes, raw: bytes, owed: tuple[int, ...]) -> Received:
        name = terminal.admission.profile if terminal.admission else "standard"
        profile = PROFILES.get(name) or PROFILES["standard"]
        decoded = codec.decode_body(header, body, profile)
        known = None if isinstance(decoded.fields, Unknown) else decoded.fields
        return Received(header, raw, body, known, decoded.year, owed)
