"""By which channels words leave the house (docs/decisions/0129)."""

from django.conf import settings

from jilink.core.cases.events import CaseReplyWritten
from jilink.core.webhooks import reads as webhooks
from jilink.kernel.ids import OrganisationId

CARRIED = f"{CaseReplyWritten.NOUN}.{CaseReplyWritten.NAME}"
"""Who carries replies away names this event in a webhook; one who is told of everything need not be such a carrier."""
BY_PROGRAMS = frozenset({"text", "mail"})


def channels_out(organisation: OrganisationId) -> frozenset[str]:
    """Return by which channels a reply of the organisation is sent: by our mail server, or by a program that is told of replies."""
    ours = {"mail"} if settings.EMAIL_HOST else set()
    return frozenset(ours | (BY_PROGRAMS if webhooks.named_by_any(organisation, CARRIED) else set()))
