"""Steps of cases: every transition of every type, and nothing beside them."""

from datetime import timedelta

import pytest

from jilink.core.cases import actions
from jilink.core.cases.actions import CodeNeeded, ReasonNeeded, Recipient, RecipientRefused, StepData
from jilink.core.cases.models import Case
from jilink.core.cases.reads.ground import definition_of
from jilink.core.cases.rules.definition import Step
from jilink.core.cases.rules.form import AnswersRefused
from jilink.core.cases.rules.workflow import OwnWork, StepRefused
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Role, Scope
from tests.core.cases.office import GOOD, MONDAY, Office, clock, kinds, told


def everything(office: Office, case: int, key: str, by: Actor) -> None:
    """Take a step with everything it may need."""
    row = Case.objects.select_related("type").get(pk=case)
    definition = definition_of(row.type.definition)
    way = next(one for one in definition.transitions if one.source == row.stage and one.key == key)
    if way.step == Step.RETURN:
        actions.request_return(case=case, reason="not ours", by=by, now=MONDAY)
        return
    data = StepData(
        reason="because",
        code=definition.closing_codes[0].key,
        answers={"answer": "words"} if "answer" in way.requires else None,
        recipient=Recipient(unit=office.world.depot),
    )
    actions.take_step(case=case, key=key, data=data, by=by, now=MONDAY)


@pytest.mark.parametrize("kind", sorted(GOOD))
def test_every_transition_of_a_type_can_be_taken_and_leads_where_its_table_says(office: Office, kind: str) -> None:
    """Walk to each transition by the shortest way, and take it."""
    first = Case.objects.select_related("type").get(pk=office.open(kind))
    definition = definition_of(first.type.definition)
    paths: dict[str, list[str]] = {definition.stages[0].key: []}
    line = [definition.stages[0].key]
    for stage in line:
        for way in definition.transitions:
            if way.source == stage and way.step != Step.RETURN and way.target not in paths:
                paths[way.target] = [*paths[stage], way.key]
                line.append(way.target)
    taken = set()
    for way in definition.transitions:
        if way.source not in paths or way.step == Step.RETURN:
            continue
        case = office.open(kind)
        for key in [*paths[way.source], way.key]:
            checks = key in {"confirm", "rework"}
            everything(office, case, key, office.second if checks else office.boss)
        assert office.row(case).stage == way.target
        assert kinds(case).count("stepped") == len(paths[way.source]) + 1 == told("moved", case)
        taken.add((way.source, way.key))
    rest = {(way.source, way.key) for way in definition.transitions if way.step != Step.RETURN} - taken
    assert rest <= {(way.source, way.key) for way in definition.transitions if way.source == "arbitration"}


def test_what_the_table_does_not_have_is_refused_and_changes_nothing(office: Office) -> None:
    case = office.open()
    for key in ("finish", "confirm", "reopen", "return", "fly"):
        with pytest.raises(StepRefused):
            actions.take_step(case=case, key=key, by=office.boss, now=MONDAY)
    assert (office.row(case).version, kinds(case)) == (1, ["opened"])


def test_closing_needs_a_code_and_a_reason_where_the_type_says_so(office: Office) -> None:
    case = office.open()
    with pytest.raises(ReasonNeeded):
        actions.take_step(case=case, key="answer", data=StepData(code="done"), by=office.boss, now=MONDAY)
    for code in ("", "fine"):
        with pytest.raises(CodeNeeded):
            actions.take_step(case=case, key="answer", data=StepData(reason="told", code=code), by=office.boss, now=MONDAY)
    actions.take_step(case=case, key="answer", data=StepData(reason="told", code="explained"), by=office.boss, now=MONDAY)
    row = office.row(case)
    assert (row.state, row.closing_code, row.closed_at, row.due_at) == ("closed", "explained", MONDAY, None)


def test_answers_that_a_step_needs_are_asked_for_and_kept(office: Office) -> None:
    case = office.sent("hotline")
    with pytest.raises(AnswersRefused):
        actions.take_step(case=case, key="finish", data=StepData(reason="done"), by=office.worker, now=MONDAY)
    office.finish(case)
    assert office.view(case).answers["answer"] == "It was put right."


