"""What may be asked of the sums: one report, cut by unit, area or type, as a series of days, weeks or months."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from jilink.core.areas.models import Area
from jilink.core.cases.models import Case, CaseDay, CaseType
from jilink.core.cases.reads.ground import definition_of
from jilink.core.cases.reports.figures import NAMES, SPANS, Step, Sums, by_period, total
from jilink.core.cases.rules.workflow import State
from jilink.core.parties import access, walls
from jilink.core.parties.access import Actor
from jilink.core.parties.models import Organisation
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text

LONGEST_DAYS = 3660


class PeriodRefused(Refused):
    """A report ends before it begins, or covers more than ten years."""


class Split(StrEnum):
    """What the table of a report is cut by."""

    UNIT = "unit"
    AREA = "area"
    TYPE = "type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a report covers: days of China, both included. Empty organisations or types for all that may be seen."""

    first: date
    last: date
    organisations: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    split: Split = Split.UNIT
    step: Step = Step.DAY


@dataclass(frozen=True, slots=True)
class Group:
    """One line of the table; `key` is a unit's number, an area's path or a type's key."""

    key: str
    name: Text
    sums: Sums


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `ages` are open cases by days since they were opened (`figures.SPANS`), of any day; `overdue` open ones past due now."""

    total: Sums
    series: tuple[tuple[date, Sums], ...]
    groups: tuple[Group, ...]
    ages: tuple[int, ...]
    overdue: int


def report(actor: Actor, wanted: Wanted, *, now: datetime) -> Report:
    """Return a report over what the actor may see: cases of organisations they report on, and of units they report on.

    Raises NotFound where there is none, PeriodRefused.
    """
    allowed = access.require_anywhere(actor, Permission.REPORT_CASES)
    if not timedelta(0) <= wanted.last - wanted.first <= timedelta(days=LONGEST_DAYS):
        raise PeriodRefused("A report covers at most ten years, and ends after it begins.")
    seen = Q(organisation__in=allowed) | Q(unit__in=allowed)
    narrowed = Q()
    if wanted.organisations:
        narrowed &= Q(organisation__in=wanted.organisations) | Q(unit__in=wanted.organisations)
    if wanted.types:
        narrowed &= Q(type_key__in=wanted.types)
    by_area = wanted.split == Split.AREA
    whole = _of_all(seen, narrowed, allowed, wanted, alone=by_area)
    parts = Q(seen, narrowed, split=wanted.split.value) if wanted.split != Split.TYPE else whole
    within = _months_and_days(wanted.first, wanted.last)
    by_step = within if wanted.step == Step.MONTH else Q(span="day", day__gte=wanted.first, day__lte=wanted.last)
    days = [(row["day"], _sums(row)) for row in _summed(CaseDay.objects.filter(whole, by_step), "day")]
    column = {Split.UNIT: "unit_id", Split.AREA: "area", Split.TYPE: "type_key"}[wanted.split]
    groups = {str(row[column]): _sums(row) for row in _summed(CaseDay.objects.filter(parts, within), column)}
    names = _names(wanted.split, list(groups))
    return Report(
        total=total(sums for _, sums in days),
        series=by_period(days, wanted.step, wanted.first, wanted.last),
        groups=tuple(Group(key, names.get(key, Text(key, key)), sums) for key, sums in sorted(groups.items(), key=_order)),
        ages=_ages(whole, now),
        overdue=Case.objects.filter(seen, narrowed, state=State.OPEN.value, due_at__lt=now).count(),
    )


def _of_all(seen: Q, narrowed: Q, allowed: Collection[int], wanted: Wanted, *, alone: bool) -> Q:
    """Return the fewest rows of sums that hold everything a report covers, each case once.

    What an organisation answers for as a whole is one row a type and day. Where only some of its units are covered, those of each of
    them, which sums by area have none of (`alone`).
    """
    complete = frozenset(allowed).intersection(wanted.organisations or allowed)
    found = Q(split="all", organisation__in=complete)
    if wanted.types:
        found &= Q(type_key__in=wanted.types)
    if alone:
        return found
    some = CaseDay.objects.filter(seen, narrowed, split="unit", span="month").exclude(organisation__in=complete)
    units: dict[int, list[int]] = {}
    for organisation, unit in some.order_by().values_list("organisation", "unit").distinct():
        units.setdefault(organisation, []).append(unit)
    for organisation, theirs in sorted(units.items()):
        found |= Q(narrowed, split="unit", organisation=organisation, unit__in=theirs)
    return found


def _months_and_days(first: date, last: date) -> Q:
    """Return the rows of a period: its whole months, and the days before and behind them."""
    begin = first if first.day == 1 else Step.MONTH.following(Step.MONTH.begin(first))
    end = Step.MONTH.begin(last + timedelta(days=1))
    if begin >= end:
        return Q(span="day", day__gte=first, day__lte=last)
    edges = Q(day__gte=first, day__lt=begin) | Q(day__gte=end, day__lte=last)
    return Q(span="month", day__gte=begin, day__lt=end) | Q(edges, span="day")


def reported(actor: Actor) -> list[tuple[int, str, int]]:
    """Return the organisations of which the actor sees reports: number, name and depth, in tree order. Raises NotFound."""
    allowed = access.require_anywhere(actor, Permission.REPORT_CASES)
    rows = Organisation.objects.filter(pk__in=allowed).order_by("path")
    return [(row.pk, row.name, row.path.count("/") - 2) for row in rows]


def reported_types(actor: Actor) -> Mapping[str, Text]:
    """Return the types of cases that reports the actor sees speak of, by key. Raises NotFound."""
    allowed = access.require_anywhere(actor, Permission.REPORT_CASES)
    rows = CaseDay.objects.filter(Q(organisation__in=allowed) | Q(unit__in=allowed), split="unit", span="month")
    keys = rows.order_by().values_list("type_key", flat=True).distinct()
    return _type_names(list(keys))


def _order(item: tuple[str, Sums]) -> tuple[int, str]:
    return -item[1].opened, item[0]


def _summed(rows: QuerySet[CaseDay], column: str) -> list[dict[str, Any]]:
    return list(rows.order_by().values(column).annotate(**{f"sum_{name}": Sum(name) for name in NAMES}))


def _sums(row: Mapping[str, object]) -> Sums:
    return Sums(**{name: int(str(row[f"sum_{name}"] or 0)) for name in NAMES})


def _ages(rows: Q, now: datetime) -> tuple[int, ...]:
    today = now.astimezone(CHINA).date()
    exact = Step.MONTH.begin(today - timedelta(days=SPANS[-1][0]))
    still = F("opened") - F("closed") - F("voided")
    spans = {}
    for number, (least, most) in enumerate(SPANS):
        inside = Q(day__lte=today - timedelta(days=least))
        if most is not None:
            inside &= Q(day__gte=today - timedelta(days=most))
        spans[f"span{number}"] = Sum(still, filter=inside)
    found = CaseDay.objects.filter(rows, Q(span="month", day__lt=exact) | Q(span="day", day__gte=exact)).aggregate(**spans)
    return tuple(found[f"span{number}"] or 0 for number in range(len(SPANS)))


def _names(split: Split, keys: list[str]) -> dict[str, Text]:
    if split == Split.TYPE:
        return dict(_type_names(keys))
    if split == Split.AREA:
        codes = {key.strip("/").rsplit("/", 1)[-1]: key for key in keys if key}
        rows = Area.objects.filter(path__in=keys, code__in=codes).order_by("layer__edition").values_list("path", "name", "name_en")
        return {path: Text(name, english) for path, name, english in rows} | {"": Text("未定区域", "No area")}
    with walls.everything():  # the name of a unit that has a case is seen by whoever answers for it
        return {str(pk): Text(name, name) for pk, name in Organisation.objects.filter(pk__in=keys).values_list("pk", "name")}


def _type_names(keys: list[str]) -> dict[str, Text]:
    rows = CaseType.objects.filter(key__in=keys).order_by("version").values_list("key", "definition")
    return {key: definition_of(definition).label for key, definition in rows}
