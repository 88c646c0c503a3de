"""Every message of every year survives the way to the wire and back."""

from __future__ import annotations

from random import Random

import pytest

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808.codec import (
    Header,
    decode_body,
    decode_frame,
    encode_body,
    encode_frame,
    encode_message,
    open_frame,
    profile_of,
    random_message,
)
from jilink.protocols.jt808.joiner import Joiner
from jilink.protocols.jt808.message import MESSAGES, VARIANTS, Year
from jilink.protocols.jt808.registry import message
from jilink.protocols.jt808.safety import AttachmentData
from jilink.protocols.jt808.vendors import PROFILES
from jilink.protocols.jt808.video import StreamPacket, StreamPacket2019
from jilink.protocols.wire.cursor import Cursor
from jilink.protocols.wire.groups import Tag, Tags
from jilink.protocols.wire.records import Record

EVERY = sorted((number, year) for number, _, year in MESSAGES)


def there_and_back(record: Record) -> None:
    out = bytearray()
    record.write(out)
    cursor = Cursor(bytes(out))
    assert type(record).read(cursor) == record
    assert not cursor.left
    assert not cursor.tolerances
    record.render()


@pytest.mark.parametrize(("number", "year"), EVERY, ids=lambda value: f"{value:04x}" if value > 3000 else str(value))
def test_every_message_of_every_year_comes_back_as_it_went(number: int, year: Year) -> None:
    rng = Random(f"{number} {year}")
    for _ in range(15):
        sent = random_message(number, year, rng)
        there_and_back(sent)
        header = Header(id=number, phone="13800138000", serial=rng.randrange(65536), year=2019 if year == 2019 else 2013)
        joiner = Joiner()
        for raw in encode_message(sent, header):
            packet = open_frame(raw)
            assert not packet.tolerances
            joined = joiner.add(packet.header, packet.body, 0.0)
        assert joined is not None
        got = decode_body(joined.header, joined.body, profile_of("standard"))
        assert got.header.phone == "13800138000"
        assert got.header.serial == header.serial
        if year != 2011:
            assert got.fields == sent
            assert not got.tolerances


@pytest.mark.parametrize("variant", [one for many in VARIANTS.values() for one in many], ids=lambda one: one.__name__)
def test_every_variant_comes_back_as_it_went(variant: type[Record]) -> None:
    rng = Random(1)
    for _ in range(15):
        there_and_back(variant.random(rng))


@pytest.mark.parametrize("record", [StreamPacket, StreamPacket2019, AttachmentData])
def test_unframed_records_come_back_as_they_went(record: type[Record]) -> None:
    rng = Random(1)
    for _ in range(15):
        there_and_back(record.random(rng))


def test_every_message_is_documented() -> None:
    for declared in set(MESSAGES.values()):
        assert "20" in declared.message_title(), declared
        assert declared.message_title().count("(") == 1, declared


def test_a_message_by_field_values_is_encoded_and_read() -> None:
    (raw,) = encode_frame(0x8300, {"flag": 8, "type": 1, "text": "前方雨雪"}, phone="13800138000", serial=7)
    decoded = decode_frame(raw)
    assert decoded.name == "text_message"
    assert decoded.render()["fields"] == {
        "flag": {"value": 8, "set": ["speak"], "kind": 0},
        "type": {"value": 1, "meaning": "notice"},
        "text": {"value": "前方雨雪"},
    }


def test_what_does_not_fit_is_refused_before_it_is_sent() -> None:
    for number, fields in (
        (0x8300, {"flag": 256, "type": 1, "text": ""}),
        (0x8300, {"nonsense": 1}),
        (0x0100, {"terminal": "x" * 31}),
        (0x1234, {}),
        (0x8202, {"interval": 0, "duration": 5}),
    ):
        with pytest.raises(Malformed) as caught:
            encode_frame(number, fields, phone="13800138000", serial=1)
        assert caught.value.reason == "unencodable"
    with pytest.raises(Malformed):
        encode_frame(0x8104, {}, phone="not a phone", serial=1)


