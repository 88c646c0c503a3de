"""Cases that ended before this installation knew them: taken over closed, with no clock and no bell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.assets.inventory import reads as assets
from jilink.core.cases.actions.desk import Desk, type_in_use, write_entry
from jilink.core.cases.actions.opening import new_number
from jilink.core.cases.actions.people import served
from jilink.core.cases.events import CaseEdited
from jilink.core.cases.models import Case
from jilink.core.cases.reads.ground import calendar_of, definition_of, require
from jilink.core.cases.rules.definition import Definition, StageKind, Transition
from jilink.core.cases.rules.form import Answer, AnswerRefused, AnswersRefused
from jilink.core.cases.rules.timeline import Opened, Stepped
from jilink.core.cases.rules.workflow import State
from jilink.core.parties import access
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor
from jilink.core.parties.models import Organisation
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AssetId


class PastRefused(Refused):
    """A past case cannot be so, because of one of its fields."""

    def __init__(self, message: str, *, field: str, **values: object) -> None:
        super().__init__(message, **values)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCase:
    """What is known of a case that ended. Questions that were never asked stay unanswered; `unit` None where nobody else had it."""

    type: str
    title: str
    opened_at: datetime
    closed_at: datetime
    code: str
    dispatched_at: datetime | None = None
    description: str = ""
    unit: int | None = None
    person: int | None = None
    asset: int | None = None
    channel: str = ""
    priority: int | None = None
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    area: str = ""
    answers: Mapping[str, object] = field(default_factory=dict)


@transaction.atomic
def record_past_case(*, organisation: int, past: PastCase, by: Actor, now: datetime | None = None) -> int:
    """Keep a case that ended elsewhere, and return its id. It is told of as edited: nobody has to act upon it, and reports count it.

    Raises NotFound where the actor may not add and close cases there or no such type is in use, PastRefused, AnswersRefused.
    """
    access.require(by, Permission.ADD_CASES, organisation)
    access.require(by, Permission.CLOSE_CASES, organisation)
    moment, owner = now or utc_now(), Organisation.objects.get(pk=organisation)
    kind = type_in_use(owner, past.type)
    definition = definition_of(kind.definition)
    priority = definition.usual_priority if past.priority is None else past.priority
    _check(past, definition, priority, moment)
    way = _way_to_the_end(definition)
    answers = _answers(definition, past.answers)
    row = Case.objects.create(
        number=new_number(moment),
        organisation=owner,
        unit_id=_unit(past.unit, organisation),
        type=kind,
        type_key=kind.key,
        stage=way.target,
        state=State.CLOSED.value,
        priority=priority,
        title=past.title.strip(),
        description=past.description.strip(),
        answers=msgspec.json.encode(answers).decode(),
        channel=past.channel or "import",
        person=served(organisation, past.person, by),
        asset_id=assets.thing(by, AssetId(past.asset)).id if past.asset is not None else None,
        latitude=past.latitude,
        longitude=past.longitude,
        address=past.address,
        area=past.area,
        opened_at=past.opened_at,
        dispatched_at=past.dispatched_at,
        closed_at=past.closed_at,
        closing_code=past.code,
        updated_at=moment,
    )
    write_entry(row, Opened(channel=row.channel), by, past.opened_at)
    write_entry(row, Stepped(key=way.key, step=way.step.value, source=way.source, target=way.target, code=past.code), by, past.closed_at)
    Desk(row, by, moment, definition, calendar_of(owner, definition.calendar)).tell(CaseEdited, fields=("state",))
    return row.pk


def past_case(case: int, by: Actor) -> None:
    """Return where a case is there and the actor may see it. Raises NotFound."""
    require(by, Permission.VIEW_CASES, Case.objects.filter(pk=case).first())


def _check(past: PastCase, definition: Definition, priority: int, now: datetime) -> None:
    if not 0 < len(past.title.strip()) <= 200:
        raise PastRefused("Say in at most 200 characters what the case is about.", field="title")
    if not past.opened_at <= (past.dispatched_at or past.opened_at) <= past.closed_at <= now:
        raise PastRefused("A past case was opened, then dispatched, then closed, all of it before now.", field="closed_at")
    if past.code not in {code.key for code in definition.closing_codes}:
        codes = ", ".join(code.key for code in definition.closing_codes)
        raise PastRefused("The closing code must be one of %(codes)s.", field="code", codes=codes)
    if priority not in {level.rank for level in definition.priorities}:
        raise PastRefused("This case type has no such priority.", field="priority")
    if (past.latitude is None) != (past.longitude is None) or not (abs(past.latitude or 0) <= 90 and abs(past.longitude or 0) <= 180):
        raise PastRefused("Latitude and longitude are degrees (WGS-84), and go together.", field="latitude")
    for name, most in (("description", 10_000), ("address", 200), ("area", 160), ("channel", 20)):
        if len(getattr(past, name)) > most:
            raise PastRefused("This is too long.", field=name)


def _way_to_the_end(definition: Definition) -> Transition:
    ends = {stage.key for stage in definition.stages if stage.kind == StageKind.CLOSED}
    found = next((way for way in definition.transitions if way.target in ends), None)
    if found is None:
        raise PastRefused("No case of this type is ever closed.", field="type")
    return found


def _answers(definition: Definition, given: Mapping[str, object]) -> dict[str, Answer]:
    """Return the answers that were given; nothing is asked that nobody asked then. Raises AnswersRefused."""
    questions = {question.key: question for question in definition.form}
    kept: dict[str, Answer] = {}
    problems: dict[str, AnswerRefused] = {}
    for key, value in given.items():
        try:
            if key not in questions:
                raise AnswerRefused("This case type has no such question.")
            kept[key] = questions[key].check(value)
        except AnswerRefused as error:
            problems[key] = error
    if problems:
        raise AnswersRefused(problems)
    return kept


def _unit(unit: int | None, organisation: int) -> int:
    if unit is not None and unit not in parties.below(organisation):
        raise PastRefused("The unit is not of this organisation.", field="unit")
    return unit if unit is not None else organisation
