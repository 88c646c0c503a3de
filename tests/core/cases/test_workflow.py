"""The rules that hold for every type, asked without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jilink.core.cases.rules import workflow
from jilink.core.cases.rules.checking import decode_definition
from jilink.core.cases.rules.merging import merge
from jilink.core.cases.rules.workflow import OwnWork, RequestKind, Standing, StepRefused, after, clock_changes, way_of
from tests.core.cases.test_definition import CITY

TYPE = decode_definition(CITY)


def go(standing: Standing, key: str, by: int = 1, arbitrated: bool = False) -> Standing:
    return after(TYPE, standing, way_of(TYPE, standing, key), by=by, arbitrated=arbitrated)


def test_the_usual_way_ends_closed() -> None:
    standing = workflow.begin(TYPE)
    for key, by in (("accept", 1), ("dispatch", 1), ("finish", 2), ("confirm", 3)):
        standing = go(standing, key, by)
    assert (standing.stage, standing.state) == ("closed", workflow.State.CLOSED)


def test_only_somebody_else_checks_the_work_and_every_doer_counts() -> None:
    standing = go(go(workflow.begin(TYPE), "dispatch"), "finish", 2)
    for person in (2, None):
        with pytest.raises(OwnWork):
            after(TYPE, standing, way_of(TYPE, standing, "confirm"), by=person)
    again = go(go(standing, "rework", 3), "finish", 4)
    for person in (2, 4):
        with pytest.raises(OwnWork):
            go(again, "confirm", person)


def test_the_second_return_goes_to_arbitration_and_its_word_is_final() -> None:
    standing = go(workflow.begin(TYPE), "dispatch")
    assert not workflow.to_arbitration(TYPE, standing)
    once = go(Standing(**{**_fields(standing), "returns": 1}), "return")
    assert once.stage == "dispatch"
    second = go(once, "dispatch")
    assert workflow.to_arbitration(TYPE, second)
    judged = go(go(second, "return", arbitrated=True), "award")
    assert (judged.stage, judged.final) == ("work", True)
    with pytest.raises(StepRefused):
        way_of(TYPE, judged, "return")
    with pytest.raises(StepRefused):
        workflow.may_ask(TYPE, judged, RequestKind.RETURN, 0)


def _fields(standing: Standing) -> dict[str, object]:
    return {name: getattr(standing, name) for name in Standing.__slots__}


def test_a_suspended_case_stands() -> None:
    standing = Standing("work", suspended=True)
    assert workflow.ways(TYPE, standing) == ()
    with pytest.raises(StepRefused):
        way_of(TYPE, standing, "finish")


def test_clocks_begin_at_dispatch_and_a_return_stops_none() -> None:
    dispatch = way_of(TYPE, Standing("intake"), "dispatch")
    first = clock_changes(TYPE, dispatch, "work", ["intake"], [])
    assert (first.ended, set(first.started)) == (("intake",), {"work", "whole"})
    back = clock_changes(TYPE, way_of(TYPE, Standing("work"), "return"), "dispatch", ["work", "whole"], ["intake"])
    assert (back.ended, back.started) == ((), ("dispatch",))
    again = clock_changes(TYPE, way_of(TYPE, Standing("dispatch"), "dispatch"), "work", ["work", "whole", "dispatch"], ["intake"])
    assert (again.ended, again.started, again.resumed) == (("dispatch",), (), ())
    judged = clock_changes(TYPE, way_of(TYPE, Standing("work"), "return"), "arbitration", ["work", "whole"], [])
    assert (judged.ended, judged.started) == ((), ("arbitration",))


def test_rework_goes_on_with_the_time_that_was_left() -> None:
    done = clock_changes(TYPE, way_of(TYPE, Standing("work"), "finish"), "check", ["work", "whole"], [])
    assert (done.ended, done.started) == (("work",), ("check",))
    again = clock_changes(TYPE, way_of(TYPE, Standing("check"), "rework"), "work", ["check", "whole"], ["work"])
    assert (again.ended, again.started, again.resumed) == (("check",), (), ("work",))
    end = clock_changes(TYPE, way_of(TYPE, Standing("check"), "confirm"), "closed", ["check", "whole", "call_back"], ["work"])
    assert end.ended == ("check", "whole")


@given(st.lists(st.sampled_from(sorted({way.key for way in TYPE.transitions})), max_size=30), st.lists(st.integers(1, 3), min_size=30))
def test_whatever_is_tried_the_case_stands_where_the_table_says(keys: list[str], people: list[int]) -> None:
    standing = workflow.begin(TYPE)
    table = {(way.source, way.key): way.target for way in TYPE.transitions}
    for key, person in zip(keys, people, strict=False):
        try:
            moved = go(standing, key, person)
        except StepRefused:
            continue
        assert moved.stage == table[standing.stage, key]
        standing = moved


values = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3))


@given(values, values, values)
def test_an_edit_overwrites_nothing_that_was_not_read(current: dict[str, int], base: dict[str, int], wanted: dict[str, int]) -> None:
    merged = merge(current, base, wanted, -1)
    for field, (old, new) in merged.changed.items():
        assert old == current.get(field, -1) == base.get(field, -1) and new == wanted[field] != old
    for field, conflict in merged.conflicts.items():
        assert len({conflict.base, conflict.theirs, conflict.yours}) == 3
        assert field not in merged.changed
    for field in set(wanted) - set(merged.changed) - set(merged.conflicts):
        assert wanted[field] in {current.get(field, -1), base.get(field, -1)}
