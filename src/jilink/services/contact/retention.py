"""What the contact centre keeps for a time only."""

from datetime import datetime

from jilink.core.parties.keeping import kept_for_a_time
from jilink.services.contact.actions import recordings


@kept_for_a_time("recordings of calls")
def forget_recordings(now: datetime) -> int:
    """Remove recordings whose time, by their queue or organisation, is over, unless somebody holds them."""
    return recordings.forget_recordings(now)
