"""Instances of any declaration out of one question: a whole number between two bounds. The bounds themselves give the extremes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain

from jilink.protocols.wire.groups import Repeat, Switch, Tag, Tagged, Tags, When
from jilink.protocols.wire.joined import Joined
from jilink.protocols.wire.kinds import AnyKind, Bcd, Bytes, Coordinate, Number, SignMagnitude, Text
from jilink.protocols.wire.records import Nested, Record
from jilink.protocols.wire.times import ClockTime, Day, Moment, Time

LETTERS = "A9~吉林省长春市测试汽车€ö"
"""Characters of one, two and four bytes; the last two are beyond GBK proper."""
MOST_REST = 200
"""Bytes of what goes to the end, at most: long enough, and a position's item holds it."""

Choose = Callable[[int, int], int]
"""Return a whole number between two, both included."""


def make(declared: type[Record], choose: Choose) -> Record:
    """Return an instance; lists that another field counts have at most three elements, and what follows from a code has a known one.

    What follows from an unknown code goes to the end of the body, so that a list of such cannot be told apart.
    """
    record = declared.__new__(declared)
    inner = chain(*((kind, *kind.kinds.values()) if isinstance(kind, Switch) else (kind,) for kind in declared.fields().values()))
    counted = {kind.counted_by for kind in inner if isinstance(kind, Repeat)}
    codes = {kind.on: sorted(kind.kinds) for kind in declared.fields().values() if isinstance(kind, Switch)}
    for name, kind in declared.fields().items():
        if name in codes:
            record.__dict__[name] = codes[name][choose(0, len(codes[name]) - 1)]
        else:
            record.__dict__[name] = choose(0, 3) if name in counted else value(kind, record, choose)
    return record


def value(kind: AnyKind, record: object, choose: Choose) -> object:
    """Return a value of a kind."""
    match kind:
        case When():
            wanted = choose(0, 1) if kind.condition is None else kind.condition(record)
            return value(kind.kind, record, choose) if wanted else None
        case Switch():
            return value(kind.kind_for(record), record, choose)
        case Nested():
            return nested(kind, choose)
        case Repeat():
            known = getattr(record, kind.counted_by) if kind.counted_by else None
            count = choose(0, min(kind.prefix.maximum, 20) if kind.prefix else 3) if known is None else known
            return [value(kind.kind, record, choose) for _ in range(count)]
        case Tagged():
            return tags(kind, choose)
        case Joined():
            return [text(choose, choose(1, 9)) for _ in range(choose(0, len(kind.names)))]
        case _:
            return plain(kind, choose)


def nested(kind: Nested[Record], choose: Choose) -> Record:
    """Return a record that its length prefix can hold."""
    record, out = make(kind.record, choose), bytearray()
    record.write(out)
    return record if kind.prefix is None or len(out) <= kind.prefix.maximum else make(kind.record, min)


def plain(kind: AnyKind, choose: Choose) -> object:
    """Return a value of a kind that holds no other."""
    match kind:
        case Number():
            return number(kind, choose)
        case Text():
            room = kind.size or (kind.prefix.maximum if kind.prefix else MOST_REST)
            return text(choose, choose(0, min(room, MOST_REST)), ascii_only=kind.encoding == "ascii")
        case Bytes():
            room = kind.size if kind.size is not None else choose(0, min(kind.prefix.maximum, MOST_REST) if kind.prefix else MOST_REST)
            return bytes(choose(0, 255) for _ in range(room))
        case Bcd():
            return "".join(str(choose(0, 9)) for _ in range(kind.digits))
        case Moment():
            return clock(choose) if choose(0, 1) else moment(kind.dated, choose)
        case Time():
            return moment(kind, choose) if choose(0, 3) else None
        case Day():
            return date(2000, 1, 1) + timedelta(days=choose(0, 36_000)) if choose(0, 3) else None
        case ClockTime():
            return clock(choose).replace(microsecond=1000 * choose(0, 999))
    raise AssertionError(f"how is a {type(kind).__name__} made?")


def number(kind: Number, choose: Choose) -> int | None:
    """Return a number of the declared range, or None where that is declared."""
    if kind.absent is not None and not choose(0, 7):
        return None
    if isinstance(kind, SignMagnitude):
        top = 1 << 8 * (kind.size or 1) - 1
        drawn = choose(1 - top, top - 2 if kind.absent is not None else top - 1)
    elif isinstance(kind, Coordinate):
        drawn = choose(-(kind.raw_high or 0), kind.raw_high or 0)
    elif kind.strict:
        drawn = sorted(kind.choices)[choose(0, len(kind.choices) - 1)]
    else:
        low = kind.minimum if kind.raw_low is None else max(kind.minimum, kind.raw_low)
        drawn = choose(low, kind.maximum if kind.raw_high is None else min(kind.maximum, kind.raw_high))
    return None if drawn == kind.absent else drawn


def text(choose: Choose, room: int, *, ascii_only: bool = False) -> str:
    """Return a text of at most that many bytes that neither begins nor ends with what fills a field."""
    letters = LETTERS[:3] if ascii_only else LETTERS
    found, size = "", 0
    while True:
        letter = letters[choose(0, len(letters) - 1)]
        size += len(letter.encode("gb18030"))
        if size > room:
            return found
        found += letter


def moment(kind: Time, choose: Choose) -> datetime:
    """Return a time of the years 2000 to 2099 in the field's zone."""
    first = datetime(2000, 1, 1, tzinfo=kind.zone)
    return (first + timedelta(seconds=choose(0, 36_524 * 86_400))).astimezone(UTC)


def clock(choose: Choose) -> time:
    """Return a time of day."""
    return time(choose(0, 23), choose(0, 59), choose(0, 59))


def tags(kind: Tagged, choose: Choose) -> Tags:
    """Return items: up to three of those declared, in the form that is read first of its length."""
    found: list[Tag] = []
    for _ in range(choose(0, 3)):
        identity = sorted(kind.kinds)[choose(0, len(kind.kinds) - 1)]
        forms = kind.kinds[identity]
        form = forms[choose(0, len(forms) - 1)]
        held = value(form, None, choose)
        body = bytearray()
        form.write(body, held, None)
        if len(body) <= kind.length_kind.maximum and (form is forms[0] or not forms[0].accepts(len(body))):
            found.append(Tag(identity, held, form))
    return Tags(found)
