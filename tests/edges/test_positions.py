"""Positions on their way from the socket to the spine."""

import struct

from tests.edges.conftest import Mine, eventually
from tests.edges.terminal import Terminal, authentication, frame, location, parse, registration


def online(mine: Mine, **more: object) -> Terminal:
    terminal = mine.terminal(**more)
    terminal.login()
    return terminal


def acknowledged(terminal: Terminal, count: int) -> list[int]:
    """Return the serials of the next `count` positive answers."""
    serials = []
    for _ in range(count):
        serial, _, result = struct.unpack(">HHB", terminal.expect(0x8001).body)
        assert result == 0
        serials.append(serial)
    return serials


def test_several_frames_in_one_write_are_each_answered_in_order(admitted: Mine) -> None:
    terminal = online(admitted)
    frames = [terminal.make(0x0200, location(latitude=43_000_000 + k)) for k in range(50)]
    terminal.socket.sendall(b"".join(frames))
    assert acknowledged(terminal, 50) == list(range(3, 53))
    assert [row["latitude"] for row in admitted.rows()] == [43_000_000 + k for k in range(50)]


def test_a_stream_cut_anywhere_is_read_alike(admitted: Mine) -> None:
    terminal = online(admitted)
    frames = [terminal.make(0x0200, location(latitude=43_000_000 + k, items=b"\x01\x04\x00\x00\x7e\x7d")) for k in range(12)]
    stream, sent = b"".join(frames), 0
    for size in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144):
        terminal.socket.sendall(stream[sent : sent + size])
        sent += size
        if terminal.silent_for(0.03):
            continue
    terminal.socket.sendall(stream[sent:])
    assert acknowledged(terminal, 12) == list(range(3, 15))
    rows = admitted.rows()
    assert [row["latitude"] for row in rows] == [43_000_000 + k for k in range(12)]
    assert {row["odometer"] for row in rows} == {0x7E7D}


def test_neighbours_may_share_a_delimiter_and_empty_frames_are_nothing(admitted: Mine) -> None:
    terminal = online(admitted)
    one, two = terminal.make(0x0200, location()), terminal.make(0x0200, location())
    terminal.socket.sendall(one + two[1:] + b"\x7e\x7e")
    assert acknowledged(terminal, 2) == [3, 4]


def test_a_batch_of_stored_positions_is_answered_once(admitted: Mine) -> None:
    terminal = online(admitted)
    parts = [location(latitude=44_000_000 + k) for k in range(5)]
    body = struct.pack(">HB", 5, 1) + b"".join(struct.pack(">H", len(part)) + part for part in parts)
    serial = terminal.send(0x0704, body)
    assert terminal.expect(0x8001).body == struct.pack(">HHB", serial, 0x0704, 0)
    rows = admitted.rows()
    assert [(row["part"], row["backfill"], row["latitude"]) for row in rows] == [(k, True, 44_000_000 + k) for k in range(5)]


def test_a_batch_in_packages_is_answered_when_it_is_whole_and_stored(admitted: Mine) -> None:
    terminal = online(admitted)
    parts = [location(latitude=44_500_000 + k) for k in range(40)]
    body = struct.pack(">HB", 40, 1) + b"".join(struct.pack(">H", len(part)) + part for part in parts)
    first = terminal.send(0x0704, body[:900], part=(2, 1))
    assert terminal.silent_for(0.3)
    terminal.send(0x0704, body[900:], part=(2, 2))
    assert sorted(acknowledged(terminal, 2)) == [first, first + 1]
    assert len(admitted.rows()) == 40


def test_an_unescaped_frame_with_a_right_checksum_is_forgiven(admitted: Mine) -> None:
    terminal = online(admitted)
    terminal.serial += 1
    escaped = frame(0x0200, terminal.phone, terminal.serial, location(items=b"\x01\x04\x00\x00\x00\x7d"))
    assert b"\x7d\x01" in escaped
    terminal.socket.sendall(escaped.replace(b"\x7d\x01", b"\x7d"))
    assert acknowledged(terminal, 1) == [terminal.serial]
    assert [row["odometer"] for row in admitted.rows()] == [0x7D]


