"""Queues, numbers and phones: what supervisors set up."""

import hashlib
import secrets
from datetime import datetime

from django.db import IntegrityError, transaction

from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.services.contact.events import QueueChanged
from jilink.services.contact.models import Contact, Number, Phone, Queue
from jilink.services.contact.rules.design import QueueDesign, QueueRefused, check, dialled_number, queue_key, write_design
from jilink.services.contact.rules.states import OPEN
from jilink.services.contact.telling import tell_phone
from jilink.spine.calls import phone_key

HIDDEN = "There is no such thing, or you may not see it."
REALM = "jilink"


class NumberRefused(Refused):
    """A number leads somewhere already, or nowhere."""


class PhoneRefused(Refused):
    """An extension is there already, or cannot be one."""


@transaction.atomic
def add_queue(*, organisation: int, key: str, design: QueueDesign, by: Actor, now: datetime | None = None) -> int:
    """Add a queue and return its id. Raises NotFound, QueueRefused."""
    require(by, Permission.MANAGE_QUEUES, organisation)
    check(design)
    moment = now or utc_now()
    if Queue.objects.filter(organisation_id=organisation, key=queue_key(key)).exists():
        raise QueueRefused("There is a queue with this key already.")
    _check_overflow(organisation, key, design)
    row = Queue.objects.create(organisation_id=organisation, key=key, design=write_design(design), changed_at=moment)
    _changed(row, by, "queue.added", moment)
    return row.pk


@transaction.atomic
def change_queue(*, queue: int, design: QueueDesign, based_on: int, by: Actor, now: datetime | None = None) -> None:
    """Serve a queue in another way from now on. `based_on` is the version that was seen. Raises NotFound, QueueRefused."""
    row = _queue(queue, by)
    check(design)
    if row.version != based_on:
        raise QueueRefused("Somebody changed the queue meanwhile. Look at it again.")
    _check_overflow(row.organisation_id, row.key, design)
    row.design, row.version, row.changed_at = write_design(design), row.version + 1, now or utc_now()
    row.save(update_fields=["design", "version", "changed_at"])
    _changed(row, by, "queue.changed", row.changed_at)


@transaction.atomic
def retire_queue(*, queue: int, by: Actor, now: datetime | None = None) -> None:
    """Let a queue take nobody more. Refused while somebody is in it or a number leads there. Raises NotFound, QueueRefused."""
    row = _queue(queue, by)
    if Number.objects.filter(queue=row).exists() or Contact.objects.filter(queue=row, state__in=OPEN).exists():
        raise QueueRefused("Numbers lead to this queue, or somebody is in it.")
    row.retired_at = row.changed_at = now or utc_now()
    row.save(update_fields=["retired_at", "changed_at"])
    _changed(row, by, "queue.retired", row.changed_at)


@transaction.atomic
def set_number(*, organisation: int, dialled: str, queue: int | None = None, flow: str = "", by: Actor, now: datetime | None = None) -> int:
    """Let a dialled number lead to a queue or a flow, and return its id. Raises NotFound, NumberRefused, QueueRefused."""
    require(by, Permission.MANAGE_QUEUES, organisation)
    text = dialled_number(dialled)
    if (queue is None) == (not flow):
        raise NumberRefused("A number leads to a queue or to a flow.")
    if queue is not None and _queue(queue, by).organisation_id != organisation:
        raise NotFound(HIDDEN)
    row = Number.objects.select_for_update().filter(dialled=text).first()
    if row is not None and row.organisation_id != organisation:
        raise NumberRefused("This number leads somewhere already.")
    row = row or Number(organisation_id=organisation, dialled=text)
    row.queue_id, row.flow = queue, flow
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise NumberRefused("This number leads somewhere already.") from error
    audit.record(by, "number.set", f"number:{row.pk}", organisation, at=now)
    return row.pk


@transaction.atomic
def add_number(*, organisation: int, dialled: str, queue: int | None = None, flow: str = "", by: Actor, now: datetime | None = None) -> int:
    """Let a number lead somewhere that led nowhere, as `set_number`. Raises NotFound, NumberRefused, QueueRefused."""
    require(by, Permission.MANAGE_QUEUES, organisation)
    if Number.objects.filter(dialled=dialled_number(dialled)).exists():
        raise NumberRefused("This number leads somewhere already.")
    return set_number(organisation=organisation, dialled=dialled, queue=queue, flow=flow, by=by, now=now)