def test_nobody_checks_their_own_work_and_the_way_is_not_even_shown(office: Office) -> None:
    case = office.sent()
    office.finish(case, by=office.boss)
    with pytest.raises(OwnWork):
        office.confirm(case, by=office.boss)
    assert office.view(case).ways == ()
    assert {way.key for way in office.view(case, by=office.second).ways} == {"confirm", "rework"}
    office.confirm(case, by=office.second)


def test_a_worker_of_the_unit_sees_and_does_the_work_and_nothing_else(office: Office) -> None:
    case = office.open()
    for attempt in (lambda: office.view(case, by=office.worker), lambda: office.finish(case)):
        with pytest.raises(NotFound):
            attempt()
    office.dispatch(case)
    assert {way.key for way in office.view(case, by=office.worker).ways} == {"finish"}
    office.finish(case)
    with pytest.raises(NotFound):
        office.confirm(case, by=office.worker)


def test_dispatch_names_the_unit_its_reasons_and_tells_both(office: Office) -> None:
    case = office.open()
    actions.take_step(case=case, key="dispatch", by=office.boss, now=MONDAY)
    row = office.row(case)
    assert (row.unit_id, row.dispatched_at) == (office.world.north, MONDAY)
    assigned = [line.detail for line in office.view(case).timeline if line.detail.__struct_config__.tag == "assigned"]
    assert assigned[0].why and told("assigned", case) == 1  # type: ignore[union-attr] # -- an entry of that kind


def test_a_case_goes_to_no_stranger_no_foreign_team_and_nobody_who_cannot_work_on_it(office: Office) -> None:
    case = office.open()
    team = office.world.team(office.world.north)
    auditor = office.world.actor(Role.AUDITOR, office.world.depot)
    for recipient in (
        Recipient(unit=office.world.south),
        Recipient(unit=999),
        Recipient(unit=office.world.depot, team=team),
        Recipient(unit=office.world.depot, assignee=auditor.user),
        Recipient(unit=office.world.depot, assignee=office.stranger.user),
    ):
        with pytest.raises(RecipientRefused):
            actions.take_step(case=case, key="dispatch", data=StepData(recipient=recipient), by=office.boss, now=MONDAY)
    assert office.row(case).stage == "intake"


def test_whoever_works_takes_a_case_and_gives_it_up_and_only_dispatchers_give_it_to_others(office: Office) -> None:
    case = office.sent()
    actions.assign_case(case=case, assignee=office.worker.user, by=office.worker, now=MONDAY)
    assert office.row(case).assignee_id == office.worker.user
    other = office.world.actor(Role.FIELD_WORKER, office.world.depot, Scope.ORGANISATION, also="two")
    for by, person in ((other, other.user), (other, None), (office.worker, other.user)):
        with pytest.raises(NotFound):
            actions.assign_case(case=case, assignee=person, by=by, now=MONDAY)
    actions.assign_case(case=case, assignee=None, by=office.worker, now=MONDAY)
    actions.assign_case(case=case, assignee=other.user, by=office.boss, now=MONDAY)
    assert office.row(case).assignee_id == other.user


def test_a_worker_who_sees_only_his_own_sees_a_case_once_it_is_his_or_his_teams(office: Office) -> None:
    team = office.world.team(office.world.depot)
    own = office.world.actor(Role.FIELD_WORKER, office.world.depot, Scope.OWN)
    mate = office.world.actor(Role.FIELD_WORKER, office.world.depot, Scope.TEAM, team)
    case = office.sent()
    for person in (own, mate):
        with pytest.raises(NotFound):
            office.view(case, by=person)
    actions.assign_case(case=case, team=team, assignee=own.user, by=office.boss, now=MONDAY)
    assert office.view(case, by=own).row.id == office.view(case, by=mate).row.id == case


def test_a_closed_case_is_reopened_in_a_new_round_with_new_clocks_for_as_long_as_the_type_says(office: Office) -> None:
    case = office.closed()
    later = MONDAY + timedelta(days=10)
    actions.take_step(case=case, key="reopen", data=StepData(reason="again"), by=office.boss, now=later)
    row = office.row(case)
    assert (row.state, row.stage, row.round, row.closed_at, row.closing_code) == ("open", "dispatch", 2, None, "")
    office.dispatch(case, later)
    assert clock(case, "whole").round == 2 and clock(case, "whole").started_at == later
    office.finish(case, later)
    office.confirm(case, later)
    with pytest.raises(StepRefused):
        actions.take_step(case=case, key="reopen", data=StepData(reason="again"), by=office.boss, now=later + timedelta(days=17))
