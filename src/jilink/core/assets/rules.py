"""Decisions about assets and terminals."""

import re
from datetime import datetime, timedelta

from jilink.kernel.errors import Refused

LONGEST_RECORDING = timedelta(hours=24)
_PHONE = re.compile(r"[0-9]{5,20}|[0-9A-F]{12,20}")


class PhoneRefused(Refused):
    """Not a terminal's phone number."""


class RecordingRefused(Refused):
    """Raw frames are recorded for a limited time only."""


def terminal_phone(text: str) -> str:
    """Return a terminal's phone number in its one spelling: no blanks, no leading zeros. Raises PhoneRefused.

    JT/T 808-2019, 4.4.3 pads it to 20 digits with zeros, 2013 to 12; some terminals send a hexadecimal IMEI instead.
    """
    tidy = re.sub(r"[\s-]", "", text).upper()
    if not _PHONE.fullmatch(tidy):
        raise PhoneRefused("A terminal's phone number has 5 to 20 digits.")
    return tidy.lstrip("0") or "0"


def recording_end(until: datetime, now: datetime) -> datetime:
    """Return the moment at which recording ends. Raises RecordingRefused where it lies in the past or too far off."""
    if not now < until <= now + LONGEST_RECORDING:
        raise RecordingRefused("Choose an end within the next 24 hours.")
    return until
