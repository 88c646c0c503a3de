"""Time: aware and UTC everywhere; local time only where people read it or a device wrote it."""

from datetime import UTC, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "UTC+8")
"""China Standard Time, the zone of every JT/T 808 time field but one (JT/T 808-2019, 4.1)."""


def utc_now() -> datetime:
    """Return the present as aware UTC. Rules never call this: they are given `now`."""
    return datetime.now(UTC)
