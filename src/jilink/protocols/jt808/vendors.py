"""Vendor profiles: what a model of terminal does otherwise than the standard, chosen per device model.

A profile adds kinds to item tables (they are tried before the standard's) and messages. Each item is proven by a capture.
"""

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

    def candidates(self, number: int, year: Year) -> list[type[Message]]:
        """Return the profile's own declarations of a message."""
        return list(self.messages.get(number, ()))


PROFILES = {profile.name: profile for profile in (Profile("standard", "As the standard says"),)}
