"""`jilink decode` answers every line with one JSON object, and never with a traceback."""

from __future__ import annotations

import io
import json
import struct
from random import Random

import pytest
from typer.testing import CliRunner

from jilink.protocols.jt808 import frame as framing
from jilink.protocols.jt808.codec import encode_frame
from jilink.site.commands.decode import app
from tests.protocols.stated import CAPTURES, captures, table

HEARTBEAT = encode_frame(0x0002, {}, phone="13800138000", serial=7)[0]
POSITION = captures()[41].frame


def run(data: bytes | str, *options: str) -> tuple[int, list[dict[str, object]]]:
    result = CliRunner().invoke(app, [*options, "-"], input=data)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_one_object_comes_out_for_each_line_of_the_captures() -> None:
    result = CliRunner().invoke(app, [str(CAPTURES / "standard.tsv")])
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert len(shown) == 402
    for one, capture in zip(shown, captures(), strict=True):
        assert {"ok", "message", "header", "fields", "tolerances", "reason"} <= set(one)
        assert one["ok"] or not capture.whole


@pytest.mark.parametrize(
    "form",
    [
        POSITION.upper(),
        "0x" + POSITION,
        " ".join(POSITION[place : place + 2] for place in range(0, len(POSITION), 2)),
        ", ".join("0x" + POSITION[place : place + 2].upper() for place in range(0, len(POSITION), 2)),
        ":".join(POSITION[place : place + 2] for place in range(0, len(POSITION), 2)),
        POSITION[2:-2],
        "\ufeff" + POSITION + "\tsource\tnotes",
        POSITION + "  # a remark",
        POSITION + " // a remark\r",
        "[" + ", ".join(f"0x{byte:x}" for byte in bytes.fromhex(POSITION)) + "]",
        '"' + "".join(f"\\x{byte:02X}" for byte in bytes.fromhex(POSITION)) + '",',
    ],
)
def test_every_way_of_writing_a_frame_says_the_same(form: str) -> None:
    _, (plain,) = run(POSITION)
    status, (shown,) = run(form)
    assert status == 0
    assert shown["fields"] == plain["fields"]
    assert shown["message"] == {"id": "0x0200", "name": "position", "year": 2013}


def test_values_carry_their_units() -> None:
    _, (shown,) = run(POSITION)
    fields = shown["fields"]
    assert isinstance(fields, dict)
    assert fields["speed"] == {"value": 6.0, "unit": "km/h"}
    assert fields["latitude"] == {"value": 12.222222, "unit": "deg"}
    assert fields["measured_at"] == {"value": "2018-07-15T10:10:10+08:00"}
    assert fields["items"]["odometer"] == {"id": "0x01", "value": 10.0, "unit": "km"}


def test_blank_lines_and_remarks_are_left_out_and_rubbish_is_answered() -> None:
    status, shown = run(f"# remark\n\n   \n{HEARTBEAT.hex()}\nnot hex\n7e7e\n{HEARTBEAT.hex()[:-4]}007e\n")
    assert status == 1
    assert [(one["line"], one["ok"], one["reason"]) for one in shown] == [
        (4, True, None),
        (5, False, "hex"),
        (6, False, "frame"),
        (7, False, "checksum"),
    ]


def test_several_frames_on_a_line_give_one_object_that_is_ok_where_all_are() -> None:
    beat = HEARTBEAT.hex()
    for line, further in ((POSITION + beat, 1), (beat + POSITION + beat, 2), (beat[:-2] + POSITION, 1)):
        status, (shown,) = run(line)
        assert (status, shown["ok"]) == (0, True)
        assert len(shown["further"]) == further
        assert {one["message"]["id"] for one in [shown, *shown["further"]]} == {"0x0200", "0x0002"}
    status, (shown,) = run(POSITION + beat[:-4] + "ff7e")
    assert (status, shown["ok"], shown["reason"], shown["further"][0]["ok"]) == (1, False, "checksum", False)
    assert run("7e" * 400)[1][0]["reason"] == "frame"


def test_odd_digits_are_said_to_be_odd() -> None:
    status, (shown,) = run(POSITION[:-1])
    assert (status, shown["reason"]) == (1, "hex")
    assert "odd" in str(shown["detail"])


def test_a_frame_with_items_of_a_maker_names_the_profile_that_reads_them() -> None:
    for raw, profile, *_ in table("vendors.tsv"):
        _, (shown,) = run(raw)
        _, (read,) = run(raw, "--profile", profile)
        assert profile in shown["profiles"]
        assert "profiles" not in read
    assert "profiles" not in run(HEARTBEAT.hex())[1][0]


