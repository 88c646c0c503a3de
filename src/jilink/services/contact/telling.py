"""What actions tell others of, once they are allowed: for actions alone, which have asked the door."""

from datetime import datetime

from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor
from jilink.services.contact.events import PhoneSet
from jilink.services.contact.models import Phone


def tell_phone(row: Phone, by: Actor, what: str, moment: datetime) -> None:
    """Tell the engines of a phone, and the audit what was done with it."""
    event = PhoneSet(organisation=row.organisation_id, extension=row.extension)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"phone:{row.organisation_id}-{row.extension}", now=moment)
    audit.record(by, what, f"phone:{row.pk}", row.organisation_id, at=moment)
