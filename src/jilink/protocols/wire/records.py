"""Records: fields in order, declared as class attributes, with one plan for reading, writing, rendering and documenting.

A derived class keeps the order of its base; a field of the same name replaces the base's in its place, `without` drops
fields, `order` gives a new order.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from random import Random
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np

from jilink.protocols.wire.cursor import Cursor, Json, Truncated
from jilink.protocols.wire.kinds import AnyKind, Kind, Number, Unencodable

R = TypeVar("R", bound="Record")


@dataclass(frozen=True, slots=True)
class Fixed:
    """A field whose place never varies: what a columnar decoder needs. `dtype` is None where it is no plain number."""

    name: str
    offset: int
    size: int
    dtype: np.dtype | None
    kind: AnyKind


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring numbers that are read at once; `checked` are those that are more than the wire's integer."""

    layout: struct.Struct
    names: tuple[str, ...]
    checked: tuple[tuple[str, Number], ...]


@dataclass(frozen=True, slots=True)
class Single:
    """A field that reads itself."""

    name: str
    kind: AnyKind


class Record:
    """A group of fields. Values are attributes; a field that is not given is empty."""

    without: ClassVar[tuple[str, ...]] = ()
    order: ClassVar[tuple[str, ...]] = ()
    _fields: ClassVar[dict[str, AnyKind]] = {}
    _plan: ClassVar[list[Run | Single]] = []

    def __init__(self, **values: object) -> None:
        fields = self._fields
        for name in values:
            if name not in fields:
                raise Unencodable(f"{type(self).__name__} has no field {name}")
        held = self.__dict__
        for name, kind in fields.items():
            held[name] = values[name] if name in values else kind.empty()

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        fields: dict[str, AnyKind] = {}
        for base in reversed(cls.__mro__):
            for name, kind in vars(base).items():
                if isinstance(kind, Kind):
                    if any(name in vars(other) and not isinstance(vars(other)[name], Kind) for other in cls.__mro__):
                        raise TypeError(f"{cls.__name__}: a field may not be called {name}")
                    fields[name] = kind
            for name in vars(base).get("without", ()):
                fields.pop(name, None)
        cls._fields = {name: fields.pop(name) for name in cls.order} | fields
        cls._plan = _plan(cls._fields)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # -- values are mutable

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={self.__dict__.get(name)!r}' for name in self._fields)})"

    @classmethod
    def fields(cls) -> Mapping[str, AnyKind]:
        """Return the fields in the order of the wire."""
        return cls._fields

    @classmethod
    def fixed(cls) -> list[Fixed]:
        """Return the leading fields whose place never varies."""
        found: list[Fixed] = []
        offset = 0
        for name, kind in cls._fields.items():
            if kind.size is None:
                break
            found.append(Fixed(name, offset, kind.size, kind.dtype if isinstance(kind, Number) else None, kind))
            offset += kind.size
        return found

    @classmethod
    def width(cls) -> int | None:
        """Return the number of bytes where that never varies, else None."""
        total = 0
        for kind in cls._fields.values():
            if kind.size is None:
                return None
            total += kind.size
        return total

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        """Read one record. Raises Malformed where the bytes end inside it."""
        record = cls.__new__(cls)
        held = record.__dict__
        for step in cls._plan:
            if isinstance(step, Single):
                held[step.name] = step.kind.read(cursor, record)
                continue
            layout = step.layout
            stop = cursor.at + layout.size
            if stop > cursor.end:
                raise Truncated(f"{step.names[0]} and what follows need {layout.size} bytes, {cursor.left} are left")
            held.update(zip(step.names, layout.unpack_from(cursor.data, cursor.at), strict=True))
            for name, kind in step.checked:
                held[name] = kind.from_wire(held[name], cursor, record)
            cursor.at = stop
        return record

    def write(self, out: bytearray) -> None:
        """Append the bytes. Raises Unencodable."""
        self.prepare()
        held = self.__dict__
        for name, kind in self._fields.items():
            kind.write(out, held[name], self)

    def prepare(self) -> None:
        """Settle fields that follow from others (a hemisphere's bit) before writing."""

    @classmethod
    def random(cls, rng: Random) -> Self:
        """Return a plausible record."""
        record = cls.__new__(cls)
        for name, kind in cls._fields.items():
            record.__dict__[name] = kind.random(rng, record)
        return record

    def render(self) -> dict[str, Json]:
        """Return the fields as JSON; those that are not there are left out."""
        held = self.__dict__
        return {name: kind.render(held[name]) for name, kind in self._fields.items() if not (held[name] is None and kind.size is None)}


def _plan(fields: Mapping[str, AnyKind]) -> list[Run | Single]:
    """Join neighbouring numbers into one struct each."""
    plan: list[Run | Single] = []
    for numbers, group in groupby(fields.items(), key=lambda item: isinstance(item[1], Number)):
        if numbers:
            run = [(name, kind) for name, kind in group if isinstance(kind, Number)]
            layout = struct.Struct(">" + "".join(kind.code for _, kind in run))
            plan.append(Run(layout, tuple(name for name, _ in run), tuple((name, kind) for name, kind in run if not kind.plain)))
        else:
            plan += [Single(name, kind) for name, kind in group]
    return plan


class Nested(Kind[R], Generic[R]):
    """A record inside a record; with `length`, behind a prefix that says how long it is."""

    def __init__(self, record: type[R], doc: str = "", *, length: str = "", name: str = "", source: str = "") -> None:
        super().__init__(doc, name=name, source=source)
        self.record = record
        self.prefix = Number(length, name="length") if length else None
        self.size = None if length else record.width()

    @property
    def wire(self) -> str:
        return f"{self.prefix.wire} + {self.record.__name__}" if self.prefix else self.record.__name__

    def empty(self) -> R:
        return self.record()

    def read(self, cursor: Cursor, record: object) -> R:
        if self.prefix is None:
            return self.record.read(cursor)
        part = cursor.part(self.prefix.read(cursor, record), self.name)
        value = self.record.read(part)
        if part.left:
            cursor.tolerate("trailing-bytes", self.name, part.rest().hex())
        return value

    def write(self, out: bytearray, value: R, record: object) -> None:
        if not isinstance(value, Record):
            raise Unencodable(f"{self.name}: {value!r} is no {self.record.__name__}")
        if self.prefix is None:
            value.write(out)
            return
        body = bytearray()
        value.write(body)
        self.prefix.write(out, len(body), record)
        out += body

    def random(self, rng: Random, record: object) -> R:
        return self.record.random(rng)

    def render(self, value: R) -> Json:
        return value.render()