@transaction.atomic
def move_number(*, line: int, organisation: int, queue: int | None = None, flow: str = "", by: Actor, now: datetime | None = None) -> None:
    """Let a number lead elsewhere, also to another organisation of those who move it. Raises NotFound, NumberRefused."""
    row = Number.objects.select_for_update().filter(pk=line).first()
    require(by, Permission.MANAGE_QUEUES, row.organisation_id if row else None)
    require(by, Permission.MANAGE_QUEUES, organisation)
    if row is None or (queue is not None and _queue(queue, by).organisation_id != organisation):
        raise NotFound(HIDDEN)
    if (queue is None) == (not flow):
        raise NumberRefused("A number leads to a queue or to a flow.")
    before = row.organisation_id
    row.organisation_id, row.queue_id, row.flow = organisation, queue, flow
    row.save(update_fields=["organisation", "queue", "flow"])
    for place in {before, organisation}:
        audit.record(by, "number.set", f"number:{row.pk}", place, at=now)


@transaction.atomic
def remove_number(*, line: int, by: Actor, now: datetime | None = None) -> None:
    """Let a number lead nowhere. Raises NotFound."""
    row = Number.objects.select_for_update().filter(pk=line).first()
    require(by, Permission.MANAGE_QUEUES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    audit.record(by, "number.removed", f"number:{row.pk}", row.organisation_id, at=now)
    row.delete()


@transaction.atomic
def add_phone(
    *, organisation: int, extension: str, user: int | None = None, webrtc: bool = False, by: Actor, now: datetime | None = None
) -> str:
    """Add a phone and return its password, which is shown once and kept nowhere. Raises NotFound, PhoneRefused, ExtensionRefused."""
    require(by, Permission.MANAGE_QUEUES, organisation)
    endpoint, moment = phone_key(organisation, extension), now or utc_now()
    if Phone.objects.filter(organisation_id=organisation, extension=extension).exists():
        raise PhoneRefused("There is a phone with this extension already.")
    _check_user(organisation, user)
    password = secrets.token_urlsafe(18)
    row = Phone(organisation_id=organisation, extension=extension, user_id=user, webrtc=webrtc, changed_at=moment)
    row.ha1 = digest(endpoint, password)
    row.save()
    tell_phone(row, by, "phone.added", moment)
    return password


@transaction.atomic
def change_phone(*, phone: int, user: int | None, caller: str, enabled: bool, by: Actor, now: datetime | None = None) -> None:
    """Say whose a phone is, which number its calls show ("": its extension), and whether it may be used. Raises NotFound, QueueRefused."""
    row, moment = _phone(phone, by), now or utc_now()
    _check_user(row.organisation_id, user)
    row.user_id, row.caller, row.enabled, row.changed_at = user, dialled_number(caller) if caller else "", enabled, moment
    row.save(update_fields=["user", "caller", "enabled", "changed_at"])
    tell_phone(row, by, "phone.changed", moment)


@transaction.atomic
def renew_phone(*, phone: int, by: Actor, now: datetime | None = None) -> str:
    """Give a phone another password and return it; the old one no longer signs in. Raises NotFound."""
    row, moment = _phone(phone, by), now or utc_now()
    password = secrets.token_urlsafe(18)
    row.ha1, row.changed_at = digest(phone_key(row.organisation_id, row.extension), password), moment
    row.save(update_fields=["ha1", "changed_at"])
    tell_phone(row, by, "phone.renewed", moment)
    return password


@transaction.atomic
def remove_phone(*, phone: int, by: Actor, now: datetime | None = None) -> None:
    """Take a phone away. Raises NotFound."""
    row = _phone(phone, by)
    tell_phone(row, by, "phone.removed", now or utc_now())
    row.delete()


def _check_user(organisation: int, user: int | None) -> None:
    if user is not None and user not in members.holders(OrganisationId(organisation), Permission.SERVE_QUEUES):
        raise NotFound(HIDDEN)


def digest(user: str, password: str) -> str:
    """Return HA1, by which the engine checks a password without knowing it (RFC 7616, 3.4.2; MD5 is what SIP phones speak)."""
    return hashlib.md5(f"{user}:{REALM}:{password}".encode(), usedforsecurity=False).hexdigest()


def _check_overflow(organisation: int, key: str, design: QueueDesign) -> None:
    if design.overflow_to and (
        design.overflow_to == key
        or not Queue.objects.filter(organisation_id=organisation, key=design.overflow_to, retired_at=None).exists()
    ):
        raise QueueRefused("There is no other queue %(key)s to overflow to.", key=design.overflow_to)


def _changed(row: Queue, by: Actor, what: str, moment: datetime) -> None:
    outbox.add(QueueChanged(queue=row.pk), organisation=row.organisation_id, aggregate=f"queue:{row.pk}", now=moment)
    audit.record(by, what, f"queue:{row.pk}", row.organisation_id, at=moment)


def _queue(queue: int, by: Actor) -> Queue:
    row = Queue.objects.select_for_update().filter(pk=queue, retired_at=None).first()
    require(by, Permission.MANAGE_QUEUES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _phone(phone: int, by: Actor) -> Phone:
    row = Phone.objects.select_for_update().filter(pk=phone).first()
    require(by, Permission.MANAGE_QUEUES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return row
