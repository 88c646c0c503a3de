"""All messages, gathered by importing the modules that declare them."""

from __future__ import annotations

from functools import cache

from jilink.protocols.jt808 import areas, control, general, media, parameters, position, recorder, safety, video
from jilink.protocols.jt808.message import MESSAGES, VARIANTS, YEARS, Direction, Message, Year

AREAS_OF_WORK = (general, parameters, control, position, areas, recorder, media, safety, video)
"""The modules, in the order of the reference page."""


def direction_of(number: int) -> Direction:
    """Return who sends messages of this id."""
    return "down" if number & 0x8000 else "up"


def message(number: int, year: Year = 2019) -> type[Message] | None:
    """Return the declaration of a message of a year, or None."""
    return MESSAGES.get((number, direction_of(number), year))


@cache
def candidates(number: int, year: Year) -> tuple[type[Message], ...]:
    """Return the declarations a body may follow, the likeliest first.

    The header of 2013 is that of 2011 too; terminals also mix a header of one year with a body of another.
    """
    order: tuple[Year, ...] = (2019, 2013, 2011) if year == 2019 else (2013, 2011, 2019)
    found: list[type[Message]] = []
    for candidate in order:
        declared = message(number, candidate)
        if declared is not None and declared not in found:
            found.append(declared)
    return (*found, *(variant for variant in VARIANTS.get(number, ()) if year in variant.years))


__all__ = ["AREAS_OF_WORK", "MESSAGES", "VARIANTS", "YEARS", "candidates", "direction_of", "message"]
