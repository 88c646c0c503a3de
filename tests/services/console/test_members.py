"""Organisations, members, teams and invitations, through the pages."""

import re
from itertools import pairwise

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from jilink.core.parties import reads
from jilink.core.parties.members import reads as members
from jilink.core.parties.models import AuditEntry, Invitation, Member, Organisation, Team
from jilink.core.parties.rules import ROLES, Permission, Role, Scope
from jilink.services.console.pages.members_words import GROUPS, ROLE_MEANS, ROLE_WORDS, SCOPE_WORDS
from tests.core.world import World
from tests.services.conftest import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def owner(world: World) -> Client:
    return signed_in(world, Role.OWNER, world.north)


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def test_every_role_reach_and_permission_has_its_word() -> None:
    told = [permission for group in GROUPS for permission in group.permissions]
    assert sorted(told) == sorted(Permission)
    assert (set(ROLE_WORDS), set(ROLE_MEANS), set(SCOPE_WORDS)) == (set(Role), set(Role), set(Scope))


def test_the_tree_shows_what_lies_below_and_no_stranger(world: World) -> None:
    page = text_of(owner(world), "/console/organisations/")
    assert page.index("North Fleet") < page.index("Depot")
    assert "South Fleet" not in page and "depth-1" in page


def test_an_owner_adds_renames_and_removes_an_organisation(world: World) -> None:
    browser = owner(world)
    answer = browser.post("/console/organisations/add", {"parent": world.north, "name": "  East   Depot "})
    made = Organisation.objects.get(name="East Depot")
    assert answer["Location"] == f"/console/organisations/{made.pk}/" and made.parent_id == world.north
    assert browser.post("/console/organisations/add", {"parent": world.north, "name": "East Depot"}).status_code == 400
    assert browser.post("/console/organisations/add", {"parent": world.south, "name": "Foreign"}).status_code == 400
    assert browser.post(f"/console/organisations/{made.pk}/settings", {"name": "Depot"}).status_code == 400
    assert browser.post(f"/console/organisations/{made.pk}/settings", {"name": "West Depot"}).status_code == 302
    assert Organisation.objects.get(pk=made.pk).name == "West Depot"
    browser.post(f"/console/organisations/{made.pk}/remove")
    assert not Organisation.objects.filter(pk=made.pk).exists() and not Organisation.objects.filter(name="Foreign").exists()
    told = AuditEntry.objects.filter(subject=f"organisation:{made.pk}").order_by("sequence").values_list("action", flat=True)
    assert list(told) == ["organisation.added", "organisation.renamed", "organisation.removed"]


def test_members_are_listed_with_roles_and_only_managers_see_second_factors(world: World) -> None:
    agent = world.person(Role.AGENT, world.north)
    page = text_of(owner(world), f"/console/organisations/{world.north}/")
    assert agent.username in page and "Their teams" in page and "not needed" in page
    seen = text_of(signed_in(world, Role.AGENT, world.north), f"/console/organisations/{world.north}/")
    assert agent.username in seen and "not needed" not in seen and f"members/{agent.pk}" not in seen


def test_an_owner_changes_role_and_reach_and_ends_a_membership(world: World) -> None:
    agent, browser = world.person(Role.AGENT, world.north), owner(world)
    place = f"/console/organisations/{world.north}/members/{agent.pk}"
    assert "Their teams" in text_of(browser, place)
    assert browser.post(place, {"role": "supervisor", "scope": "organisation"}).status_code == 302
    assert Member.objects.get(user=agent).role == Role.SUPERVISOR and Member.objects.get(user=agent).scope == Scope.ORGANISATION
    assert browser.post(place, {"role": "operator", "scope": "organisation"}).status_code == 400
    assert browser.post(place, {"role": "service", "scope": "organisation"}).status_code == 400
    assert browser.post(f"{place}/remove").status_code == 302
    assert not Member.objects.filter(user=agent).exists()
    assert browser.get(place).status_code == 404


def test_nobody_gives_a_reach_beyond_their_own(world: World) -> None:
    agent = world.person(Role.AGENT, world.north)
    world.person(Role.OWNER, world.north, Scope.ORGANISATION)
    narrow = Client()
    person = world.person(Role.OWNER, world.north, Scope.ORGANISATION)
    world.second_factor(person)
    narrow.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    place = f"/console/organisations/{world.north}/members/{agent.pk}"
    assert narrow.post(place, {"role": "agent", "scope": "subtree"}).status_code == 400
    assert narrow.post(place, {"role": "agent", "scope": "organisation"}).status_code == 302


def test_an_owner_takes_lost_second_factors_away(world: World) -> None:
    other, browser = world.person(Role.SUPERVISOR, world.north), owner(world)
    world.second_factor(other)
    place = f"/console/organisations/{world.north}/members/{other.pk}"
    assert "Clear it" in text_of(browser, place)
    assert browser.post(f"{place}/reset-factors")["Location"] == place
    assert not Authenticator.objects.filter(user=other).exists()


