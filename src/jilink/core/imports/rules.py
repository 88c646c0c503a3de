"""Pure decisions about imports: states, limits, and what is wrong with a row and in which field."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.texts import gettext_noop

LARGEST = 256 << 20
"""Bytes of one upload, as it is sent."""
LARGEST_UNPACKED = 1 << 30
MOST_ROWS = 1_000_000
MOST_OPEN = 20
"""Imports of one organisation that are not over."""
LONGEST_LINE = 1 << 20
LONGEST_KEY = 200
MOST_REFUSALS = 100_000
"""Refused rows that are kept with their reasons; those beyond are only counted."""
UPLOADED_WITHIN = timedelta(days=1)
TRIED_FOR = timedelta(days=1)
"""How long the rows of a dry run are kept, so that it can be done in earnest."""
KEPT_FOR = timedelta(days=30)


class ImportState(StrEnum):
    """Where an import stands."""

    UPLOADING = "uploading"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    EXPIRED = "expired"


OVER = frozenset({ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED, ImportState.EXPIRED})


class ImportRefused(Refused):
    """An import cannot be begun, cancelled or done again so."""


class FileRefused(Refused):
    """The file as a whole cannot be read."""


class OffsetRefused(Refused):
    """The bytes do not begin where those kept end; `offset` is where that is."""

    def __init__(self, offset: int) -> None:
        super().__init__(gettext_noop("%(offset)d bytes are kept already. Go on from there."), offset=offset)
        self.offset = offset


class TooLong(Refused):
    """More bytes than the import was announced with."""


class RowRefused(Refused):
    """A row cannot be taken, because of one of its fields ("" for the row as a whole)."""

    def __init__(self, message: str, *, field: str = "", **values: object) -> None:
        super().__init__(message, **values)
        self.field = field


@contextmanager
def blames(field: str) -> Iterator[None]:
    """Let whatever is refused in this passage be because of a field."""
    try:
        yield
    except RowRefused:
        raise
    except Refused as error:
        raise RowRefused(error.message, field=field, **error.values) from error


_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_NAMED = re.compile(r"`([^`]*)`")
_WORDS = (
    ("Object missing required field", gettext_noop("This is missing.")),
    ("Object contains unknown field", gettext_noop("There is no such field.")),
    ("Expected `bool", gettext_noop("This is neither true nor false.")),
    ("Expected `int", gettext_noop("This is not a whole number.")),
    ("Expected `float", gettext_noop("This is not a number.")),
    ("Expected `datetime", gettext_noop("This is not a time with its zone, like 2026-11-22T08:00:00+08:00.")),
    ("Invalid RFC3339", gettext_noop("This is not a time with its zone, like 2026-11-22T08:00:00+08:00.")),
    ("Expected `date", gettext_noop("This is not a day like 2026-11-22.")),
    ("Invalid ISO8601", gettext_noop("This is not a day like 2026-11-22.")),
    ("Expected `str", gettext_noop("This is not text.")),
    ("Expected `array", gettext_noop("This is not a list.")),
    ("Expected `object", gettext_noop("This is not a set of named values.")),
    ("Invalid enum", gettext_noop("This is none of the words that may stand here.")),
)


def misfit(error: msgspec.ValidationError) -> RowRefused:
    """Return what is wrong with a row that does not have the shape of its noun, and in which field."""
    text = str(error)
    at = _AT.search(text)
    field = at[1] if at is not None else ""
    begins, words = next(((begins, words) for begins, words in _WORDS if text.startswith(begins)), ("", gettext_noop("This does not fit.")))
    if begins.startswith("Object"):
        named = _NAMED.search(text)
        inner = named[1] if named is not None else ""
        field = f"{field}.{inner}" if field else inner
    return RowRefused(words, field=field)
