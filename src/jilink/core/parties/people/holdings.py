"""What every room holds about a person, registered so that getting, erasing and merging reach all of it.

A room that keeps rows about people says so once, in a module `holdings` of its own, which is imported at the start:

    hold(Holding("cases", export=..., erase=..., move=..., put_back=...))
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from jilink.kernel.ids import PersonId


@dataclass(frozen=True, slots=True)
class Holding:
    """How one room answers for its rows about a person. Each function runs in the caller's transaction and asks no wall."""

    name: str
    """Of the part in what a person gets of their data: ``cases``."""
    export: Callable[[PersonId], Sequence[msgspec.Struct]]
    """Return everything held about the person, in words that the person can read."""
    erase: Callable[[PersonId], int]
    """Take out what tells of the person, keep numbers and times; return how many rows changed. Refused stops it all."""
    move: Callable[[PersonId, PersonId], Sequence[int]]
    """Let the rows of the first person be the second's, and return their numbers."""
    put_back: Callable[[Sequence[int], PersonId], object]
    """Give rows that `move` moved back to the person, as far as they are still there."""


_holdings: dict[str, Holding] = {}


def hold(holding: Holding) -> None:
    """Register a room's holding under its name; saying it again replaces it."""
    _holdings[holding.name] = holding


def holdings() -> tuple[Holding, ...]:
    """Return every holding by name."""
    return tuple(_holdings[name] for name in sorted(_holdings))
