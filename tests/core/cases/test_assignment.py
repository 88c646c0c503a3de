"""Assignment by rules: drafted, published, asked at dispatch, tried on past cases, and refused to strangers."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from jilink.core.cases import actions
from jilink.core.cases.assignment import actions as assigning
from jilink.core.cases.assignment import reads
from jilink.core.cases.assignment.rules import Rule, RuleBook, RulesRefused, ToLeastLoaded, ToUnit, When, write_rules
from jilink.core.cases.rules.form import Is
from jilink.core.cases.rules.timeline import Assigned
from jilink.core.parties import access
from jilink.core.parties.access import NotFound
from jilink.core.parties.members import actions as members
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.texts import Text
from tests.core.cases.office import MONDAY, Office

PARTS = When(answers=Is("sort", "part"))


def rule(key: str, outcome: ToUnit | ToLeastLoaded, when: When = PARTS) -> Rule:
    return Rule(key=key, label=Text("部件", "Parts"), when=when, outcome=outcome)


def publish(office: Office, *rules: Rule, type_key: str = "city_fault") -> int:
    made = assigning.save_rules(
        organisation=office.world.north, type_key=type_key, rules=write_rules(RuleBook(rules=rules)), by=office.boss, now=MONDAY
    )
    assigning.publish_rules(rules=made, by=office.boss, now=MONDAY)
    return made


def dispatched(office: Office, minutes: int = 0) -> int:
    case = office.open()
    actions.take_step(case=case, key="dispatch", by=office.boss, now=MONDAY + timedelta(minutes=minutes))
    return case


def why(office: Office, case: int) -> Assigned:
    return next(line.detail for line in reversed(office.view(case).timeline) if isinstance(line.detail, Assigned))


def test_a_case_sent_out_without_a_recipient_goes_where_the_rules_say_and_keeps_why(office: Office) -> None:
    publish(office, rule("low", ToUnit(unit=office.world.north), When(lowest_priority=9)), rule("parts", ToUnit(unit=office.world.depot)))
    case = dispatched(office)
    assert office.row(case).unit_id == office.world.depot
    told = why(office, case)
    assert told.rule == "parts"
    assert [(each.rule, each.decided) for each in told.considered] == [("low", False), ("parts", True)]
    assert told.considered[0].why.zh.startswith("优先级")


def test_without_rules_it_stays_and_says_so(office: Office) -> None:
    case = dispatched(office)
    assert office.row(case).unit_id == office.world.north
    assert [each.why.en for each in why(office, case).considered] == ["It stays with the organisation that answers for it."]


def test_cases_spread_over_those_who_have_the_skill(office: Office) -> None:
    depot = office.world.depot
    crew = [office.world.actor(Role.FIELD_WORKER, depot, Scope.ORGANISATION, also=name) for name in ("a", "b", "c")]
    for one in crew[:2]:
        assigning.set_skills(organisation=depot, user=one.user or 0, skills=["Road"], by=office.boss, now=MONDAY)
    publish(office, rule("road", ToLeastLoaded(unit=depot, skills=("road",))))
    got = [office.row(dispatched(office, minute)).assignee_id for minute in range(4)]
    assert got == [crew[0].user, crew[1].user, crew[0].user, crew[1].user]


def test_rules_of_a_type_count_before_those_of_all_types(office: Office) -> None:
    publish(office, rule("all", ToUnit(unit=office.world.north), When()), type_key="")
    publish(office, rule("parts", ToUnit(unit=office.world.depot)))
    assert why(office, dispatched(office)).rule == "parts"


def test_a_published_version_never_changes_and_the_next_replaces_it(office: Office) -> None:
    first = publish(office, rule("parts", ToUnit(unit=office.world.depot)))
    second = publish(office, rule("parts", ToUnit(unit=office.world.north)))
    found = {view.id: (view.version, view.state) for view in reads.versions(office.boss, office.world.north)}
    assert found == {first: (1, "retired"), second: (2, "published")}
    with pytest.raises(assigning.NotADraft):
        assigning.drop_rules(rules=first, by=office.boss)


def test_rules_that_name_a_stranger_or_an_unknown_question_are_not_published(office: Office) -> None:
    with pytest.raises(RulesRefused) as refused:
        publish(office, rule("out", ToUnit(unit=office.world.south), When(answers=Is("colour", "red"))))
    assert [problem.place for problem in refused.value.problems] == ["$.rules[0].when.answers", "$.rules[0].outcome"]
    with pytest.raises(RulesRefused):
        assigning.save_rules(organisation=office.world.north, rules="{", by=office.boss)


def test_a_trial_counts_by_unit_before_and_after_and_lists_what_moves(office: Office) -> None:
    cases = [dispatched(office, minute) for minute in range(3)]
    kept = office.sent("hotline")
    book = RuleBook(rules=(rule("parts", ToUnit(unit=office.world.depot)),))
    trial = reads.try_rules(office.boss, office.world.north, "", book)
    north, depot = office.world.north, office.world.depot
    assert (trial.tried, dict(trial.before), dict(trial.after)) == (4, {north: 3, depot: 1}, {depot: 3, north: 1})
    assert {moved.case for moved in trial.moved} == {*cases, kept}
    assert trial.moved[-1].considered[-1].rule == "parts"
    assert reads.try_rules(office.boss, office.world.north, "city_fault", book, most=2).tried == 2
    assert office.row(cases[0]).unit_id == north


def test_strangers_may_neither_see_nor_change_rules(office: Office) -> None:
    made = publish(office, rule("parts", ToUnit(unit=office.world.depot)))
    north, book = office.world.north, RuleBook()
    for ask in (
        lambda: reads.versions(office.stranger, north),
        lambda: reads.rules(office.stranger, made),
        lambda: reads.rules(office.stranger, made + 999),
        lambda: reads.counting(office.stranger, north, ""),
        lambda: reads.units(office.stranger, north),
        lambda: reads.skills(office.stranger, north),
        lambda: reads.try_rules(office.stranger, north, "", book),
        lambda: assigning.save_rules(organisation=north, rules=write_rules(book), by=office.stranger),
        lambda: assigning.publish_rules(rules=made, by=office.stranger),
        lambda: assigning.drop_rules(rules=made, by=office.worker),
        lambda: assigning.set_skills(organisation=north, user=office.boss.user or 0, skills=["x"], by=office.stranger),
    ):
        with pytest.raises(NotFound):
            ask()


@pytest.mark.parametrize("away", [members.remove_team, members.archive_team])
def test_a_team_that_is_gone_or_archived_is_passed_over(office: Office, away: Callable[..., None]) -> None:
    depot = office.world.depot
    team = office.world.team(depot)
    publish(office, rule("team", ToUnit(unit=depot, team=team)), rule("unit", ToUnit(unit=depot)))
    away(team=team, by=access.system("test"))
    assert dict(reads.units(office.boss, depot)[0].teams) == {}
    told = why(office, case := dispatched(office, 1))
    assert (told.rule, office.row(case).team_id) == ("unit", None)
    assert told.considered[0].why.en == "The conditions hold, but the unit or team is no longer there."
