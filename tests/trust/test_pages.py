"""Every page of the whole site, asked by strangers, by every role that may not, and signed out."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import ROLES, Role
from tests.core.world import World
from tests.services.conftest import signed_in
from tests.trust.needs import NEEDS
from tests.trust.planted import SECRETS, WORDS, Things, filled, missing, names_of, pages, plant, unknown

pytestmark = pytest.mark.usefixtures("site")

GIVEN = {"organisation": "1", "terminal": "1", "plate": "X", "text": "hello", "start": "2026-05-01T00:00Z", "end": "2026-05-02T00:00Z"}


REFUSED = (400, 404, 405)
"""400: what was posted is looked at before the thing is, and the answer is the same where there is none."""


def ask(client: Client, address: str, method: str) -> HttpResponse:
    return getattr(client, method)(address, GIVEN)


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


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_member_of_another_organisation_is_refused_and_learns_nothing(world: World, things: Things, method: str) -> None:
    stranger, wrong = signed_in(world, Role.OWNER, world.south), []
    for route in pages():
        address = filled(route, things)
        response = ask(stranger, address, method)
        wrong += [f"{method} {route} tells {secret}" for secret in SECRETS if secret in told(response)]
        if names_a_thing(route):
            nothing = missing(route, things)
            other = ask(stranger, nothing, method)
            if response.status_code not in REFUSED:
                wrong.append(f"{method} {route} answers {response.status_code}")
            elif (response.status_code, bare(response, address)) != (other.status_code, bare(other, nothing)):
                wrong.append(f"{method} {route} answers differently where there is nothing")
    assert wrong == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_whoever_is_signed_out_is_sent_to_the_door(things: Things, method: str) -> None:
    nobody, wrong = Client(), []
    for route in pages():
        response = ask(nobody, filled(route, things), method)
        door = response.status_code in (301, 302) and response["Location"].startswith("/accounts/login/")
        if not (door or response.status_code in (401, 403, 404, 405)):
            wrong.append(f"{method} {route} answers {response.status_code}")
        wrong += [f"{method} {route} tells {secret}" for secret in SECRETS if secret in told(response)]
    assert wrong == []


def test_of_every_page_it_is_said_what_it_asks_for() -> None:
    assert set(pages()) == set(NEEDS)


def test_no_role_opens_what_its_permissions_do_not(world: World, things: Things) -> None:
    wrong = []
    for role in Role:
        if role is not Role.SERVICE:
            member = signed_in(world, role, world.north)
            wrong += [fault for route in closed_to(role) for fault in opened(member, route, things, role)]
    assert wrong == []


def closed_to(role: Role) -> list[str]:
    return [route for route, permission in NEEDS.items() if permission is not None and permission not in ROLES[role]]


def opened(member: Client, route: str, things: Things, role: Role) -> list[str]:
    """What is wrong with the answer to somebody who may not."""
    response = ask(member, filled(route, things), "get")
    if response.status_code == 405:
        response = ask(member, filled(route, things), "post")
    wrong = [f"{role} {route} tells {secret}" for secret in SECRETS if secret in told(response)]
    return wrong if response.status_code in (403, 404) else [*wrong, f"{role} {route} answers {response.status_code}"]


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
        ask(owner, filled(route, things), method)
        assert AuditEntry.objects.filter(action=action, actor=f"user:{person.pk}").exists(), route
