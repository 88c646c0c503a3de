"""Keeping the sums: what one case counts as, taken out and put in again when it changes; and everything made anew.

What a case counts as is said once, as a query: a reaction takes one row of it, `rebuild` lets the database insert all of them.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Case as Choose
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from jilink.core.cases.models import Case, CaseDay, CaseFact, CaseType, Clock, Entry, Rating, Request
from jilink.core.cases.reads.ground import definition_of
from jilink.core.cases.reports.figures import MEASURES, Step
from jilink.core.cases.rules.definition import StageKind
from jilink.core.cases.rules.definition import Step as Doing
from jilink.core.cases.rules.workflow import WHOLE, RequestKind, RequestState, Satisfaction, State
from jilink.core.parties import walls
from jilink.kernel.clock import CHINA

AREA_LEVELS, AREA_LENGTH = 3, 40
Key = tuple[int, str, str, int, str, str, date]
"""Organisation, split, span, unit, area, type and day: one row of sums."""
PLACE = ("organisation_id", "split", "span", "unit_id", "area", "type_key", "day")
SUMS = (*MEASURES, "ended")
FACT = ("case_id", "organisation_id", "unit_id", "type_key", "area", "opened_on", "closed_on", *MEASURES)
PLAIN = ("pk", "organisation_id", "unit_id", "type_key", "area", "state", "opened_at", "dispatched_at", "closed_at")
FOUND = ("finished_at", "through", "was_reworked", "was_returned", "work_late", "whole_late", "rates", "good_rates")


def county(area: str) -> str:
    """Return the path of the area that sums are kept for: at most its first three codes, down to a county."""
    codes = [code for code in area.split("/") if code][:AREA_LEVELS]
    while codes and len("/".join(codes)) + 2 > AREA_LENGTH:
        codes.pop()
    return f"/{'/'.join(codes)}/" if codes else ""


@transaction.atomic
def count_case(case: int) -> None:
    """Let a case count as what it is now. Twice or late changes nothing."""
    with walls.everything():  # a case may have left a unit whose sums it was in
        row = Case.objects.select_for_update(of=("self",), no_key=True).filter(pk=case).first()
        if row is None:
            return
        old = CaseFact.objects.filter(pk=case).first()
        new = _fact(row)
        if old is not None and _values(old) == _values(new):
            return
        _change(old, new)
        new.save(force_insert=old is None, force_update=old is not None)


@transaction.atomic
def rebuild() -> int:
    """Make all facts and sums anew from the cases, in the database, and return how many there were.

    Reports go on showing the old sums until it is done; what changes meanwhile is counted behind it.
    """
    facts, days = CaseFact._meta.db_table, CaseDay._meta.db_table
    with walls.everything(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"LOCK TABLE {facts} IN ACCESS EXCLUSIVE MODE")  # who counts a case waits before it reads what it counted as
        cursor.execute(f"DELETE FROM {facts}")  # noqa: S608 -- our own tables
        for kind in CaseType.objects.order_by("pk"):
            sql, parameters = _counted(Case.objects.filter(type=kind), kind)
            cursor.execute(f"INSERT INTO {facts} ({', '.join(FACT)}) {sql}", parameters)
        cursor.execute(f"DELETE FROM {days}")  # noqa: S608 -- our own tables
        cursor.execute(f"INSERT INTO {days} ({', '.join((*PLACE, *SUMS))}) {_summed()}")
        for coarser in (_all_of_days(), _months()):
            cursor.execute(f"INSERT INTO {days} ({', '.join((*PLACE, *SUMS))}) {coarser}")
        cursor.execute(f"SELECT count(*) FROM {facts}")  # noqa: S608 -- our own tables
        return int(cursor.fetchone()[0])


def _fact(row: Case) -> CaseFact:
    sql, parameters = _counted(Case.objects.filter(pk=row.pk), row.type)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = dict(zip(FACT, cursor.fetchone(), strict=True))
    days = {name: date.fromisoformat(found[name]) for name in ("opened_on", "closed_on") if isinstance(found[name], str)}
    return CaseFact(**{**found, **days})


def _counted(rows: QuerySet[Case], kind: CaseType) -> tuple[str, tuple[Any, ...]]:
    """Return the query of what cases of one type count as, its columns those of FACT."""
    asked = _known(rows, kind).order_by().values_list(*PLAIN, *FOUND)
    sql, parameters = asked.query.sql_with_params()
    closed, gone = f"state = '{State.CLOSED}'", f"state IN ('{State.VOID}', '{State.MERGED}')"
    due = f"NOT ({gone}) AND (dispatched_at IS NOT NULL OR {closed})"
    handled = f"({due}) AND ({closed} OR (finished_at IS NOT NULL AND through = 1))"
    seconds = _seconds("coalesce(dispatched_at, opened_at)", "coalesce(finished_at, closed_at)")

    def one(condition: str) -> str:
        return f"CASE WHEN {condition} THEN 1 ELSE 0 END"

    values = {
        "area": _county("area"),
        "opened_on": _day("opened_at"),
        "closed_on": f"CASE WHEN {closed} THEN {_day('closed_at')} END",
        "opened": "1",
        "closed": one(closed),
        "voided": one(gone),
        "dispatched": one("dispatched_at IS NOT NULL"),
        "due_work": one(due),
        "handled": one(handled),
        "handled_in_time": one(f"({handled}) AND NOT work_late"),
        "handle_seconds": f"CASE WHEN {handled} THEN {seconds} ELSE 0 END",
        "closed_in_time": one(f"{closed} AND NOT whole_late"),
        "reworked": one(f"({handled}) AND was_reworked"),
        "returned": one("was_returned"),
        "rated": "rates",
        "satisfied": "good_rates",
    }
    columns = ", ".join(("case_id", *PLAIN[1:], *FOUND))
    shown = ", ".join(values.get(name, name) for name in FACT)
    return f"WITH known ({columns}) AS MATERIALIZED ({sql}) SELECT {shown} FROM known", tuple(parameters)  # noqa: S608 -- our own words


def _known(rows: QuerySet[Case], kind: CaseType) -> QuerySet[Case]:
    """Return cases with what their timelines, clocks, requests and ratings say."""
    stages = definition_of(kind.definition).stages
    work = [stage.key for stage in stages if stage.kind == StageKind.WORK]
    done = [stage.key for stage in stages if stage.kind in {StageKind.CHECK, StageKind.CLOSED}]
    lines = Entry.objects.filter(case=OuterRef("pk"), kind="stepped")
    late = Clock.objects.filter(case=OuterRef("pk"), ended_at__gt=F("due_at"))
    ratings = Rating.objects.filter(case=OuterRef("pk")).order_by().values("case")
    returned = Request.objects.filter(
        case=OuterRef("pk"), kind=RequestKind.RETURN.value, state__in=[RequestState.APPROVED.value, RequestState.ARBITRATION.value]
    )
    good = Count("pk", filter=Q(level__gte=Satisfaction.BASICALLY_SATISFIED.value))
    return rows.annotate(
        finished_at=Subquery(lines.filter(detail__contains=f'"step":"{Doing.FINISH.value}"').order_by("-pk").values("at")[:1]),
        through=Choose(When(stage__in=done, then=Value(1)), default=Value(0), output_field=IntegerField()),
        was_reworked=Exists(lines.filter(detail__contains=f'"step":"{Doing.REWORK.value}"')),
        was_returned=Exists(returned),
        work_late=Exists(late.filter(key__in=work)),
        whole_late=Exists(late.filter(key=WHOLE)),
        rates=Coalesce(Subquery(ratings.annotate(n=Count("pk")).values("n")), 0),
        good_rates=Coalesce(Subquery(ratings.annotate(n=good).values("n")), 0),
    )


def _day(column: str) -> str:
    """Return the day in China of a moment."""
    ahead = f"{int(CHINA.utcoffset(None).total_seconds())} seconds"
    if connection.vendor == "postgresql":
        return f"(({column} AT TIME ZONE interval '{ahead}')::date)"
    return f"date({column}, '{ahead}')"


def _seconds(begin: str, end: str) -> str:
    if connection.vendor == "postgresql":
        return f"greatest(0, trunc(extract(epoch FROM {end} - {begin})))::bigint"
    return f"max(0, django_timestamp_diff({end}, {begin}) / 1000000)"


def _county(column: str) -> str:
    """Return `county` in the words of the database."""
    if connection.vendor == "postgresql":
        whole = f"('/' || btrim({column}, '/') || '/')"
        cuts = [f"substring({whole} from '^(?:/[^/]+){{1,{levels}}}/')" for levels in range(AREA_LEVELS, 0, -1)]
        return f"CASE {' '.join(f'WHEN length({cut}) <= {AREA_LENGTH} THEN {cut}' for cut in cuts)} ELSE '' END"
    connection.ensure_connection()
    connection.connection.create_function("jilink_county", 1, county, deterministic=True)
    return f"jilink_county({column})"


def _summed() -> str:
    """Return the query of the sums by unit and by area, day by day, of the facts there are."""
    facts, sums = CaseFact._meta.db_table, ", ".join(f"sum({name})" for name in MEASURES)
    parts = []
    for split, unit, area in (("unit", "unit_id", "''"), ("area", "organisation_id", "area")):
        place = f"SELECT organisation_id, '{split}' AS split, 'day' AS span, {unit} AS unit_id, {area} AS area, type_key"
        named = ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
        parts.append(f"{place}, opened_on AS day, {named}, 0 AS ended FROM {facts} GROUP BY 1, 2, 3, 4, 5, 6, 7")
        nothing = ", ".join("0" for _ in MEASURES)
        parts.append(f"{place}, closed_on, {nothing}, count(*) FROM {facts} WHERE closed_on IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7")
    return f"SELECT {', '.join(PLACE)}, {sums}, sum(ended) FROM ({' UNION ALL '.join(parts)}) AS parts GROUP BY {', '.join(PLACE)}"  # noqa: S608 -- as above


def _all_of_days() -> str:
    """Return the query of what an organisation answers for on each day, made of the sums by unit."""
    days, sums = CaseDay._meta.db_table, ", ".join(f"sum({name})" for name in SUMS)
    shown = "organisation_id, 'all', 'day', organisation_id, '', type_key, day"
    return f"SELECT {shown}, {sums} FROM {days} WHERE split = 'unit' AND span = 'day' GROUP BY organisation_id, type_key, day"  # noqa: S608 -- as above


def _months() -> str:
    """Return the query of the sums of months, made of those of days."""
    days, sums = CaseDay._meta.db_table, ", ".join(f"sum({name})" for name in SUMS)
    month = "date_trunc('month', day)::date" if connection.vendor == "postgresql" else "date(day, 'start of month')"
    shown = ", ".join({"span": "'month'", "day": month}.get(name, name) for name in PLACE)
    return f"SELECT {shown}, {sums} FROM {days} WHERE span = 'day' GROUP BY organisation_id, split, unit_id, area, type_key, {month}"  # noqa: S608 -- as above


def _values(fact: CaseFact) -> tuple[object, ...]:
    return tuple(getattr(fact, field.attname) for field in CaseFact._meta.concrete_fields)


def _shares(fact: CaseFact) -> Iterator[tuple[Key, str, int]]:
    """Yield the rows of sums that a fact belongs to, and what it adds to which figure there."""
    opened = {name: getattr(fact, name) for name in MEASURES}
    days = [(fact.opened_on, opened)] + ([(fact.closed_on, {"ended": 1})] if fact.closed_on is not None else [])
    place = fact.organisation_id
    for split, unit, area in (("unit", fact.unit_id, ""), ("area", place, fact.area), ("all", place, "")):
        for day, values in days:
            for span, begin in (("day", day), ("month", Step.MONTH.begin(day))):
                for name, value in values.items():
                    yield (place, split, span, unit, area, fact.type_key, begin), name, value


def _change(old: CaseFact | None, new: CaseFact) -> None:
    """Let the sums say the new fact in the place of the old one: only rows and figures that differ are touched, always in one order."""
    changes: dict[Key, Counter[str]] = {}
    for sign, fact in ((-1, old), (1, new)):
        for key, name, value in _shares(fact) if fact is not None else ():
            changes.setdefault(key, Counter())[name] += sign * value
    for key, figures in sorted(changes.items()):
        change = {name: F(name) + value for name, value in figures.items() if value}
        named: dict[str, Any] = dict(zip(PLACE, key, strict=True))
        if change and not CaseDay.objects.filter(**named).update(**change):
            CaseDay.objects.get_or_create(**named)
            CaseDay.objects.filter(**named).update(**change)