def test_signed_coordinates_set_the_hemisphere() -> None:
    declared = message(0x0200)
    assert declared is not None
    sent = declared(status=2, latitude=-45_000_000, longitude=-1)
    out = bytearray()
    sent.write(out)
    got = declared.read(Cursor(bytes(out)))
    assert (got.latitude, got.longitude) == (-45_000_000, -1)
    assert got.status == 0b1110


def test_a_long_message_goes_in_packages_with_following_serials() -> None:
    frames = encode_frame(0x8108, {"type": 0, "version": "1", "data": bytes(range(256)) * 10}, phone="13800138000", serial=65534)
    packets = [open_frame(raw) for raw in frames]
    assert [packet.header.serial for packet in packets] == [65534, 65535, 0]
    assert [(packet.header.index, packet.header.total) for packet in packets] == [(1, 3), (2, 3), (3, 3)]
    assert max(len(packet.body) for packet in packets) == 1023


@pytest.mark.parametrize("name", [name for name in PROFILES if name != "standard"])
def test_every_item_of_a_profile_comes_back_as_it_went(name: str) -> None:
    profile = PROFILES[name]
    declared = message(0x0200, 2013)
    assert declared is not None
    rng = Random(2)
    for number, kinds in profile.tables["location"].items():
        for kind in kinds:
            position = declared.random(rng)
            position.items = Tags([Tag(number, kind.random(rng, None), kind)])
            (raw,) = encode_message(position, Header(id=0x0200, phone="13800138000", serial=1, year=2013))
            decoded = decode_frame(raw, name)
            assert not decoded.tolerances
            assert [tag.kind is None for tag in decoded.fields.items] == [False]
            assert encode_message(decoded.fields, decoded.header) == [raw]


def test_unknown_items_and_messages_stay_bytes_under_their_id() -> None:
    declared = message(0x0200)
    assert declared is not None
    sent = declared(items=Tags([Tag(0x99, b"\x01\x02"), Tag(0x01, b"\x01\x02\x03"), Tag(0x31, 9)]))
    (raw,) = encode_message(sent, Header(id=0x0200, phone="1", serial=1))
    decoded = decode_frame(raw)
    assert [tag.value for tag in decoded.fields.items] == [b"\x01\x02", b"\x01\x02\x03", 9]
    assert [(one.key, one.where) for one in decoded.tolerances] == [("item-length", "0x01")]
    (raw,) = encode_message(decoded.fields, Header(id=0x7777, phone="1", serial=1))
    decoded = decode_frame(raw)
    assert decoded.name == "unknown"
    assert [one.key for one in decoded.tolerances] == ["unknown-message"]


@pytest.mark.parametrize(
    ("rest", "keys"),
    [
        (b"", {"fewer-than-counted"}),
        (b"\0", {"fewer-than-counted", "trailing-bytes"}),
        (b"\0\0", {"cut-element"}),
        (b"\0\x1c" + bytes(27), {"cut-element"}),
        (b"\xff\xff" + bytes(28), {"cut-element"}),
    ],
)
def test_the_good_positions_of_a_batch_survive_a_bad_one(rest: bytes, keys: set[str]) -> None:
    one = b"\0\x1c" + bytes(8) + bytes.fromhex("0299f1f8077bb1a0") + bytes(12)
    (raw,) = encode_body(b"\0\2\0" + one + rest, Header(id=0x0704, phone="13800138000", serial=1))
    decoded = decode_frame(raw)
    assert {tolerance.key for tolerance in decoded.tolerances} == keys
    assert decoded.fields.positions[0].latitude == 0x0299F1F8
    assert decoded.render()["fields"]["positions"][0]["latitude"]["unit"] == "deg"


def test_a_batch_without_one_whole_position_is_malformed() -> None:
    for body in (b"\0\1\0", b"\0\1\0\0\5" + bytes(5), b"\0\2\0\0\0\0\0"):
        (raw,) = encode_body(body, Header(id=0x0704, phone="13800138000", serial=1))
        with pytest.raises(Malformed, match="element"):
            decode_frame(raw)
    (raw,) = encode_body(b"\0\0\0", Header(id=0x0704, phone="13800138000", serial=1))
    assert decode_frame(raw).fields.positions == []
