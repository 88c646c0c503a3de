"""Vendor profiles: every item is proven by a frame, and says what its source says it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jilink.protocols.jt808.codec import Decoded, decode_frame, encode_message
from jilink.protocols.jt808.tolerances import TOLERANCES
from jilink.protocols.jt808.vendors import PROFILES
from jilink.protocols.wire.cursor import Json
from jilink.protocols.wire.groups import Tag, Tagged, Tags
from jilink.protocols.wire.records import Record

from .stated import captures, table

ROWS = [
    (f"{profile}{number}", bytes.fromhex(raw), profile, stated) for number, (raw, profile, _, stated) in enumerate(table("vendors.tsv"))
]
UNSEEN = {("0x2b", "fuel_levels"), ("0xe1", "cells")}
"""Longer forms of an item whose shorter form was seen."""
VENDORS = [name for name in PROFILES if name != "standard"]


def tags(value: object) -> Iterator[Tag]:
    """Yield every tagged item of a value, however deep."""
    if isinstance(value, Record):
        for held in vars(value).values():
            yield from tags(held)
    elif isinstance(value, list):
        for element in value:
            yield from tags(element)
    elif isinstance(value, Tags):
        for tag in value:
            yield tag
            yield from tags(tag.value)


def proven(name: str) -> set[tuple[int, object]]:
    """Return id and declaration of every item that a frame of this profile's rows was read by."""
    raws = [raw for _, raw, profile, _ in ROWS if profile == name]
    raws += [bytes.fromhex(row.frame) for row in captures() if name == "gps51" and "GPS51" in row.source]
    return {(tag.id, tag.kind) for raw in raws for tag in tags(decode_frame(raw, name).fields) if tag.kind}


def at(decoded: Decoded, path: str) -> Json:
    """Return the value at a path like `items.tyres[0].pressure`."""
    leaf: Json = decoded.fields.render()
    for step in path.replace("[", ".[").split("."):
        if isinstance(leaf, dict):
            leaf = leaf["value"] if step.startswith("[") and "value" in leaf else leaf.get(step)
        if isinstance(leaf, list):
            leaf = leaf[int(step.strip("[]"))] if step.startswith("[") else leaf
    return leaf["value"] if isinstance(leaf, dict) else leaf


@pytest.mark.parametrize(("raw", "profile", "stated"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_every_frame_says_what_its_source_states(raw: bytes, profile: str, stated: str) -> None:
    decoded = decode_frame(raw, profile)
    assert {one.key for one in decoded.tolerances} <= {"item-length", "items-tail"} & set(TOLERANCES)
    for name, _, value in (pair.partition("=") for pair in stated.split("; ") if pair):
        assert str(at(decoded, name)) == value, name
    assert encode_message(decoded.fields, decoded.header) == [raw if raw[:1] == b"\x7e" else b""]
    assert decoded.header.phone.startswith("138001380"), "the identity is masked"


@pytest.mark.parametrize("name", VENDORS)
def test_every_item_of_a_profile_is_proven_by_a_frame(name: str) -> None:
    declared = set()
    for number, kinds in PROFILES[name].tables["location"].items():
        declared |= {(number, kind) for kind in kinds}
        for kind in kinds:
            if isinstance(kind, Tagged):
                declared |= {(inner, one) for inner, many in kind.kinds.items() for one in many}
    missing = {(hex(number), getattr(kind, "name", "")) for number, kind in declared - proven(name)}
    assert missing == (UNSEEN if name == "gps51" else set())


@pytest.mark.parametrize("name", [name for name in VENDORS if name != "gps51"])
def test_a_profile_leaves_the_standard_items_as_they_are(name: str) -> None:
    for row in captures():
        if row.whole and " id=0x0200 " in row.kind and " sub " not in row.kind:
            raw = bytes.fromhex(row.frame)
            plain, read = (decode_frame(raw, profile).fields.items for profile in ("standard", name))
            assert [tag for tag in plain if tag.kind and tag.id < 0x32] == [tag for tag in read if tag.id < 0x32 and tag.kind]
