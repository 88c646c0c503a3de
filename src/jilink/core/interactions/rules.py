"""What a contact is, and how it goes on: pure decisions."""

import unicodedata
from datetime import datetime
from enum import StrEnum

from jilink.kernel.errors import Refused

LONGEST_TEXT = 20_000
MOST_PARTS = 5_000


class Channel(StrEnum):
    """By what means somebody reached us, or we them."""

    CALL = "call"
    TEXT = "text"
    CHAT = "chat"
    MAIL = "mail"
    WEB = "web"
    COUNTER = "counter"
    BUTTON = "button"
    """A vehicle's or a device's button."""


class Direction(StrEnum):
    """Who began."""

    IN = "in"
    OUT = "out"


class Side(StrEnum):
    """Whose words a part holds."""

    THEIRS = "theirs"
    OURS = "ours"
    SYSTEM = "system"


class Outcome(StrEnum):
    """How a contact ended."""

    ANSWERED = "answered"
    """What was wanted was given at once."""
    CASE = "case"
    """It became a case, or belongs to one."""
    PASSED_ON = "passed_on"
    ABANDONED = "abandoned"
    """They left before anybody answered."""
    UNREACHED = "unreached"
    NOTHING = "nothing"
    """A wrong number, a test, rubbish."""


class InteractionRefused(Refused):
    """A contact cannot be so, or this cannot be done with it now."""


def text(words: str) -> str:
    """Return what was said as it is kept, without control characters but line ends. Raises InteractionRefused."""
    clean = "".join(c for c in words.replace("\r\n", "\n") if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()
    if len(clean) > LONGEST_TEXT:
        raise InteractionRefused(
            "This has %(clean)s characters; at most %(longest_text)s are kept as one. Send it in parts.",
            clean=len(clean),
            longest_text=LONGEST_TEXT,
        )
    return clean


def check_place(latitude: float | None, longitude: float | None, accuracy_m: float | None) -> None:
    """Return where a place is one (degrees, WGS-84; metres), or none was given. Raises InteractionRefused."""
    both = latitude is not None and longitude is not None
    if not both and (latitude is not None or longitude is not None or accuracy_m is not None):
        raise InteractionRefused("Latitude and longitude go together.")
    if both and not (abs(latitude or 0) <= 90 and abs(longitude or 0) <= 180 and 0 <= (accuracy_m or 0) < 1e7):
        raise InteractionRefused("Latitude and longitude are degrees (WGS-84), the accuracy is metres.")


def check_names(source: str, reference: str) -> None:
    """Return where the maker's names for a contact can be kept. Raises InteractionRefused."""
    if len(source) > 40 or len(reference) > 120:
        raise InteractionRefused("A source has at most 40 characters, a reference at most 120.")


def check_open(ended_at: datetime | None) -> None:
    """Return where the contact goes on. Raises InteractionRefused."""
    if ended_at is not None:
        raise InteractionRefused("This contact has ended. What comes after it is a new one.")


def check_end(started_at: datetime, ended_at: datetime) -> None:
    """Return where the end is not before the beginning. Raises InteractionRefused."""
    if ended_at < started_at:
        raise InteractionRefused("A contact cannot end before it began.")
