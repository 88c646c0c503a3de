"""What parties do when something happened: keep the history's projection of retention true; and the retention job."""

from jilink.core.outbox.registry import Context, reacts_to, works_beside
from jilink.core.parties import keeping, projection
from jilink.core.parties.events import RetentionChanged
from jilink.spine.client import Spine


@reacts_to(RetentionChanged)
async def project_retention(event: RetentionChanged, context: Context) -> None:
    """Let the history know how long positions are kept."""
    await projection.project_retention(context.spine, event.organisation)


@works_beside
async def keep_for_a_time_only(_spine: Spine) -> None:
    """Remove what is past its time, in every room."""
    await keeping.work()
