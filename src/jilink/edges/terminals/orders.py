"""From the JSON fields of a command to the declared message: what each kind of field accepts from a person or a program.

Numbers are the integers of the wire, flags also a list of names, times ISO 8601, bytes hexadecimal.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import TypeVar, cast

from jilink.kernel.clock import CHINA
from jilink.kernel.errors import Refused
from jilink.protocols.wire.groups import Repeat, Switch, Tag, Tagged, Tags, When
from jilink.protocols.wire.joined import Joined
from jilink.protocols.wire.kinds import Bcd, Bytes, Flags, Kind, Number, Text
from jilink.protocols.wire.records import Nested, Record
from jilink.protocols.wire.times import ClockTime, Day, Moment, Time

R = TypeVar("R", bound=Record)
AnyKind = Kind[object]


WANTED = {
    "known": "a field of this message",
    "settable": "a field that a command can give",
    "flags": "names of its flags",
    "number": "a whole number",
    "text": "text",
    "bytes": "bytes in hexadecimal",
    "time": "a time like 2026-11-22T08:00:00+08:00",
    "date": "a date like 2026-11-22",
    "group": "a group of fields",
    "list": "a list",
    "texts": "a list of texts",
    "items": "items by name or id",
    "item": "the name or id of an item",
}
"""What a field takes, by the short stable key that travels with the refusal."""


class FieldsRefused(Refused):
    """The fields of a command do not fit the message: which `field`, what it takes (a key of `WANTED`) and what was given."""

    def __init__(self, field: str, wanted: str, given: object) -> None:
        super().__init__(f"{field}: {given!r} is not {WANTED[wanted]}")
        self.field = field
        self.wanted = wanted
        self.given = str(given)[:100]


def build(form: type[R], fields: Mapping[str, object]) -> R:
    """Return the message with these fields; what is not given is empty. Raises FieldsRefused."""
    unknown = fields.keys() - form.fields().keys()
    if unknown:
        raise FieldsRefused(form.__name__, "known", ", ".join(sorted(unknown)))
    record = form()
    for name, kind in form.fields().items():
        if name in fields:
            setattr(record, name, _value(kind, fields[name], record))
    for name, kind in form.fields().items():
        if isinstance(kind, Repeat) and kind.counted_by and kind.counted_by not in fields:
            setattr(record, kind.counted_by, len(getattr(record, name)))
    return record


def _value(kind: AnyKind, given: object, record: Record) -> object:
    for accepted, convert in _CONVERTERS:
        if isinstance(kind, accepted):
            return convert(kind, given, record)
    raise FieldsRefused(kind.name, "settable", given)


def _wrong(kind: AnyKind, given: object, wanted: str) -> FieldsRefused:
    return FieldsRefused(kind.name, wanted, given)


def _flags(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, list):
        return _number(kind, given, record)
    bits = {name: 1 << bit for bit, name in cast(Flags, kind).bits.items()}
    missing = [name for name in given if not isinstance(name, str) or name not in bits]
    if missing:
        raise _wrong(kind, missing, "flags")
    return sum({bits[name] for name in given})


def _number(kind: AnyKind, given: object, record: Record) -> object:
    if isinstance(given, bool):
        return int(given)
    if not isinstance(given, int):
        raise _wrong(kind, given, "number")
    return given


def _text(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, str):
        raise _wrong(kind, given, "text")
    return given


def _bytes(kind: AnyKind, given: object, record: Record) -> object:
    try:
        return bytes.fromhex(cast(str, given))
    except (TypeError, ValueError):
        raise _wrong(kind, given, "bytes") from None


def _time(kind: AnyKind, given: object, record: Record) -> object:
    try:
        moment = datetime.fromisoformat(cast(str, given)) if given else None
    except (TypeError, ValueError):
        raise _wrong(kind, given, "time") from None
    return moment.replace(tzinfo=CHINA) if moment and moment.tzinfo is None else moment


def _moment(kind: AnyKind, given: object, record: Record) -> object:
    try:
        return time.fromisoformat(cast(str, given))
    except (TypeError, ValueError):
        return _time(kind, given, record)


def _day(kind: AnyKind, given: object, record: Record) -> object:
    try:
        return date.fromisoformat(cast(str, given))
    except (TypeError, ValueError):
        raise _wrong(kind, given, "date") from None


def _nested(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, Mapping):
        raise _wrong(kind, given, "group")
    return build(cast(Nested[Record], kind).record, given)


def _repeat(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, list):
        raise _wrong(kind, given, "list")
    return [_value(cast(Repeat[object], kind).kind, element, record) for element in given]


def _joined(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, list) or not all(isinstance(part, str) for part in given):
        raise _wrong(kind, given, "texts")
    return given


def _when(kind: AnyKind, given: object, record: Record) -> object:
    return None if given is None else _value(cast(When[object], kind).kind, given, record)


def _switch(kind: AnyKind, given: object, record: Record) -> object:
    return _value(cast(Switch, kind).kind_for(record), given, record)


def _tagged(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, Mapping):
        raise _wrong(kind, given, "items")
    return Tags([_tag(kind, str(name), value, record) for name, value in given.items()])


def _tag(whole: AnyKind, name: str, value: object, record: Record) -> Tag:
    tagged = cast(Tagged, whole)
    for number, kinds in tagged.kinds.items():
        for kind in kinds:
            if kind.name == name or (name.lower().startswith("0x") and _hexadecimal(tagged, name) == number):
                return Tag(number, _value(kind, value, record), kind)
    return Tag(_hexadecimal(tagged, name), _bytes(whole, value, record))


def _hexadecimal(tagged: Tagged, name: str) -> int:
    try:
        return int(name, 16)
    except ValueError:
        raise FieldsRefused(tagged.name, "item", name) from None


_CONVERTERS: list[tuple[type | tuple[type, ...], Callable[[AnyKind, object, Record], object]]] = [
    (Flags, _flags),
    (Number, _number),
    ((Text, Bcd), _text),
    (Bytes, _bytes),
    (Moment, _moment),
    (ClockTime, _moment),
    (Time, _time),
    (Day, _day),
    (Nested, _nested),
    (Repeat, _repeat),
    (When, _when),
    (Switch, _switch),
    (Joined, _joined),
    (Tagged, _tagged),
]
