"""Figures agree with a recount by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from jilink.services.contact.rules.statistics import Passed, Span, figures, interval_of, occupancy

NINE = datetime(2026, 5, 1, 9, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def test_offered_answered_abandoned_and_service_level_are_counted_where_they_were_offered() -> None:
    passed = [
        Passed(queue=1, offered_at=at(0), answered_at=at(10), ended_at=at(110), wrapped_up_at=at(140)),
        Passed(queue=1, offered_at=at(10), answered_at=at(40), ended_at=at(100), wrapped_up_at=at(100), hold_s=12),
        Passed(queue=1, offered_at=at(20), ended_at=at(80)),
        Passed(queue=1, offered_at=at(30), ended_at=at(33)),
        Passed(queue=1, offered_at=at(1799), answered_at=at(1801), ended_at=at(1900)),
        Passed(queue=1, offered_at=at(60), ended_at=at(90), moved=True),
        Passed(queue=1, offered_at=at(1700)),
        Passed(queue=2, offered_at=at(1800), answered_at=at(1800)),
    ]
    first, second = figures(passed, length=timedelta(minutes=30), target_s={1: 20}, short_s={}, now=at(2000))
    assert (first.begin, first.queue, second.begin, second.queue) == (at(0), 1, at(1800), 2)
    assert (first.offered, first.answered, first.in_target, first.abandoned, first.short, first.moved, first.waiting) == (
        7,
        3,
        2,
        1,
        1,
        1,
        1,
    )
    assert first.service_level == pytest.approx(2 / 4) and first.abandoned_share == pytest.approx(1 / 4)
    assert first.mean_wait_s == pytest.approx((10 + 30 + 2) / 3) and first.longest_wait_s == 300
    assert first.mean_handling_s == pytest.approx((100 + 60 + 99 + 30) / 3) and first.hold_s == 12
    assert second.talk_s == 200 and second.service_level == 1


def test_occupancy_is_of_the_time_within_the_interval() -> None:
    spans = [
        Span(agent=1, state="ready", begin=at(-100), end=at(300)),
        Span(agent=1, state="busy", begin=at(300), end=at(1200)),
        Span(agent=1, state="break", begin=at(1200), end=at(1500)),
        Span(agent=1, state="ready", begin=at(1500), end=at(9000)),
        Span(agent=2, state="break", begin=at(0), end=at(1800)),
    ]
    found = occupancy(spans, begin=at(0), end=at(1800), busy=frozenset({"busy"}), idle=frozenset({"ready"}))
    assert found == {1: pytest.approx(900 / 1500)}


def test_intervals_begin_at_midnight_of_the_zone() -> None:
    assert interval_of(at(1801), timedelta(minutes=30)) == at(1800)
