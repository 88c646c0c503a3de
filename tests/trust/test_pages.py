"""Every page of the whole site, asked by strangers, with every permission but one that it needs, and signed out."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Permission, Role
from tests.core.world import World
from tests.services.conftest import signed_in
from tests.trust.asking import GIVEN, METHODS, Answer, Somebody, ask
from tests.trust.needs import ALSO, EITHER, FEIGNED, NEEDS, NOT, Need
from tests.trust.planted import SECRETS, WORDS, Things, filled, missing, names_of, pages, plant, unknown

pytestmark = pytest.mark.usefixtures("site")
REFUSED = (403, 404)
FORM_FIRST = (400, 405)
"""400: what was posted is looked at before the thing is, and the answer is the same where there is none; 405: nobody may ask so."""


def told(response: HttpResponse) -> str:
    if response.streaming:  # the live streams go on for ever; what they tell is tried by tests of their own
        return ""
    return response.content.decode(errors="replace") + response.headers.get("Location", "")


def bare(response: HttpResponse, address: str) -> str:
    """The answer without what differs from one request to the next: the address, messages of the one before, keys."""
    text = re.sub(r'<div class="toasts".*?<template', "", told(response).replace(address, ""), flags=re.DOTALL)
    return re.sub(r'(name="csrfmiddlewaretoken" value|data-csrf)="[^"]*"', "", text)


def names_a_thing(route: str) -> bool:
    return any(name not in WORDS for name in names_of(route))


@pytest.fixture
def things(world: World) -> Things:
    return plant(world)


@pytest.mark.parametrize("method", METHODS)
def test_a_member_of_another_organisation_is_refused_with_an_entry_and_learns_nothing(world: World, things: Things, method: str) -> None:
    """Where an address names no thing, the answer is a list or a form of one's own, with nothing of anybody else, and without entry."""
    stranger, wrong = signed_in(world, Role.OWNER, world.south), []
    for route in pages():
        address = filled(route, things)
        answer = ask(stranger, address, method, things)
        wrong += [f"{route} tells {secret}" for secret in SECRETS if secret in told(answer.response)]
        wrong += [f"{route} answers {answer.status} and leaves {answer.entries} entries"] if not noted(answer) else []
        if names_a_thing(route):
            nothing = missing(route, things)
            other = ask(stranger, nothing, method, things)
            if answer.status not in (*REFUSED, *FORM_FIRST):
                wrong.append(f"{route} answers {answer.status}")
            elif (answer.status, answer.entries, bare(answer.response, address)) != (
                other.status,
                other.entries,
                bare(other.response, nothing),
            ):
                wrong.append(f"{route} answers differently where there is nothing")
    assert wrong == []


def noted(answer: Answer) -> bool:
    """A refusal leaves one entry, anything else none."""
    return answer.entries == (answer.status in REFUSED)


@pytest.mark.parametrize("method", METHODS)
def test_whoever_is_signed_out_is_sent_to_the_door(things: Things, method: str) -> None:
    nobody, wrong, before = Client(), [], AuditEntry.objects.count()
    for route in pages():
        response = ask(nobody, filled(route, things), method, things).response
        door = response.status_code in (301, 302) and response["Location"].startswith("/accounts/login/")
        if not (door or response.status_code in (401, 403, 404, 405)):
            wrong.append(f"{method} {route} answers {response.status_code}")
        wrong += [f"{method} {route} tells {secret}" for secret in SECRETS if secret in told(response)]
    assert wrong == [] and AuditEntry.objects.count() == before


def test_of_every_page_it_is_said_what_it_asks_for() -> None:
    assert set(pages()) == set(NEEDS)


@pytest.mark.parametrize("method", METHODS)
def test_each_page_opens_with_what_it_needs_and_to_nobody_who_lacks_one_of_it(
    world: World, things: Things, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Whoever holds all the rest is refused with an entry: so is each role that does not grant what a page needs."""
    somebody, wrong = Somebody(world, monkeypatch), []
    for route, asked in NEEDS.items():
        need = asked[METHODS.index(method)]
        wrong += [f"{route}: {fault}" for fault in faults(somebody, route, method, need, things)]
    assert not wrong, "\n".join(wrong)


def faults(somebody: Somebody, route: str, method: str, need: Need, things: Things) -> list[str]:
    """What is wrong with the answers to somebody who holds exactly what a page needs, and to those who lack one permission of it."""
    either = EITHER.get(route, frozenset())
    least = (need or frozenset()) | ALSO.get(route, frozenset()) | frozenset(sorted(either)[:1])
    exact = somebody.asks(least, route, method, things)
    if need is NOT:
        return [] if exact.status == 405 else [f"answers {exact.status} where nobody may ask so"]
    found = [] if (exact.status in REFUSED) == ((method, route) in FEIGNED) else [f"answers {exact.status} to {sorted(need or ())}"]
    for lacking in [frozenset({each}) for each in need or ()] + ([either] if either else []):
        answer = somebody.asks(frozenset(Permission) - lacking, route, method, things)
        if answer.status not in REFUSED or not noted(answer):
            found.append(f"answers {answer.status} and leaves {answer.entries} entries without {sorted(lacking)}")
        found += [f"tells {secret} without {sorted(lacking)}" for secret in SECRETS if secret in bare(answer.response, "-")]
    return found


def test_every_name_in_an_address_is_planted_or_said_to_be_nobodys(things: Things) -> None:
    assert {route: names for route in pages() if (names := unknown(route, things))} == {}


def test_the_owner_finds_what_was_planted(world: World, things: Things) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    found = [route for route in pages() if names_a_thing(route) and owner.get(filled(route, things)).status_code == 200]
    assert len(found) > 12 and {name for route in found for name in names_of(route)} > {"asset", "rule", "organisation", "user", "endpoint"}


SENSITIVE = (
    ("post", "vehicles/<int:asset>/reveal", "contacts.revealed"),
    ("get", "vehicles/<int:asset>/frames", "frames.read"),
    ("get", "vehicles/export.csv", "vehicles.exported"),
    ("post", "console/webhooks/<int:endpoint>/reveal", "webhook.revealed"),
    ("post", "console/contacts/<int:contact>/reveal", "interaction.revealed"),
    ("post", "console/people/<int:person>/export", "person.exported"),
    ("post", "console/audit/export.csv", "audit.exported"),
)


def test_who_sees_what_is_sensitive_leaves_an_entry(world: World, things: Things) -> None:
    owner, person = signed_in(world, Role.OWNER, world.north), world.person(Role.OWNER, world.north)
    for method, route, action in SENSITIVE:
        assert route in pages()
        getattr(owner, method)(filled(route, things), GIVEN)
        assert AuditEntry.objects.filter(action=action, actor=f"user:{person.pk}").exists(), route
