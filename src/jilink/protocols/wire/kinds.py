"""The kinds of field: each reads, writes, renders, documents itself and can make a plausible value.

Numbers are kept as the integers of the wire; `scale` and `offset` give the value in its unit. None is "not available".
"""

from __future__ import annotations

import string
import struct
from collections.abc import Mapping
from random import Random
from typing import Any, Generic, Self, TypeVar, overload

import numpy as np

from jilink.kernel.errors import Malformed
from jilink.protocols.wire.cursor import Cursor, Json

T = TypeVar("T")

_CODES = {"u1": "B", "u2": "H", "u4": "I", "u8": "Q", "i1": "b", "i2": "h", "i4": "i", "i8": "q"}


class Unencodable(Malformed):
    """A value does not fit its field."""

    def __init__(self, message: str) -> None:
        super().__init__("unencodable", message)


class Kind(Generic[T]):
    """One field of a declaration. On the class it is the declaration, on an instance the value."""

    size: int | None = None
    """Bytes on the wire where that never varies, else None."""
    code: str = ""
    """Its letter for `struct`, where a plain number; else empty."""

    def __init__(self, doc: str = "", *, unit: str = "", name: str = "", source: str = "") -> None:
        self.doc = doc
        self.unit = unit
        self.name = name
        self.source = source

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    @overload
    def __get__(self, record: None, owner: type) -> Self: ...
    @overload
    def __get__(self, record: object, owner: type) -> T: ...
    def __get__(self, record: object | None, owner: type) -> Self | T:
        if record is None:
            return self
        raise AttributeError(self.name)

    @property
    def wire(self) -> str:
        """How the reference page names its form on the wire."""
        return "bytes"

    def accepts(self, length: int) -> bool:
        """Say whether an item of this length may be read as this kind."""
        return self.size is None or self.size == length

    def empty(self) -> T:
        """Return the value of a field that was not given."""
        raise NotImplementedError

    def read(self, cursor: Cursor, record: object) -> T:
        """Read the value. `record` holds the fields before it. Raises Malformed."""
        raise NotImplementedError

    def write(self, out: bytearray, value: T, record: object) -> None:
        """Append the value's bytes. Raises Unencodable."""
        raise NotImplementedError

    def random(self, rng: Random, record: object) -> T:
        """Return a plausible value."""
        raise NotImplementedError

    def render(self, value: T) -> Json:
        """Return the value as JSON: a leaf is an object with `value` and, where it has one, `unit`."""
        return self._leaf(str(value))

    def _leaf(self, value: Json) -> dict[str, Json]:
        return {"value": value, "unit": self.unit} if self.unit else {"value": value}


AnyKind = Kind[Any]
"""A kind whatever its values are: for tables that hold several."""


class Number(Kind[int]):
    """A big-endian integer: physical value = wire value x scale + offset, in `unit`.

    `low` and `high` are physical; a value outside is kept and noted. `absent` is the wire's code for "not available" (None).
    `dtype` (a numpy dtype), `scale`, `offset` and `absent` are what a columnar decoder needs.
    """

    def __init__(
        self,
        form: str,
        doc: str = "",
        *,
        unit: str = "",
        scale: float = 1,
        offset: float = 0,
        low: float | None = None,
        high: float | None = None,
        typical: tuple[int, int] | None = None,
        absent: int | None = None,
        choices: Mapping[int, str] | None = None,
        strict: bool = False,
        name: str = "",
        source: str = "",
    ) -> None:
        super().__init__(doc, unit=unit, name=name, source=source)
        self.dtype = np.dtype(form)
        self.code = _CODES[form[-2:]]
        self.struct = struct.Struct(">" + self.code)
        self.size = self.struct.size
        self.scale, self.offset, self.absent = scale, offset, absent
        self.low, self.high = low, high
        self.choices, self.strict = choices or {}, strict
        bits = 8 * self.size
        self.minimum, self.maximum = (-(1 << bits - 1), (1 << bits - 1) - 1) if self.code.islower() else (0, (1 << bits) - 1)
        self.raw_low = None if low is None else round((low - offset) / scale)
        self.raw_high = None if high is None else round((high - offset) / scale)
        self.typical = typical
        self.plain = absent is None and low is None and high is None and not strict and type(self).from_wire is Number.from_wire

    @property
    def wire(self) -> str:
        return f"{'u' if self.code.isupper() else 'i'}{8 * (self.size or 0)}"

    def empty(self) -> int:
        return 0 if not self.choices or 0 in self.choices else next(iter(self.choices))

    def from_wire(self, raw: int, cursor: Cursor, record: object) -> int | None:
        """Turn the wire's integer into the value; note what is out of range."""
        if raw == self.absent:
            return None
        if (self.raw_low is not None and raw < self.raw_low) or (self.raw_high is not None and raw > self.raw_high):
            cursor.tolerate("out-of-range", self.name, f"{raw}")
        elif self.strict and raw not in self.choices:
            cursor.tolerate("unknown-code", self.name, f"{raw}")
        return raw

    def to_wire(self, value: int | None) -> int:
        """Turn a value into the wire's integer. Raises Unencodable."""
        raw = self.absent if value is None else value
        if not isinstance(raw, int) or not self.minimum <= raw <= self.maximum:
            raise Unencodable(f"{self.name}: {value!r} does not fit {self.wire}")
        return raw

    def read(self, cursor: Cursor, record: object) -> int:
        (raw,) = self.struct.unpack(cursor.take(self.struct.size, self.name))
        return self.from_wire(raw, cursor, record)  # type: ignore[return-value]  # -- None only where `absent` is declared

    def write(self, out: bytearray, value: int, record: object) -> None:
        out += self.struct.pack(self.to_wire(value))

    def random(self, rng: Random, record: object) -> int:
        if self.choices:
            return rng.choice(list(self.choices))
        low, high = self.typical or (
            self.minimum if self.raw_low is None else self.raw_low,
            self.maximum if self.raw_high is None else self.raw_high,
        )
        value = rng.randint(low, high)
        return value if value != self.absent else low

    def physical(self, value: int) -> int | float:
        """Return the value in its unit."""
        if self.scale == 1 and self.offset == 0:
            return value
        digits = max(0, len(f"{self.scale:.9f}".rstrip("0").partition(".")[2]))
        return round(value * self.scale + self.offset, digits)

    def render(self, value: int | None) -> Json:
        leaf = self._leaf(None if value is None else self.physical(value))
        if value is not None and value in self.choices:
            leaf["meaning"] = self.choices[value]
        return leaf


