"""Members, teams, and how far a membership reaches."""

from collections.abc import Callable

import pytest

from jilink.core.parties import access, actions
from jilink.core.parties.access import NotFound
from jilink.core.parties.actions import NameTaken
from jilink.core.parties.invitations import actions as invitations
from jilink.core.parties.members import actions as members
from jilink.core.parties.members import reads
from jilink.core.parties.members.actions import NameMissing, NoMember
from jilink.core.parties.models import User
from jilink.core.parties.rules import NARROWED, ROLES, Permission, Role, Scope
from jilink.core.parties.tokens import actions as tokens
from jilink.kernel.errors import Refused
from tests.core.world import World

VIEW, WORK = Permission.VIEW_CASES, Permission.WORK_CASES


def reached(world: World, actor: access.Actor, organisation: int, team: int | None, owner: int | None) -> bool:
    """Whether the actor passes the door to a row; the three ways to ask must agree."""
    covered = access.reach(actor, VIEW).covers(organisation, team, owner)
    try:
        access.require(actor, VIEW, organisation, team, owner)
    except NotFound:
        assert not covered
        return False
    assert covered
    return True


def test_each_scope_reaches_what_its_name_says_and_not_a_row_further(world: World) -> None:
    mine, other, below = world.team(world.north, "Mine"), world.team(world.north, "Other"), world.team(world.depot, "Below")
    answers: dict[Scope, list[bool]] = {}
    for scope in Scope:
        actor = world.actor(Role.AGENT, world.north, scope, mine)
        rows = [
            (world.north, None, actor.user),
            (world.north, mine, None),
            (world.north, other, None),
            (world.north, None, None),
            (world.depot, below, None),
            (world.south, mine, actor.user),
        ]
        answers[scope] = [reached(world, actor, *row) for row in rows]
    assert answers == {
        Scope.OWN: [True, False, False, False, False, False],
        Scope.TEAM: [True, True, False, False, False, False],
        Scope.ORGANISATION: [True, True, True, True, False, False],
        Scope.SUBTREE: [True, True, True, True, True, False],
    }


def test_a_team_below_brings_its_rows_into_reach_of_a_member_above(world: World) -> None:
    below = world.team(world.depot, "Below")
    actor = world.actor(Role.AGENT, world.north, Scope.TEAM, below)
    assert reached(world, actor, world.depot, below, None)
    assert not reached(world, actor, world.depot, None, None)
    assert actor.teams == {below} and actor.organisations == {world.north, world.depot}


@pytest.mark.parametrize("role", list(Role))
def test_a_narrow_scope_narrows_only_what_rows_with_an_assignee_need(world: World, role: Role) -> None:
    actor = world.actor(role, world.north, Scope.OWN)
    for permission in Permission:
        whole = permission in ROLES[role] and permission not in NARROWED
        assert access.organisations_of(actor, permission) == (frozenset({world.north}) if whole else frozenset())
        assert bool(access.reach(actor, permission)) == actor.may(permission) == (permission in ROLES[role])


def test_an_organisation_scope_gives_nothing_below(world: World) -> None:
    actor = world.actor(Role.SUPERVISOR, world.north, Scope.ORGANISATION)
    assert access.organisations_of(actor, VIEW) == {world.north}
    with pytest.raises(NotFound):
        access.require(actor, VIEW, world.depot)


def test_teams_are_made_named_filled_and_removed(world: World) -> None:
    owner = world.actor(Role.OWNER, world.north)
    team = members.add_team(organisation=world.north, name="  Night shift ", by=owner)
    with pytest.raises(NameTaken):
        members.add_team(organisation=world.north, name="Night shift", by=owner)
    with pytest.raises(NameMissing):
        members.rename_team(team=team, name=" ", by=owner)
    members.rename_team(team=team, name="Night", by=owner)
    agent = world.person(Role.AGENT, world.north)
    members.put_in_team(team=team, user=agent.pk, by=owner, lead=True)
    members.put_in_team(team=team, user=agent.pk, by=owner, lead=True)
    view = reads.team(owner, team)
    assert (view.name, view.users, view.leads) == ("Night", (agent.pk,), (agent.pk,))
    assert [(each.role, each.scope, each.teams) for each in reads.members(owner, world.north) if each.user == agent.pk] == [
        (Role.AGENT, Scope.TEAM, (team,))
    ]
    with pytest.raises(NoMember):
        members.put_in_team(team=team, user=world.person(Role.AGENT, world.south).pk, by=owner)
    members.take_from_team(team=team, user=agent.pk, by=owner)
    assert reads.team(owner, team).users == ()
    members.remove_team(team=team, by=owner)
    assert reads.teams(owner, world.north) == []


def test_who_leaves_an_organisation_leaves_its_teams_and_loses_everything(world: World) -> None:
    owner, agent = world.actor(Role.OWNER, world.north), world.person(Role.AGENT, world.north)
    team = world.team(world.depot)
    members.put_in_team(team=team, user=agent.pk, by=owner)
    members.remove_member(user=agent.pk, organisation=world.north, by=owner)
    actor = access.actor_of(agent)
    assert (actor.organisations, actor.teams) == (frozenset(), frozenset())


