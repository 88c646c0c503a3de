"""Packages, recordings and other content of terminals."""

import hashlib
import random
import struct

from tests.edges.conftest import Mine, eventually
from tests.edges.terminal import Terminal, location

HEAD = struct.pack(">IBBBB", 77, 0, 0, 1, 2)


def online(mine: Mine, **more: object) -> Terminal:
    terminal = mine.terminal(**more)
    terminal.login()
    return terminal


def packages(data: bytes) -> list[bytes]:
    body = HEAD + location() + data
    return [body[k : k + 900] for k in range(0, len(body), 900)]


def test_a_photo_in_packages_is_stored_and_answered_as_complete(admitted: Mine) -> None:
    terminal = online(admitted)
    data = b"\xff\xd8" + random.Random(1).randbytes(5000)
    parts = packages(data)
    order = list(range(len(parts)))
    random.Random(2).shuffle(order)
    first = terminal.serial + 1
    frames = [terminal.make(0x0801, part, part=(len(parts), index)) for index, part in enumerate(parts, 1)]
    terminal.socket.sendall(b"".join(frames[k] for k in order))
    assert terminal.expect(0x8800).body == struct.pack(">I", 77)
    assert first
    (event,) = [e for e in admitted.gateway.events("media_stored") if e["asset"] == admitted.asset]
    assert event["sha256"] == hashlib.sha256(data).hexdigest()
    assert (event["kind"], event["content_type"], event["channel"], event["media_id"], event["latitude"]) == (
        "image",
        "image/jpeg",
        2,
        77,
        43_886_841,
    )
    assert admitted.gateway.spine.get_object(event["name"]) == data


def test_missing_packages_of_a_photo_are_asked_for(admitted: Mine) -> None:
    terminal = online(admitted)
    parts = packages(bytes(3000))
    frames = [terminal.make(0x0801, part, part=(len(parts), index)) for index, part in enumerate(parts, 1)]
    terminal.socket.sendall(frames[0] + frames[3])
    assert terminal.expect(0x8800, timeout=15).body == struct.pack(">IBHH", 77, 2, 2, 3)
    terminal.socket.sendall(frames[1] + frames[2])
    assert terminal.expect(0x8800).body == struct.pack(">I", 77)


def test_missing_packages_of_another_message_are_asked_for_by_their_first_serial(admitted: Mine) -> None:
    terminal = online(admitted)
    body = b"\x41" + bytes(1500)
    serial = terminal.send(0x0900, body[:900], part=(2, 1))
    assert terminal.expect(0x8001).body == struct.pack(">HHB", serial, 0x0900, 0)
    assert terminal.expect(0x8003, timeout=15).body == struct.pack(">HBH", serial, 1, 2)
    terminal.send(0x0900, body[900:], part=(2, 2))
    assert terminal.expect(0x8001).body[4] == 0
    eventually(lambda: [e for e in admitted.gateway.events("message_received") if e["asset"] == admitted.asset])


def test_messages_worth_keeping_become_events_and_are_answered_after_that(admitted: Mine) -> None:
    terminal = online(admitted)
    sent = {
        0x0702: b"\x02" + bytes.fromhex("261122123456"),
        0x0705: struct.pack(">H", 1) + bytes.fromhex("1234560000") + struct.pack(">I", 0x123) + bytes(8),
        0x0900: b"\x41hello",
        0x0701: struct.pack(">I", 4) + b"bill",
        0x0800: HEAD,
    }
    for message, body in sent.items():
        serial = terminal.send(message, body)
        assert terminal.expect(0x8001).body == struct.pack(">HHB", serial, message, 0)
    kept = [e for e in admitted.gateway.events("message_received") if e["asset"] == admitted.asset]
    assert [e["message"] for e in kept] == list(sent)


def test_a_message_nobody_declares_is_kept_raw_and_answered_as_unsupported(admitted: Mine) -> None:
    terminal = online(admitted)
    raw = terminal.make(0x0F77, b"who knows")
    terminal.socket.sendall(raw)
    assert terminal.expect(0x8001).body[2:] == b"\x0f\x77\x03"

    def kept() -> bool:
        frames = admitted.gateway.frames("frames.quarantine.1")
        return any(f["frame"] == raw.hex() and f["reason"] == "unknown_message" and f["asset"] == admitted.asset for f in frames)

    eventually(kept)
