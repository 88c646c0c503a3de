"""The JT/T 808 page, out of the declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from jilink.protocols.jt808.message import MESSAGES, VARIANTS, Message
from jilink.protocols.jt808.parameters import PARAMETERS
from jilink.protocols.jt808.position import LOCATION_ITEMS
from jilink.protocols.jt808.registry import AREAS_OF_WORK
from jilink.protocols.jt808.safety import AttachmentData
from jilink.protocols.jt808.tolerances import REASONS, TOLERANCES
from jilink.protocols.jt808.vendors import PROFILES
from jilink.protocols.jt808.video import StreamPacket, StreamPacket2019
from jilink.protocols.wire.groups import Repeat, Switch, Tagged, When
from jilink.protocols.wire.kinds import AnyKind, Flags, Number
from jilink.protocols.wire.records import Nested, Record

INTRODUCTION = """# JT/T 808, T/JSATL 12 and the signalling of JT/T 1078

This page is generated from the declarations in `src/jilink/protocols/jt808` (`make docs`).

## Frames

`7E` · escaped(header · body · checksum) · `7E`. The checksum is the exclusive or of header and body; `7E` is escaped as `7D 02`,
`7D` as `7D 01` (JT/T 808-2019, 4.4). One vendor's delimiter `E7` with its escapes is recognised by itself. Numbers are
big-endian, text is GBK, times are BCD at UTC+8 (0x8004 alone is in UTC). A body is at most 1023 bytes; a longer message goes in
packages. Positions are WGS-84. Clause numbers are those of the 2013 and 2019 editions; those of 2013 have not been compared with its
printed text.

## Header

| bytes 2011, 2013 | bytes 2019 | field | |
|---|---|---|---|
| 0-1 | 0-1 | message id | |
| 2-3 | 2-3 | properties | bits 0-9 length of the body, 10-12 encryption (10: RSA), 13 in packages, 14 layout of 2019 |
| | 4 | version of the protocol | 1; grows with each revision |
| 4-9 | 5-14 | phone of the terminal | BCD, 12 or 20 digits, filled with zeros in front |
| 10-11 | 15-16 | serial number | grows by one with each message, from 0 |
| 12-13 | 17-18 | packages of the message | only where bit 13 is set |
| 14-15 | 19-20 | number of this package | from 1; only where bit 13 is set |

## What `jilink decode` prints

One JSON object a frame: `ok`; `message` (`id`, `name`, `year` of the declaration the body follows); `header`; `fields`;
`tolerances` (each with `key`, `at`, `detail`); `reason` (null where `ok`, else a key of the table of reasons) with `detail`. A
frame of a longer message has `part` (`index`, `total`) and `joined`: null until the last package has come, then `message`,
`fields` and `tolerances` of the whole. Where another vendor profile would read items that stayed bytes, `profiles` names it. A line
with several frames gives one object, that of its first frame, with the others in `further`; it is `ok` where all are. From a
capture of the network each object also has `at`, `from` and `to`, from lines `line`.

