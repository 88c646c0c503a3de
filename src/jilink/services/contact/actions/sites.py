"""Sites whose visitors may write, how many agents have at once, and which cases wait in queues: what supervisors set up."""

import secrets
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from jilink.core.cases import reads as cases
from jilink.core.cases.rules.form import AnswersRefused, check_answers
from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId
from jilink.services.contact.events import QueueChanged
from jilink.services.contact.models import Capacity, CaseFeed, ChatSite, Queue
from jilink.services.contact.rules import written as rules
from jilink.services.contact.rules.written import SiteDesign, SiteRefused

HIDDEN = "There is no such thing, or you may not see it."


@transaction.atomic
def add_site(*, queue: int, design: SiteDesign, by: Actor, now: datetime | None = None) -> int:
    """Add a site whose visitors write to a queue, and return its id. Raises NotFound, SiteRefused."""
    place = _queue(queue, by)
    _check(place.organisation_id, design, by)
    row = ChatSite.objects.create(
        organisation_id=place.organisation_id, key=secrets.token_urlsafe(16), queue=place, design=rules.write_site(design),
        changed_at=now or utc_now(),
    )  # fmt: skip
    audit.record(by, "chat_site.added", f"chat_site:{row.pk}", row.organisation_id, at=row.changed_at)
    return row.pk


@transaction.atomic
def change_site(*, site: int, queue: int, design: SiteDesign, enabled: bool, based_on: int, by: Actor, now: datetime | None = None) -> None:
    """Change a site; `based_on` is the version that was seen. Raises NotFound, SiteRefused."""
    row = ChatSite.objects.select_for_update().filter(pk=site).first()
    require(by, Permission.MANAGE_QUEUES, row.organisation_id if row else None)
    place = _queue(queue, by)
    if row is None or place.organisation_id != row.organisation_id:
        raise NotFound(HIDDEN)
    _check(row.organisation_id, design, by)
    if row.version != based_on:
        raise SiteRefused("Somebody changed the site meanwhile. Look at it again.")
    row.queue, row.design, row.enabled = place, rules.write_site(design), enabled
    row.version, row.changed_at = row.version + 1, now or utc_now()
    row.save()
    audit.record(by, "chat_site.changed", f"chat_site:{row.pk}", row.organisation_id, at=row.changed_at)


@transaction.atomic
def set_capacity(*, organisation: int, user: int | None, most: Mapping[str, int], by: Actor, now: datetime | None = None) -> None:
    """Set how many of each channel an agent has at once, or everybody for whom nothing else is said; an empty one forgets it.

    Agents who are there have it from their next state on. Raises NotFound, SiteRefused.
    """
    require(by, Permission.MANAGE_QUEUES, organisation)
    rules.check_capacity(dict(most))
    if user is not None and user not in members.holders(OrganisationId(organisation), Permission.SERVE_QUEUES):
        raise NotFound(HIDDEN)
    said = Capacity.objects.filter(organisation_id=organisation)
    (said.filter(user=None) if user is None else said.filter(user_id=user)).delete()
    for channel, count in most.items():
        Capacity.objects.create(organisation_id=organisation, user_id=user, channel=channel, most=count)
    whom = f"user:{user}" if user is not None else f"organisation:{organisation}"
    detail = " ".join(f"{channel}={count}" for channel, count in sorted(most.items()))
    audit.record(by, "agent.capacity", whom, organisation, detail=detail, at=now)


@transaction.atomic
def feed_queue(*, queue: int, types: tuple[str, ...], by: Actor, now: datetime | None = None) -> None:
    """Let new cases of these types, which nobody has, wait in a queue, and no others; cases of before stay where they are.

    Raises NotFound, SiteRefused where a type is unknown or waits in another queue.
    """
    place, moment = _queue(queue, by), now or utc_now()
    known = cases.types_in_use(by, place.organisation_id)
    for key in types:
        if key not in known:
            raise SiteRefused("There is no case type %(key)s here.", key=key)
        if CaseFeed.objects.filter(organisation_id=place.organisation_id, type_key=key).exclude(queue=place).exists():
            raise SiteRefused("Cases of the type %(key)s wait in another queue already.", key=key)
    CaseFeed.objects.filter(queue=place).exclude(type_key__in=types).delete()
    for key in types:
        CaseFeed.objects.get_or_create(organisation_id=place.organisation_id, type_key=key, defaults={"queue": place, "since": moment})
    outbox.add(QueueChanged(queue=place.pk), organisation=place.organisation_id, aggregate=f"queue:{place.pk}", now=moment)
    audit.record(by, "queue.cases", f"queue:{place.pk}", place.organisation_id, detail=" ".join(types)[:200], at=moment)


def _check(organisation: int, design: SiteDesign, by: Actor) -> None:
    rules.check_site(design)
    if not design.case_type:
        return
    kind = cases.types_in_use(by, organisation).get(design.case_type)
    if kind is None:
        raise SiteRefused("There is no case type %(key)s here.", key=design.case_type)
    try:
        check_answers(kind.form, dict(design.answers))
    except AnswersRefused as error:
        raise SiteRefused(
            "The case type %(key)s needs other answers: %(questions)s.", key=design.case_type, questions=", ".join(error.problems)
        ) from error


def _queue(queue: int, by: Actor) -> Queue:
    row = Queue.objects.filter(pk=queue, retired_at=None).first()
    require(by, Permission.MANAGE_QUEUES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return row
