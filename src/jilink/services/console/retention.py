"""What the console keeps for a time only."""

from datetime import datetime

from jilink.core.parties.keeping import kept_for_a_time
from jilink.services.console.actions import notices


@kept_for_a_time("notices")
def forget_notices(now: datetime) -> int:
    """Remove what was read a month ago, and everything after half a year."""
    return notices.forget_notices(now)
