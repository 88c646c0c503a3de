"""What a vendor profile is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jilink.protocols.jt808.message import Message, Year
from jilink.protocols.wire.cursor import Table


@dataclass(frozen=True)
class Profile:
    """One family of terminals."""

    name: str
    title: str
    tables: Mapping[str, Table] = field(default_factory=dict)
    messages: Mapping[int, tuple[type[Message], ...]] = field(default_factory=dict)

    def candidates(self, number: int, year: Year) -> tuple[type[Message], ...]:
        """Return the profile's own declarations of a message of a year."""
        return () if number not in self.messages else tuple(declared for declared in self.messages[number] if year in declared.years)
