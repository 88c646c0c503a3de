"""A phone in the browser lent for an hour, to call the installation's own numbers and hear what callers hear."""

import secrets
from datetime import datetime, timedelta

from django.db import transaction

from jilink.core.outbox import outbox
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.contact.actions.designing import HIDDEN, digest
from jilink.services.contact.actions.desk import OpenedPhone
from jilink.services.contact.events import PhoneDue
from jilink.services.contact.models import Phone
from jilink.services.contact.telling import tell_phone
from jilink.spine.calls import phone_key

FIRST = 80_000_000
"""Extensions of lent phones: this and the account's number."""
LOAN = timedelta(hours=1)


@transaction.atomic
def lend_phone(*, organisation: int, by: Actor, now: datetime | None = None) -> OpenedPhone:
    """Lend whoever asks a browser phone for an hour; what was lent before stops. It is nobody's desk: no queue ever rings there.

    It reaches the installation's own numbers alone: the router lets no phone dial anything else. Raises NotFound for those who do not
    manage queues there.
    """
    require(by, Permission.MANAGE_QUEUES, organisation)
    if by.user is None:
        raise NotFound(HIDDEN)
    moment, extension = now or utc_now(), str(FIRST + by.user)
    row = Phone.objects.select_for_update().filter(organisation_id=organisation, extension=extension).first()
    row = row or Phone(organisation_id=organisation, extension=extension, webrtc=True)
    user, password = phone_key(organisation, extension), secrets.token_urlsafe(24)
    row.ha1, row.enabled, row.until, row.changed_at = digest(user, password), True, moment + LOAN, moment
    row.user_id = by.user
    row.save()
    tell_phone(row, by, "phone.lent", moment)
    due = PhoneDue(phone=row.pk)
    outbox.add(due, organisation=organisation, aggregate=f"phone:{row.pk}", now=moment, not_before=row.until)
    return OpenedPhone(row.pk, user, password)


@transaction.atomic
def take_back(*, phone: int, by: Actor, now: datetime | None = None) -> None:
    """Take a lent phone away once its time is over; otherwise nothing. Raises NotFound for anybody but the installation."""
    if not by.is_installation:
        raise NotFound(HIDDEN)
    moment = now or utc_now()
    row = Phone.objects.select_for_update().filter(pk=phone, until__lte=moment).first()
    if row is not None:
        tell_phone(row, by, "phone.removed", moment)
        row.delete()
