"""The page of a person served: a link, five levels, once, in both languages, and nothing of the case but its number."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from jilink.core.cases.models import Rating
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from tests.core.cases.office import Office, office_of
from tests.core.world import World
from tests.services.conftest import signed_in

TITLE, WORDS = "Cold flat of Li", "Li, third floor"


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


def link_of(office: Office, case: int) -> str:
    """Make a link on the page of the case and return its path."""
    browser = signed_in(office.world, Role.SUPERVISOR, office.world.north)
    page = browser.post(f"/console/cases/{office.row(case).number}/rating-link").content.decode()
    found = re.search(r'value="http://testserver(/rate/[^"]+)"', page)
    assert found, page
    return found[1]


def test_a_person_rates_by_the_link_once_without_signing_in(office: Office) -> None:
    case = office.closed("hotline", now=utc_now(), title=TITLE, description=WORDS)
    link, phone = link_of(office, case), Client()
    page = phone.get(link, headers={"accept-language": "en"})
    text, number = page.content.decode(), office.row(case).number
    assert page.status_code == 200 and f"{number[:3]} {number[3:6]} {number[6:]}" in text and text.count('name="level"') == 5
    assert TITLE not in text and WORDS not in text and page["X-Robots-Tag"] == "noindex" and "no-store" in page["Cache-Control"]
    assert "How satisfied are you?" in text
    assert "How satisfied" not in phone.get(link, headers={"accept-language": "zh-hans"}).content.decode()
    unsaid = phone.post(link, {"comment": "slow, but friendly"})
    assert unsaid.status_code == 400 and "slow, but friendly" in unsaid.content.decode()
    assert phone.post(link, {"level": "4", "comment": "slow, but friendly"}).status_code == 200
    again = phone.post(link, {"level": "1"})
    assert again.status_code == 200 and 'name="level"' not in again.content.decode()
    assert [(row.level, row.channel, row.comment) for row in Rating.objects.all()] == [(4, "web", "slow, but friendly")]


def test_a_link_that_leads_nowhere_says_so_and_nothing_else(office: Office) -> None:
    case = office.closed(now=utc_now(), title=TITLE)
    link = link_of(office, case)
    for address in ("/rate/x", link[:-1] + ("A" if link[-1] != "A" else "B"), link.replace("/rate/", "/rate/1")):
        for answer in (Client().get(address), Client().post(address, {"level": "5"})):
            assert answer.status_code == 404 and TITLE not in answer.content.decode()
    assert not Rating.objects.exists()


def test_one_address_cannot_try_links_without_end(office: Office, settings: Any) -> None:
    stranger = Client(REMOTE_ADDR="203.0.113.7")
    settings.JILINK = replace(settings.JILINK, api_strangers_per_minute=1)
    assert [stranger.get("/rate/x").status_code for _number in range(2)] == [404, 429]
    assert Client(REMOTE_ADDR="203.0.113.8").get("/rate/x").status_code == 404


def test_only_a_closed_case_that_nobody_rated_gets_a_link(office: Office) -> None:
    case = office.open(now=utc_now())
    browser = signed_in(office.world, Role.SUPERVISOR, office.world.north)
    assert browser.post(f"/console/cases/{office.row(case).number}/rating-link").status_code == 400
    assert "rating-link" not in browser.get(f"/console/cases/{office.row(case).number}").content.decode()
