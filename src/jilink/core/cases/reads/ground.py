"""What every question about a case stands on: its type, its calendar, where it stands, and who may see it."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import msgspec

from jilink.core.cases import shipped
from jilink.core.cases.models import Case, Clock, ClockPause, WorkCalendar
from jilink.core.cases.rules import clocks
from jilink.core.cases.rules.calendar import WorkingCalendar, compiled, decode_calendar
from jilink.core.cases.rules.clocks import Limit, Pause
from jilink.core.cases.rules.definition import Definition, read_definition
from jilink.core.cases.rules.form import Answer
from jilink.core.cases.rules.workflow import Standing, State
from jilink.core.parties import access, walls
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.models import Organisation
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused

HIDDEN = "There is no such thing, or you may not see it."


class CalendarUnknown(Refused):
    """No working calendar of this key is known here."""


@lru_cache(maxsize=512)
def definition_of(text: str) -> Definition:
    """Return a stored definition; the same text is read once."""
    return read_definition(text)


@lru_cache(maxsize=64)
def _calendar(text: str) -> WorkingCalendar:
    return compiled(decode_calendar(text))


def calendar_of(organisation: Organisation, key: str) -> WorkingCalendar:
    """Return the working calendar that counts for an organisation: its own, the nearest above, or China's. Raises CalendarUnknown."""
    line = [int(part) for part in organisation.path.split("/") if part]
    rows = {row.organisation_id: row for row in WorkCalendar.objects.filter(organisation_id__in=line, key=key)}
    nearest = next((rows[one] for one in reversed(line) if one in rows), None)
    if nearest is not None:
        return _calendar(nearest.data)
    if key != "china":
        raise CalendarUnknown("There is no working calendar named %(key)s.", key=key)
    return compiled(shipped.china())


def may(by: Actor, permission: Permission, row: Case) -> bool:
    """Return whether the actor holds a permission over a case: in the organisation that answers for it, or in the unit that has it.

    What a unit asks for is decided by the organisation that answers for the case alone.
    """
    reach = access.reach(by, permission)
    if reach.covers(row.organisation_id, row.team_id, row.assignee_id):
        return True
    return permission != Permission.APPROVE_CASES and reach.covers(row.unit_id, row.team_id, row.assignee_id)


def require(by: Actor, permission: Permission, row: Case | None) -> Case:
    """Return the case where the actor holds the permission over it; raise NotFound for any other and for none."""
    if row is None or not may(by, permission, row):
        raise NotFound(HIDDEN)
    return row


@dataclass(slots=True)
class Ground:
    """A case with its type and its calendar, asked by somebody at a time."""

    row: Case
    by: Actor
    now: datetime
    definition: Definition
    calendar: WorkingCalendar

    @property
    def standing(self) -> Standing:
        """Return where the case stands."""
        row = self.row
        doers = frozenset(msgspec.json.decode(row.doers, type=list[int]))
        return Standing(row.stage, State(row.state), row.round, row.returns, row.final, row.suspended_at is not None, doers)


def ground_of(row: Case, by: Actor, now: datetime) -> Ground:
    """Return a case with what questions about it stand on; the door was asked before."""
    definition = definition_of(row.type.definition)
    return Ground(row, by, now, definition, calendar_of(row.organisation, definition.calendar))


def beyond(row: Case) -> AbstractContextManager[object]:
    """Open the second wall for a passage where a unit tells the organisation that answers for its case: an event, a line of the audit."""
    held = walls.scope()
    return nullcontext() if held is None or row.organisation_id in held else walls.everything()


def answers_of(row: Case) -> dict[str, Answer]:
    """Return the answers of a case as they are kept."""
    return msgspec.json.decode(row.answers, type=dict[str, Answer])


def limit_of(clock: Clock) -> Limit:
    """Return the limit of a clock with what it was extended by."""
    return Limit(clock.amount + clock.extended_by, clocks.Clock(clock.kind))


def pauses_of(clock: Clock) -> list[Pause]:
    """Return when a clock stood, in order."""
    return list(ClockPause.objects.filter(clock=clock).order_by("paused_at", "pk").values_list("paused_at", "resumed_at"))
