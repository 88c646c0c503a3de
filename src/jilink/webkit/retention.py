"""What this room keeps for a time only."""

from datetime import datetime

from jilink.core.parties.keeping import kept_for_a_time
from jilink.webkit.api import repeats
from jilink.webkit.models import Allowance


@kept_for_a_time("answers to repeated requests")
def forget_answers(now: datetime) -> int:
    """Remove answers that were kept for a day."""
    return repeats.forget(now)


@kept_for_a_time("counts of requests")
def forget_allowances(now: datetime) -> int:
    """Remove the counts of callers that owe nothing any more."""
    return Allowance.objects.filter(due__lt=now.timestamp()).delete()[0]
