"""Cases pass from hand to hand: taken, given up, moved, escalated by hand, many at once; and who is called for help."""

import threading
from datetime import timedelta

import msgspec
import pytest
from django.db import connections

from jilink.core.assets import actions as assets
from jilink.core.cases import actions, reads, retention
from jilink.core.cases.actions import ReasonNeeded, RecipientRefused, StepData, Taken, TooLate
from jilink.core.cases.models import BulkRun, Case, Clock, Request
from jilink.core.cases.reads.concerned import audience
from jilink.core.cases.rules.allowed import ALLOWED, TAKEN_BACK, Act, Many, allows, rateable, rings
from jilink.core.cases.rules.mentions import called_in
from jilink.core.cases.rules.numbers import grouped
from jilink.core.cases.rules.timeline import Assigned, Escalated
from jilink.core.cases.rules.workflow import CALL_BACK, State, StepRefused
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties import access
from jilink.core.parties import actions as parties
from jilink.core.parties.access import NotFound
from jilink.core.parties.members import actions as members
from jilink.core.parties.members import reads as member_reads
from jilink.core.parties.members.actions import TeamInUse
from jilink.core.parties.models import AuditEntry, User
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.errors import Refused
from tests.core.cases.office import MONDAY, Office, hours, kinds, told


def sister(office: Office) -> int:
    """Return another unit below north."""
    return parties.add_organisation(name="Workshop", parent=office.world.north, by=access.system("test"))


def clocks(case: int) -> list[object]:
    return list(Clock.objects.filter(case=case).order_by("pk").values_list("key", "started_at", "due_at", "ended_at", "generation"))


def test_the_table_says_for_every_act_in_which_states_it_is_lawful() -> None:
    assert set(ALLOWED) == set(Act) and set(Many) > TAKEN_BACK
    assert {act for act in Act if allows(State.CLOSED, act)} == {Act.RATE}
    assert not [act for act in Act if allows(State.MERGED, act) or allows(State.VOID, act)]
    assert rateable(State.CLOSED, 2, {1}) and not rateable(State.CLOSED, 1, {1}) and not rateable(State.OPEN, 1, ())
    assert rings(State.CLOSED, CALL_BACK) and not rings(State.CLOSED, "work") and rings(State.OPEN, "work")


