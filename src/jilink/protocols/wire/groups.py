"""Kinds that hold other kinds: repeated, conditional, chosen by another field, and tagged items."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Generic, TypeVar, cast

import numpy as np

from jilink.protocols.wire.cursor import Cursor, Json, Table, Tolerance, Truncated
from jilink.protocols.wire.kinds import AnyKind, Bytes, Kind, Number, Unencodable
from jilink.protocols.wire.records import Nested

T = TypeVar("T")


class Repeat(Kind[Sequence[T]], Generic[T]):
    """Elements one after another: as many as the `count` prefix says, as another field says (`counted_by`), or to the end.

    Where the bytes end at the border of an element before the count is reached, what came is kept and noted.
    """

    def __init__(
        self, kind: Kind[T], doc: str = "", *, count: str = "", counted_by: str = "", most: int = 3, name: str = "", source: str = ""
    ) -> None:
        super().__init__(doc, name=name, source=source)
        self.kind = kind
        self.prefix = Number(count, name="count") if count else None
        self.counted_by = counted_by
        self.most = most

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        self.kind.name = self.kind.name or self.name

    @property
    def wire(self) -> str:
        head = f"{self.prefix.wire} n + " if self.prefix else ""
        return f"{head}n x {self.kind.wire}"

    def empty(self) -> Sequence[T]:
        return []

    def read(self, cursor: Cursor, record: object) -> Sequence[T]:
        values: list[T] = []
        count: int | None = None
        if self.prefix:
            count = self.prefix.read(cursor, record)
        elif self.counted_by:
            count = cast(int, getattr(record, self.counted_by))
        while len(values) != count:
            if not cursor.left:
                if count is not None:
                    cursor.tolerate("fewer-than-counted", self.name, f"{len(values)} of {count}")
                break
            before = cursor.at
            values.append(self.kind.read(cursor, record))
            if cursor.at == before:
                break
        return values

    def write(self, out: bytearray, value: Sequence[T], record: object) -> None:
        if self.prefix:
            self.prefix.write(out, len(value), record)
        elif self.counted_by and getattr(record, self.counted_by) != len(value):
            raise Unencodable(f"{self.name}: {len(value)} elements, {self.counted_by} says {getattr(record, self.counted_by)}")
        for element in value:
            self.kind.write(out, element, record)

    def random(self, rng: Random, record: object) -> Sequence[T]:
        count = cast(int, getattr(record, self.counted_by)) if self.counted_by else rng.randint(1, self.most)
        return [self.kind.random(rng, record) for _ in range(count)]

    def render(self, value: Sequence[T]) -> Json:
        return [self.kind.render(element) for element in value]


class When(Kind[T | None], Generic[T]):
    """A field that is there only under a condition on the fields before it, or (no condition) where bytes are left."""

    def __init__(self, kind: Kind[T], condition: Callable[[object], bool] | None = None, doc: str = "", *, when: str = "") -> None:
        super().__init__(doc or kind.doc, unit=kind.unit, name=kind.name, source=kind.source)
        self.kind, self.condition, self.when = kind, condition, when or "bytes are left"

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        self.kind.__set_name__(owner, name)

    @property
    def wire(self) -> str:
        return self.kind.wire

    def empty(self) -> T | None:
        return None

    def read(self, cursor: Cursor, record: object) -> T | None:
        present = bool(cursor.left) if self.condition is None else self.condition(record)
        return self.kind.read(cursor, record) if present else None

    def write(self, out: bytearray, value: T | None, record: object) -> None:
        present = value is not None if self.condition is None else self.condition(record)
        if present:
            self.kind.write(out, self.kind.empty() if value is None else value, record)
        elif value is not None:
            raise Unencodable(f"{self.name} must be absent: only where {self.when}")

    def random(self, rng: Random, record: object) -> T | None:
        present = rng.random() < 0.5 if self.condition is None else self.condition(record)
        return self.kind.random(rng, record) if present else None

    def render(self, value: T | None) -> Json:
        return None if value is None else self.kind.render(value)


class Switch(AnyKind):
    """A field whose kind follows from the value of another field (`on`)."""

    def __init__(self, on: str, kinds: Mapping[int, AnyKind], otherwise: AnyKind | None = None, doc: str = "") -> None:
        super().__init__(doc)
        self.on, self.kinds, self.otherwise = on, kinds, otherwise or Bytes()

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        for kind in (*self.kinds.values(), self.otherwise):
            kind.__set_name__(owner, name)

    @property
    def wire(self) -> str:
        return f"by {self.on}"

    def kind_for(self, record: object) -> AnyKind:
        """Return the kind that the record's `on` field calls for."""
        return self.kinds.get(getattr(record, self.on), self.otherwise)

    def empty(self) -> object:
        return None

    def read(self, cursor: Cursor, record: object) -> object:
        return self.kind_for(record).read(cursor, record)

    def write(self, out: bytearray, value: object, record: object) -> None:
        kind = self.kind_for(record)
        kind.write(out, kind.empty() if value is None else value, record)

    def random(self, rng: Random, record: object) -> object:
        return self.kind_for(record).random(rng, record)

    def render(self, value: object) -> Json:
        for kind in (*self.kinds.values(), self.otherwise):
            if type(value) is type(kind.empty()):
                return kind.render(value)
        return self._leaf(str(value))