def test_an_owner_neither_demotes_nor_removes_an_operator(world: World) -> None:
    owner, operator = world.actor(Role.OWNER, world.north), world.person(Role.OPERATOR, world.north)
    with pytest.raises(NotFound):
        actions.set_role(user=operator.pk, organisation=world.north, role=Role.ANALYST, by=owner)
    with pytest.raises(NotFound):
        members.remove_member(user=operator.pk, organisation=world.north, by=owner)


def test_nobody_gives_a_reach_he_does_not_have(world: World) -> None:
    owner = world.actor(Role.OWNER, world.north, Scope.ORGANISATION)
    other = world.person(Role.ANALYST, world.north, Scope.ORGANISATION)
    with pytest.raises(NotFound):
        actions.set_role(user=other.pk, organisation=world.north, role=Role.AUDITOR, scope=Scope.SUBTREE, by=owner)
    actions.set_role(user=other.pk, organisation=world.north, role=Role.AUDITOR, scope=Scope.ORGANISATION, by=owner)
    assert access.organisations_of(access.actor_of(other), Permission.READ_AUDIT) == {world.north}


def test_an_owner_takes_in_nobody_of_strangers(world: World) -> None:
    with pytest.raises(NotFound):
        actions.set_role(
            user=world.person(Role.AGENT, world.south).pk,
            organisation=world.north,
            role=Role.AGENT,
            by=world.actor(Role.OWNER, world.north),
        )


def test_those_who_may_be_given_work_are_those_whose_reach_it_lies_in(world: World) -> None:
    owner, team = world.actor(Role.OWNER, world.north), world.team(world.depot)
    agent = world.person(Role.AGENT, world.north, Scope.TEAM, team)
    above = world.person(Role.SUPERVISOR, world.north)
    world.person(Role.AGENT, world.north, Scope.TEAM, also="elsewhere")
    analyst = world.person(Role.ANALYST, world.depot)
    assert reads.colleagues(owner, world.depot, WORK) == sorted([owner.user or 0, agent.pk, above.pk])
    assert reads.colleagues(owner, world.depot, Permission.REPORT_CASES) == sorted([owner.user or 0, above.pk, analyst.pk])


def test_members_and_teams_are_hidden_across_the_wall_and_from_too_low_a_role(world: World) -> None:
    team, agent = world.team(world.north), world.person(Role.AGENT, world.north)
    changes: list[Callable[[access.Actor], object]] = [
        lambda by: members.add_team(organisation=world.north, name="X", by=by),
        lambda by: members.rename_team(team=team, name="X", by=by),
        lambda by: members.remove_team(team=team, by=by),
        lambda by: members.put_in_team(team=team, user=agent.pk, by=by),
        lambda by: members.take_from_team(team=team, user=agent.pk, by=by),
        lambda by: members.remove_member(user=agent.pk, organisation=world.north, by=by),
    ]
    looks: list[Callable[[access.Actor], object]] = [
        lambda by: reads.members(by, world.north),
        lambda by: reads.teams(by, world.north),
        lambda by: reads.team(by, team),
        lambda by: reads.colleagues(by, world.north, WORK),
    ]
    stranger, low = world.actor(Role.OWNER, world.south), world.actor(Role.ANALYST, world.north)
    for attempt in (*(lambda one=one: one(stranger) for one in (*changes, *looks)), *(lambda one=one: one(low) for one in changes)):
        with pytest.raises(NotFound):
            attempt()
    assert reads.teams(stranger) == [] and [each.id for each in reads.teams(low)] == [team]


def test_the_roles_that_may_be_given_are_those_that_giving_does_not_refuse(world: World) -> None:
    owner, other = world.actor(Role.OWNER, world.north), world.person(Role.ANALYST, world.north, Scope.ORGANISATION)
    offered = reads.roles_to_give(owner, world.north, Scope.SUBTREE)
    assert set(offered) == set(Role) - {Role.OPERATOR}
    for role in offered:
        actions.set_role(user=other.pk, organisation=world.north, role=role, scope=Scope.SUBTREE, by=owner)
    with pytest.raises(NotFound):
        reads.roles_to_give(world.actor(Role.SUPERVISOR, world.north), world.north)


def test_an_organisation_goes_with_its_invitations_and_closed_programs(world: World) -> None:
    owner, everything = world.actor(Role.OWNER, world.depot), access.system("test")
    invitations.invite(organisation=world.depot, name="x", role=Role.AGENT, by=owner)
    account = tokens.add_service_account(organisation=world.depot, name="x", by=owner)
    team = world.team(world.depot)
    with pytest.raises(Refused):
        actions.remove_organisation(organisation=world.depot, by=everything)
    members.remove_team(team=team, by=owner)
    tokens.close_service_account(account=account, by=owner)
    actions.remove_organisation(organisation=world.depot, by=everything)
    assert access.actor_of(User.objects.get(pk=account)) is access.NOBODY
