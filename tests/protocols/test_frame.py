"""Frames are cut, opened and wrapped as the standard says, and as terminals really do."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808 import frame as framing
from jilink.protocols.jt808.codec import decode_frame, open_frame
from jilink.protocols.jt808.frame import STANDARD, VENDOR_E7, Splitter, unwrap, wrap
from jilink.protocols.jt808.header import Header, luhn

from .stated import captures

HEARTBEAT = bytes.fromhex("7e000200000138001380000007") + bytes([0xAE]) + b"\x7e"


def heartbeat(**header: object) -> bytes:
    given_values: dict[str, object] = {"id": 2, "phone": "13800138000", "serial": 7, "year": 2013} | header
    return wrap(Header(**given_values).encode(0))


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    splitter = Splitter()
    found: list[bytes] = []
    before = 0
    for cut in [*sorted(cuts), len(data)]:
        found += splitter.feed(data[before:cut])
        before = cut
    return found


@pytest.mark.parametrize("delimiting", [STANDARD, VENDOR_E7])
@given(packet=st.binary(min_size=1, max_size=200))
def test_any_bytes_survive_the_wrapping(delimiting: framing.Delimiting, packet: bytes) -> None:
    raw = wrap(packet, delimiting)
    assert raw[0] == raw[-1] == delimiting.mark
    assert delimiting.mark not in raw[1:-1]
    assert unwrap(raw, delimiting) == packet


def test_the_standard_example_is_escaped_as_printed() -> None:
    assert STANDARD.escape(bytes.fromhex("307e087d55")) == bytes.fromhex("307d02087d0155")


def test_a_stream_cut_anywhere_gives_the_same_frames() -> None:
    stream = b"".join(bytes.fromhex(row.frame) for row in captures()[:60])
    whole = split(stream, [])
    assert len(whole) == 60
    rng = Random(3)
    for _ in range(50):
        assert split(stream, [rng.randrange(len(stream)) for _ in range(rng.randrange(1, 30))]) == whole
    assert split(stream, list(range(len(stream)))) == whole


def test_shared_delimiters_empty_frames_and_bytes_before_the_first_are_accepted() -> None:
    one = heartbeat()
    splitter = Splitter()
    frames = splitter.feed(b"noise" + one[:-1] + one + b"\x7e\x7e\x7e" + one + one[1:])
    assert [unwrap(raw)[:2] for raw in frames] == [b"\0\2"] * 4
    assert splitter.skipped == 5
    assert splitter.waiting == 0


def test_the_vendor_delimiter_is_found_by_itself() -> None:
    packet = Header(id=2, phone="13800138000", serial=0xE7E6, year=2013).encode(0)
    raw = wrap(packet, VENDOR_E7)
    splitter = Splitter()
    (frame,) = splitter.feed(raw)
    assert splitter.delimiting is VENDOR_E7
    assert unwrap(frame, VENDOR_E7) == packet
    assert [one.key for one in decode_frame(raw).tolerances] == ["vendor-delimiter"]


def test_the_buffer_is_bounded() -> None:
    splitter = Splitter(most=100)
    splitter.feed(b"\x7e")
    with pytest.raises(Malformed) as caught:
        splitter.feed(bytes(101))
    assert caught.value.reason == "too-long"
    assert splitter.waiting == 0
    assert len(splitter.feed(heartbeat())) == 1
    for _ in range(100):
        splitter = Splitter(most=100)
        splitter.feed(b"GET / HTTP/1.1\r\n" * 100)
        assert splitter.waiting == 0


def test_a_frame_without_delimiters_or_escapes_is_accepted_by_name() -> None:
    raw = heartbeat(serial=0x7D7E)
    assert [one.key for one in decode_frame(raw[1:-1]).tolerances] == ["no-delimiter"]
    plain = unwrap(raw)
    plain += bytes([framing.checksum(plain)])
    assert [one.key for one in decode_frame(plain).tolerances] == ["no-delimiter", "not-escaped"]
    assert [one.key for one in decode_frame(b"\x7e" + plain + b"\x7e").tolerances] == ["not-escaped"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "frame"),
        (b"\x7e\x7e", "frame"),
        (b"\x7e\x00\x00\x7e", "header"),
        (heartbeat()[:-2] + b"\x00\x7e", "checksum"),
        (heartbeat()[:5] + b"\x7d\x09" + heartbeat()[5:], "escape"),
        (heartbeat() + heartbeat(), "frame"),
    ],
)
def test_rubbish_is_malformed_with_a_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode_frame(raw)
    assert caught.value.reason == reason


def test_headers_of_both_layouts_are_read() -> None:
    old = open_frame(heartbeat()).header
    assert (old.year, old.phone, old.digits, old.serial, old.size) == (2013, "13800138000", "013800138000", 7, 12)
    new = open_frame(heartbeat(year=2019)).header
    assert (new.year, new.phone, new.version, new.size) == (2019, "13800138000", 1, 17)


def test_a_wrong_version_bit_is_forgiven_where_the_length_decides() -> None:
    packet = bytearray(Header(id=2, phone="13800138000", serial=7, year=2013).encode(0))
    packet[2] |= 0x40
    decoded = decode_frame(wrap(bytes(packet)))
    assert decoded.header.phone == "13800138000"
    assert [one.key for one in decoded.tolerances] == ["version-bit"]


def test_a_wrong_length_is_forgiven_where_the_checksum_is_right() -> None:
    packet = Header(id=2, phone="13800138000", serial=7, year=2013).encode(9)
    assert [one.key for one in decode_frame(wrap(packet)).tolerances] == ["body-length"]


def test_phones_that_are_no_decimal_digits_stay_hexadecimal_and_may_be_an_imei() -> None:
    imei = "86034403058843"
    header = open_frame(heartbeat(phone=f"{int(imei):012x}")).header
    assert header.phone == f"{int(imei):x}"
    assert header.imei == imei + luhn(imei)
    assert open_frame(heartbeat()).header.imei is None
