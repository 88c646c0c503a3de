"""Every deviation that is forgiven has its name, every refusal its reason; nothing else leaves the decoder."""

from __future__ import annotations

import struct

import pytest

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808 import frame as framing
from jilink.protocols.jt808.codec import decode_frame, encode_body
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.message import MESSAGES
from jilink.protocols.jt808.tolerances import REASONS, TOLERANCES

PHONE = "13800138000"
FIX = struct.pack(">IIIIhHH", 0, 2, 43_880_000, 125_320_000, 200, 600, 90) + bytes.fromhex("261122153000")


def framed(number: int, body: bytes, *, year: int = 2019, encryption: int = 0, phone: str = PHONE) -> bytes:
    header = Header(id=number, phone=phone, serial=7, year=2019 if year == 2019 else 2013, encryption=encryption)
    return encode_body(body, header)[0]


def sealed(packet: bytes) -> bytes:
    return framing.wrap(packet)


def told(packet: bytes, properties: int) -> bytes:
    """Return the packet's frame with other properties in its header."""
    return sealed(packet[:2] + properties.to_bytes(2) + packet[4:])


HEARTBEAT = Header(id=2, phone=PHONE, serial=7, year=2013).encode(0)
FRAMES = {
    "no-delimiter": framed(2, b"")[1:-1],
    "vendor-delimiter": framing.wrap(HEARTBEAT, framing.VENDOR_E7),
    "not-escaped": b"\x7e" + (HEARTBEAT[:-1] + b"\x7e") + bytes([framing.checksum(HEARTBEAT[:-1] + b"\x7e")]) + b"\x7e",
    "version-bit": told(HEARTBEAT, 0x4000),
    "body-length": told(HEARTBEAT, 9),
    "package-count": told(HEARTBEAT + b"\0\2\0\3", 0x2000),
    "encrypted": framed(0x0200, FIX, encryption=1),
    "encryption-bits": framed(0x0200, FIX, encryption=2),
    "unknown-message": framed(0x7777, b"\1"),
    "body-of-other-year": framed(0x0102, b"a token of 2013 in a header of 2019"),
    "body-variant": framed(0x8500, b"\0\1\1"),
    "trailing-bytes": framed(2, b"\1\2\3"),
    "item-length": framed(0x0200, FIX + b"\x01\x02\0\1"),
    "item-overrun": framed(0x0200, FIX + b"\x01\x09\0\1"),
    "items-tail": framed(0x0200, FIX + b"\x01"),
    "cut-element": framed(0x0704, b"\0\2\0\0\x1c" + FIX + b"\0\5" + bytes(5)),
    "fewer-than-counted": framed(0x0704, b"\0\2\0\0\x1c" + FIX),
    "out-of-range": framed(0x0200, FIX[:20] + b"\xff\xff" + FIX[22:]),
    "not-a-time": framed(0x0200, FIX[:22] + b"\x26\x13\x99\x25\x61\x61"),
    "not-bcd": framed(2, b"", year=2013, phone="4f07788ef87d"),
    "unknown-code": framed(0x0702, b"\3" + FIX[22:], year=2013),
    "undecodable-text": framed(0x8300, b"\1\1\xff\xff\xff"),
}


@pytest.mark.parametrize("key", sorted(TOLERANCES))
def test_every_tolerance_is_met_and_named(key: str) -> None:
    decoded = decode_frame(FRAMES[key])
    assert key in {one.key for one in decoded.tolerances}
    assert {one.key for one in decoded.tolerances} <= set(TOLERANCES)
    assert decoded.render()["ok"] is True


def test_areas_in_a_shape_of_their_own_are_kept() -> None:
    circle = b"\0\0\0\7\0\0" + FIX[8:16] + b"\0\0\0\x64" + b"\0\4east"
    whole = decode_frame(framed(0x0608, b"\1\0\0\0\1" + circle))
    assert whole.render()["fields"]["areas"][0]["radius"] == {"value": 100, "unit": "m"}
    assert not whole.tolerances
    short = decode_frame(framed(0x0608, b"\1\0\0\0\1" + circle[:9]))
    assert [one.key for one in short.tolerances] == ["body-variant"]
    assert short.fields.data == circle[:9]


def test_what_is_forgiven_is_kept() -> None:
    items = decode_frame(FRAMES["item-overrun"]).render()["fields"]["items"]
    assert items["tail"] == {"value": "01090001", "encoding": "hex"}
    assert decode_frame(FRAMES["out-of-range"]).fields.course == 0xFFFF or decode_frame(FRAMES["out-of-range"]).fields.speed == 0xFFFF
    assert decode_frame(FRAMES["trailing-bytes"]).trailing == b"\1\2\3"
    assert decode_frame(FRAMES["not-bcd"]).header.phone == "4f07788ef87d"


@pytest.mark.parametrize("number", sorted({number for number, _, _ in MESSAGES}))
@pytest.mark.parametrize("year", [2013, 2019])
def test_every_body_of_no_bytes_and_of_one_decodes_or_is_malformed(number: int, year: int) -> None:
    for body in (b"", b"\0", b"\xff"):
        try:
            decoded = decode_frame(framed(number, body, year=year))
        except Malformed as error:
            assert error.reason == "truncated"
        else:
            assert {one.key for one in decoded.tolerances} <= set(TOLERANCES)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x7e\x7e", "frame"),
        (sealed(HEARTBEAT)[:-2] + b"\x7d\x09\x7e", "escape"),
        (sealed(HEARTBEAT)[:-2] + b"\x7d\x7e", "escape"),
        (sealed(HEARTBEAT)[:-2] + b"\x00\x7e", "checksum"),
        (sealed(b"\0\2\0"), "header"),
        (sealed(HEARTBEAT[:2] + b"\x20\0" + HEARTBEAT[4:]), "header"),
        (b"\x7e" + bytes(5000) + b"\x7e", "too-long"),
        (framed(0x0200, FIX[:27]), "truncated"),
    ],
)
def test_every_refusal_has_its_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode_frame(raw)
    assert caught.value.reason == reason in REASONS
