"""What flows do when a timer rings. Twice or late changes nothing."""

from jilink.core.flows.actions.stepping import ring
from jilink.core.flows.events import FlowSessionDue
from jilink.core.outbox.registry import Context, reacts_to
from jilink.core.parties import access
from jilink.kernel.clock import utc_now


@reacts_to(FlowSessionDue)
def go_on(event: FlowSessionDue, context: Context) -> None:
    """Let a session whose wait is over go on."""
    ring(session=event.session, by=access.system("flows"), now=utc_now())
