"""Terminals that wait for admission, through the front door."""

from typing import Any

import pytest
from django.test import Client

from jilink.core.assets import actions as assets
from jilink.core.assets.models import SeenTerminal, Terminal
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role
from tests.core.world import NOW, World
from tests.services.conftest import signed_in

pytestmark = pytest.mark.usefixtures("site")
WAITING = "/vehicles/waiting"


@pytest.fixture(autouse=True)
def english(settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"


def call(year: int = 2013, plate: str = "吉E00001") -> int:
    """Have an unknown terminal call twice at the same moment, and return its number on the list."""
    for at in (NOW, NOW):
        assets.note_seen(phone="013900001234", terminal_id="T1", maker="M", model="X", plate=plate, at=at, year=year)
    return int(SeenTerminal.objects.get().pk)


def listing(world: World) -> Client:
    """Return the browser of an owner who has switched listing on."""
    browser = signed_in(world, Role.OWNER, world.north)
    browser.post(f"{WAITING}/policy", {"organisation": world.north, "on": "1"})
    return browser


def test_while_listing_is_off_the_page_says_so_and_offers_the_switch(world: World) -> None:
    call()
    browser = signed_in(world, Role.OWNER, world.north)
    page = browser.get(WAITING).content.decode()
    assert "Listing is switched off" in page and 'action="/vehicles/waiting/policy"' in page and "/vehicles/settings" in page
    assert "吉E00001" not in page and "139" not in page
    browser.post(f"{WAITING}/policy", {"organisation": world.north, "on": "1"})
    assert "Listing is switched off" not in browser.get(WAITING).content.decode()


def test_the_page_names_who_lists_and_chooses_that_organisation_at_first(world: World) -> None:
    call()
    response = listing(world).get(WAITING)
    assert list(response.context["listed"]) == [world.north] == [response.context["chosen"]]


def test_a_waiting_terminal_is_admitted_with_one_click(world: World) -> None:
    seen = call()
    browser = listing(world)
    page = browser.get(WAITING).content.decode()
    assert 'value="吉E00001"' in page and "13900001234" not in page
    browser.post(f"{WAITING}/admit", {"terminal": seen, "organisation": world.north, "plate": "吉E00001"})
    assert Terminal.objects.get().phone == "13900001234" and SeenTerminal.objects.count() == 0
    assert browser.post(f"{WAITING}/admit", {"terminal": seen, "organisation": world.north, "plate": "X1"}).status_code == 404


@pytest.mark.parametrize("year", [2011, 2013, 2019])
def test_orders_to_a_newly_admitted_terminal_follow_the_edition_it_spoke(world: World, year: int) -> None:
    seen = call(year)
    browser = listing(world)
    assert f"JT/T 808-{year}" in browser.get(WAITING).content.decode()
    admitted = browser.post(f"{WAITING}/admit", {"terminal": seen, "organisation": world.north, "plate": "吉E00001"}, follow=True)
    assert admitted.context["year"] == year


def test_a_refused_admission_keeps_what_was_entered_and_says_what_is_wrong_beside_it(world: World) -> None:
    seen = call()
    response = listing(world).post(f"{WAITING}/admit", {"terminal": seen, "organisation": world.north, "plate": "?"})
    page = response.content.decode()
    assert response.status_code == 400 and 'value="?"' in page and f'aria-describedby="wrong-{seen}"' in page
    assert "hx-trigger" not in page.split('id="waiting"')[1].split(">")[0], "what was entered is not replaced by a refresh"


def test_a_phone_is_shown_whole_only_to_those_who_may_and_that_is_audited(world: World) -> None:
    seen = call()
    browser = listing(world)
    assert "13900001234" in browser.post(f"{WAITING}/reveal", {"terminal": seen}).content.decode()
    assert AuditEntry.objects.filter(action="contacts.revealed", subject=f"waiting:{seen}").count() == 1
    assert "13900001234" not in browser.get(WAITING).content.decode()
    assert signed_in(world, Role.OWNER, world.south).post(f"{WAITING}/reveal", {"terminal": seen}).status_code == 404


def test_a_refresh_brings_the_list_alone(world: World) -> None:
    call()
    part = listing(world).get(WAITING, headers={"HX-Request": "true"}).content.decode()
    assert "吉E00001" in part and "<html" not in part
