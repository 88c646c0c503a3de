"""Active-safety alarms, and the upload of their attachments."""

import contextlib
import hashlib
import random
import socket
import struct

import pytest

from jilink.edges.terminals.uploads import Block, Demultiplexer, File, StreamBroken, Upload, UploadRefused
from jilink.spine import subjects
from tests.edges.conftest import Mine, eventually
from tests.edges.terminal import Terminal, location

LABEL = b"T000001" + bytes.fromhex("261122123456") + b"\x00\x02\x00"


def alarm(item: int = 0x64) -> bytes:
    """A driver-assistance item of 47 bytes (T/JSATL 12-2017, table 15)."""
    head = struct.pack(">IBBBBBBBB", 1, 1, 1, 2, 40, 12, 0, 0, 0)
    place = struct.pack(">BHII", 60, 210, 43_886_841, 125_324_501) + bytes.fromhex("261122123456") + struct.pack(">H", 1)
    body = head + place + LABEL
    assert len(body) == 47
    return bytes([item, len(body)]) + body


def summoned(mine: Mine) -> tuple[Terminal, str, int]:
    """Report an alarm and return the alarm number and port the terminal is told."""
    terminal = mine.terminal()
    terminal.login()
    terminal.send(0x0200, location(items=alarm()))
    received = {m.id: m for m in (terminal.receive(), terminal.receive())}
    assert received[0x8001].body[4] == 0
    body = received[0x9208].body
    host = body[1 : 1 + body[0]]
    tcp, _ = struct.unpack_from(">HH", body, 1 + body[0])
    rest = body[5 + body[0] :]
    assert host == b"127.0.0.1" and rest[:16] == LABEL and len(rest) == 16 + 32 + 16
    return terminal, rest[16:48].decode(), tcp


class Uploader(Terminal):
    def announce(self, number: str, files: dict[str, bytes]) -> None:
        names = b"".join(bytes([len(name)]) + name.encode() + struct.pack(">I", len(data)) for name, data in files.items())
        self.send(0x1210, b"T000001" + LABEL + number.encode() + b"\x00" + bytes([len(files)]) + names)

    def file(self, message: int, name: str, kind: int, size: int) -> None:
        self.send(message, bytes([len(name)]) + name.encode() + struct.pack(">BI", kind, size))

    def block(self, name: str, offset: int, data: bytes) -> None:
        self.socket.sendall(bytes.fromhex("30316364") + name.encode().ljust(50, b"\0") + struct.pack(">II", offset, len(data)) + data)


def test_attachments_of_an_alarm_are_uploaded_mended_stored_and_linked_to_it(admitted: Mine) -> None:
    _, number, port = summoned(admitted)
    photo, video = b"\xff\xd8" + random.Random(1).randbytes(70_000), random.Random(2).randbytes(200_000)
    files = {"00_65_6401_0_a.jpg": photo, "02_64_6401_1_a.mp4": video}
    up = Uploader(port, admitted.phone)
    up.announce(number, files)
    assert up.expect(0x8001).body[2:] == b"\x12\x10\x00"
    for kind, (name, data) in zip((0, 2), files.items(), strict=True):
        up.file(0x1211, name, kind, len(data))
        assert up.expect(0x8001).body[2:] == b"\x12\x11\x00"
        pieces = {offset: data[offset : offset + 65_536] for offset in range(0, len(data), 65_536)}
        lost = pieces.pop(65_536)
        for offset, piece in pieces.items():
            up.block(name, offset, piece)
        up.file(0x1212, name, kind, len(data))
        answer = up.expect(0x9212).body
        assert answer == bytes([len(name)]) + name.encode() + struct.pack(">BBBII", kind, 1, 1, 65_536, len(lost))
        up.block(name, 65_536, lost)
        up.file(0x1212, name, kind, len(data))
        assert up.expect(0x9212).body == bytes([len(name)]) + name.encode() + struct.pack(">BBB", kind, 0, 0)
    stored = [e for e in admitted.gateway.events("media_stored") if e["asset"] == admitted.asset]
    assert [(e["kind"], e["channel"], e["alarm_number"], e["alarm_item"], e["alarm_label"]) for e in stored] == [
        ("image", 65, number, 0x64, LABEL.hex()),
        ("video", 64, number, 0x64, LABEL.hex()),
    ]
    for event, data in zip(stored, files.values(), strict=True):
        assert admitted.gateway.spine.get_object(event["name"]) == data
        assert event["sha256"] == hashlib.sha256(data).hexdigest()


