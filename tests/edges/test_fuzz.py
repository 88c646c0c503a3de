"""Random and mutated messages through the front door: the gateway goes on, and none of them is our fault."""

import random
import struct

from jilink.protocols.jt808.registry import MESSAGES
from tests.edges.conftest import Mine, eventually
from tests.edges.terminal import Terminal, frame, location

IDS = sorted({number for number, direction, _ in MESSAGES if direction == "up"} - {0x0003, 0x0100, 0x0102})


def survives(mine: Mine, frames: list[bytes]) -> None:
    """Send the frames, reconnecting where the gateway has had enough, then prove that it still serves."""
    terminal = mine.terminal()
    token = terminal.login()
    for raw in frames:
        try:
            terminal.socket.sendall(raw)
        except ConnectionError:
            terminal = mine.terminal()
            terminal.authenticate(token)
    witness = mine.terminal()
    assert witness.authenticate(token) == 0
    serial = witness.send(0x0200, location())
    eventually(lambda: witness.expect(0x8001).body == struct.pack(">HHB", serial, 0x0200, 0))
    log = mine.gateway.log.read_text()
    assert "frame_failed" not in log and "Traceback" not in log and "worker_ended" not in log, log[-3000:]


def test_every_message_with_any_body_is_taken_refused_or_kept(admitted: Mine) -> None:
    source = random.Random(1)
    frames = []
    for number in IDS:
        for size in (0, 1, 2, 5, 28, 60, 300):
            frames.append(frame(number, admitted.phone, source.randrange(65536), source.randbytes(size)))
    survives(admitted, frames)


def test_mutated_frames_never_stop_the_gateway(admitted: Mine) -> None:
    source = random.Random(2)
    frames = []
    for _ in range(1500):
        raw = bytearray(frame(source.choice(IDS), admitted.phone, 7, location(items=source.randbytes(source.randrange(40)))))
        for _ in range(source.randrange(4)):
            raw[source.randrange(len(raw))] = source.randrange(256)
        frames.append(bytes(raw))
    survives(admitted, frames)


def test_packages_of_any_shape_never_stop_the_gateway(admitted: Mine) -> None:
    source = random.Random(3)
    frames = []
    for _ in range(800):
        part = (source.choice((0, 1, 2, 3, 65535)), source.choice((0, 1, 2, 3, 4)))
        body = source.randbytes(source.randrange(60))
        frames.append(frame(source.choice((0x0801, 0x0704, 0x0900, 0x0200, 0x0104)), admitted.phone, source.randrange(9), body, part=part))
    survives(admitted, frames)


def test_any_bytes_before_authentication_never_stop_the_gateway(admitted: Mine) -> None:
    source = random.Random(4)
    for _ in range(60):
        stranger = Terminal(admitted.gateway.port, "1")
        stranger.socket.sendall(source.choice((b"", b"\x7e", b"\x7e\x01\x00")) + source.randbytes(source.randrange(1, 400)) + b"\x7e")
        stranger.close()
    survives(admitted, [])