class SignMagnitude(Number):
    """A number whose top bit says "negative" (JT/T 808-2019, item 0x06)."""

    def from_wire(self, raw: int, cursor: Cursor, record: object) -> int | None:
        top = 1 << 8 * (self.size or 1) - 1
        return super().from_wire(-(raw & ~top) if raw & top and raw != self.absent else raw, cursor, record)

    def to_wire(self, value: int | None) -> int:
        top = 1 << 8 * (self.size or 1) - 1
        if value is not None and value < 0:
            if -value >= top:
                raise Unencodable(f"{self.name}: {value} does not fit")
            return top - value
        return super().to_wire(value)


class Flags(Number):
    """Bits with names; `parts` are numbers of several bits inside: name -> (lowest bit, width, meanings)."""

    def __init__(
        self,
        form: str,
        bits: Mapping[int, str],
        doc: str = "",
        *,
        parts: Mapping[str, tuple[int, int, Mapping[int, str]]] | None = None,
        name: str = "",
        source: str = "",
        always: int = 0,
    ) -> None:
        super().__init__(form, doc, name=name, source=source)
        self.bits = bits
        self.parts = parts or {}
        self.always = always

    @property
    def wire(self) -> str:
        return f"bits{8 * (self.size or 0)}"

    def names(self, value: int) -> list[str]:
        """Return the names of the bits that are set; an unnamed one is `bitN`."""
        covered = sum(((1 << width) - 1) << low for low, width, _ in self.parts.values())
        return [self.bits.get(bit, f"bit{bit}") for bit in range(8 * (self.size or 0)) if value >> bit & 1 and not covered >> bit & 1]

    def random(self, rng: Random, record: object) -> int:
        value = self.always
        for bit in rng.sample(sorted(self.bits), k=min(len(self.bits), rng.choice((0, 0, 0, 1, 1, 2)))):
            value |= 1 << bit
        for low, _, meanings in self.parts.values():
            value |= rng.choice(sorted(meanings) or [0]) << low
        return value

    def render(self, value: int | None) -> Json:
        leaf = self._leaf(value)
        if value is not None:
            leaf["set"] = list[Json](self.names(value))
            for name, (low, width, meanings) in self.parts.items():
                number = value >> low & (1 << width) - 1
                leaf[name] = meanings.get(number, number)
        return leaf


class Coordinate(Number):
    """An angle without sign: `negative` and `valid` are bits of another field (`flags`) that give hemisphere and trust.

    The value is signed. It is kept where the terminal says "not positioned"; a columnar decoder makes that a null.
    """

    def __init__(self, form: str, doc: str, *, flags: str, negative: int, valid: int | None, high: float, typical: tuple[int, int]) -> None:
        super().__init__(form, doc, unit="deg", scale=1e-6, low=-high, high=high, typical=typical)
        self.flags, self.negative, self.valid = flags, negative, valid
        self.plain = False

    def from_wire(self, raw: int, cursor: Cursor, record: object) -> int | None:
        return super().from_wire(-raw if getattr(record, self.flags) >> self.negative & 1 else raw, cursor, record)

    def to_wire(self, value: int | None) -> int:
        return super().to_wire(None if value is None else abs(value))


