"""Forecasts from history, what they need, the best plan of a week, and how a plan was kept to."""

import random
from datetime import date, datetime, timedelta

import pytest

from jilink.kernel.clock import CHINA
from jilink.kernel.texts import Text
from jilink.services.contact.rules import adherence, erlang, forecasting, rostering, solving, staffing
from jilink.services.contact.rules.adherence import Planned
from jilink.services.contact.rules.forecasting import HOLIDAY, SLOTS, WORKED, Day, kind_of
from jilink.services.contact.rules.rostering import Demand, Duty, Pattern, PlanRefused, Problem, Rule, Worker
from jilink.services.contact.rules.statistics import Span

pytestmark = pytest.mark.once
solver = pytest.mark.skipif(not solving.is_installed(), reason="OR-Tools is not here: pip install jilink[planning]")
MONDAY = date(2026, 1, 5)
WEEKLY = (1.2, 1.0, 1.0, 0.95, 0.9, 0.5, 0.35)
SHAPE = [0.0] * 16 + [0.5 + 0.5 * (slot % 8) / 8 for slot in range(24)] + [0.1] * 8


def true(day: date, growth: float = 0.01) -> list[float]:
    level = 400 * (1 + growth * (day - MONDAY).days / 7) * WEEKLY[day.weekday()]
    return [level * share / sum(SHAPE) for share in SHAPE]


def simulated(weeks: int, chance: random.Random) -> list[Day]:
    found = []
    for number in range(7 * weeks):
        day = MONDAY + timedelta(days=number)
        counts = tuple(sum(1 for _one in range(int(mean * 4)) if chance.random() < 0.25) for mean in true(day))
        found.append(Day(day, day.weekday(), counts))
    return found


def test_a_forecast_finds_the_week_and_the_trend_under_noise_outliers_and_gaps() -> None:
    history = simulated(12, random.Random(1))
    history[30] = Day(history[30].day, history[30].kind, tuple(9 * count for count in history[30].counts))
    history[40] = Day(history[40].day, history[40].kind, (0,) * SLOTS)
    model = forecasting.learn(history)
    assert model is not None and {history[30].day, history[40].day} <= set(model.left_out)
    for ahead in range(7):
        day = MONDAY + timedelta(days=84 + ahead)
        expected = sum(one.count for one in forecasting.foresee(model, day, day.weekday()))
        assert expected == pytest.approx(sum(true(day)), rel=0.08)
    errors = forecasting.back_test(history)
    assert errors is not None and errors.off < errors.naive and abs(errors.bias) < 0.05 and 0.7 < errors.covered < 0.97


