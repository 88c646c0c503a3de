"""Two people edit one case; many cases at once; ten seconds to take it back."""

from datetime import timedelta

import pytest

from jilink.core.cases import actions
from jilink.core.cases.actions import EditConflict, FieldRefused, TooLate, TooMany
from jilink.core.cases.rules.form import AnswersRefused
from jilink.core.cases.rules.workflow import StepRefused
from jilink.core.parties.access import NotFound
from jilink.core.parties.rules import Role, Scope
from tests.core.cases.office import MONDAY, Office, kinds, told


def test_two_who_change_different_fields_both_have_their_way(office: Office) -> None:
    case = office.open()
    read = {"title": "Lid of a manhole broken", "priority": 3}
    actions.edit_case(case=case, wanted={"title": "Lid gone"}, base=read, by=office.boss, now=MONDAY)
    actions.edit_case(case=case, wanted={"priority": 5}, base=read, by=office.second, now=MONDAY)
    row = office.row(case)
    assert (row.title, row.priority, row.version) == ("Lid gone", 5, 3)
    assert kinds(case) == ["opened", "edited", "edited"] and told("edited", case) == 2


def test_two_who_change_the_same_field_are_told_and_nothing_is_written(office: Office) -> None:
    case = office.open()
    read = {"title": "Lid of a manhole broken", "description": ""}
    actions.edit_case(case=case, wanted={"title": "Lid gone"}, base=read, by=office.boss)
    with pytest.raises(EditConflict) as caught:
        actions.edit_case(case=case, wanted={"title": "Lid cracked", "description": "since May"}, base=read, by=office.second)
    conflict = caught.value.conflicts["title"]
    assert (conflict.base, conflict.theirs, conflict.yours) == ("Lid of a manhole broken", "Lid gone", "Lid cracked")
    assert caught.value.version == 2 and office.row(case).description == ""
    actions.edit_case(case=case, wanted={"title": "Lid gone"}, base=read, by=office.second)
    assert office.row(case).version == 2  # the same words are no change


def test_with_the_version_that_still_stands_no_base_is_needed_and_an_old_one_is_no_pass(office: Office) -> None:
    case = office.open()
    assert actions.edit_case(case=case, wanted={"title": "One"}, base={}, version=1, by=office.boss) == 2
    with pytest.raises(EditConflict):
        actions.edit_case(case=case, wanted={"title": "Two"}, base={}, version=1, by=office.boss)


def test_answers_are_edited_one_by_one_and_checked_together(office: Office) -> None:
    case = office.open()
    actions.edit_case(case=case, wanted={"answers.size": "2.5", "answers.part": "green"}, base={"answers.part": "road"}, by=office.boss)
    answers = office.view(case).answers
    assert (answers["size"], answers["part"]) == ("2.5", "green")
    actions.edit_case(case=case, wanted={"answers.size": ""}, base={"answers.size": "2.5"}, by=office.boss)
    assert "size" not in office.view(case).answers
    for wanted in ({"answers.part": None}, {"answers.event": "order"}):
        with pytest.raises(AnswersRefused):
            actions.edit_case(case=case, wanted=wanted, base={"answers.part": "green"}, by=office.boss)


@pytest.mark.parametrize(
    "wanted",
    [{"number": "1"}, {"title": ""}, {"title": 5}, {"priority": 4}, {"latitude": "north"}, {"address": "x" * 201}, {"person": "Li"}],
)
def test_what_a_field_cannot_hold_is_refused_by_its_name(office: Office, wanted: dict[str, object]) -> None:
    with pytest.raises(FieldRefused) as caught:
        actions.edit_case(case=office.open(), wanted=wanted, base={}, version=1, by=office.boss)
    assert caught.value.field in wanted


def test_a_closed_case_is_not_edited(office: Office) -> None:
    with pytest.raises(StepRefused):
        actions.edit_case(case=office.closed(), wanted={"title": "x"}, base={}, version=9, by=office.boss)


def test_many_are_assigned_at_once_and_taken_back_within_ten_seconds(office: Office) -> None:
    cases = [office.sent() for _number in range(5)]
    done = actions.assign_many(cases=[*cases, 999], assignee=office.worker.user, by=office.boss, now=MONDAY)
    assert done.done == tuple(cases) and list(done.refused) == [999] and done.undo is not None
    actions.add_note(case=cases[0], text="mine", by=office.worker, now=MONDAY)
    with pytest.raises(NotFound):
        actions.undo_bulk(run=done.undo, by=office.second, now=MONDAY)
    back = actions.undo_bulk(run=done.undo, by=office.boss, now=MONDAY + timedelta(seconds=10))
    assert back.done == tuple(cases[1:]) and list(back.refused) == [cases[0]]
    assert [office.row(case).assignee_id for case in cases] == [office.worker.user, None, None, None, None]
    with pytest.raises(TooLate):
        actions.undo_bulk(run=done.undo, by=office.boss, now=MONDAY)


def test_priorities_of_many_change_and_come_back_and_not_after_the_time(office: Office) -> None:
    cases = [office.open() for _number in range(3)]
    done = actions.prioritise_many(cases=cases, priority=9, by=office.boss, now=MONDAY)
    assert {office.row(case).priority for case in cases} == {9} and done.undo is not None
    with pytest.raises(TooLate):
        actions.undo_bulk(run=done.undo, by=office.boss, now=MONDAY + timedelta(seconds=13))
    again = actions.prioritise_many(cases=cases, priority=1, by=office.boss, now=MONDAY)
    assert again.undo is not None
    actions.undo_bulk(run=again.undo, by=office.boss, now=MONDAY)
    assert {office.row(case).priority for case in cases} == {9}


def test_each_of_many_passes_the_door_alone_and_too_many_are_refused(office: Office) -> None:
    cases = [office.sent() for _number in range(2)]
    worker = office.world.actor(Role.FIELD_WORKER, office.world.depot, Scope.OWN)
    done = actions.assign_many(cases=cases, assignee=worker.user, by=worker, now=MONDAY)
    assert done.done == () and set(done.refused) == set(cases) and done.undo is None
    with pytest.raises(TooMany):
        actions.assign_many(cases=range(501), by=office.boss)
