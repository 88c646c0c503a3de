"""Recordings: what a mark on one is, for how long one is kept, and which bytes somebody asks for."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from jilink.kernel.errors import Refused

LONGEST_KEPT_DAYS = 3660
USUAL_KEPT_DAYS = 180
MOST_SENT = 1 << 20
"""Bytes that are sent for one range: a player asks again for more."""
NAME = re.compile(r"c([0-9]{1,18})(?:n[0-9]{1,6})?")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class RecordingState(StrEnum):
    """Where the sound is."""

    ARRIVED = "arrived"
    """In the spine, as the engine wrote it."""
    KEPT = "kept"
    """Sealed in the data folder, and there alone."""


class RecordingRefused(Refused):
    """It cannot be done with the recording as it is."""


class Mark(msgspec.Struct, frozen=True):
    """Something that happened so many seconds after the recording began: a fact's word."""

    at_s: float
    what: str


SHOWN = frozenset({"held", "unheld", "rec_paused", "rec_resumed", "dialled_again", "left", "key"})
"""Facts of a contact that are marks on its recording."""


def marks(facts: Iterable[tuple[str, datetime]], begun_at: datetime, seconds: float) -> tuple[Mark, ...]:
    """Return the marks of a recording, in order of time. What was before or after it is none."""
    found = ((round((at - begun_at).total_seconds(), 1), what) for what, at in facts if what in SHOWN)
    return tuple(Mark(at_s, what) for at_s, what in sorted(found) if 0 <= at_s <= seconds)


def keep_until(ended_at: datetime, days: int) -> datetime | None:
    """Return when a recording is to be gone; None for ever (0 days)."""
    return ended_at + timedelta(days=days) if days else None


def bounds(asked: str, size: int) -> tuple[int, int] | None:
    """Return first and last byte of a range as asked for (RFC 9110, 14.1.2), cut to what is sent at once; None where it cannot be met."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match[1] == match[2] == "" or size == 0:
        return None
    if match[1] == "":
        first, last = max(0, size - int(match[2])), size - 1
    else:
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    return (first, min(last, first + MOST_SENT - 1)) if first <= last else None
