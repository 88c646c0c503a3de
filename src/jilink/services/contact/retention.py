"""What the contact centre keeps for a time only."""

from datetime import datetime

from jilink.core.parties.keeping import kept_for_a_time
from jilink.core.parties.people.rules import CONSENT_KEPT
from jilink.services.contact.actions import recordings
from jilink.services.contact.models import Campaign


@kept_for_a_time("recordings of calls")
def forget_recordings(now: datetime) -> int:
    """Remove recordings whose time, by their queue or organisation, is over, unless somebody holds them."""
    return recordings.forget_recordings(now)


@kept_for_a_time("campaigns")
def forget_campaigns(now: datetime) -> int:
    """Remove campaigns that were closed three years ago, with whom they called: as long as the consents are evidence."""
    return Campaign.objects.filter(closed_at__lt=now - CONSENT_KEPT).delete()[0]
