"""What an agent does at their own desk without the router: the phone in their browser."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.contact.actions.designing import HIDDEN, digest
from jilink.services.contact.models import Phone
from jilink.services.contact.telling import tell_phone
from jilink.spine.calls import phone_key

FIRST = 90_000_000
"""Extensions of browser phones: this and the account's number, so that nobody has to give them out."""


@dataclass(frozen=True, slots=True)
class OpenedPhone:
    """A browser phone for one page: `password` is told once, only its digest is kept."""

    phone: int
    user: str
    password: str


@transaction.atomic
def open_phone(*, organisation: int, by: Actor, now: datetime | None = None) -> OpenedPhone:
    """Give the browser phone of whoever asks a new password, and add the phone where there is none; what was opened before stops.

    Raises NotFound for those who serve no queue there.
    """
    require(by, Permission.SERVE_QUEUES, organisation)
    if by.user is None:
        raise NotFound(HIDDEN)
    moment = now or utc_now()
    row = Phone.objects.select_for_update().filter(organisation_id=organisation, user_id=by.user, webrtc=True, until=None).first()
    is_new = row is None
    row = row or Phone(organisation_id=organisation, user_id=by.user, webrtc=True, extension=str(FIRST + by.user))
    user, password = phone_key(organisation, row.extension), secrets.token_urlsafe(24)
    row.ha1, row.enabled, row.changed_at = digest(user, password), True, moment
    row.save()
    tell_phone(row, by, "phone.added" if is_new else "phone.renewed", moment)
    return OpenedPhone(row.pk, user, password)
