"""Erlang's formulas give the values that others have published."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jilink.services.contact.rules import erlang
from jilink.services.contact.rules.erlang import NotEnough


def test_loss_and_delay_give_the_published_values() -> None:
    assert erlang.loss(2, 5) == pytest.approx(0.0367, abs=5e-5)
    assert erlang.loss(10, 14) == pytest.approx(0.0568, abs=5e-5)
    assert erlang.loss(25, 30) == pytest.approx(0.0526, abs=5e-5)
    assert erlang.waits(10, 14) == pytest.approx(0.17413, abs=5e-6)
    assert erlang.waits(10, 12) == pytest.approx(0.4494, abs=5e-5)
    assert erlang.waits(48, 55) == pytest.approx(0.23870, abs=5e-6)


def test_service_level_wait_and_occupancy_give_the_published_values() -> None:
    assert erlang.service_level(10, 14, 20, 180) == pytest.approx(0.88835, abs=5e-6)
    assert erlang.mean_wait_s(10, 14, 180) == pytest.approx(7.84, abs=5e-3)
    assert erlang.occupancy(10, 14) == pytest.approx(0.714, abs=5e-4)
    assert erlang.service_level(48, 55, 20, 240) == pytest.approx(0.8668, abs=5e-5)
    assert erlang.mean_wait_s(48, 55, 240) == pytest.approx(8.184, abs=5e-4)
    assert erlang.queue_length(1.5, 2) == pytest.approx(1.9286, abs=5e-5)
    assert erlang.mean_wait_s(1.5, 2, 30) == pytest.approx(38.6, abs=0.05)  # minutes here


def test_staffing_gives_the_published_numbers() -> None:
    assert erlang.agents_for(10, 20, 180, 0.8) == 14
    assert erlang.staffed(14, 0.30) == 20
    erlangs = erlang.load(250, 3600, 330)
    assert erlangs == pytest.approx(22.92, abs=5e-3)
    assert erlang.agents_for(erlangs, 30, 330, 0.8) == 28
    assert erlang.service_level(erlangs, 28, 30, 330) == pytest.approx(0.857, abs=5e-4)
    assert erlang.service_level(erlangs, 27, 30, 330) == pytest.approx(0.782, abs=5e-4)


def test_impatient_callers_meet_what_is_published() -> None:
    met = erlang.impatient(48 / 60, 60, 120, 50)
    assert met.waits == pytest.approx(0.4678, abs=5e-5)
    assert met.abandons == pytest.approx(0.0309, abs=5e-5)
    assert met.mean_wait_s == pytest.approx(3.71, abs=5e-3)
    assert erlang.waits(48, 50) == pytest.approx(0.6945, abs=5e-5)
    assert erlang.mean_wait_s(48, 50, 60) == pytest.approx(20.83, abs=5e-3)
    assert erlang.wait_quantile_s(48, 50, 60, 0.9) == pytest.approx(58.1, abs=0.05)


@given(st.floats(0.1, 500), st.integers(1, 600), st.floats(1, 1000), st.floats(1, 3600))
def test_every_answer_is_a_share_and_patience_without_end_is_erlang_c(
    erlangs: float, agents: int, target_s: float, handling_s: float
) -> None:
    assert 0 <= erlang.loss(erlangs, agents) <= erlang.waits(erlangs, agents) <= 1
    assert 0 <= erlang.service_level(erlangs, agents, target_s, handling_s) <= 1
    met = erlang.impatient(erlangs / handling_s, handling_s, handling_s, agents)
    assert 0 <= met.abandons <= met.waits <= 1 + 1e-9 and met.occupancy <= 1 + 1e-9
    if agents > 1.2 * erlangs:
        patient = erlang.impatient(erlangs / handling_s, handling_s, handling_s * 1e6, agents)
        assert patient.waits == pytest.approx(erlang.waits(erlangs, agents), rel=1e-3, abs=1e-9)


@given(st.floats(0, 300), st.floats(0, 120), st.floats(30, 900), st.floats(0.5, 0.99))
def test_one_agent_less_than_asked_for_does_not_reach_the_target(erlangs: float, target_s: float, handling_s: float, level: float) -> None:
    agents = erlang.agents_for(erlangs, target_s, handling_s, level)
    assert erlang.service_level(erlangs, agents, target_s, handling_s) >= level
    assert agents == 1 or erlang.service_level(erlangs, agents - 1, target_s, handling_s) < level


def test_nonsense_is_refused_and_too_great_a_load_has_no_answer() -> None:
    for call in (lambda: erlang.staffed(3, 1.0), lambda: erlang.agents_for(5, 20, 0, 0.8), lambda: erlang.impatient(1, 1, 0, 1)):
        with pytest.raises(NotEnough):
            call()
    with pytest.raises(NotEnough):
        erlang.agents_for(1e6, 20, 180, 0.8)
    assert erlang.mean_wait_s(5, 5, 180) == math.inf and erlang.service_level(5, 4, 20, 180) == 0
