"""Programs and their tokens, through the pages."""

import re

import pytest
from django.test import Client

from jilink.core.parties import access
from jilink.core.parties.access import NOBODY
from jilink.core.parties.models import Token, User
from jilink.core.parties.rules import Permission, Role
from tests.core.world import World
from tests.services.conftest import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def place(world: World) -> str:
    return f"/console/organisations/{world.north}/programs"


def added(browser: Client, world: World) -> int:
    answer = browser.post(f"{place(world)}/add", {"name": "Hotline bridge", "role": "service"})
    account = User.objects.get(first_name="Hotline bridge")
    assert answer["Location"] == f"{place(world)}/{account.pk}/token"
    return account.pk


def issued(browser: Client, world: World, account: int, **given: object) -> str:
    form = {"name": "on the bridge", "days": "30", "group0": "vehicles.view", "group2": ["cases.view", "cases.add"], **given}
    page = browser.post(f"{place(world)}/{account}/token", form).content.decode()
    found = re.search(r'value="(jlk_[a-z2-7]{52})"', page)
    return found.group(1) if found else ""


def test_a_token_is_shown_once_and_does_what_was_ticked(world: World) -> None:
    browser = signed_in(world, Role.OWNER, world.north)
    account = added(browser, world)
    secret = issued(browser, world, account)
    program = access.actor_of_token(secret)
    assert program.grants[world.north] == {Permission.VIEW_VEHICLES, Permission.VIEW_CASES, Permission.ADD_CASES}
    page = browser.get(place(world)).content.decode()
    assert secret not in page and secret[:12] in page and "on the bridge" in page


def test_a_token_needs_something_it_may_do_and_gets_nothing_of_strangers(world: World) -> None:
    browser = signed_in(world, Role.OWNER, world.north)
    account = added(browser, world)
    assert issued(browser, world, account, group0="", group2="") == ""
    assert issued(browser, world, account, days="4000") == ""
    assert issued(browser, world, account, group0="operations.view") == ""
    assert not Token.objects.exists()


def test_a_revoked_token_and_a_closed_program_come_in_no_more(world: World) -> None:
    browser = signed_in(world, Role.OWNER, world.north)
    account = added(browser, world)
    first, second = issued(browser, world, account), issued(browser, world, account)
    token = Token.objects.get(prefix=first[:12])
    assert browser.post(f"/console/organisations/{world.depot}/programs/tokens/{token.pk}/revoke").status_code == 404
    browser.post(f"{place(world)}/tokens/{token.pk}/revoke")
    assert access.actor_of_token(first) is NOBODY and access.actor_of_token(second) is not NOBODY
    assert "revoked" in browser.get(place(world)).content.decode()
    browser.post(f"{place(world)}/{account}/close")
    assert access.actor_of_token(second) is NOBODY
    browser.get(place(world))  # takes the message away
    assert "Hotline bridge" not in browser.get(place(world)).content.decode()


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR, Role.AGENT])
def test_only_who_manages_tokens_sees_programs(world: World, role: Role) -> None:
    account = added(signed_in(world, Role.OWNER, world.north), world)
    browser = signed_in(world, role, world.north)
    assert browser.get(place(world)).status_code == 404
    assert browser.get(f"{place(world)}/{account}/token").status_code == 404
