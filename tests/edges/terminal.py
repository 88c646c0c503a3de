"""A terminal written from the text of JT/T 808 alone: it shares no line with the gateway's codec."""

import socket
import struct
import time
from dataclasses import dataclass
from functools import reduce
from operator import xor

CHANGCHUN = (43_886_841, 125_324_501)


def escape(data: bytes) -> bytes:
    return data.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def frame(message: int, phone: str, serial: int, body: bytes = b"", *, year: int = 2013, part: tuple[int, int] | None = None) -> bytes:
    attributes = len(body) | (0x4000 if year == 2019 else 0) | (0x2000 if part else 0)
    head = struct.pack(">HH", message, attributes)
    head += b"\x01" + bytes.fromhex(phone.zfill(20)) if year == 2019 else bytes.fromhex(phone.zfill(12))
    head += struct.pack(">H", serial)
    if part:
        head += struct.pack(">HH", *part)
    content = head + body
    return b"\x7e" + escape(content + bytes([reduce(xor, content)])) + b"\x7e"


@dataclass(frozen=True)
class Message:
    id: int
    serial: int
    phone: str
    body: bytes
    raw: bytes
    part: tuple[int, int] | None = None


def parse(raw: bytes) -> Message:
    assert raw[0] == raw[-1] == 0x7E
    content = raw[1:-1].replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
    assert reduce(xor, content) == 0, raw.hex()
    message, attributes = struct.unpack(">HH", content[:4])
    at, width = (5, 10) if attributes & 0x4000 else (4, 6)
    phone = content[at : at + width].hex()
    at += width
    (serial,) = struct.unpack(">H", content[at : at + 2])
    at += 2
    part = None
    if attributes & 0x2000:
        part = struct.unpack(">HH", content[at : at + 4])
        at += 4
    body = content[at:-1]
    assert len(body) == attributes & 0x3FF, raw.hex()
    return Message(message, serial, phone, body, raw, part)


def location(
    *,
    at: str = "261122123456",
    latitude: int = CHANGCHUN[0],
    longitude: int = CHANGCHUN[1],
    alarm: int = 0,
    status: int = 3,
    items: bytes = b"",
) -> bytes:
    return struct.pack(">IIIIHHH", alarm, status, latitude, longitude, 210, 425, 90) + bytes.fromhex(at) + items


def registration(*, terminal_id: str = "T000001", plate: str = "吉A12345", year: int = 2013) -> bytes:
    widths = {2011: (5, 8, 7), 2013: (5, 20, 7), 2019: (11, 30, 30)}[year]
    parts = [text.encode().ljust(width, b"\0") for text, width in zip(("70111", "JL-8", terminal_id), widths, strict=True)]
    return struct.pack(">HH", 22, 100) + b"".join(parts) + b"\x01" + plate.encode("gbk")


def authentication(token: str, *, year: int = 2013) -> bytes:
    if year != 2019:
        return token.encode("gbk")
    return bytes([len(token)]) + token.encode("gbk") + b"860000000000001" + b"V1.0".ljust(20, b"\0")


class Terminal:
    """One connection. `year` is 2011, 2013 or 2019."""

    def __init__(self, port: int, phone: str, *, year: int = 2013, host: str = "127.0.0.1", receive_buffer: int = 0) -> None:
        self.phone, self.year = phone, year
        self.serial = 0
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(10)
        self.socket.connect((host, port))
        self.buffer = b""

    def close(self) -> None:
        self.socket.close()

    def make(self, message: int, body: bytes = b"", part: tuple[int, int] | None = None) -> bytes:
        self.serial = (self.serial + 1) & 0xFFFF
        return frame(message, self.phone, self.serial, body, year=self.year, part=part)

    def send(self, message: int, body: bytes = b"", part: tuple[int, int] | None = None) -> int:
        """Send one message and return its serial."""
        self.socket.sendall(self.make(message, body, part))
        return self.serial

    def receive(self, timeout: float = 20) -> Message:
        deadline = time.monotonic() + timeout
        while self.buffer.count(b"\x7e") < 2:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the gateway closed the connection")
            self.buffer += data
        end = self.buffer.index(b"\x7e", 1) + 1
        raw, self.buffer = self.buffer[:end], self.buffer[end:]
        return parse(raw)

    def expect(self, message: int, timeout: float = 20) -> Message:
        """Return the next message of this id; anything else before it is an error."""
        received = self.receive(timeout)
        assert received.id == message, f"{received.id:#06x} instead of {message:#06x}: {received.raw.hex()}"
        return received

    def silent_for(self, seconds: float) -> bool:
        """Tell whether nothing arrives for so long."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return True
        self.buffer += data
        return False

    def closed_within(self, seconds: float) -> bool:
        """Tell whether the gateway ends the connection in time (what it still sends is read and dropped)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                if not self.socket.recv(65536):
                    return True
            except TimeoutError:
                return False
            except ConnectionError:
                return True
        return False

    def register(self, *, terminal_id: str = "T000001", plate: str = "吉A12345") -> str:
        """Register and return the token."""
        serial = self.send(0x0100, registration(terminal_id=terminal_id, plate=plate, year=self.year))
        answer = self.expect(0x8100)
        assert answer.body[:3] == struct.pack(">HB", serial, 0), answer.raw.hex()
        return answer.body[3:].decode()

    def authenticate(self, token: str) -> int:
        """Authenticate and return the result byte of the answer."""
        serial = self.send(0x0102, authentication(token, year=self.year))
        answer = self.expect(0x8001)
        assert answer.body[:4] == struct.pack(">HH", serial, 0x0102)
        return answer.body[4]

    def login(self, *, terminal_id: str = "T000001", plate: str = "吉A12345") -> str:
        """Register, authenticate and return the token."""
        token = self.register(terminal_id=terminal_id, plate=plate)
        assert self.authenticate(token) == 0
        return token

    def general_answer(self, serial: int, message: int, result: int = 0, own_serial: int = 0) -> bytes:
        """Return the bytes of the 0x8001 the standard asks for."""
        return frame(0x8001, self.phone, own_serial, struct.pack(">HHB", serial, message, result), year=self.year)
