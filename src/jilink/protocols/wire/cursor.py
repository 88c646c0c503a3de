"""Reading position in a message body, and the deviations forgiven on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jilink.kernel.errors import Malformed

if TYPE_CHECKING:
    from jilink.protocols.wire.kinds import AnyKind

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What a rendered field may be: plain JSON."""

Table = Mapping[int, tuple["AnyKind", ...]]
"""Kinds of tagged items by id; several for one id are told apart by length."""

_TOLERANCES_KEPT = 64


class Truncated(Malformed):
    """The bytes end before the field does."""

    def __init__(self, message: str) -> None:
        super().__init__("truncated", message)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """One deviation that was forgiven: a stable key, the field or item it was seen at, and words for people."""

    key: str
    where: str = ""
    detail: str = ""


class Cursor:
    """A bounded view of bytes that is read from front to back.

    `tables` are a vendor's own item tables by space name ("location", ...); they come before the standard ones.
    """

    __slots__ = ("at", "data", "end", "tables", "tolerances")

    def __init__(
        self,
        data: bytes,
        at: int = 0,
        end: int | None = None,
        *,
        tolerances: list[Tolerance] | None = None,
        tables: Mapping[str, Table] | None = None,
    ) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end
        self.tolerances: list[Tolerance] = [] if tolerances is None else tolerances
        self.tables: Mapping[str, Table] = {} if tables is None else tables

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return self.end - self.at

    def take(self, size: int, what: str = "") -> bytes:
        """Return the next `size` bytes. Raises Truncated where there are fewer."""
        start = self.at
        stop = start + size
        if stop > self.end:
            raise Truncated(f"{what or 'field'} needs {size} bytes, {self.end - start} are left")
        self.at = stop
        return self.data[start:stop]

    def rest(self) -> bytes:
        """Return everything that is left."""
        return self.take(self.end - self.at)

    def part(self, size: int, what: str = "") -> Cursor:
        """Return a cursor over the next `size` bytes alone, sharing the list of tolerances."""
        start = self.at
        if start + size > self.end:
            raise Truncated(f"{what or 'part'} needs {size} bytes, {self.end - start} are left")
        self.at = start + size
        return Cursor(self.data, start, start + size, tolerances=self.tolerances, tables=self.tables)

    def between(self, start: int, end: int) -> Cursor:
        """Return a cursor over those bytes alone, which must be inside, sharing the list of tolerances; this one does not move."""
        return Cursor(self.data, start, end, tolerances=self.tolerances, tables=self.tables)

    def tolerate(self, key: str, where: str = "", detail: str = "") -> None:
        """Note a forgiven deviation (the first 64 of a message are kept)."""
        if len(self.tolerances) < _TOLERANCES_KEPT:
            self.tolerances.append(Tolerance(key, where, detail))