def test_the_same_alarm_is_asked_for_once(admitted: Mine) -> None:
    terminal, _, _ = summoned(admitted)
    terminal.send(0x0200, location(items=alarm()))
    terminal.expect(0x8001)
    assert terminal.silent_for(0.3)


def test_an_alarm_number_that_was_not_issued_opens_nothing(admitted: Mine) -> None:
    _, _, port = summoned(admitted)
    stranger = Uploader(port, "13200000001")
    stranger.announce("0" * 32, {"a.jpg": b"x"})
    assert stranger.expect(0x8001).body[4] == 1
    assert stranger.closed_within(10)


@pytest.mark.parametrize("greeting", [b"GET / HTTP/1.1\r\n\r\n", bytes.fromhex("30316364") + bytes(58), b"\x7e" + bytes(5000)])
def test_what_is_no_upload_is_closed(admitted: Mine, greeting: bytes) -> None:
    port = int(admitted.gateway.settings.attachments.rpartition(":")[2])
    stranger = socket.create_connection(("127.0.0.1", port), 5)
    stranger.sendall(greeting)
    with contextlib.suppress(ConnectionError):
        assert stranger.recv(100) == b""


def test_a_file_that_was_not_announced_or_overflows_is_refused(admitted: Mine) -> None:
    _, number, port = summoned(admitted)
    up = Uploader(port, admitted.phone)
    up.announce(number, {"a.jpg": b"abc"})
    up.expect(0x8001)
    up.file(0x1211, "b.jpg", 0, 3)
    assert up.closed_within(10)
    up = Uploader(port, admitted.phone)
    up.announce(number, {"a.jpg": b"abc"})
    up.expect(0x8001)
    up.file(0x1211, "a.jpg", 0, 3)
    up.expect(0x8001)
    up.block("a.jpg", 2, b"xx")
    assert up.closed_within(10)


def test_the_right_to_upload_is_kept_by_the_spine_under_its_number(admitted: Mine) -> None:
    _, number, _ = summoned(admitted)
    eventually(lambda: admitted.gateway.spine.get(subjects.UPLOADS, number))


def test_a_stream_of_frames_and_blocks_cut_anywhere_is_read_alike() -> None:
    block = bytes.fromhex("30316364") + b"a.jpg".ljust(50, b"\0") + struct.pack(">II", 4, 5) + b"\x7e\x7e012"
    stream = b"\x7eone\x7e" + block + b"\x7etwo\x7e" + block
    expected = [b"\x7eone\x7e", Block("a.jpg", 4, b"\x7e\x7e012"), b"\x7etwo\x7e", Block("a.jpg", 4, b"\x7e\x7e012")]
    for size in range(1, len(stream) + 1):
        cutter = Demultiplexer()
        found = [piece for at in range(0, len(stream), size) for piece in cutter.feed(stream[at : at + size])]
        assert found == expected


def test_random_bytes_break_the_stream_and_raise_nothing_else() -> None:
    source = random.Random(5)
    for _ in range(3000):
        cutter = Demultiplexer()
        try:
            cutter.feed(source.choice((b"", b"\x7e", bytes.fromhex("30316364"))) + source.randbytes(source.randrange(200)))
        except StreamBroken as error:
            assert error.reason


def test_missing_ranges_are_exactly_what_did_not_come() -> None:
    source = random.Random(9)
    for _ in range(200):
        size = source.randrange(1, 300)
        file, got = File("f", 0, size), set()
        for _ in range(source.randrange(12)):
            start = source.randrange(size)
            stop = source.randrange(start, size + 1)
            file.add(start, bytes(stop - start))
            got |= set(range(start, stop))
        missing = {at for offset, length in file.missing() for at in range(offset, offset + length)}
        assert missing == set(range(size)) - got


def test_an_alarm_may_bring_only_so_much() -> None:
    with pytest.raises(UploadRefused):
        Upload("n", {str(k): 1 for k in range(100)})
    with pytest.raises(UploadRefused):
        Upload("n", {"a": 1 << 30})