class Text(Kind[str]):
    """Characters in GBK: to the end of the item, of a fixed `size` (padded with 00), or after a `length` prefix.

    Bytes that are no GBK (of an ASCII text: not printable) are kept, as lone surrogates where they must be, and noted.
    """

    def __init__(
        self,
        doc: str = "",
        *,
        size: int | None = None,
        length: str = "",
        encoding: str = "gb18030",
        samples: tuple[str, ...] = (),
        name: str = "",
        source: str = "",
    ) -> None:
        super().__init__(doc, name=name, source=source)
        self.size = size
        self.prefix = Number(length, name="length") if length else None
        self.encoding = encoding
        self.samples = samples

    @property
    def wire(self) -> str:
        if self.prefix:
            return f"{self.prefix.wire} + text"
        return f"text[{self.size}]" if self.size else "text"

    def empty(self) -> str:
        return ""

    def read(self, cursor: Cursor, record: object) -> str:
        size = self.prefix.read(cursor, record) if self.prefix else cursor.left if self.size is None else self.size
        raw = cursor.take(size, self.name)
        raw = raw.strip(b"\0") if self.size is None else raw.strip(b"\0").rstrip(b" ")
        text = raw.decode(self.encoding, "surrogateescape")
        if not text.isprintable() and (self.encoding == "ascii" or any("\udc80" <= letter <= "\udcff" for letter in text)):
            cursor.tolerate("undecodable-text", self.name, raw.hex())
        return text

    def write(self, out: bytearray, value: str, record: object) -> None:
        try:
            raw = value.encode(self.encoding, "surrogateescape")
        except (UnicodeEncodeError, AttributeError) as error:
            raise Unencodable(f"{self.name}: {error}") from error
        if self.prefix:
            self.prefix.write(out, len(raw), record)
        elif self.size is not None:
            if len(raw) > self.size:
                raise Unencodable(f"{self.name}: {len(raw)} bytes do not fit {self.size}")
            raw = raw.ljust(self.size, b"\0")
        out += raw

    def random(self, rng: Random, record: object) -> str:
        if self.samples:
            return rng.choice(self.samples)
        return "".join(rng.choices(string.ascii_uppercase + string.digits, k=rng.randint(1, min(self.size or 12, 12))))

    def render(self, value: str) -> Json:
        return self._leaf(value.encode("utf-8", "backslashreplace").decode())


class Bytes(Kind[bytes]):
    """Bytes kept as they are: to the end, of a fixed `size`, or after a `length` prefix."""

    def __init__(self, doc: str = "", *, size: int | None = None, length: str = "", name: str = "", source: str = "") -> None:
        super().__init__(doc, name=name, source=source)
        self.size = size
        self.prefix = Number(length, name="length") if length else None

    @property
    def wire(self) -> str:
        if self.prefix:
            return f"{self.prefix.wire} + bytes"
        return f"bytes[{self.size}]" if self.size else "bytes"

    def empty(self) -> bytes:
        return bytes(self.size or 0)

    def read(self, cursor: Cursor, record: object) -> bytes:
        size = self.prefix.read(cursor, record) if self.prefix else cursor.left if self.size is None else self.size
        return cursor.take(size, self.name)

    def write(self, out: bytearray, value: bytes, record: object) -> None:
        if self.prefix:
            self.prefix.write(out, len(value), record)
        elif self.size is not None and len(value) != self.size:
            raise Unencodable(f"{self.name}: {len(value)} bytes, must be {self.size}")
        out += value

    def random(self, rng: Random, record: object) -> bytes:
        return rng.randbytes(rng.randint(0, 24) if self.size is None else self.size)

    def render(self, value: bytes) -> Json:
        return {"value": value.hex(), "encoding": "hex"}


class Bcd(Kind[str]):
    """Packed decimal digits as text of 2 x size digits; nibbles above 9 stay letters and are noted, but for a padding of f."""

    def __init__(self, size: int, doc: str = "", *, name: str = "", source: str = "") -> None:
        super().__init__(doc, name=name, source=source)
        self.digits = 2 * size
        self.size = size

    @property
    def wire(self) -> str:
        return f"BCD[{self.size}]"

    def empty(self) -> str:
        return "0" * self.digits

    def read(self, cursor: Cursor, record: object) -> str:
        text = cursor.take(self.digits // 2, self.name).hex()
        if not text.rstrip("f").isdecimal():
            cursor.tolerate("not-bcd", self.name, text)
        return text

    def write(self, out: bytearray, value: str, record: object) -> None:
        try:
            raw = bytes.fromhex(value.rjust(self.digits, "0"))
        except (ValueError, AttributeError) as error:
            raise Unencodable(f"{self.name}: {value!r} is no digits") from error
        if len(raw) != self.size:
            raise Unencodable(f"{self.name}: more than {self.digits} digits")
        out += raw

    def random(self, rng: Random, record: object) -> str:
        return "".join(rng.choices(string.digits, k=self.digits))

    def render(self, value: str) -> Json:
        return self._leaf(value)
