"""Case types and calendars: drafted, published, retired, loaded. A version that was published never changes."""

from datetime import datetime

import msgspec
from django.db import transaction
from django.db.models import Max

from jilink.core.cases.events import CaseCalendarLoaded, CaseTypePublished
from jilink.core.cases.models import CaseType, WorkCalendar
from jilink.core.cases.rules import versions
from jilink.core.cases.rules.calendar import CalendarRefused, decode_calendar
from jilink.core.cases.rules.checking import decode_definition
from jilink.core.cases.rules.definition import read_definition, write_definition
from jilink.core.cases.rules.form import KEY
from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.holding import hold
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.still import Still

_HIDDEN = "There is no such thing, or you may not see it."


class KeyRefused(Refused):
    """A key is small letters, digits and _, at most 40, beginning with a letter."""


@transaction.atomic
def save_type(*, organisation: int, key: str, definition: str | bytes, by: Actor, now: datetime | None = None, still: Still = None) -> int:
    """Keep a draft of a case type, which may still contradict itself, and return its id. Raises NotFound, KeyRefused, DefinitionRefused."""
    require(by, Permission.MANAGE_CASE_TYPES, organisation)
    if not KEY.fullmatch(key):
        raise KeyRefused("A key is small letters, digits and _, at most 40, beginning with a letter.")
    text = write_definition(read_definition(definition))
    moment = now or utc_now()
    hold(organisation)  # the draft may be the first version there is
    draft = CaseType.objects.select_for_update().filter(organisation_id=organisation, key=key, state="draft").first()
    if still is not None:
        still()
    if draft is None:
        last = CaseType.objects.filter(organisation_id=organisation, key=key).aggregate(last=Max("version"))["last"] or 0
        draft = CaseType(organisation_id=organisation, key=key, version=last + 1, state="draft")
    draft.definition, draft.edited_at = text, moment
    draft.save()
    audit.record(by, "case_type.saved", f"case_type:{draft.pk}", organisation, at=moment)
    return draft.pk


@transaction.atomic
def publish_type(*, type: int, by: Actor, now: datetime | None = None, still: Still = None) -> None:
    """Use a draft for new cases from now on; cases that exist keep their version. Raises NotFound, DefinitionRefused with all problems."""
    row = _of(type, by, still)
    if not versions.may_change(row.state):
        raise Refused("Only a draft can be published.")
    decode_definition(row.definition)
    moment = now or utc_now()
    CaseType.objects.filter(organisation_id=row.organisation_id, key=row.key, state="published").update(state="retired")
    row.state, row.published_at = "published", moment
    row.save(update_fields=["state", "published_at"])
    event = CaseTypePublished(type=row.pk, key=row.key, version=row.version)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"case_type:{row.pk}", now=moment)
    audit.record(by, "case_type.published", f"case_type:{row.pk}", row.organisation_id, at=moment)


@transaction.atomic
def retire_type(*, type: int, by: Actor, now: datetime | None = None, still: Still = None) -> None:
    """Open no more cases by a type; those that exist go on. Raises NotFound."""
    row = _of(type, by, still)
    if not versions.may_retire(row.state):
        raise Refused("Only a published type can be retired.")
    row.state = "retired"
    row.save(update_fields=["state"])
    audit.record(by, "case_type.retired", f"case_type:{row.pk}", row.organisation_id, at=now)


@transaction.atomic
def drop_draft(*, type: int, by: Actor, still: Still = None) -> None:
    """Throw a draft away. Raises NotFound."""
    row = _of(type, by, still)
    if not versions.may_change(row.state):
        raise Refused("Only a draft can be discarded.")
    audit.record(by, "case_type.dropped", f"case_type:{row.pk}", row.organisation_id)
    row.delete()


def _of(type: int, by: Actor, still: Still) -> CaseType:
    row = CaseType.objects.select_for_update().filter(pk=type).first()
    require(by, Permission.MANAGE_CASE_TYPES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(_HIDDEN)
    if still is not None:
        still()
    return row


@transaction.atomic
def load_calendar(*, organisation: int, key: str, data: str | bytes, by: Actor, now: datetime | None = None) -> None:
    """Load a working calendar, or the next years of one; clocks that count by it are set anew soon. Raises NotFound, CalendarRefused."""
    require(by, Permission.MANAGE_CASE_TYPES, organisation)
    if not KEY.fullmatch(key):
        raise KeyRefused("A key is small letters, digits and _, at most 40, beginning with a letter.")
    text = msgspec.json.encode(decode_calendar(data)).decode()
    moment = now or utc_now()
    hold(organisation)
    row = WorkCalendar.objects.select_for_update().filter(organisation_id=organisation, key=key).first()
    if row is not None and decode_calendar(row.data).last > decode_calendar(text).last:
        raise CalendarRefused("The calendar must not end earlier than the one that is loaded.", place="$.last")
    WorkCalendar.objects.update_or_create(
        organisation_id=organisation,
        key=key,
        defaults={"data": text, "loaded_at": moment, "loaded_by": by.name, "version": row.version + 1 if row else 1},
    )
    outbox.add(CaseCalendarLoaded(key=key), organisation=organisation, aggregate=f"calendar:{organisation}:{key}", now=moment)
    audit.record(by, "calendar.loaded", f"calendar:{key}", organisation, at=moment)
