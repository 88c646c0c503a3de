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


class FieldsRefused(Refused):
    """The fields of a command do not fit the message; the text names the field."""


def build(form: type[R], fields: Mapping[str, object]) -> R:
    """Return the message with these fields; what is not given is empty. Raises FieldsRefused."""
    unknown = fields.keys() - form.fields().keys()
    if unknown:
        raise FieldsRefused(f"{form.__name__} has no field {', '.join(sorted(unknown))}")
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
    raise FieldsRefused(f"{kind.name}: cannot be given in a command")


def _wrong(kind: AnyKind, given: object, wanted: str) -> FieldsRefused:
    return FieldsRefused(f"{kind.name}: {given!r} is not {wanted}")


def _flags(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, list):
        return _number(kind, given, record)
    bits = {name: 1 << bit for bit, name in cast(Flags, kind).bits.items()}
    missing = [name for name in given if not isinstance(name, str) or name not in bits]
    if missing:
        raise _wrong(kind, missing, f"one of {', '.join(bits)}")
    return sum({bits[name] for name in given})


def _number(kind: AnyKind, given: object, record: Record) -> object:
    if isinstance(given, bool):
        return int(given)
    if not isinstance(given, int):
        raise _wrong(kind, given, "a whole number")
    return given


def _text(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, str):
        raise _wrong(kind, given, "text")
    return given


def _bytes(kind: AnyKind, given: object, record: Record) -> object:
    try:
        return bytes.fromhex(cast(str, given))
    except (TypeError, ValueError):
        raise _wrong(kind, given, "bytes in hexadecimal") from None


def _time(kind: AnyKind, given: object, record: Record) -> object:
    try:
        moment = datetime.fromisoformat(cast(str, given)) if given else None
    except (TypeError, ValueError):
        raise _wrong(kind, given, "a time like 2026-11-22T08:00:00+08:00") from None
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
        raise _wrong(kind, given, "a date like 2026-11-22") from None


def _nested(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, Mapping):
        raise _wrong(kind, given, "a group of fields")
    return build(cast(Nested[Record], kind).record, given)


def _repeat(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, list):
        raise _wrong(kind, given, "a list")
    return [_value(cast(Repeat[object], kind).kind, element, record) for element in given]


def _joined(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, list) or not all(isinstance(part, str) for part in given):
        raise _wrong(kind, given, "a list of texts")
    return given


def _when(kind: AnyKind, given: object, record: Record) -> object:
    return None if given is None else _value(cast(When[object], kind).kind, given, record)


def _switch(kind: AnyKind, given: object, record: Record) -> object:
    return _value(cast(Switch, kind).kind_for(record), given, record)


def _tagged(kind: AnyKind, given: object, record: Record) -> object:
    if not isinstance(given, Mapping):
        raise _wrong(kind, given, "items by name or id")
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
        raise FieldsRefused(f"{tagged.name}: there is no item {name}") from None


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