def test_an_owner_cannot_touch_who_holds_more(world: World) -> None:
    operator, browser = world.person(Role.OPERATOR, world.north), owner(world)
    place = f"/console/organisations/{world.north}/members/{operator.pk}"
    assert "only somebody above" in text_of(browser, place)
    for tail in ("", "/remove", "/reset-factors"):
        assert browser.post(place + tail, {"role": "agent", "scope": "own"}).status_code == 404


def test_a_supervisor_keeps_teams_and_nothing_else_of_members(world: World) -> None:
    agent, browser = world.person(Role.AGENT, world.north), signed_in(world, Role.SUPERVISOR, world.north)
    place = f"/console/organisations/{world.north}/teams"
    browser.post(f"{place}/add", {"name": "Night"})
    assert "There is already" in browser.post(f"{place}/add", {"name": "Night"}, follow=True).content.decode()
    team = Team.objects.get(name="Night")
    browser.post(f"{place}/{team.pk}/put", {"user": agent.pk, "lead": "1"})
    assert agent.username in text_of(browser, place) and "leads" in text_of(browser, place)
    browser.post(f"{place}/{team.pk}/rename", {"name": "Dawn"})
    browser.post(f"{place}/{team.pk}/put", {"user": agent.pk, "lead": "0"})
    assert members.teams(world.actor(Role.SUPERVISOR, world.north), world.north)[0].leads == ()
    browser.post(f"{place}/{team.pk}/take", {"user": agent.pk})
    browser.post(f"{place}/{team.pk}/archive")
    page = text_of(browser, place)
    assert "Archived teams" in page and "Restore Dawn" in page and f"rename-{team.pk}" not in page
    browser.post(f"{place}/{team.pk}/restore")
    assert "Archived teams" not in text_of(browser, place)
    browser.post(f"{place}/{team.pk}/remove")
    assert not Team.objects.filter(pk=team.pk).exists()
    for tail in ("invitations", "settings", "programs", f"members/{agent.pk}"):
        assert browser.get(f"/console/organisations/{world.north}/{tail}").status_code == 404


def test_a_team_is_only_reached_under_its_own_organisation(world: World) -> None:
    team = world.team(world.depot)
    assert owner(world).post(f"/console/organisations/{world.north}/teams/{team}/remove").status_code == 404
    assert Team.objects.filter(pk=team).exists()


def test_the_link_of_an_invitation_is_shown_once_and_makes_a_member(world: World) -> None:
    browser, team = owner(world), world.team(world.north)
    place = f"/console/organisations/{world.north}/invitations"
    page = browser.post(place, {"name": "李雷", "role": "agent", "scope": "", "team": team}).content.decode()
    found = re.search(r'value="(http://testserver(/accounts/invitation/[^"]+))"', page)
    assert found is not None
    again = text_of(browser, place)
    assert "李雷" in again and found.group(2) not in again
    guest = Client()
    guest.get(found.group(2))
    guest.post("/accounts/invitation/", {"username": "lilei", "password": "lantern-over-songhua-9", "again": "lantern-over-songhua-9"})
    made = reads.user_id("lilei")
    assert made is not None and Member.objects.get(user_id=made).role == Role.AGENT
    assert members.teams(world.actor(Role.OWNER, world.north), world.north)[0].users == (made,)


def test_an_invitation_is_taken_back_and_offers_only_what_may_be_given(world: World) -> None:
    browser = owner(world)
    place = f"/console/organisations/{world.north}/invitations"
    assert browser.post(place, {"name": "X", "role": "operator"}).status_code == 400
    browser.post(place, {"name": "Wei", "role": "expert", "scope": "own"})
    made = Invitation.objects.get()
    assert browser.post(f"/console/organisations/{world.depot}/invitations/{made.pk}/take-back").status_code == 404
    browser.post(f"{place}/{made.pk}/take-back")
    assert "Wei" not in text_of(browser, place)


def test_the_table_of_roles_says_what_the_rules_say(world: World) -> None:
    page = text_of(signed_in(world, Role.AUDITOR, world.north), "/console/organisations/roles")
    rows = {row[0]: row[1] for row in re.findall(r'<th scope="row">([^<]+?)(?: <span[^\n]*?</span>)?</th>(.*?)</tr>', page)}
    for group in GROUPS:
        for permission, word in group.permissions.items():
            cells = rows[str(word)].split("</td>")[:-1]
            assert ["aria-label" in cell for cell in cells] == [permission in ROLES[role] for role in Role], permission
    assert all(first != second for first, second in pairwise(ROLES.values()))
