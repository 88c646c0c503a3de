"""Second factors: who must have one, and what a password opens before that."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import caches
from django.test import Client

from jilink.core.parties import second_factor
from jilink.core.parties.rules import TWO_FACTORS, Role
from jilink.kernel.settings import Settings
from tests.core.world import PASSWORD, World

CONCERNED = sorted(TWO_FACTORS)


def signed_in(person: AbstractBaseUser) -> Client:
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": person.get_username(), "password": PASSWORD})
    assert answer.status_code == 302
    return browser


@pytest.mark.parametrize("role", list(Role))
def test_only_those_who_decide_much_are_sent_to_set_one_up(world: World, role: Role) -> None:
    browser = signed_in(world.person(role, world.north))
    answer = browser.get("/vehicles/")
    sent = (answer.status_code, answer.headers.get("Location")) == (302, "/accounts/2fa/")
    assert sent == (role in TWO_FACTORS)


@pytest.mark.parametrize("role", CONCERNED)
def test_a_password_alone_opens_no_page_no_change_and_no_programs_door(world: World, role: Role) -> None:
    browser = signed_in(world.person(role, world.north))
    for path in ("/", "/vehicles/", "/operations/", "/vehicles/live", "/nowhere"):
        assert browser.get(path)["Location"] == "/accounts/2fa/", path
    assert browser.post("/vehicles/new", {"plate": "A"})["Location"] == "/accounts/2fa/"
    part = browser.get("/vehicles/", headers={"HX-Request": "true"})
    assert (part.status_code, part["HX-Redirect"]) == (204, "/accounts/2fa/")
    program = browser.get("/api/v1/vehicles")
    assert (program.status_code, program["Content-Type"]) == (403, "application/problem+json")
    assert "双重验证" in browser.get("/accounts/2fa/").content.decode() or "second factor" in browser.get("/accounts/2fa/").content.decode()


def test_setting_one_up_opens_everything_and_the_next_sign_in_asks_for_it(world: World) -> None:
    person = world.person(Role.OWNER, world.north)
    browser = signed_in(person)
    assert browser.get("/vehicles/").status_code == 302
    page = browser.get("/accounts/2fa/totp/activate/")
    assert page.status_code == 200
    secret = browser.session[totp.SECRET_SESSION_KEY]
    code = totp.format_hotp_value(totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time())))
    assert browser.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302
    assert secret not in str(Authenticator.objects.get(user=person, type="totp").data)
    assert browser.get("/vehicles/").status_code == 200
    again = Client()
    answer = again.post("/accounts/login/", {"login": person.username, "password": PASSWORD})
    assert answer["Location"].startswith("/accounts/2fa/authenticate/") and "_auth_user_id" not in again.session


def test_taking_the_factor_away_closes_the_door_again(world: World) -> None:
    person = world.person(Role.OWNER, world.north)
    browser = signed_in(person)
    world.second_factor(person)
    assert browser.get("/vehicles/").status_code == 200
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    browser.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=person, type="totp").exists()
    assert browser.get("/vehicles/")["Location"] == "/accounts/2fa/"


def test_a_security_key_can_be_added(world: World) -> None:
    browser = signed_in(world.person(Role.OWNER, world.north))
    page = browser.get("/accounts/2fa/webauthn/add/")
    assert page.status_code == 200 and "mfa/js/webauthn.js" in page.content.decode()


def test_an_installation_may_do_without(world: World, settings: Any, tmp_path: Any) -> None:
    settings.JILINK = Settings.from_environment({"JILINK_DATA": str(tmp_path), "JILINK_TWO_FACTORS": "off"})
    person = world.person(Role.OWNER, world.north)
    assert signed_in(person).get("/vehicles/").status_code == 200
    assert not second_factor.lacks(person.pk)


def test_attempts_to_sign_in_are_counted_in_the_database_for_all_processes(world: World) -> None:
    person = world.person(Role.ANALYST, world.north)
    for number in range(6):
        Client().post("/accounts/login/", {"login": person.username, "password": f"guess-{number}"})
    assert type(caches["default"]).__name__ == "DatabaseCache"
    locked = Client()
    locked.post("/accounts/login/", {"login": person.username, "password": PASSWORD})
    assert "_auth_user_id" not in locked.session
