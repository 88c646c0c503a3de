"""Reports: counted as things happen, made anew alike, the rates of the standard, and nothing beyond the walls."""

from collections import defaultdict
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jilink.core.cases import actions
from jilink.core.cases.actions import StepData
from jilink.core.cases.models import Case, CaseDay, CaseFact
from jilink.core.cases.reports import counting, reads
from jilink.core.cases.reports.figures import MEASURES, NAMES, SPANS, Step, Sums, by_period, total
from jilink.core.cases.reports.reads import PeriodRefused, Split, Wanted
from jilink.core.parties import access
from jilink.core.parties.access import NotFound
from jilink.core.parties.rules import Permission, Role
from jilink.kernel.clock import CHINA
from tests.core.cases.office import MONDAY, Office, hours

DAY = MONDAY.date()
WEEK = Wanted(first=DAY, last=DAY + timedelta(days=6))
sums = st.builds(Sums, **{name: st.integers(0, 50) for name in NAMES})


def count_all() -> None:
    for pk in Case.objects.values_list("pk", flat=True):
        counting.count_case(pk)


def state() -> list[tuple[object, ...]]:
    columns = (*counting.PLACE, *counting.SUMS)
    return [row for row in CaseDay.objects.order_by(*columns[:7]).values_list(*columns) if any(row[7:])]  # type: ignore[misc] # -- columns of any type


def busy(office: Office) -> None:
    office.open()
    office.sent("hotline")
    done = office.sent()
    office.finish(done, MONDAY + hours(2))
    actions.take_step(case=done, key="rework", data=StepData(reason="not done"), by=office.boss, now=MONDAY + hours(3))
    office.finish(done, MONDAY + hours(4))
    office.confirm(done, MONDAY + hours(26))
    late = office.sent()
    office.finish(late, MONDAY + timedelta(days=60))
    office.confirm(late, MONDAY + timedelta(days=61))


@given(st.lists(st.tuples(st.dates(date(2026, 1, 1), date(2026, 3, 1)), sums), max_size=20), st.sampled_from(Step))
def test_periods_lose_and_invent_nothing(days: list[tuple[date, Sums]], step: Step) -> None:
    found = by_period(days, step, date(2026, 1, 1), date(2026, 3, 1))
    assert total(each for _, each in found) == total(each for _, each in days)
    begins = [begin for begin, _ in found]
    assert begins == sorted(set(begins))


@given(sums)
def test_a_rate_of_nothing_is_no_rate(one: Sums) -> None:
    assert (one.rate("satisfied") is None) == (one.rated == 0)


def test_the_rates_are_those_of_the_standard(office: Office) -> None:
    busy(office)
    count_all()
    found = reads.report(office.boss, WEEK, now=MONDAY + timedelta(days=70))
    sums = found.total
    assert (sums.opened, sums.open, sums.due_work, sums.handled, sums.handled_in_time, sums.closed_in_time) == (4, 2, 3, 2, 1, 1)
    assert sums.rate("handled") == pytest.approx(2 / 3)
    assert sums.rate("handled_in_time") == pytest.approx(1 / 3)
    assert sums.rate("reworked") == pytest.approx(1 / 2)
    assert found.ages == (0, 0, 0, 0, 0, 2)
    assert found.overdue >= 1
    (unit,) = [group for group in found.groups if group.key == str(office.world.depot)]
    assert (unit.name.zh, unit.sums.handle_seconds) == ("Depot", (4 + 60 * 24) * 3600)


def test_closings_stand_on_the_day_they_happened(office: Office) -> None:
    busy(office)
    count_all()
    found = reads.report(office.boss, WEEK, now=MONDAY)
    assert [each.ended for _, each in found.series] == [0, 1, 0, 0, 0, 0, 0]


def test_counting_twice_or_late_or_anew_comes_to_the_same(office: Office) -> None:
    case = office.open()
    counting.count_case(case)
    busy(office)
    office.dispatch(case)
    count_all()
    once = state()
    count_all()
    assert state() == once
    assert counting.rebuild() == Case.objects.count() == CaseFact.objects.count()
    assert state() == once


def test_a_satisfied_person_counts_when_rated(office: Office) -> None:
    case = office.closed("hotline")
    actions.rate_case(case=case, level=5, channel="web", by=office.boss, now=MONDAY + hours(1))
    counting.count_case(case)
    assert reads.report(office.boss, WEEK, now=MONDAY).total.rate("satisfied") == 1.0


@pytest.mark.parametrize("split", list(Split))
def test_every_cut_adds_up_to_the_whole(office: Office, split: Split) -> None:
    busy(office)
    count_all()
    found = reads.report(office.boss, Wanted(first=WEEK.first, last=WEEK.last, split=split, step=Step.MONTH), now=MONDAY)
    assert total(group.sums for group in found.groups).opened == found.total.opened == 4
    assert all(group.name for group in found.groups)