In `fields` a leaf is an object with `value` and, where there is one, `unit`, `meaning` (of a code), `set` (names of the bits that
are set). Bytes are `{"value": hex, "encoding": "hex"}`, a group is an object of leaves, a repeated field a list. Tagged items
stand under their name, unknown ones under their id,
each with its `id`; the list of one that repeats is its `value`. Coordinates of a
terminal that says it is not positioned carry `valid` false.
`value` null means not available.
"""


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    yield from _keys("Tolerances", "Deviations that are forgiven, by key.", TOLERANCES)
    yield from _keys("Reasons", "Why a frame is malformed, by key.", REASONS)
    yield "## Messages\n"
    yield "| id | direction | years | name | what |\n|---|---|---|---|---|"
    declared = sorted(_declared().items(), key=lambda item: (item[0].id, item[1]))
    for message, years in declared:
        yield f"| 0x{message.id:04X} | {message.direction()} | {_years(years)} | `{message.message_name()}` | {message.message_title()} |"
    yield ""
    records: dict[str, type[Record]] = {}
    for module in AREAS_OF_WORK:
        title = (module.__doc__ or "").partition("\n")[0].rstrip(".")
        yield f"## {title}\n"
        for message, years in declared:
            if message.__module__ == module.__name__:
                yield from _message(message, _years(years), records)
    yield "## Tagged items of a position\n"
    yield from _items(LOCATION_ITEMS, records, 2)
    yield "## Parameters\n"
    yield from _items({number: kinds for number, kinds in PARAMETERS.items() if not 0x0111 <= number <= 0x01FF}, records, 4)
    yield "`0x0111` to `0x01ff` are as `0x0110`.\n"
    yield "## Vendor profiles\n"
    for profile in PROFILES.values():
        yield f"### `{profile.name}`\n\n{profile.title}.\n"
        if "location" in profile.tables:
            yield from _items(profile.tables["location"], records, 2)
    yield "## Without a frame\n"
    for record in (AttachmentData, StreamPacket, StreamPacket2019):
        yield from _record(record, records)
    yield "## Groups\n"
    done: set[str] = set()
    while left := [name for name in sorted(records) if name not in done]:
        for name in left:
            done.add(name)
            yield from _record(records[name], records)


def _declared() -> dict[type[Message], list[int]]:
    found: dict[type[Message], list[int]] = {}
    for (_, _, year), message in MESSAGES.items():
        found.setdefault(message, []).append(year)
    for variants in VARIANTS.values():
        for message in variants:
            found.setdefault(message, list(message.years))
    return found


def _years(years: Iterable[int]) -> str:
    return ", ".join(str(year) for year in sorted(set(years)))


def _keys(title: str, words: str, keys: Mapping[str, str]) -> Iterator[str]:
    yield f"## {title}\n\n{words}\n\n| key | meaning |\n|---|---|"
    for key, meaning in keys.items():
        yield f"| `{key}` | {meaning} |"
    yield ""


def _message(message: type[Message], years: str, records: dict[str, type[Record]]) -> Iterator[str]:
    variant = f", variant: {message.variant}" if message.variant else ""
    yield f"### 0x{message.id:04X} `{message.message_name()}` ({years}{variant})\n"
    yield _text(message) + "\n"
    if message.fields():
        yield from _fields(message, records)
    else:
        yield "Empty body.\n"


def _record(record: type[Record], records: dict[str, type[Record]]) -> Iterator[str]:
    yield f"### {record.__name__}\n\n{_text(record)}\n"
    yield from _fields(record, records)


def _text(record: type[Record]) -> str:
    return "\n".join(line.strip() for line in (record.__doc__ or "").strip().splitlines())


def _fields(record: type[Record], records: dict[str, type[Record]]) -> Iterator[str]:
    yield "| offset | field | form | unit | range | meaning |\n|---|---|---|---|---|---|"
    offset: int | None = 0
    for name, kind in record.fields().items():
        place = "" if offset is None else str(offset)
        yield f"| {place} | `{name}` | {_form(kind, records)} | {_unit(kind)} | {_range(kind)} | {_meaning(kind)} |"
        offset = None if offset is None or kind.size is None else offset + kind.size
    yield ""


def _items(table: Mapping[int, tuple[AnyKind, ...]], records: dict[str, type[Record]], digits: int) -> Iterator[str]:
    yield "| id | name | form | unit | meaning |\n|---|---|---|---|---|"
    for number, kinds in sorted(table.items()):
        for kind in kinds:
            yield f"| 0x{number:0{digits}x} | `{kind.name}` | {_form(kind, records)} | {_unit(kind)} | {_meaning(kind)} |"
    yield ""


def _form(kind: AnyKind, records: dict[str, type[Record]]) -> str:
    for inner in _inner(kind):
        if isinstance(inner, Nested):
            records.setdefault(inner.record.__name__, inner.record)
    return kind.wire


def _inner(kind: AnyKind) -> Iterator[AnyKind]:
    yield kind
    if isinstance(kind, Repeat | When):
        yield from _inner(kind.kind)
    elif isinstance(kind, Switch):
        for one in (*kind.kinds.values(), kind.otherwise):
            yield from _inner(one)


def _core(kind: AnyKind) -> AnyKind:
    return _core(kind.kind) if isinstance(kind, Repeat | When) else kind


def _unit(kind: AnyKind) -> str:
    core = _core(kind)
    if not isinstance(core, Number) or not (core.unit or core.scale != 1):
        return ""
    scale = f"{core.scale:g} " if core.scale != 1 else ""
    offset = f" {core.offset:+g}" if core.offset else ""
    return f"{scale}{core.unit}{offset}"


def _range(kind: AnyKind) -> str:
    core = _core(kind)
    if not isinstance(core, Number):
        return ""
    parts = [] if core.low is None and core.high is None else [f"{'' if core.low is None else f'{core.low:g}'}..{core.high:g}"]
    if core.absent is not None:
        parts.append(f"{core.absent:#x} not available")
    return ", ".join(parts)


def _meaning(kind: AnyKind) -> str:
    core = _core(kind)
    parts = [kind.doc] if kind.doc else ([core.doc] if core.doc else [])
    if isinstance(kind, When):
        parts.append(f"only where {kind.when}")
    if isinstance(core, Flags):
        parts += [f"bit {bit} {name}" for bit, name in _shortened(core.bits)]
        parts += [
            f"bits {low}-{low + width - 1} {name}" + (f" ({_codes(meanings)})" if meanings else "")
            for name, (low, width, meanings) in core.parts.items()
        ]
    elif isinstance(core, Number) and core.choices:
        parts.append(_codes(core.choices))
    elif isinstance(core, Switch):
        parts += [f"where {core.on} is {number:#x}: {one.wire}" for number, one in core.kinds.items()]
    elif isinstance(core, Tagged):
        parts.append(f"see the table of {core.space} items" if core.space != "parameters" else "see the table of parameters")
    return "; ".join(parts).replace("|", "\\|")


def _shortened(bits: Mapping[int, str]) -> list[tuple[int | str, str]]:
    if len(bits) > 8 and all(name.startswith("channel") for name in bits.values()):
        return [(f"{min(bits)}-{max(bits)}", "channel 1 onward")]
    return list(sorted(bits.items()))


def _codes(choices: Mapping[int, str]) -> str:
    return ", ".join(f"{number} {meaning}" for number, meaning in choices.items())
