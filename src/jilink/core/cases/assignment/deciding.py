"""What is known of a case when it is sent out, and the answer: a unit with the reasons that counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jilink.core.cases.assignment import rules
from jilink.core.cases.assignment.rules import Facts, RuleBook, Verdict, read_rules
from jilink.core.cases.assignment.world import Around, Town
from jilink.core.cases.models import AssignmentRules, Case
from jilink.core.cases.rules.calendar import CalendarMissing, WorkingCalendar
from jilink.core.cases.rules.form import Answers
from jilink.core.cases.rules.timeline import Considered
from jilink.core.parties import walls
from jilink.core.parties.models import Organisation, Person

_INSTANT = timedelta(microseconds=1)
NO_RULES = RuleBook()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What may count when a unit is chosen. `area` is a path of codes; `asset` the thing it is about; `working` what its calendar says."""

    organisation: int
    case: int | None
    type: str
    answers: Answers
    priority: int
    at: datetime
    area: str = ""
    latitude: float | None = None
    longitude: float | None = None
    asset: int | None = None
    person: int | None = None
    channel: str = ""
    working: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who gets it. `why` are readable reasons in the order they counted, `rule` the key of the rule that decided."""

    unit: int
    team: int | None = None
    assignee: int | None = None
    why: tuple[str, ...] = field(default=())
    rule: str = ""
    considered: tuple[Considered, ...] = ()
    """Every rule that was looked at, with why or why not, in both languages."""


def decide(situation: Situation) -> Decision:
    """Return who gets a case, by the published rules of its organisation, those of its type first. Always an answer."""
    with walls.everything():  # units, people and duties are looked at, and nothing of them is told but the answer
        book = in_use(situation.organisation, situation.type)
        (verdict,) = decide_many(book, situation.organisation, [situation])
    why = tuple(each.why.zh for each in verdict.considered if each.decided)
    return Decision(
        unit=verdict.unit, team=verdict.team, assignee=verdict.assignee, why=why, rule=verdict.rule, considered=verdict.considered
    )


def decide_many(book: RuleBook, organisation: int, situations: Sequence[Situation]) -> list[Verdict]:
    """Return what rules decide for cases of one organisation, one after the other; each counts as load of those after it."""
    town = Town(organisation)
    town.knows_assets([each.asset for each in situations if each.asset is not None])
    tongues = _languages([each.person for each in situations if each.person is not None])
    found = []
    for each in situations:
        facts = Facts(
            organisation=organisation,
            answers=each.answers,
            priority=each.priority,
            channel=each.channel,
            area=each.area,
            languages=tongues.get(each.person or 0, frozenset()),
            asset=each.asset is not None,
            working=each.working,
        )
        verdict = rules.decide(book, facts, Around(town, each.asset, each.area))
        town.give(verdict.assignee)
        found.append(verdict)
    return found


def in_use(organisation: int, type_key: str) -> RuleBook:
    """Return the published rules that count: of the organisation or the nearest above, those of the type before those of all types."""
    path = Organisation.objects.values_list("path", flat=True).get(pk=organisation)
    line = [int(part) for part in path.split("/") if part]
    rows = AssignmentRules.objects.filter(organisation_id__in=line, type_key__in=[type_key, ""], state="published")
    best = max(rows, key=lambda row: (line.index(row.organisation_id), row.type_key != ""), default=None)
    return read_rules(best.data) if best is not None else NO_RULES


def working_at(calendar: WorkingCalendar, at: datetime) -> bool:
    """Return whether an instant lies within hours of work; past the calendar's end every instant counts as working."""
    try:
        return calendar.worked_before(at + _INSTANT) > calendar.worked_before(at)
    except CalendarMissing:
        return True


def _languages(people: Sequence[int]) -> dict[int, frozenset[str]]:
    rows = Person.objects.filter(pk__in=people).values_list("pk", "languages")
    return {pk: frozenset(tag for tag in languages.split(",") if tag) for pk, languages in rows}


def situation_of_row(row: Case, answers: Answers, calendar: WorkingCalendar, at: datetime) -> Situation:
    """Return what is known of a case at a time."""
    return Situation(
        organisation=row.organisation_id,
        case=row.pk,
        type=row.type_key,
        answers=answers,
        priority=row.priority,
        at=at,
        area=row.area,
        latitude=row.latitude,
        longitude=row.longitude,
        asset=row.asset_id,
        person=row.person,
        channel=row.channel,
        working=working_at(calendar, at),
    )
