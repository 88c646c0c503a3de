"""What webhooks do when anything happened: note it for whoever wants to be told, and carry it there."""

from django.conf import settings

from jilink.core.outbox.registry import Context, hears_everything, works_beside
from jilink.core.webhooks import actions, courier, rules
from jilink.kernel.clock import utc_now
from jilink.spine.client import Spine
from jilink.spine.records import Envelope


@hears_everything
def note(envelope: Envelope, context: Context) -> None:
    """Note an event for every endpoint that wants it."""
    actions.take_in(envelope, utc_now())


@works_beside
async def carry(spine: Spine) -> None:
    """Deliver what is due, for ever."""
    await courier.run(rules.networks(settings.JILINK.webhooks_allow))
