"""Every declaration, with every value it can hold, survives the way to the wire and back."""

from __future__ import annotations

from itertools import chain
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jilink.protocols.jt808.codec import decode_body, decode_frame, encode_message, open_frame, profile_of
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.joiner import Joiner
from jilink.protocols.jt808.message import MESSAGES, VARIANTS, Message
from jilink.protocols.jt808.vendors import PROFILES
from jilink.protocols.wire.cursor import Cursor
from jilink.protocols.wire.groups import Tag, Tags
from jilink.protocols.wire.records import Record

from .instances import Choose, make, value

EVERY = sorted({*MESSAGES.values(), *chain(*VARIANTS.values())}, key=lambda one: (one.id, one.__name__))
ITEMS = [
    (name, number, place)
    for name, profile in PROFILES.items()
    for number, kinds in profile.tables.get("location", {}).items()
    for place in range(len(kinds))
]


def least(low: int, high: int) -> int:
    return low


def most(low: int, high: int) -> int:
    return high


def bytes_of(record: Record) -> bytes:
    out = bytearray()
    record.write(out)
    return bytes(out)


def there_and_back(declared: type[Message], choose: Choose) -> None:
    """Write, read, compare; frame, join, decode; nothing may differ and nothing needs forgiving."""
    sent = make(declared, choose)
    body = bytes_of(sent)
    cursor = Cursor(body)
    got = declared.read(cursor)
    assert got == sent
    assert not cursor.left
    assert not cursor.tolerances
    assert bytes_of(got) == body
    assert isinstance(got.render(), dict)
    year = 2019 if 2019 in declared.years else 2013
    joiner, joined = Joiner(), None
    for raw in encode_message(sent, Header(id=declared.id, phone="13800138000", serial=choose(0, 65535), year=year)):
        packet = open_frame(raw)
        assert not packet.tolerances
        joined = joiner.add(packet.header, packet.body, 0.0)
    assert joined is not None
    assert joined.body == body
    decoded = decode_body(joined.header, joined.body, profile_of("standard"))
    assert bytes_of(decoded.fields) + decoded.trailing == body


@pytest.mark.parametrize("declared", EVERY, ids=lambda one: f"{one.id:04x}-{one.__name__}")
@pytest.mark.parametrize("choose", [least, most], ids=["least", "most"])
def test_every_declaration_comes_back_with_its_least_and_its_greatest_values(declared: type[Message], choose: Choose) -> None:
    there_and_back(declared, choose)


@pytest.mark.parametrize("declared", EVERY, ids=lambda one: f"{one.id:04x}-{one.__name__}")
@settings(max_examples=3, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_declaration_comes_back_as_it_went(declared: type[Message], data: st.DataObject) -> None:
    rng = Random(data.draw(st.integers(0, 1 << 64)))
    edge = data.draw(st.sampled_from((0.0, 0.3)))

    def choose(low: int, high: int) -> int:
        return rng.choice((low, high)) if rng.random() < edge else rng.randint(low, high)

    there_and_back(declared, choose)


@pytest.mark.parametrize(("name", "number", "place"), ITEMS)
@pytest.mark.parametrize("choose", [least, most], ids=["least", "most"])
def test_every_item_of_a_profile_comes_back_with_its_least_and_its_greatest_values(
    name: str, number: int, place: int, choose: Choose
) -> None:
    kind = PROFILES[name].tables["location"][number][place]
    position = make(MESSAGES[0x0200, "up", 2019], lambda low, high: max(low, min(high, 0)))
    held = value(kind, None, choose)
    position.__dict__["items"] = Tags([Tag(number, held, kind)])
    (raw,) = encode_message(position, Header(id=0x0200, phone="13800138000", serial=1))
    decoded = decode_frame(raw, name)
    assert encode_message(decoded.fields, decoded.header) == [raw]
