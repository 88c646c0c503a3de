"""What may be asked about rules of assignment: versions, what is wrong with one, and what it would do to past cases."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from jilink.core.cases.assignment.deciding import decide_many, in_use, situation_of_row
from jilink.core.cases.assignment.rules import TONGUE, RuleBook, ToLeastLoaded, problems, read_rules
from jilink.core.cases.models import AssignmentRules, Case, CaseType, Skill
from jilink.core.cases.reads.ground import HIDDEN, answers_of, calendar_of, definition_of
from jilink.core.cases.rules.calendar import WorkingCalendar
from jilink.core.cases.rules.problems import Problem
from jilink.core.cases.rules.timeline import Considered
from jilink.core.cases.rules.versions import Version
from jilink.core.parties import access, walls
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.models import Organisation, Team
from jilink.core.parties.rules import Permission

MOST_TRIED = 1000


@dataclass(frozen=True, slots=True)
class RulesView:
    """One version of an organisation's rules, with everything that is wrong with it."""

    id: int
    organisation: int
    type_key: str
    version: int
    state: str
    book: RuleBook
    problems: tuple[Problem, ...]
    edited_at: datetime
    published_at: datetime | None
    published_by: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A past case that other rules would have given to another unit: who got it first, who would, and why."""

    case: int
    number: str
    title: str
    before: int
    after: int
    considered: tuple[Considered, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules would do to past cases: how many a unit has and would get, and each case that moves."""

    tried: int
    before: Mapping[int, int]
    after: Mapping[int, int]
    moved: tuple[Moved, ...]
    names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that rules may name, with its teams that are not archived."""

    id: int
    name: str
    depth: int
    teams: tuple[tuple[int, str], ...]


def versions(actor: Actor, organisation: int) -> list[RulesView]:
    """Return every version of an organisation's rules, by type, newest first. Raises NotFound."""
    access.require(actor, Permission.MANAGE_CASE_TYPES, organisation)
    return [_view(row) for row in AssignmentRules.objects.filter(organisation_id=organisation).order_by("type_key", "-version")]


def rules(actor: Actor, rules: int) -> RulesView:
    """Return one version of rules. Raises NotFound."""
    row = AssignmentRules.objects.filter(pk=rules).first()
    access.require(actor, Permission.MANAGE_CASE_TYPES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return _view(row)


def counting(actor: Actor, organisation: int, type_key: str) -> RuleBook:
    """Return the published rules that count for a type in an organisation, its own or from above. Raises NotFound."""
    access.require(actor, Permission.MANAGE_CASE_TYPES, organisation)
    return in_use(organisation, type_key)


def units(actor: Actor, organisation: int) -> list[Unit]:
    """Return the organisation and all below it as units that its rules may name, in tree order. Raises NotFound."""
    access.require(actor, Permission.MANAGE_CASE_TYPES, organisation)
    path = Organisation.objects.values_list("path", flat=True).get(pk=organisation)
    teams: dict[int, list[tuple[int, str]]] = {}
    working = Team.objects.filter(organisation__path__startswith=path, archived_at=None)
    for pk, unit, name in working.order_by("name").values_list("pk", "organisation_id", "name"):
        teams.setdefault(unit, []).append((pk, name))
    rows = Organisation.objects.filter(path__startswith=path).order_by("path")
    return [Unit(row.pk, row.name, row.path.count("/") - path.count("/"), tuple(teams.get(row.pk, ()))) for row in rows]


def skills(actor: Actor, organisation: int) -> dict[int, tuple[str, ...]]:
    """Return what people can do in an organisation, by person. Raises NotFound."""
    access.require(actor, Permission.MANAGE_TEAMS, organisation)
    found: dict[int, list[str]] = {}
    for user, key in Skill.objects.filter(organisation_id=organisation).order_by("key").values_list("user_id", "key"):
        found.setdefault(user, []).append(key)
    return {user: tuple(keys) for user, keys in found.items()}


def skills_wanted(actor: Actor, organisation: int) -> tuple[str, ...]:
    """Return the skills, without languages, that somebody has or a rule asks for there: those to choose from. Raises NotFound."""
    access.require(actor, Permission.MANAGE_TEAMS, organisation)
    found = set(Skill.objects.filter(organisation_id=organisation).exclude(key__startswith=TONGUE).values_list("key", flat=True))
    for row in AssignmentRules.objects.filter(organisation_id=organisation, state__in=[Version.DRAFT.value, Version.PUBLISHED.value]):
        for rule in read_rules(row.data).rules:
            if isinstance(rule.outcome, ToLeastLoaded):
                found |= {key for key in rule.outcome.skills if not key.startswith(TONGUE)}
    return tuple(sorted(found))


def try_rules(actor: Actor, organisation: int, type_key: str, book: RuleBook, *, most: int = MOST_TRIED) -> Trial:
    """Return what rules would have done to the last cases sent out, at most 1,000: each as it was at its dispatch, people as busy as now.

    `type_key` "" tries the cases of all types. Nothing is written. Raises NotFound.
    """
    access.require(actor, Permission.MANAGE_CASE_TYPES, organisation)
    rows = Case.objects.filter(organisation_id=organisation, dispatched_at__isnull=False).select_related("type", "organisation")
    rows = rows.filter(type_key=type_key) if type_key else rows
    past = list(rows.order_by("-pk")[: max(1, min(most, MOST_TRIED))])
    calendars: dict[int, WorkingCalendar] = {}
    situations = []
    for row in past:
        if row.type_id not in calendars:
            calendars[row.type_id] = calendar_of(row.organisation, definition_of(row.type.definition).calendar)
        situations.append(situation_of_row(row, answers_of(row), calendars[row.type_id], row.dispatched_at or row.opened_at))
    with walls.everything():  # whom rules would choose is theirs to see who make the rules
        verdicts = decide_many(book, organisation, situations)
        before, after = Counter(row.unit_id for row in past), Counter(verdict.unit for verdict in verdicts)
        names = dict(Organisation.objects.filter(pk__in={*before, *after}).values_list("pk", "name"))
    moved = tuple(
        Moved(row.pk, row.number, row.title, row.unit_id, verdict.unit, verdict.considered)
        for row, verdict in zip(past, verdicts, strict=True)
        if row.unit_id != verdict.unit
    )
    return Trial(len(past), before, after, moved, names)


def questions_of(organisation: int, type_key: str) -> tuple[str, ...] | None:
    """Return the keys of the questions of a type in use; None for rules of all types, or where there is no such type yet."""
    path = Organisation.objects.values_list("path", flat=True).get(pk=organisation)
    line = [int(part) for part in path.split("/") if part]
    rows = {row.organisation_id: row for row in CaseType.objects.filter(organisation_id__in=line, key=type_key, state="published")}
    nearest = next((rows[one] for one in reversed(line) if one in rows), None)
    return tuple(question.key for question in definition_of(nearest.definition).form) if nearest is not None else None


def _view(row: AssignmentRules) -> RulesView:
    book = read_rules(row.data)
    found = problems(book, questions_of(row.organisation_id, row.type_key))
    return RulesView(
        row.pk, row.organisation_id, row.type_key, row.version, row.state, book, found, row.edited_at, row.published_at, row.published_by
    )
