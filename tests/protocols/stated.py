"""Reads what the captures' sources state about each frame, and looks the same up in a decoded message.

Two ways of writing occur: assertions (`Name=value; Name=value`) and JSON. Both become (name, value) pairs; indices are kept.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from jilink.kernel.clock import CHINA
from jilink.protocols.jt808.codec import Decoded
from jilink.protocols.wire.groups import Tags
from jilink.protocols.wire.records import Record

CAPTURES = Path(__file__).parents[1] / "captures" / "jt808"


@dataclass(frozen=True)
class Capture:
    """One row of standard.tsv; `line` counts from 1."""

    line: int
    frame: str
    source: str
    kind: str
    stated: str

    @property
    def whole(self) -> bool:
        """Whether the collection found checksum and length right."""
        return "crc=ok len=ok" in self.kind


class ByteCount(int):
    """A stated number of zero bytes."""


def captures() -> list[Capture]:
    """Return every row."""
    rows = []
    for line, text in enumerate((CAPTURES / "standard.tsv").read_text(encoding="utf-8").splitlines(), 1):
        frame, source, notes = text.split("\t")
        kind, _, stated = notes.partition("|| stated:")
        rows.append(Capture(line, frame, source, kind.strip(), stated.strip()))
    return rows


def table(name: str) -> list[list[str]]:
    """Return a data file beside the captures as rows of columns, without comments."""
    text = (CAPTURES / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def pairs(stated: str, words: dict[str, int]) -> list[tuple[str, object]]:
    """Split what a source states into names and values; `words` are numbers it calls by name."""
    found: list[tuple[str, object]] = []
    for piece in stated.split(" | "):
        if piece.startswith("{"):
            found += _leaves("", _json(piece))
        else:
            found += [_assertion(part, words) for part in piece.split("; ") if part]
    return found


def _json(text: str) -> object:
    """Parse JSON whose end the collection may have cut off: what stands before the last whole value is kept."""
    while True:
        try:
            return json.loads(text + "".join(_open_brackets(text)))
        except json.JSONDecodeError:
            text = text[: text.rindex(",")]


def _open_brackets(text: str) -> list[str]:
    closing: list[str] = []
    for sign in re.sub(r'"[^"]*"', "", text):
        if sign in "{[":
            closing.insert(0, "}" if sign == "{" else "]")
        elif sign in "}]":
            closing.pop(0)
    return closing


def _leaves(path: str, value: object) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(f"{path}.{key}".lstrip("."), inner)]
    if isinstance(value, list):
        return [leaf for place, inner in enumerate(value) for leaf in _leaves(f"{path}[{place}]", inner)]
    return [(path, value)]


def _assertion(text: str, words: dict[str, int]) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        return (name, None)
    value = value.strip()
    if value in words:
        return (name, words[value])
    if match := re.fullmatch(r"(0x[0-9a-fA-F]+|\d+)[uUlL]*", value):
        return (name, int(match[1], 0))
    if match := re.fullmatch(r'"(.*)"', value):
        return (name, match[1])
    if match := re.fullmatch(r'DateTime\.Parse\("(.*)"\)', value):
        return (name, match[1].replace(" ", "T"))
    if match := re.fullmatch(r"new byte\[(\d+)\]", value):
        return (name, ByteCount(int(match[1])))
    if match := re.search(r"_0x([0-9a-fA-F]{4})\b", value):
        return (name, int(match[1], 16))
    return (name, value)


def flat(decoded: Decoded) -> dict[str, object]:
    """Return every value of a decoded message by its path; numbers as on the wire."""
    header = decoded.header
    properties = header.length | header.encryption << 10 | header.parted << 13 | (header.year == 2019) << 14
    found: dict[str, object] = {
        "header.id": header.id,
        "header.serial": header.serial,
        "header.version": header.version,
        "header.length": header.length,
        "header.year": header.year,
        "header.total": header.total,
        "header.index": header.index,
        "header.encryption": header.encryption,
        "header.properties": properties,
        "ok": True,
    }
    _flatten("", decoded.fields, found)
    return found


def _flatten(path: str, value: object, found: dict[str, object]) -> None:
    if isinstance(value, Record):
        for name, inner in vars(value).items():
            _flatten(f"{path}.{name}".lstrip("."), inner, found)
    elif isinstance(value, Tags):
        found[f"{path}.count"] = len(value)
        for place, tag in enumerate(value):
            found[f"{path}@{place}.id"] = tag.id
            found[f"{path}@{place}.length"] = tag.size
            _flatten(f"{path}@{place}.value", tag.value, found)
            if not any(known.startswith(f"{path}.{tag.name}") for known in found):
                found[f"{path}.{tag.name}.id"] = tag.id
                _flatten(f"{path}.{tag.name}", tag.value, found)
    elif isinstance(value, list):
        found[f"{path}.count"] = len(value)
        for place, inner in enumerate(value):
            _flatten(f"{path}[{place}]", inner, found)
    else:
        found[path] = value
        if isinstance(value, bytes):
            found |= {f"{path}[{place}]": byte for place, byte in enumerate(value)}


def same(ours: object, theirs: object) -> bool:
    """Compare a decoded value with a stated one, which may write bytes as numbers and numbers with the other sign."""
    if isinstance(ours, datetime):
        local = ours.astimezone(CHINA)
        return str(theirs) in (local.strftime("%Y-%m-%dT%H:%M:%S"), local.strftime("%y%m%d%H%M%S"))
    if isinstance(ours, time):
        return str(theirs) in (ours.isoformat(), ours.strftime("000000%H%M%S"))
    if isinstance(ours, date):
        return str(theirs) in (ours.isoformat(), ours.strftime("%Y%m%d"))
    if isinstance(ours, bytes):
        if isinstance(theirs, ByteCount):
            return len(ours) == theirs
        return theirs in (ours.hex(), ours.hex().upper(), int.from_bytes(ours, "big")) or _text(ours) == theirs
    if isinstance(ours, int) and isinstance(theirs, int):
        return ours == theirs or any((ours - theirs) % (1 << bits) == 0 and min(ours, theirs) < 0 for bits in (8, 16, 32))
    if isinstance(ours, str):
        if re.fullmatch(r"\d\d:\d\d:00", str(theirs)):
            return ours == str(theirs).replace(":", "")[:4]
        return ours == str(theirs) or (ours.isdecimal() and str(theirs).isdecimal() and int(ours) == int(str(theirs)))
    return ours == theirs


def _text(raw: bytes) -> str:
    return raw.strip(b"\0").decode("gb18030", "replace")
