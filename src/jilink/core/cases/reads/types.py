"""What may be asked about case types and calendars."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from jilink.core.cases import shipped
from jilink.core.cases.models import CaseType, WorkCalendar
from jilink.core.cases.reads.ground import HIDDEN, definition_of
from jilink.core.cases.rules.calendar import CalendarData, decode_calendar
from jilink.core.cases.rules.checking import problems
from jilink.core.cases.rules.definition import Definition
from jilink.core.cases.rules.diagram import Diagram, diagram
from jilink.core.cases.rules.problems import Problem
from jilink.core.parties import access, walls
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.models import Organisation
from jilink.core.parties.rules import Permission


@dataclass(frozen=True, slots=True)
class TypeView:
    """One version of a case type, with everything that is wrong with it and its drawing (None where it has no stages)."""

    id: int
    organisation: int
    key: str
    version: int
    state: str
    definition: Definition
    problems: tuple[Problem, ...]
    diagram: Diagram | None
    edited_at: datetime
    published_at: datetime | None


def case_types(actor: Actor) -> list[TypeView]:
    """Return every version of the case types of organisations whose types the actor may manage, newest of a key first."""
    allowed = access.organisations_of(actor, Permission.MANAGE_CASE_TYPES)
    return [_view(row) for row in CaseType.objects.filter(organisation__in=allowed).order_by("organisation", "key", "-version")]


def case_type(actor: Actor, type: int) -> TypeView:
    """Return one version of a case type. Raises NotFound."""
    row = CaseType.objects.filter(pk=type).first()
    access.require(actor, Permission.MANAGE_CASE_TYPES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return _view(row)


def types_in_use(actor: Actor, organisation: int) -> Mapping[str, Definition]:
    """Return what can be opened in an organisation: its types in use and those from above that it does not override. Raises NotFound."""
    access.require(actor, Permission.ADD_CASES, organisation)
    line = _line(organisation)
    found: dict[str, Definition] = {}
    rows = {(row.organisation_id, row.key): row for row in CaseType.objects.filter(organisation__in=line, state="published")}
    for one in line:  # from the top down, so that what lies nearer counts
        for (owner, key), row in rows.items():
            if owner == one:
                found[key] = definition_of(row.definition)
    return dict(sorted(found.items()))


def types_seen(actor: Actor) -> Mapping[str, Definition]:
    """Return the types in use where the actor sees cases, by key, for filters and lists: words only, no right to open one."""
    reach = access.reach(actor, Permission.VIEW_CASES)
    with walls.everything():  # types of the organisations above hold below
        paths = Organisation.objects.filter(pk__in=reach.whole | reach.own).values_list("path", flat=True)
        line = {int(part) for path in paths for part in path.split("/") if part}
        texts = list(CaseType.objects.filter(organisation__in=line, state="published").order_by("key").values_list("key", "definition"))
    return {key: definition_of(text) for key, text in texts}


def calendar_ends(actor: Actor, organisation: int, key: str = "china") -> date:
    """Return the last day that the working calendar of an organisation knows: time to load the next year before it. Raises NotFound."""
    return calendar(actor, organisation, key).last


def calendar(actor: Actor, organisation: int, key: str = "china") -> CalendarData:
    """Return the working calendar that counts for an organisation. Raises NotFound."""
    access.require(actor, Permission.MANAGE_CASE_TYPES, organisation)
    line = _line(organisation)
    rows = {row.organisation_id: row for row in WorkCalendar.objects.filter(organisation__in=line, key=key)}
    nearest = next((rows[one] for one in reversed(line) if one in rows), None)
    if nearest is not None:
        return decode_calendar(nearest.data)
    if key != "china":
        raise NotFound(HIDDEN)
    return shipped.china()


def calendars(actor: Actor, organisation: int) -> list[str]:
    """Return the keys of the working calendars that count for an organisation. Raises NotFound."""
    access.require(actor, Permission.MANAGE_CASE_TYPES, organisation)
    return sorted({"china", *WorkCalendar.objects.filter(organisation__in=_line(organisation)).values_list("key", flat=True)})


def _line(organisation: int) -> list[int]:
    path = Organisation.objects.values_list("path", flat=True).get(pk=organisation)
    return [int(part) for part in path.split("/") if part]


def _view(row: CaseType) -> TypeView:
    definition = definition_of(row.definition)
    found = problems(definition)
    drawn = diagram(definition) if definition.stages else None
    return TypeView(row.pk, row.organisation_id, row.key, row.version, row.state, definition, found, drawn, row.edited_at, row.published_at)