def test_a_position_without_a_fix_or_a_clock_is_stored_with_nulls(admitted: Mine) -> None:
    terminal = online(admitted)
    terminal.send(0x0200, location(status=0, at="000000000000", items=b"\xe1\x02\xab\xcd"))
    acknowledged(terminal, 1)
    (row,) = admitted.rows()
    assert (row["latitude"], row["longitude"], row["measured_at"], row["items"]) == (None, None, None, b"\xe1\x02\xab\xcd")


def test_a_position_that_is_cut_off_is_answered_as_malformed_and_kept(admitted: Mine) -> None:
    terminal = online(admitted)
    serial = terminal.send(0x0200, location()[:20])
    assert terminal.expect(0x8001).body == struct.pack(">HHB", serial, 0x0200, 2)
    eventually(
        lambda: any(f["asset"] == admitted.asset and f["reason"] == "truncated" for f in admitted.gateway.frames("frames.quarantine.1"))
    )
    assert admitted.rows() == []
    terminal.send(0x0200, location())
    eventually(lambda: len(admitted.rows()) == 1)


def test_the_whole_positions_of_a_batch_are_stored_where_one_is_cut_off(admitted: Mine) -> None:
    terminal = online(admitted)
    good, bad = location(), location()[:20]
    body = b"\0\3\1" + b"".join(len(one).to_bytes(2) + one for one in (good, bad, good))
    serial = terminal.send(0x0704, body)
    assert terminal.expect(0x8001).body == struct.pack(">HHB", serial, 0x0704, 0)
    eventually(
        lambda: any(f["asset"] == admitted.asset and f["reason"] == "truncated" for f in admitted.gateway.frames("frames.quarantine.1"))
    )
    eventually(lambda: [row["part"] for row in admitted.rows()] == [0, 2])


def test_a_terminal_that_ends_its_side_at_once_loses_nothing(admitted: Mine) -> None:
    terminal = online(admitted)
    terminal.send(0x0200, location())
    terminal.socket.shutdown(1)
    acknowledged(terminal, 1)
    assert len(admitted.rows()) == 1


def test_the_same_report_sent_again_is_answered_again(admitted: Mine) -> None:
    terminal = online(admitted)
    again = terminal.make(0x0200, location())
    terminal.socket.sendall(again)
    assert acknowledged(terminal, 1) == [3]
    terminal.socket.sendall(again)
    assert acknowledged(terminal, 1) == [3]
    rows = admitted.rows()
    assert len(rows) == 2 and len({(row["measured_at"], row["serial"], row["part"]) for row in rows}) == 1


VENDOR = [(b"\xe6", b"\xe6\x01"), (b"\xe7", b"\xe6\x02"), (b"\x3e", b"\x3e\x01"), (b"\x3d", b"\x3e\x02")]


def vendor(raw: bytes) -> bytes:
    """Return a frame with the delimiter E7 and its escapes."""
    content = raw[1:-1].replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
    for plain, escaped in VENDOR:
        content = content.replace(plain, escaped)
    return b"\xe7" + content + b"\xe7"


def standard(raw: bytes) -> bytes:
    content = raw[1:-1]
    for plain, escaped in reversed(VENDOR):
        content = content.replace(escaped, plain)
    return b"\x7e" + content.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def test_a_terminal_with_a_vendors_delimiter_is_served_in_kind(admitted: Mine) -> None:
    terminal = admitted.terminal()

    def ask(message: int, body: bytes) -> bytes:
        raw = vendor(terminal.make(message, body))
        terminal.socket.sendall(raw[:9])
        terminal.socket.sendall(raw[9:])
        answer = b""
        while answer.count(b"\xe7") < 2:
            answer += terminal.socket.recv(1000)
        return parse(standard(answer)).body

    token = ask(0x0100, registration())[3:].decode()
    assert ask(0x0102, authentication(token))[4] == 0
    assert ask(0x0200, location(items=b"\x01\x04\x3d\x3e\xe6\xe7"))[2:] == b"\x02\x00\x00"
    assert [row["odometer"] for row in admitted.rows()] == [0x3D3EE6E7]
