"""What every JT/T 808 message declares, and the registry of all of them."""

from __future__ import annotations

from functools import cache
from typing import ClassVar, Literal

from jilink.protocols.wire.kinds import Bytes
from jilink.protocols.wire.records import Record

Year = Literal[2011, 2013, 2019]
Direction = Literal["up", "down"]

YEARS: tuple[Year, ...] = (2011, 2013, 2019)

MESSAGES: dict[tuple[int, Direction, Year], type[Message]] = {}
"""Every declared message by id, direction (up = from the terminal) and year of the standard."""

VARIANTS: dict[int, list[type[Message]]] = {}
"""Declarations that depart from the standard and are met on the road, by id."""


class Message(Record):
    """A message body, declared with `id` and, where it is not of every year, `years`.

    The docstring's first line is its title on the reference page.
    """

    id: ClassVar[int] = -1
    years: ClassVar[tuple[Year, ...]] = YEARS
    variant: ClassVar[str] = ""
    """Says how it departs from the standard, where it does; such a declaration is tried after the standard ones of its years."""

    def __init_subclass__(
        cls,
        *,
        id: int | None = None,
        years: tuple[Year, ...] | None = None,
        variant: str = "",
        **options: object,
    ) -> None:
        super().__init_subclass__(**options)
        cls.id = cls.id if id is None else id
        cls.years = cls.years if years is None else years
        cls.variant = variant
        if variant:
            VARIANTS.setdefault(cls.id, []).append(cls)
        elif id is not None or years is not None:
            for year in cls.years:
                MESSAGES[cls.id, cls.direction(), year] = cls

    @classmethod
    def direction(cls) -> Direction:
        """Return who sends it: ids from 0x8000 go down to the terminal (JT/T 808-2019, 8)."""
        return "down" if cls.id & 0x8000 else "up"

    @classmethod
    @cache
    def message_name(cls) -> str:
        """Return a stable name: the class name without a year, in snake case."""
        name = cls.__name__.rstrip("0123456789")
        for base in cls.__mro__[1:] if cls.variant else ():
            if issubclass(base, Message) and not base.variant and base.id == cls.id:
                return base.message_name()
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")

    @classmethod
    def message_title(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]


class Unknown(Record):
    """A body nobody declared, or one that is encrypted: kept as it came."""

    body = Bytes("as received")
