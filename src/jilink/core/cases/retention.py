"""What this room keeps for a time only."""

from datetime import datetime

from jilink.core.cases.actions.bulk import forget_runs
from jilink.core.parties.keeping import kept_for_a_time


@kept_for_a_time("results of changing many cases")
def forget_results(now: datetime) -> int:
    """Remove them after a week; the cases' own timelines keep what happened."""
    return forget_runs(now)
