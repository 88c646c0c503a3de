"""What this room keeps for a time only."""

from datetime import datetime

from jilink.core.flows.actions.stepping import forget_sessions
from jilink.core.parties.keeping import kept_for_a_time


@kept_for_a_time("what was said in flows")
def forget_words(now: datetime) -> int:
    """Remove it a day after the end, and the steps that were passed after more than a year."""
    return forget_sessions(now)
