"""What parties do when something happened: keep the history's projection of retention true."""

from jilink.core.outbox.registry import Context, reacts_to
from jilink.core.parties import projection
from jilink.core.parties.events import RetentionChanged


@reacts_to(RetentionChanged)
async def project_retention(event: RetentionChanged, context: Context) -> None:
    """Let the history know how long positions are kept."""
    await projection.project_retention(context.spine, event.organisation)