def test_a_unit_sees_its_own_cases_and_strangers_see_nothing(office: Office) -> None:
    busy(office)
    count_all()
    unit = office.world.actor(Role.ANALYST, office.world.depot)
    assert reads.report(unit, WEEK, now=MONDAY).total.opened == 3
    assert reads.report(office.stranger, WEEK, now=MONDAY).total == Sums()
    assert reads.report(office.stranger, Wanted(first=DAY, last=DAY, organisations=(office.world.north,)), now=MONDAY).total == Sums()
    assert reads.reported_types(office.stranger) == {}
    for ask in (reads.reported, reads.reported_types, lambda actor: reads.report(actor, WEEK, now=MONDAY)):
        with pytest.raises(NotFound):
            ask(office.worker)


def test_a_report_has_an_end_behind_its_beginning(office: Office) -> None:
    for last in (DAY - timedelta(days=1), DAY + timedelta(days=4000)):
        with pytest.raises(PeriodRefused):
            reads.report(office.boss, Wanted(first=DAY, last=last), now=MONDAY)


def scattered(office: Office, dice: Random, count: int) -> None:
    """Put cases of all organisations, units, areas, types and days of half a year beside a busy one."""
    busy(office)
    rows, places = list(Case.objects.all()), (office.world.north, office.world.depot, office.world.south)
    for number in range(count):
        row = dice.choice(rows)
        opened = MONDAY + timedelta(days=dice.randrange(-100, 80), hours=dice.randrange(24))
        closed = opened + timedelta(days=dice.randrange(40)) if row.closed_at is not None else None
        row.pk, row.number, row.opened_at, row.closed_at = None, f"{number:010}", opened, closed
        row.organisation_id, row.unit_id = dice.choice(places), dice.choice(places)
        row.area, row.type_key = (
            dice.choice(["", "/22/", "/22/2201/220102/", "/22/2201/220102/001/"]),
            dice.choice(["hotline", "city_fault"]),
        )
        row.save(force_insert=True)


def recount(wanted: Wanted, allowed: set[int], today: date) -> tuple[dict[date, Sums], dict[str, Sums], list[int]]:
    """Return series, table and ages as somebody would count them who goes through all cases one by one."""
    series: dict[date, Sums] = {begin: Sums() for begin, _nothing in by_period([], wanted.step, wanted.first, wanted.last)}
    groups: dict[str, Sums] = defaultdict(Sums)
    ages = [0] * len(SPANS)
    for fact in CaseFact.objects.select_related("case"):
        places = {fact.organisation_id} if wanted.split == Split.AREA else {fact.organisation_id, fact.unit_id}
        narrowed = not wanted.organisations or places & set(wanted.organisations)
        if not (places & allowed and narrowed) or (wanted.types and fact.type_key not in wanted.types):
            continue
        key = {Split.UNIT: str(fact.unit_id), Split.AREA: counting.county(fact.case.area), Split.TYPE: fact.case.type_key}[wanted.split]
        for day, adds in (
            (fact.case.opened_at.astimezone(CHINA).date(), Sums(**{name: getattr(fact, name) for name in MEASURES})),
            (fact.case.closed_at.astimezone(CHINA).date() if fact.case.closed_at else None, Sums(ended=1)),
        ):
            if day is not None and wanted.first <= day <= wanted.last:
                series[wanted.step.begin(day)] += adds
                groups[key] += adds
            if day is not None and adds.opened:
                for number, (least, most) in enumerate(SPANS):
                    inside = least <= (today - day).days and (most is None or (today - day).days <= most)
                    ages[number] += adds.open if inside else 0
    return series, groups, ages


@pytest.mark.parametrize("seed", [1, 2])
def test_a_report_of_any_kind_says_what_going_through_all_cases_says(office: Office, seed: int) -> None:
    dice = Random(seed)
    scattered(office, dice, 60)
    if seed == 1:
        count_all()
    else:
        counting.rebuild()
    unit = office.world.actor(Role.ANALYST, office.world.depot)
    now = MONDAY + timedelta(days=85)
    for number in range(40):
        actor = dice.choice([office.boss, unit])
        first = MONDAY.date() + timedelta(days=dice.randrange(-110, 80))
        wanted = Wanted(
            first=first,
            last=first + timedelta(days=dice.choice([0, 6, 29, 30, 31, 60, 92, 200])),
            organisations=dice.choice([(), (), (office.world.depot,), (office.world.north,)]),
            types=dice.choice([(), ("hotline",)]),
            split=list(Split)[number % 3],
            step=dice.choice(list(Step)),
        )
        found = reads.report(actor, wanted, now=now)
        allowed = set[int](access.organisations_of(actor, Permission.REPORT_CASES))
        series, groups, ages = recount(wanted, allowed, now.astimezone(CHINA).date())
        assert dict(found.series) == series, wanted
        assert {group.key: group.sums for group in found.groups if group.sums != Sums()} == groups, wanted
        assert list(found.ages) == ages and found.total == total(series.values()), wanted
