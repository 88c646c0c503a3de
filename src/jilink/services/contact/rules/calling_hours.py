"""When somebody may be called: by the clock where their number is at home.

Nobody is called before 8 or after 21 o'clock of their own time, whatever a campaign says (47 CFR 64.1200(c)(1)). A number whose country
has several clocks is called only where all of them allow it.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import phonenumbers
from phonenumbers import timezone

from jilink.kernel.errors import Refused

EARLIEST, LATEST = time(8), time(21)
HOME = "Asia/Shanghai"
STEP = timedelta(minutes=5)
HORIZON = timedelta(days=8)
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


class HoursRefused(Refused):
    """Hours cannot be so."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of some days of the week in which people may be called."""

    days: tuple[int, ...] = EVERY_DAY
    """1 Monday to 7 Sunday (ISO 8601)."""
    begins: time = time(9)
    ends: time = time(20)


def check_windows(windows: Sequence[Window]) -> None:
    """Return where hours can be so. Raises HoursRefused."""
    if not windows:
        raise HoursRefused("Say at which hours people may be called.")
    for each in windows:
        if not each.days or not set(each.days) <= set(EVERY_DAY):
            raise HoursRefused("Choose the days on which people may be called.")
        if not EARLIEST <= each.begins < each.ends <= LATEST:
            raise HoursRefused("Nobody is called before 8:00 or after 21:00 of their own time.")


@lru_cache(maxsize=4096)
def clocks(number: str) -> tuple[str, ...]:
    """Return the time zones where a number in E.164 may be at home; a short number of a public service is at home here."""
    if not number.startswith("+"):
        return (HOME,)
    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    known = []
    for name in found:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            return ()
        known.append(name)
    return tuple(known)


def may_call(windows: Sequence[Window], number: str, now: datetime) -> bool:
    """Return whether a number may be called now; one whose clock is not known never."""
    zones = clocks(number)
    return bool(zones) and all(_inside(windows, now.astimezone(ZoneInfo(zone))) for zone in zones)


def allowed_from(windows: Sequence[Window], number: str, moment: datetime) -> datetime | None:
    """Return the first moment from then on at which a number may be called, to within 5 minutes; None where there is none for 8 days."""
    at = moment
    while at <= moment + HORIZON:
        if may_call(windows, number, at):
            return at
        at = at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % STEP + STEP
    return None


def _inside(windows: Sequence[Window], local: datetime) -> bool:
    clock = local.time()
    if not EARLIEST <= clock < LATEST:
        return False
    return any(local.isoweekday() in each.days and each.begins <= clock < each.ends for each in windows)