@dataclass(slots=True)
class Tag:
    """One tagged item. `kind` is None where it is unknown or of a strange length: then the value is its bytes."""

    id: int
    value: object
    kind: AnyKind | None = field(default=None, compare=False)
    size: int = field(default=0, compare=False)
    """Bytes of its value, where it was read."""

    @property
    def name(self) -> str:
        """The name of its declaration, else its id."""
        return self.kind.name if self.kind else f"0x{self.id:02x}"


@dataclass(slots=True)
class Tags:
    """Tagged items in the order received; `tail` is what could not be cut into items."""

    items: list[Tag] = field(default_factory=list)
    tail: bytes = b""

    def __iter__(self) -> Iterator[Tag]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def get(self, name: str) -> object:
        """Return the value of the first item of this name, or None."""
        return next((item.value for item in self.items if item.name == name), None)


@dataclass(frozen=True, slots=True)
class ItemColumn:
    """A plain number inside an item of a fixed length: what a columnar decoder needs."""

    id: int
    length: int
    name: str
    offset: int
    dtype: np.dtype
    kind: Number


_NO_KINDS: Table = {}


class Tagged(Kind[Tags]):
    """Items of id, length and value to the end (or as many as `count` says).

    An unknown id, or a length no declaration of the id accepts, stays as bytes (the latter is noted). `space` names the table
    that vendors may extend. Several kinds of one id are tried in order (JT/T 808-2019, table 27).
    """

    def __init__(
        self, space: str, kinds: Table, doc: str = "", *, id: str = ">u1", length: str = ">u1", count: str = "", name: str = ""
    ) -> None:
        super().__init__(doc, name=name)
        self.space, self.kinds = space, kinds
        self.id_kind = Number(id, name="id")
        self.length_kind = Number(length, name="length")
        self.count_kind = Number(count, name="count") if count else None
        self._head = struct.Struct(f">{self.id_kind.code}{self.length_kind.code}")
        self._numbers = {(number, first.struct.size): first for number, (first, *_) in kinds.items() if isinstance(first, Number)}

    @property
    def wire(self) -> str:
        head = f"{self.count_kind.wire} n + " if self.count_kind else ""
        return f"{head}n x (id {self.id_kind.wire}, length {self.length_kind.wire}, value)"

    def empty(self) -> Tags:
        return Tags()

    def columns(self) -> list[ItemColumn]:
        """Return every plain number of every item of a fixed length."""
        found: list[ItemColumn] = []
        for number, kinds in self.kinds.items():
            for kind in kinds:
                if isinstance(kind, Number):
                    found.append(ItemColumn(number, kind.dtype.itemsize, kind.name, 0, kind.dtype, kind))
                elif isinstance(kind, Nested) and kind.size:
                    found += [
                        ItemColumn(number, kind.size, _column_name(kind, part.name), part.offset, part.dtype, part.kind)
                        for part in kind.record.fixed()
                        if part.dtype is not None and isinstance(part.kind, Number)
                    ]
        return found

    def alternatives(self, number: int, cursor: Cursor) -> tuple[AnyKind, ...]:
        """Return the kinds that an id may be: the vendor's first, then the standard's."""
        own = cursor.tables.get(self.space)
        if own and number in own:
            return own[number] + self.kinds.get(number, ())
        return self.kinds.get(number, ())

    def read(self, cursor: Cursor, record: object) -> Tags:
        tags = Tags()
        left = -1 if self.count_kind is None else self.count_kind.read(cursor, record)
        own = cursor.tables.get(self.space, _NO_KINDS)
        numbers, kinds, items = self._numbers, self.kinds, tags.items
        data, at, end = cursor.data, cursor.at, cursor.end
        unpack, size = self._head.unpack_from, self._head.size
        while left and at + size <= end:
            number, length = unpack(data, at)
            start, stop = at + size, at + size + length
            if stop > end:
                cursor.tolerate("item-overrun", f"0x{number:02x}", f"{length} bytes announced, {end - start} left")
                break
            kind = numbers.get((number, length))
            if number in own:
                items.append(self.read_item(number, cursor.between(start, stop), record))
            elif kind is not None:
                (raw,) = kind.struct.unpack_from(data, start)
                items.append(Tag(number, raw if kind.plain else kind.from_wire(raw, cursor, record), kind, length))
            elif number in kinds:
                items.append(self.read_item(number, cursor.between(start, stop), record))
            else:
                items.append(Tag(number, data[start:stop], None, length))
            at = stop
            left -= 1
        cursor.at = at
        if cursor.left and (left or self.count_kind is None):
            tags.tail = cursor.rest()
            cursor.tolerate("items-tail", self.name, tags.tail.hex())
        elif left > 0:
            cursor.tolerate("fewer-than-counted", self.name, f"{len(tags)} items, {left} missing")
        return tags

    def read_item(self, number: int, part: Cursor, record: object) -> Tag:
        """Read one item's value by the first kind that takes exactly its bytes, if possible without deviation, else keep them."""
        start, length = part.at, part.left
        kinds = self.alternatives(number, part)
        second: tuple[Tag, list[Tolerance]] | None = None
        for kind in kinds:
            if not kind.accepts(length):
                continue
            noted = len(part.tolerances)
            try:
                value = kind.read(part, record)
            except Truncated:
                value = None
            else:
                if not part.left and len(part.tolerances) == noted:
                    return Tag(number, value, kind, length)
                if not part.left and second is None:
                    second = Tag(number, value, kind, length), part.tolerances[noted:]
            del part.tolerances[noted:]
            part.at = start
        if second:
            part.tolerances.extend(second[1])
            return second[0]
        if kinds:
            part.tolerate("item-length", f"0x{number:02x}", f"{length} bytes")
        return Tag(number, part.rest(), size=length)

    def write(self, out: bytearray, value: Tags, record: object) -> None:
        if self.count_kind:
            self.count_kind.write(out, len(value), record)
        for tag in value:
            body = bytearray()
            self.write_item(body, tag, record)
            self.id_kind.write(out, tag.id, record)
            self.length_kind.write(out, len(body), record)
            out += body
        out += value.tail

    def write_item(self, out: bytearray, tag: Tag, record: object) -> None:
        """Append one item's value. Raises Unencodable."""
        if tag.kind is None and isinstance(tag.value, bytes):
            out += tag.value
        else:
            (tag.kind or self._kind_of(tag)).write(out, tag.value, record)

    def _kind_of(self, tag: Tag) -> AnyKind:
        kinds = self.kinds.get(tag.id, ())
        if not kinds:
            raise Unencodable(f"{self.name}: no declaration of item 0x{tag.id:02x}; give its bytes")
        return kinds[0]

    def tag(self, name: str, value: object) -> Tag:
        """Return an item by the name of its declaration. Raises Unencodable where there is none."""
        for number, kinds in self.kinds.items():
            for kind in kinds:
                if kind.name == name:
                    return Tag(number, value, kind)
        raise Unencodable(f"{self.name} has no item {name}")

    def random(self, rng: Random, record: object) -> Tags:
        chosen = rng.sample(sorted(self.kinds), k=min(len(self.kinds), rng.randint(2, 6)))
        tags = Tags()
        for number in sorted(chosen):
            kind = rng.choice(self.kinds[number])
            tags.items.append(Tag(number, kind.random(rng, record), kind))
        return tags

    def render(self, value: Tags) -> Json:
        shown: dict[str, Json] = {}
        for tag in value:
            name, again = tag.name, 2
            while name in shown:
                name, again = f"{tag.name}#{again}", again + 1
            leaf: Json = {"value": cast(bytes, tag.value).hex(), "encoding": "hex"} if tag.kind is None else tag.kind.render(tag.value)
            number = f"0x{tag.id:0{2 * self.id_kind.struct.size}x}"
            shown[name] = {"id": number, **leaf} if isinstance(leaf, dict) else {"id": number, "value": leaf}
        if value.tail:
            shown["tail"] = {"value": value.tail.hex(), "encoding": "hex"}
        return shown


def _column_name(kind: AnyKind, part: str) -> str:
    return part if part.startswith(kind.name) else f"{kind.name}.{part}"


def bit(name: str, number: int) -> Callable[[object], bool]:
    """Return the condition "this bit of that field is set"."""
    return lambda record: bool(cast(int, getattr(record, name)) >> number & 1)


def equals(name: str, *values: int) -> Callable[[object], bool]:
    """Return the condition "that field has one of these values"."""
    return lambda record: getattr(record, name) in values


def nonzero(name: str) -> Callable[[object], bool]:
    """Return the condition "that field is not zero"."""
    return lambda record: bool(getattr(record, name))
