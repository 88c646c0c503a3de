"""What this room keeps for a time only."""

from datetime import datetime

from jilink.core.imports import actions
from jilink.core.parties.keeping import kept_for_a_time


@kept_for_a_time("imports")
def forget_imports(now: datetime) -> int:
    """Give up uploads a day old, and remove imports that ended 30 days ago."""
    return actions.forget_imports(now)