def test_a_case_is_taken_by_one_and_given_up_by_the_same(office: Office) -> None:
    case = office.sent()
    other = office.world.actor(Role.FIELD_WORKER, office.world.depot, Scope.ORGANISATION, also="other")
    actions.claim_case(case=case, by=office.worker, now=MONDAY)
    actions.claim_case(case=case, by=office.worker, now=MONDAY)
    assert kinds(case).count("assigned") == 2  # the dispatch, and taking it once
    for attempt in (actions.claim_case, actions.release_case):
        with pytest.raises(Taken):
            attempt(case=case, by=other, now=MONDAY)
    actions.release_case(case=case, by=office.worker, now=MONDAY)
    assert office.row(case).assignee_id is None
    with pytest.raises(StepRefused):
        actions.claim_case(case=office.closed(), by=office.boss, now=MONDAY)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_a_case_at_once_one_has_it_and_the_other_is_told(lasting_office: Office) -> None:
    office = lasting_office
    case, gate, heard = office.sent(), threading.Barrier(2), list[str]()

    def take(by: access.Actor) -> None:
        gate.wait(10)
        try:
            actions.claim_case(case=case, by=by, now=MONDAY)
            heard.append("mine")
        except Taken:
            heard.append("taken")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take, args=(by,)) for by in (office.boss, office.second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(heard) == ["mine", "taken"]


def test_a_case_moves_to_another_unit_with_its_reason_and_no_clock_notices(office: Office) -> None:
    case, workshop = office.sent(), sister(office)
    asked = actions.request_return(case=case, reason="not ours", by=office.worker, now=MONDAY)
    before = clocks(case)
    boss = access.actor_of(User.objects.get(pk=office.boss.user))
    actions.move_case(case=case, unit=workshop, reason="They have the crane.", by=boss, now=MONDAY + hours(3))
    row = office.row(case)
    assert (row.unit_id, row.stage, row.returns) == (workshop, "work", 1) and clocks(case) == before
    line = next(each.detail for each in office.view(case).timeline[::-1] if isinstance(each.detail, Assigned))
    assert (line.why, line.moved_from) == (("They have the crane.",), office.world.depot)
    assert Request.objects.get(pk=asked.request).state == "withdrawn"
    with pytest.raises(NotFound):
        reads.case(office.worker, case, now=MONDAY)


def test_a_move_needs_a_reason_another_unit_of_the_tree_and_a_unit_that_works_on_it(office: Office) -> None:
    case, depot = office.sent(), office.world.depot
    for unit, reason, refusal in (
        (office.world.north, " ", ReasonNeeded),
        (depot, "x", RecipientRefused),
        (office.world.south, "x", RecipientRefused),
        (10**9, "x", RecipientRefused),
    ):
        with pytest.raises(refusal):
            actions.move_case(case=case, unit=unit, reason=reason, by=office.boss, now=MONDAY)
    for standing in (office.open(), office.closed()):
        with pytest.raises(StepRefused):
            actions.move_case(case=standing, unit=depot, reason="x", by=office.boss, now=MONDAY)
    with pytest.raises(NotFound):
        actions.move_case(case=case, unit=office.world.north, reason="x", by=office.worker, now=MONDAY)
    assert office.row(case).unit_id == depot


def test_a_unit_passes_a_case_down_and_not_aside(office: Office) -> None:
    case, workshop = office.sent(), sister(office)
    yard = parties.add_organisation(name="Yard", parent=office.world.depot, by=access.system("test"))
    chief = office.world.actor(Role.SUPERVISOR, office.world.depot)
    with pytest.raises(RecipientRefused):
        actions.move_case(case=case, unit=workshop, reason="not ours", by=chief, now=MONDAY)
    actions.move_case(case=case, unit=yard, reason="nearer", by=chief, now=MONDAY)
    assert office.row(case).unit_id == yard


def test_whoever_is_stuck_calls_the_supervisors_and_says_why(office: Office) -> None:
    case = office.sent()
    before, priority = clocks(case), office.row(case).priority
    with pytest.raises(ReasonNeeded):
        actions.escalate_case(case=case, reason=" ", by=office.worker, now=MONDAY)
    actions.escalate_case(case=case, reason="The owner threatens us.", raise_priority=True, by=office.worker, now=MONDAY)
    line = office.view(case).timeline[-1].detail
    assert isinstance(line, Escalated) and (line.reason, line.rung) == ("The owner threatens us.", "")
    assert office.row(case).priority > priority and clocks(case) == before and told("escalated", case) == 1
    assert "threatens" not in "".join(bytes(row.payload).decode() for row in OutboxEvent.objects.all())
    with pytest.raises(StepRefused):
        actions.escalate_case(case=office.closed(), reason="x", by=office.boss, now=MONDAY)


def test_an_escalation_calls_the_nearest_who_hold_the_role_the_team_and_whoever_has_it(office: Office) -> None:
    case, world = office.sent(), office.world
    north = {office.boss.user, office.second.user}
    assert audience(case, ("supervisor",)) == north  # the depot has none of its own
    chief = world.actor(Role.SUPERVISOR, world.depot)
    assert audience(case, ("supervisor",)) == {*north, chief.user}
    team = world.team(world.depot)
    inside = world.actor(Role.FIELD_WORKER, world.depot, Scope.TEAM, team)
    actions.assign_case(case=case, team=team, assignee=office.worker.user, by=office.boss, now=MONDAY)
    assert audience(case, ("assignee", "team")) == {office.worker.user, inside.user}
    User.objects.filter(pk=chief.user).update(is_active=False)
    assert audience(case, ("supervisor",)) == north and audience(10**9, ("supervisor",)) == frozenset()


def test_a_note_calls_colleagues_who_may_see_the_case_and_nobody_else(office: Office) -> None:
    case = office.sent()
    User.objects.filter(pk=office.second.user).update(last_name="王芳")
    names = [User.objects.get(pk=each.user).username for each in (office.worker, office.stranger)]
    actions.add_note(case=case, text=f"@王芳请看 @{names[0]}, @{names[1]} @nobody", by=office.boss, now=MONDAY)
    payload = OutboxEvent.objects.filter(name="noted").latest("id").payload
    assert sorted([office.second.user, office.worker.user]) == sorted(msgspec.json.decode(bytes(payload))["mentions"])


def test_the_longest_name_that_fits_is_the_one_that_is_called() -> None:
    names = {1: ("王芳", "wang"), 2: ("王芳芳", "wangf"), 3: ("", "li"), 4: ("王芳", "other")}
    assert called_in("@王芳芳 来", names) == {2} and called_in("请@王芳看", names) == {1, 4}
    assert called_in("@lisa @li. mail@wang.cn", names) == {1, 3} and called_in("@ 王芳 @", names) == frozenset()
    assert called_in("@LI\u3002", names) == {3}


def test_a_case_about_the_wrong_thing_is_about_it_no_more(office: Office) -> None:
    owner = office.world.actor(Role.OWNER, office.world.north)
    things = [assets.add_asset(organisation=office.world.north, kind="lamp", label=label, by=owner) for label in "AB"]
    case = office.sent(asset=things[0])
    actions.link_asset(case=case, asset=things[1], by=office.boss, now=MONDAY)
    actions.unlink_asset(case=case, asset=things[0], by=office.boss, now=MONDAY)
    assert office.row(case).asset_id == things[1] and [link.asset for link in office.view(case).links] == [things[1]]
    actions.unlink_asset(case=case, asset=things[1], by=office.boss, now=MONDAY)
    assert office.row(case).asset_id is None
    with pytest.raises(NotFound):
        actions.unlink_asset(case=case, asset=things[1], by=office.boss, now=MONDAY)


def test_many_are_closed_each_by_its_own_rules_and_that_is_not_taken_back(office: Office) -> None:
    ready, early = [office.sent() for _number in range(3)], office.sent()
    for case in ready:
        office.finish(case)
    unsaid = actions.step_many(cases=ready, key="confirm", by=office.boss, now=MONDAY)
    assert unsaid.done == () and "how it ended" in reads.bulk_run(office.boss, unsaid.run or 0).refused[ready[0]].plain
    code = office.view(ready[0]).definition.closing_codes[0].key
    done = actions.step_many(cases=[*ready, early, 999], key="confirm", data=StepData(code=code), by=office.boss, now=MONDAY)
    assert set(done.done) == set(ready) and set(done.refused) == {early, 999} and done.undo is None and done.run is not None
    run = reads.bulk_run(office.boss, done.run)
    assert run.lasting and set(run.done) == set(ready) and "stage" in run.refused[early].plain
    with pytest.raises(TooLate):
        actions.undo_bulk(run=done.run, by=office.boss, now=MONDAY)
    with pytest.raises(NotFound):
        reads.bulk_run(office.second, done.run)


def test_many_are_moved_and_taken_or_given_up_and_come_back(office: Office) -> None:
    cases, workshop = [office.sent() for _number in range(2)], sister(office)
    boss = access.actor_of(User.objects.get(pk=office.boss.user))
    done = actions.move_many(cases=cases, unit=workshop, reason="They have the crane.", by=boss, now=MONDAY)
    assert {office.row(case).unit_id for case in cases} == {workshop} and done.undo is not None
    actions.undo_bulk(run=done.undo, by=boss, now=MONDAY)
    assert {office.row(case).unit_id for case in cases} == {office.world.depot}
    taken = actions.claim_many(cases=cases, by=office.worker, now=MONDAY)
    again = actions.claim_many(cases=cases, by=office.boss, now=MONDAY)
    assert set(taken.done) == set(again.refused) == set(cases)
    actions.release_many(cases=cases, by=office.worker, now=MONDAY)
    assert {office.row(case).assignee_id for case in cases} == {None}


def test_whoever_gave_a_case_out_of_their_own_sight_can_still_take_that_back(office: Office) -> None:
    agent = office.world.actor(Role.AGENT, office.world.north, Scope.OWN)
    case = office.open()
    actions.assign_case(case=case, assignee=agent.user, by=office.boss, now=MONDAY)
    done = actions.assign_many(cases=[case], assignee=office.second.user, by=agent, now=MONDAY)
    with pytest.raises(NotFound):
        reads.case(agent, case, now=MONDAY)
    assert done.undo is not None and actions.undo_bulk(run=done.undo, by=agent, now=MONDAY).done == (case,)
    assert office.row(case).assignee_id == agent.user


def test_what_was_done_to_many_is_forgotten_after_a_week(office: Office) -> None:
    actions.claim_many(cases=[office.open()], by=office.boss, now=MONDAY)
    assert retention.forget_results(MONDAY + timedelta(days=6)) == 0 and BulkRun.objects.exists()
    assert retention.forget_results(MONDAY + timedelta(days=8)) == 1 and not BulkRun.objects.exists()


def test_a_team_that_cases_name_is_not_removed(office: Office) -> None:
    owner = office.world.actor(Role.OWNER, office.world.north)
    team = office.world.team(office.world.depot)
    case = office.sent()
    actions.assign_case(case=case, team=team, by=office.boss, now=MONDAY)
    with pytest.raises(TeamInUse):
        members.remove_team(team=team, by=owner)
    assert office.row(case).team_id == team


def test_a_team_is_archived_once_nothing_open_lies_with_it_and_keeps_its_name(office: Office) -> None:
    depot, by = office.world.depot, office.world.actor(Role.OWNER, office.world.north)
    team = office.world.team(depot, "Night shift")
    closed, case = office.closed(), office.sent()
    Case.objects.filter(pk=closed).update(team_id=team)
    actions.assign_case(case=case, team=team, by=office.boss, now=MONDAY)
    with pytest.raises(TeamInUse) as refused:
        members.archive_team(team=team, by=by)
    assert refused.value.values == {"count": 1, "numbers": grouped(office.row(case).number)}
    with pytest.raises(TeamInUse) as blind:
        members.archive_team(team=team, by=office.world.actor(Role.SUPERVISOR, depot, Scope.OWN, also="blind"))
    assert blind.value.values == {"count": 1}, "who may see none of its cases is told of no number"
    actions.assign_case(case=case, by=office.boss, now=MONDAY)
    members.archive_team(team=team, by=by)
    members.archive_team(team=team, by=by)
    assert not member_reads.teams(by, depot) and member_reads.teams(by, depot, archived=True)[0].archived
    assert member_reads.team_names({team}) == {team: "Night shift"}
    with pytest.raises(RecipientRefused):
        actions.assign_case(case=case, team=team, by=office.boss, now=MONDAY)
    with pytest.raises(members.TeamArchived):
        members.put_in_team(team=team, user=office.worker.user or 0, by=by)
    with pytest.raises(NotFound):
        members.restore_team(team=team, by=office.stranger)
    actions.take_step(case=closed, key="reopen", data=StepData(reason="broken again"), by=office.boss, now=MONDAY)
    assert office.row(closed).team_id is None
    members.restore_team(team=team, by=by)
    actions.assign_case(case=case, team=team, by=office.boss, now=MONDAY)
    audited = AuditEntry.objects.filter(subject=f"team:{team}").order_by("sequence").values_list("action", flat=True)
    assert list(audited) == ["team.added", "team.archived", "team.restored"]


def test_no_deed_of_these_slips_through_on_what_is_not_there(office: Office) -> None:
    for attempt in (
        lambda: actions.claim_case(case=10**9, by=office.boss),
        lambda: actions.move_case(case=10**9, unit=office.world.depot, reason="x", by=office.boss),
        lambda: actions.escalate_case(case=10**9, reason="x", by=office.boss),
    ):
        with pytest.raises(Refused):
            attempt()
