"""Lists of cases: filtered, in a stable order, page by page by keys, and counted for many views in one query."""

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec
from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from jilink.core.cases import finding
from jilink.core.cases.finding import Likely
from jilink.core.cases.models import Case, Clock, Request
from jilink.core.cases.reads.cutting import Order, Stretch, behind, cursor_at, read_cursor, stretches, written
from jilink.core.cases.reads.ground import definition_of
from jilink.core.cases.rules import allowed, workflow
from jilink.core.cases.rules.allowed import Act
from jilink.core.cases.rules.workflow import CALL_BACK, RequestState, State
from jilink.core.parties import access
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.texts import Text

LONGEST_PAGE = 200
LOOKED = (1_000, 3_000, 4_000)
"""Rows of a list that are read for what was typed, step by step, before the index is asked."""
MOST_COUNTED = 10_000
"""Closed cases are many: who counts them all waits for a number that nobody reads."""


class Whose(StrEnum):
    """The inboxes."""

    ALL = "all"
    MINE = "mine"
    TEAM = "team"
    UNASSIGNED = "unassigned"


class Filter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a list shows; every part narrows it. Fit to be kept as a saved view or in an address."""

    states: tuple[str, ...] = (State.OPEN.value,)
    """Empty for all."""
    whose: Whose = Whose.ALL
    types: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    priorities: tuple[int, ...] = ()
    organisations: tuple[int, ...] = ()
    units: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    assignees: tuple[int, ...] = ()
    channels: tuple[str, ...] = ()
    area: str = ""
    """Path of an area; everything inside is shown."""
    overdue: bool = False
    suspended: bool = False
    due_before: datetime | None = None
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    person: int | None = None
    asset: int | None = None
    interaction: int | None = None
    text: str = ""
    """A number of a case as typed or said, or pieces of its words: number, title, description, address, notes, replies, and the person's
    name where the actor may see people. Every piece must be there."""
    requested: bool = False
    """Something was asked for and waits to be decided."""
    call_back: bool = False
    """Somebody dissatisfied waits to be called."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case as a list shows it; `type_label` and `stage_label` in both languages, places WGS-84 degrees."""

    id: int
    number: str
    title: str
    organisation: int
    type: str
    type_label: Text
    stage: str
    stage_label: Text
    state: State
    open: bool
    """Whether somebody still works on it."""
    priority: int
    priority_label: Text
    unit: int
    unit_name: str
    team: int | None
    assignee: int | None
    person: int | None
    asset: int | None
    area: str
    address: str
    latitude: float | None
    longitude: float | None
    channel: str
    opened_at: datetime
    updated_at: datetime
    due_at: datetime | None
    overdue: bool
    suspended: bool
    version: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the cursor of the next page ("" at the end)."""

    rows: tuple[CaseRow, ...]
    next: str


def in_reach(actor: Actor, permission: Permission = Permission.VIEW_CASES) -> Q:
    """Return the filter that lets through the cases an actor may see: those it answers for, and those its units have."""
    reach = access.reach(actor, permission)
    return reach.rows() | reach.rows(organisation="unit")


def _seen(actor: Actor, wanted: Filter) -> QuerySet[Case]:
    """Return the cases that the actor may see, asked so that open ones are read in the order of the list.

    SQLite would rather gather every case of an organisation, closed ones too, and sort; a sum has no index to tempt it.
    """
    if connection.vendor != "sqlite" or wanted.states != (State.OPEN.value,):
        return Case.objects.filter(in_reach(actor))
    reach = access.reach(actor, Permission.VIEW_CASES)
    rows = Case.objects.alias(answering=F("organisation_id") + 0, having=F("unit_id") + 0)
    return rows.filter(reach.rows(organisation="answering") | reach.rows(organisation="having"))


def condition(actor: Actor, wanted: Filter, now: datetime) -> Q:
    """Return a filter as a condition; the door is another (`in_reach`)."""
    found = Q()
    plain: tuple[tuple[str, Sequence[object]], ...] = (
        ("state__in", wanted.states),
        ("type_key__in", wanted.types),
        ("stage__in", wanted.stages),
        ("priority__in", wanted.priorities),
        ("organisation__in", wanted.organisations),
        ("unit__in", wanted.units),
        ("team__in", wanted.teams),
        ("assignee__in", wanted.assignees),
        ("channel__in", wanted.channels),
    )
    for name, values in plain:
        if values:
            found &= Q(**{name: values})
    single: tuple[tuple[str, object], ...] = (
        ("area__startswith", wanted.area or None),
        ("due_at__lt", wanted.due_before),
        ("opened_at__gte", wanted.opened_from),
        ("opened_at__lt", wanted.opened_before),
        ("person", wanted.person),
        ("asset", wanted.asset),
        ("interaction", wanted.interaction),
    )
    for name, value in single:
        if value is not None:
            found &= Q(**{name: value})
    if wanted.overdue:
        found &= Q(due_at__lt=now, state=State.OPEN.value)
    if wanted.suspended:
        found &= Q(suspended_at__isnull=False)
    if wanted.requested:
        found &= Q(pk__in=Request.objects.filter(state=RequestState.ASKED.value).values("case_id"))
    if wanted.call_back:
        found &= Q(pk__in=Clock.objects.filter(key=CALL_BACK, ended_at=None).values("case_id"))
    return found & _whose(actor, wanted.whose) & finding.condition(actor, wanted.text)


def _whose(actor: Actor, whose: Whose) -> Q:
    match whose:
        case Whose.MINE:
            return Q(assignee=actor.user if actor.user is not None else -1)
        case Whose.TEAM:
            return Q(team__in=actor.teams)
        case Whose.UNASSIGNED:
            if connection.vendor == "sqlite":  # as above: nearly all closed cases are nobody's too
                return Q(Exact(Coalesce("assignee_id", 0), 0))
            return Q(assignee=None)
    return Q()


def cases(actor: Actor, wanted: Filter, *, now: datetime, order: Order = Order.NEWEST, cursor: str = "", limit: int = 50) -> Page:
    """Return a page of the cases that the actor may see and the filter lets through. Raises CursorMisread.

    Pages are cut by the key of their last row: what is added or moved meanwhile never shows a row twice or hides another.
    """
    size = max(1, min(limit, LONGEST_PAGE))
    if order == Order.BEST and finding.is_words(wanted.text):
        return _best(actor, wanted, now, cursor, size)
    order = Order.NEWEST if order == Order.BEST else order
    likely = finding.likely(actor, wanted.text)
    asked = condition(actor, wanted if likely is None else _wordless(wanted), now)
    found: list[Case] = []
    for stretch, by in stretches(order, cursor):
        rows, missing = _seen(actor, wanted).filter(asked, stretch), size + 1 - len(found)
        if likely is None:
            found += list(rows.order_by(*by).select_related("type", "unit")[:missing])
        else:
            found += _checked(rows, by, missing, likely)
        if len(found) > size:
            break
    following = cursor_at(order, found[size - 1]) if len(found) > size else ""
    return Page(tuple(row_of(row, now) for row in found[:size]), following)


def _wordless(wanted: Filter) -> Filter:
    return msgspec.structs.replace(wanted, text="")


def _checked(rows: QuerySet[Case], by: tuple[str, ...], count: int, likely: Likely) -> list[Case]:
    """Return the first rows in an order that hold what was typed.

    Where very many do they are among the first of the list, which are read one by one. Else those that the index thinks of are, more
    and more until there are enough.
    """
    keys, whole = _held(rows, by, count, likely, LOOKED)
    if len(keys) < count and not whole:
        steps = (2 * count * 8**times for times in itertools.count())
        keys, _whole = _held(rows.filter(likely.condition), by, count, likely, steps)
    found = {row.pk: row for row in Case.objects.filter(pk__in=keys[:count]).select_related("type", "unit")}
    return [found[key] for key in keys[:count] if key in found]


def _held(rows: QuerySet[Case], by: tuple[str, ...], count: int, likely: Likely, steps: Iterable[int]) -> tuple[list[int], bool]:
    """Return the keys of rows that hold what was typed, looked at so many at a time until there are enough, and whether all were."""
    keys, left = list[int](), [(Q(), by)]
    for some in steps:
        looked, left = _looked(rows, left, some)
        held = likely.holding(looked)
        keys += [key for key in looked if key in held]
        if not left:
            return keys, True
        if len(keys) >= count:
            break
    return keys, False


def _looked(rows: QuerySet[Case], left: list[Stretch], some: int) -> tuple[list[int], list[Stretch]]:
    """Return the keys of the next rows, and what is left behind the last of them: by its key, as rows come and go meanwhile."""
    found = list[int]()
    while left and len(found) < some:
        (reach, by), *left = left
        missing = some - len(found)
        read = list(rows.filter(reach).order_by(*by).values_list(F(by[0].lstrip("-")), "pk")[:missing])
        found += [key for _value, key in read]
        if len(read) == missing:
            left = [*((reach & further, order) for further, order in behind(by, *read[-1])), *left]
    return found, left


def _best(actor: Actor, wanted: Filter, now: datetime, cursor: str, size: int) -> Page:
    """Return a page in the order of rank; its cursor says how many came before and which was the last."""
    seen = Case.objects.filter(in_reach(actor), condition(actor, _wordless(wanted), now))
    found = [hit.item for hit in finding.best(actor, wanted.text, seen)]
    start = 0
    if cursor:
        place, last = read_cursor(Order.BEST, cursor)
        start = found.index(last) + 1 if last in found else int(str(place))
    shown = found[start : start + size]
    rows = {row.pk: row for row in Case.objects.filter(pk__in=shown).select_related("type", "unit")}
    following = written(Order.BEST, start + size, shown[-1]) if len(found) > start + size else ""
    return Page(tuple(row_of(rows[pk], now) for pk in shown if pk in rows), following)


def rows_of(actor: Actor, cases: Collection[int], *, now: datetime) -> tuple[CaseRow, ...]:
    """Return those of these cases (at most 200) that the actor may see, in no order that means anything."""
    rows = Case.objects.filter(in_reach(actor), pk__in=list(cases)[:LONGEST_PAGE]).select_related("type", "unit")
    return tuple(row_of(row, now) for row in rows)


def changed_since(actor: Actor, since: datetime, *, limit: int = LONGEST_PAGE) -> tuple[int, ...]:
    """Return which cases that the actor may see were touched at `since` or later, the last touched first: for who was away."""
    rows = Case.objects.filter(in_reach(actor), updated_at__gte=since).order_by("-updated_at", "-pk")
    return tuple(rows.values_list("pk", flat=True)[:limit])


def count_views(actor: Actor, views: Sequence[Filter], *, now: datetime) -> list[int]:
    """Return how many cases each view holds: all views of open cases in one query, each other one up to `MOST_COUNTED`."""
    still = {number: view for number, view in enumerate(views) if view.states == (State.OPEN.value,)}
    counted: dict[str, int] = {}
    if still:
        rows = _seen(actor, Filter()).filter(state=State.OPEN.value)
        counted = rows.aggregate(
            **{f"view{number}": Count("pk", filter=condition(actor, view, now) & Q(pk__isnull=False)) for number, view in still.items()}
        )
    for number, view in enumerate(views):
        if number not in still:
            counted[f"view{number}"] = Case.objects.filter(in_reach(actor), condition(actor, view, now))[:MOST_COUNTED].count()
    return [counted[f"view{number}"] for number in range(len(views))]


def row_of(row: Case, now: datetime) -> CaseRow:
    """Return a case as a list shows it."""
    definition = definition_of(row.type.definition)
    level = next((level.label for level in definition.priorities if level.rank == row.priority), Text(str(row.priority), str(row.priority)))
    return CaseRow(
        id=row.pk,
        number=row.number,
        title=row.title,
        organisation=row.organisation_id,
        type=row.type_key,
        type_label=definition.label,
        stage=row.stage,
        stage_label=definition.stage(row.stage).label,
        state=State(row.state),
        open=workflow.goes_on(row.state),
        priority=row.priority,
        priority_label=level,
        unit=row.unit_id,
        unit_name=row.unit.name,
        team=row.team_id,
        assignee=row.assignee_id,
        person=row.person,
        asset=row.asset_id,
        area=row.area,
        address=row.address,
        latitude=row.latitude,
        longitude=row.longitude,
        channel=row.channel,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        due_at=row.due_at,
        overdue=allowed.allows(row.state, Act.BE_LATE) and row.due_at is not None and row.due_at < now,
        suspended=row.suspended_at is not None,
        version=row.version,
    )
