"""Keeping the sums: what one case counts as, taken out and put in again when it changes; and everything made anew."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from jilink.core.cases.models import Case, CaseDay, CaseFact, CaseType, Clock, Entry, Rating, Request
from jilink.core.cases.reads.ground import definition_of
from jilink.core.cases.reports.figures import MEASURES
from jilink.core.cases.rules.definition import StageKind, Step
from jilink.core.cases.rules.workflow import WHOLE, RequestKind, RequestState, Satisfaction, State
from jilink.core.parties import walls
from jilink.kernel.clock import CHINA

AREA_LEVELS, AREA_LENGTH = 3, 40
CHUNK = 4_000
Key = tuple[int, str, int, str, str, date]
"""Organisation, split, unit, area, type and day: one row of sums."""


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
        row = Case.objects.select_for_update(of=("self",)).filter(pk=case).first()
        if row is None:
            return
        old = CaseFact.objects.filter(pk=case).first()
        (new,) = _facts(Case.objects.filter(pk=case), row.type)
        if old is not None:
            if _values(old) == _values(new):
                return
            _add(old, -1)
        _add(new, 1)
        new.save(force_insert=old is None, force_update=old is not None)


@transaction.atomic
def rebuild() -> int:
    """Make all facts and sums anew from the cases, and return how many there were."""
    with walls.everything():
        CaseDay.objects.all().delete()
        CaseFact.objects.all().delete()
        sums: dict[Key, list[int]] = defaultdict(lambda: [0] * (len(MEASURES) + 1))
        counted = 0
        for kind in CaseType.objects.order_by("pk"):
            for facts in _chunks(kind):
                counted += len(facts)
                CaseFact.objects.bulk_create(facts, batch_size=1000)
                for fact in facts:
                    for key, values in _shares(fact):
                        row = sums[key]
                        for place, value in enumerate(values):
                            row[place] += value
        CaseDay.objects.bulk_create((_day(key, values) for key, values in sums.items()), batch_size=1000)
        return counted


def _chunks(kind: CaseType) -> Iterator[list[CaseFact]]:
    after = 0
    while True:
        keys = list(Case.objects.filter(type=kind, pk__gt=after).order_by("pk").values_list("pk", flat=True)[:CHUNK])
        if not keys:
            return
        after = keys[-1]
        yield _facts(Case.objects.filter(type=kind, pk__gte=keys[0], pk__lte=after), kind)


def _facts(rows: QuerySet[Case], kind: CaseType) -> list[CaseFact]:
    """Return what cases of one type count as."""
    stages = definition_of(kind.definition).stages
    work = [stage.key for stage in stages if stage.kind == StageKind.WORK]
    done = {stage.key for stage in stages if stage.kind in {StageKind.CHECK, StageKind.CLOSED}}
    lines = Entry.objects.filter(case=OuterRef("pk"), kind="stepped")
    late = Clock.objects.filter(case=OuterRef("pk"), ended_at__gt=F("due_at"))
    rates = Rating.objects.filter(case=OuterRef("pk")).order_by().values("case")
    found = rows.annotate(
        finished_at=Subquery(lines.filter(detail__contains=f'"step":"{Step.FINISH.value}"').order_by("-pk").values("at")[:1]),
        was_reworked=Exists(lines.filter(detail__contains=f'"step":"{Step.REWORK.value}"')),
        was_returned=Exists(
            Request.objects.filter(
                case=OuterRef("pk"),
                kind=RequestKind.RETURN.value,
                state__in=[RequestState.APPROVED.value, RequestState.ARBITRATION.value],
            )
        ),
        work_late=Exists(late.filter(key__in=work)),
        whole_late=Exists(late.filter(key=WHOLE)),
        ratings_count=Coalesce(Subquery(rates.annotate(n=Count("pk")).values("n")), 0),
        good_count=Coalesce(
            Subquery(rates.annotate(n=Count("pk", filter=Q(level__gte=Satisfaction.BASICALLY_SATISFIED.value))).values("n")), 0
        ),
    )
    return [_fact(row, done) for row in found]


def _fact(row: Any, done: set[str]) -> CaseFact:  # noqa: ANN401 -- a case with the annotations above
    closed, gone = row.state == State.CLOSED, row.state in {State.VOID, State.MERGED}
    due = not gone and (row.dispatched_at is not None or closed)
    handled = due and (closed or (row.finished_at is not None and row.stage in done))
    return CaseFact(
        case_id=row.pk,
        organisation_id=row.organisation_id,
        unit_id=row.unit_id,
        type_key=row.type_key,
        area=county(row.area),
        opened_on=_day_of(row.opened_at),
        closed_on=_day_of(row.closed_at) if closed else None,
        opened=1,
        closed=int(closed),
        voided=int(gone),
        dispatched=int(row.dispatched_at is not None),
        due_work=int(due),
        handled=int(handled),
        handled_in_time=int(handled and not row.work_late),
        handle_seconds=_seconds(row.dispatched_at or row.opened_at, row.finished_at or row.closed_at) if handled else 0,
        closed_in_time=int(closed and not row.whole_late),
        reworked=int(handled and row.was_reworked),
        returned=int(row.was_returned),
        rated=row.ratings_count,
        satisfied=row.good_count,
    )


def _day_of(moment: datetime) -> date:
    return moment.astimezone(CHINA).date()


def _seconds(begin: datetime, end: datetime) -> int:
    return max(0, int((end - begin).total_seconds()))


def _values(fact: CaseFact) -> tuple[object, ...]:
    return tuple(getattr(fact, field.attname) for field in CaseFact._meta.concrete_fields)


def _shares(fact: CaseFact) -> list[tuple[Key, list[int]]]:
    """Return the rows of sums that a fact belongs to, and what it adds there."""
    opened = [*(getattr(fact, name) for name in MEASURES), 0]
    ended = [*(0 for _ in MEASURES), 1]
    days = [(fact.opened_on, opened)] + ([(fact.closed_on, ended)] if fact.closed_on is not None else [])
    by = (("unit", fact.unit_id, ""), ("area", fact.organisation_id, fact.area))
    return [((fact.organisation_id, *place, fact.type_key, day), values) for place in by for day, values in days]


def _day(key: Key, values: list[int]) -> CaseDay:
    organisation, split, unit, area, type_key, day = key
    named = dict(zip((*MEASURES, "ended"), values, strict=True))
    return CaseDay(organisation_id=organisation, split=split, unit_id=unit, area=area, type_key=type_key, day=day, **named)


def _add(fact: CaseFact, sign: int) -> None:
    for key, values in sorted(_shares(fact), key=lambda share: share[0][1:]):
        organisation, split, unit, area, type_key, day = key
        change = {name: F(name) + sign * value for name, value in zip((*MEASURES, "ended"), values, strict=True) if value}
        named: dict[str, Any] = {
            "organisation_id": organisation,
            "split": split,
            "unit_id": unit,
            "area": area,
            "type_key": type_key,
            "day": day,
        }
        if change and not CaseDay.objects.filter(**named).update(**change):
            CaseDay.objects.get_or_create(**named)
            CaseDay.objects.filter(**named).update(**change)
