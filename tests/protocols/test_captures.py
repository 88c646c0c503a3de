"""Every real frame goes through, and says what its source says it says."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808.codec import Decoded, decode_body, decode_frame, open_frame, profile_of
from jilink.protocols.jt808.joiner import Joiner
from jilink.protocols.jt808.tolerances import TOLERANCES

from .stated import Capture, captures, flat, pairs, same, table

CAPTURES = captures()
MAPPING = {(number, name): path for number, name, path in table("mapping.tsv")}
WORDS = {word: int(number) for word, number in table("words.tsv")}
UNMAPPED = {(line, name): reason for line, name, reason in table("unmapped.tsv")}


def decode(capture: Capture) -> Decoded:
    profile = "gps51" if "GPS51" in capture.source else "standard"
    return decode_frame(bytes.fromhex(capture.frame), profile)


def ours(capture: Capture, values: dict[str, object], number: int, name: str, occurrence: int) -> list[object]:
    """Return what the mapping says the stated name is in our record."""
    indices = iter(re.findall(r"\[\d+\]", name))
    general = re.sub(r"\[\d+\]", "[]", name)
    for key in ((f"{number:04x}", name), (f"{number:04x}", general), ("*", general)):
        if key in MAPPING:
            path = MAPPING[key].replace("@#", f"@{occurrence}")
            break
    else:
        pytest.fail(f"line {capture.line}: {name} is in neither mapping.tsv nor unmapped.tsv")
    if path.startswith("any "):
        pattern = re.escape(path[4:]).replace(r"\*", r"\d+")
        return [value for known, value in values.items() if re.fullmatch(pattern, known)]
    path = re.sub(r"\[\]", lambda _: next(indices), path)
    found = [values[alternative] for alternative in path.split() if alternative in values]
    assert found, f"line {capture.line}: {name} should be at {path}, there is {sorted(values)}"
    return found[:1]


def agree(mine: object, stated: object, name: str) -> bool:
    if ".TrimStart(" in name and isinstance(mine, str):
        return mine.lstrip("0 ") == stated
    if isinstance(mine, datetime) and name.startswith("jT808Package"):  # 0x8004 is in UTC
        return mine.strftime("%Y-%m-%dT%H:%M:%S") == stated
    if mine is None:
        return stated == 0
    if "longitude" in name and isinstance(mine, int):
        return abs(mine) == stated
    return same(mine, stated)


def test_the_collection_is_whole() -> None:
    assert len(CAPTURES) == 402


@pytest.mark.parametrize("capture", [row for row in CAPTURES if row.whole], ids=lambda row: f"line{row.line}")
def test_every_whole_frame_decodes_and_agrees_with_its_source(capture: Capture) -> None:
    decoded = decode(capture)
    assert {one.key for one in decoded.tolerances} <= set(TOLERANCES)
    values = flat(decoded)
    seen: dict[str, int] = {}
    for name, stated in pairs(capture.stated, WORDS):
        general = re.sub(r"\[\d+\]", "[]", name)
        if any((line, known) in UNMAPPED for line in ("*", str(capture.line)) for known in (name, general)):
            continue
        occurrence = seen.setdefault(name, 0)
        seen[name] += 1
        found = ours(capture, values, decoded.id, name, occurrence)
        assert any(agree(mine, stated, name) for mine in found), f"{name} is {found}, the source states {stated!r}"


@pytest.mark.parametrize("capture", [row for row in CAPTURES if not row.whole], ids=lambda row: f"line{row.line}")
def test_every_other_frame_is_malformed_with_a_reason_or_decodes_under_a_named_tolerance(capture: Capture) -> None:
    try:
        decoded = decode(capture)
    except Malformed as error:
        assert error.reason == "checksum"
        assert "crc=BAD" in capture.kind
        return
    keys = {one.key for one in decoded.tolerances}
    assert keys & {"body-length", "version-bit"}
    assert keys <= set(TOLERANCES)


def test_stated_values_of_odd_frames_hold_too() -> None:
    (capture,) = [row for row in CAPTURES if row.line == 10]
    values = flat(decode(capture))
    for name, stated in pairs(capture.stated, WORDS):
        assert any(agree(mine, stated, name) for mine in ours(capture, values, 0x0200, name, 0))


def test_nothing_stands_in_the_lists_that_is_not_stated() -> None:
    stated = {(str(row.line), name) for row in CAPTURES for name, _ in pairs(row.stated, WORDS)}
    names = {name for _, name in stated} | {re.sub(r"\[\d+\]", "[]", name) for _, name in stated}
    assert {name for _, name in MAPPING} <= names
    assert {(line, name) for line, name in UNMAPPED if line != "*"} <= stated
    assert {name for line, name in UNMAPPED if line == "*"} <= names


def test_every_prefix_of_a_frame_decodes_or_is_malformed() -> None:
    for capture in CAPTURES:
        raw = bytes.fromhex(capture.frame)
        for size in range(0, len(raw), 1 if len(raw) < 200 else 37):
            try:
                decode_frame(raw[:size])
            except Malformed as error:
                assert error.reason


def test_a_list_that_the_collection_tore_apart_is_whole_in_ours() -> None:
    (capture,) = [row for row in CAPTURES if row.line == 4]
    values = flat(decode(capture))
    assert [values[f"items.humidities[{place}]"] for place in range(8)] == [645, 611, 624, 664, 666, 635, 646, 641]
    (capture,) = [row for row in CAPTURES if row.line == 81]
    assert flat(decode(capture))["packages.count"] == 2


def test_the_captured_packages_join_to_whole_messages() -> None:
    joiner = Joiner()
    whole = []
    for capture in CAPTURES:
        if " sub " in capture.kind and capture.whole:
            packet = open_frame(bytes.fromhex(capture.frame))
            joined = joiner.add(packet.header, packet.body, float(capture.line))
            if joined is not None:
                decoded = decode_body(joined.header, joined.body, profile_of("standard"))
                whole.append((capture.line, decoded.name, {one.key for one in decoded.tolerances}))
                assert flat(decoded).get("recordings.count") == {14: 35, 221: 180}.get(capture.line)
    assert whole == [
        (14, "recordings", set()),
        (19, "parameters", set()),
        (221, "recordings", set()),
        (223, "parameters", {"trailing-bytes"}),
        (371, "registration", set()),
        (375, "registration_answer", set()),
    ]
    assert joiner.waiting_bytes == 0