def test_nothing_in_gives_nothing_out_and_success() -> None:
    assert run("") == (0, [])


def test_wrong_use_is_status_two() -> None:
    for arguments in (["--protocol", "morse", "-"], ["--profile", "nobody", "-"], ["/nowhere/at/all"], []):
        assert CliRunner().invoke(app, arguments, input="").exit_code == 2


def test_a_profile_reads_what_the_vendor_adds() -> None:
    line = captures()[4].frame
    _, (plain,) = run(line)
    _, (shown,) = run(line, "--profile", "gps51")
    assert plain["fields"]["items"]["0x61"] == {"id": "0x61", "value": "1d74", "encoding": "hex"}
    assert shown["fields"]["items"]["voltage"] == {"id": "0x61", "value": 75.4, "unit": "V"}


def test_packages_are_parts_and_the_last_line_carries_the_whole() -> None:
    frames = encode_frame(0x8108, {"type": 0, "version": "1.0", "data": bytes(2000)}, phone="13800138000", serial=1)
    status, shown = run("\n".join(raw.hex() for raw in frames[::-1]))
    assert status == 0
    assert [one["part"] for one in shown] == [{"index": 2, "total": 2}, {"index": 1, "total": 2}]
    assert shown[0]["joined"] is None
    joined = shown[1]["joined"]
    assert isinstance(joined, dict)
    assert joined["fields"]["version"] == {"value": "1.0"}
    assert len(joined["fields"]["data"]["value"]) == 4000


def segment(sequence: int, data: bytes, *, flags: int = 0x18, port: int = 40000) -> bytes:
    tcp = struct.pack(">HHIIBBHHH", port, 7611, sequence & 0xFFFFFFFF, 0, 0x50, flags, 1000, 0, 0) + data
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)))
    return bytes(12) + b"\x08\x00" + ip + tcp


def pcap(packets: list[bytes]) -> bytes:
    out = io.BytesIO()
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for number, packet in enumerate(packets):
        out.write(struct.pack("<IIII", 1_700_000_000 + number, 0, len(packet), len(packet)) + packet)
    return out.getvalue()


def pcapng(packets: list[bytes]) -> bytes:
    out = io.BytesIO()
    out.write(struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28))
    out.write(struct.pack("<IIHHII", 1, 20, 1, 0, 65535, 20))
    for packet in packets:
        padded = packet + bytes(-len(packet) % 4)
        size = 32 + len(padded)
        out.write(struct.pack("<IIIIIII", 6, size, 0, 0, 0, len(packet), len(packet)) + padded + struct.pack("<I", size))
    return out.getvalue()


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_a_capture_of_the_network_is_put_in_order_and_cut_into_frames(form: object) -> None:
    whole = [bytes.fromhex(row.frame) for row in captures()[19:60] if row.whole]
    stream = b"".join(whole)
    start = 0xFFFFFF00
    pieces = [(start + 1 + place, stream[place : place + 37]) for place in range(0, len(stream), 37)]
    rng = Random(6)
    for place in range(0, len(pieces) - 4, 4):
        part = pieces[place : place + 4]
        rng.shuffle(part)
        pieces[place : place + 4] = part
    pieces += pieces[5:9]
    packets = [segment(start, b"", flags=2)] + [segment(sequence, data) for sequence, data in pieces] + [b"rubbish"]
    status, shown = run(form(packets))
    assert status == 0
    assert [one["message"]["id"] for one in shown] == [f"0x{framing.unwrap(raw)[:2].hex()}" for raw in whole]
    assert {(one["from"], one["to"]) for one in shown} == {("10.0.0.1:40000", "10.0.0.2:7611")}
    assert run(form(packets), "--port", "99") == (0, [])


def test_a_broken_capture_says_so_after_what_could_be_read() -> None:
    whole = pcap([segment(1, HEARTBEAT), segment(1, HEARTBEAT, port=40001)])
    for size in range(4, len(whole)):
        status, shown = run(whole[:size])
        assert status in (0, 1)
        assert all(one["ok"] or one["reason"] == "capture" for one in shown)
    status, shown = run(whole[:10])
    assert (status, [one["reason"] for one in shown]) == (1, ["capture"])


def test_random_bytes_never_break_it() -> None:
    rng = Random(7)
    for magic in (b"", b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a", b"\xa1\xb2\x3c\x4d"):
        for _ in range(60):
            status, _ = run(magic + rng.randbytes(rng.randrange(400)))
            assert status in (0, 1)
    good = pcapng([segment(1, HEARTBEAT)] * 3)
    for _ in range(200):
        broken = bytearray(good)
        for _ in range(3):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        status, _ = run(bytes(broken))
        assert status in (0, 1)