def test_holidays_look_like_sundays_until_two_were_seen_and_worked_weekends_like_working_days() -> None:
    history = simulated(8, random.Random(2))
    model = forecasting.learn(history)
    assert model is not None and model.factors[HOLIDAY] == model.factors[6] and 0.85 < model.factors[WORKED] < 1.2
    shut = [Day(one.day, HOLIDAY, tuple(count // 10 for count in one.counts)) if one.day.day in (2, 3) else one for one in history]
    again = forecasting.learn(shut)
    assert again is not None and again.factors[HOLIDAY] < 0.15
    assert (kind_of(MONDAY, False), kind_of(MONDAY, True), kind_of(MONDAY + timedelta(days=5), True)) == (HOLIDAY, 0, WORKED)
    assert forecasting.learn(history[:13]) is None and forecasting.back_test([]) is None


def test_a_need_is_that_of_erlang_and_what_is_rostered_covers_those_away() -> None:
    found = staffing.need(100, staffing.Target(within_s=20, level=0.8, handling_s=180, patience_s=120, shrinkage=0.3, most_occupied=1))
    assert found.erlangs == pytest.approx(10) and (found.agents, found.rostered) == (14, 20)
    assert found.level == pytest.approx(0.88835, abs=1e-5) and 0 < found.abandons < 0.05
    assert staffing.need(0.05, staffing.Target(20, 0.8, 180, 120, 0.3)) == staffing.NOTHING


def test_the_values_that_others_publish_come_out() -> None:
    """Texts and tests of others, gathered: loss, delay, impatience, and the numbers of agents that follow."""
    assert erlang.waits(10, 14) == pytest.approx(0.17413, abs=1e-5) and erlang.mean_wait_s(10, 14, 180) == pytest.approx(7.84, abs=0.01)
    assert erlang.waits(48, 55) == pytest.approx(0.23870, abs=1e-5) and erlang.mean_wait_s(48, 55, 240) == pytest.approx(8.184, abs=1e-3)
    assert erlang.service_level(48, 55, 20, 240) == pytest.approx(0.8668, abs=1e-4) and erlang.waits(10, 12) == pytest.approx(
        0.4494, abs=1e-4
    )
    assert erlang.loss(2, 5) == pytest.approx(0.0367, abs=1e-4) and erlang.loss(10, 14) == pytest.approx(0.0568, abs=1e-4)
    assert erlang.loss(25, 30) == pytest.approx(0.0526, abs=1e-4) and erlang.queue_length(1.5, 2) == pytest.approx(1.9286, abs=1e-4)
    assert erlang.agents_for(250 * 330 / 3600, 30, 330, 0.8) == 28
    met = erlang.impatient(48 / 60, 60, 120, 50)
    assert met.waits == pytest.approx(0.4678, abs=1e-4) and met.abandons == pytest.approx(0.0309, abs=1e-4)
    assert met.mean_wait_s == pytest.approx(3.71, abs=0.01)


EARLY = Pattern(name=Text("早班", "Early"), begin=480, length=480, breaks=((240, 30),))
LATE = Pattern(name=Text("晚班", "Late"), begin=840, length=480, breaks=((240, 30),))


def worker(user: int, *queues: int, **rest: int) -> Worker:
    return Worker(user=user, queues=queues, hours_least=0, hours_most=rest.get("hours", 40), days_most=5, off=(rest.get("off", 6),))


def wanted(queue: int, agents: int, days: range, hours: tuple[int, int]) -> list[Demand]:
    slots = [day * 48 + slot for day in days for slot in range(hours[0] * 2, hours[1] * 2)]
    return [Demand(slot=slot, queue=queue, agents=agents) for slot in slots]


@solver
def test_the_best_plan_meets_the_demand_and_breaks_no_rule() -> None:
    demand = (*wanted(1, 2, range(5), (8, 12)), *wanted(2, 1, range(5), (19, 22)))
    workers = (worker(1, 1), worker(2, 1), worker(3, 1, 2), worker(4, 2))
    problem = Problem(patterns={1: EARLY, 2: LATE}, workers=workers, demand=demand, rule=Rule(limit_s=10))
    roster = solving.solve(problem)
    assert (
        roster.short == () and roster.gap < 0.01 and rostering.faults(problem, roster.duties) == [] and rostering.never_met(problem) == []
    )
    assert sum(duty.pattern == 1 for duty in roster.duties) == 10 and sum(duty.pattern == 2 for duty in roster.duties) == 5


@solver
def test_what_cannot_be_met_is_named_with_how_many_lack() -> None:
    demand = (*wanted(1, 3, range(5), (8, 12)), *wanted(9, 1, range(1), (8, 9)))
    problem = Problem(patterns={1: EARLY, 2: LATE}, workers=(worker(1, 1), worker(2, 1, hours=15)), demand=demand, rule=Rule(limit_s=5))
    roster = solving.solve(problem)
    assert {one.agents for one in rostering.never_met(problem)} == {1} and len(rostering.never_met(problem)) == 42
    assert sum(one.agents for one in roster.short) == 5 * 8 * 3 - (5 + 2) * 8 + 2 and rostering.faults(problem, roster.duties) == []


def test_a_plan_against_the_rules_is_found_out_and_a_shift_that_cannot_be_refused() -> None:
    problem = Problem(patterns={1: EARLY, 2: LATE}, workers=(worker(1, 1, hours=10),), demand=(), rule=Rule())
    bad = [Duty(user=1, day=0, pattern=2), Duty(user=1, day=1, pattern=1), Duty(user=1, day=6, pattern=1)]
    assert {word for _user, word in rostering.faults(problem, bad)} == {"rest", "hours", "day"}
    with pytest.raises(PlanRefused):
        rostering.check_pattern(Pattern(name=Text("x", "x"), begin=481, length=480))
    with pytest.raises(PlanRefused):
        rostering.check_pattern(Pattern(name=Text("x", "x"), begin=480, length=480, breaks=((470, 30),)))


def test_adherence_counts_work_in_working_time_and_rest_in_breaks() -> None:
    nine = datetime(2026, 5, 4, 9, tzinfo=CHINA)

    def after(minutes: int) -> datetime:
        return nine + timedelta(minutes=minutes)

    planned = Planned(1, nine, after(240), ((after(120), after(150)),))
    told = [(1, "ready", 12, 130), (1, "paused", 130, 150), (1, "ready", 150, 234), (2, "ready", 0, 240)]
    spells = [Span(agent=agent, state=state, begin=after(begin), end=after(end)) for agent, state, begin, end in told]
    found = adherence.kept(planned, spells, after(300))
    assert (found.planned_s, found.kept_s, found.late_s, found.early_s) == (240 * 60, (108 + 20 + 84) * 60, 12 * 60, 6 * 60)
    assert adherence.kept(planned, spells, after(125)).should == "break" and adherence.kept(planned, [], after(-10)).share is None
    assert adherence.kept(planned, [], after(60)).late_s == 3600
