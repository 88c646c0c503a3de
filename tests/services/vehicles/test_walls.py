"""Every page and API operation of the vehicles service, asked by strangers, by too low a role, and signed out."""

from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from jilink.core.observations import actions as alarms
from jilink.core.observations.actions import Raised, RuleData
from jilink.core.observations.conditions import Silence
from jilink.core.observations.models import Alarm, Rule
from jilink.core.parties.rules import Role
from jilink.services.vehicles import actions
from jilink.services.vehicles.actions import VehicleData
from tests.core.world import NOW, World
from tests.services.conftest import signed_in

PLATE = "吉AWALL1"
PHONE = "13912345678"
OPEN = ("accounts/", "i18n/", "basemap/", "healthz", "readyz", "api/")
"""Doors that everyone may pass; they hold nothing of anyone."""
CONSOLE = "console/"
"""Its rooms try their own walls."""


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    for each in (resolver or get_resolver()).url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each, route)
        elif isinstance(each, URLPattern):
            yield route


def addresses() -> list[str]:
    own = ("api/v1/vehicles", "api/v1/alarms")  # of the other operations the console's own test asks
    return sorted({route for route in patterns() if route.startswith(own) or not route.startswith((*OPEN, CONSOLE))})


@pytest.fixture
def asset(world: World, site: None) -> int:
    owner = world.actor(Role.OWNER, world.north)
    data = VehicleData(plate=PLATE, organisation=world.north, terminal_phone=PHONE, driver="王师傅", driver_phone="13500001111")
    number = actions.add_vehicle(data=data, by=owner, now=NOW)
    alarms.raise_alarms([Raised(organisation=world.north, asset=number, condition="overspeed", at=NOW)])
    alarms.add_rule(organisation=world.north, data=RuleData(name="吉AWALL1", condition=Silence(for_s=600)), by=owner)
    return number


def filled(route: str, asset: int, other: int | None = None) -> str:
    alarm, rule = other or Alarm.objects.get().pk, other or Rule.objects.get().pk
    text = (
        route.replace("<int:asset>", str(asset))
        .replace("<int:alarm>", str(alarm))
        .replace("<slug:name>", "text")
        .replace("<int:media>", "7")
        .replace("<int:rule>", str(rule))
        .replace("<int:letter>", str(other or 7))
        .replace("<int:moment>", "1777622400000000")
    )
    assert "<" not in text, f"the wall test does not know how to fill {route}"
    return "/" + text


def ask(client: Client, address: str, method: str) -> HttpResponse:
    given = {"organisation": "1", "terminal": "1", "plate": "X", "text": "hello", "start": "2026-05-01T00:00Z", "end": "2026-05-02T00:00Z"}
    if method == "post" and "/api/" in address:
        return client.post(address, {"message": 0x8201}, content_type="application/json")  # type: ignore[return-value]  # -- the client adds to HttpResponse
    return getattr(client, method)(address, given)


def shown(response: HttpResponse) -> str:
    return "" if response.streaming else response.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_member_of_another_organisation_is_refused_and_learns_nothing(world: World, asset: int, method: str) -> None:
    stranger = signed_in(world, Role.OWNER, world.south)
    for route in addresses():
        refused(stranger, asset, route, method)


def refused(stranger: Client, asset: int, route: str, method: str) -> None:
    address = filled(route, asset)
    response = ask(stranger, address, method)
    text = shown(response)
    assert not any(secret in text for secret in (PLATE, "AWALL1", "5678", "王师傅", "overspeed"))
    if address != "/" + route:
        assert response.status_code in (404, 405), (route, response.status_code)
        missing = ask(stranger, filled(route, 987654, 987654), method)
        assert missing.status_code == response.status_code
    assert Alarm.objects.get().acknowledged_at is None


@pytest.mark.parametrize("method", ["get", "post"])
def test_whoever_is_signed_out_is_sent_to_the_door(world: World, asset: int, method: str) -> None:
    for route in addresses():
        turned_away(asset, route, method)


def turned_away(asset: int, route: str, method: str) -> None:
    response = ask(Client(), filled(route, asset), method)
    text = shown(response)
    assert PLATE not in text
    door = response.status_code in (301, 302) and (
        response["Location"].startswith("/accounts/login/") or response["Location"] == "/vehicles/"
    )
    assert door or response.status_code in (401, 403, 404, 405), (route, response.status_code)


SENSITIVE = ["track", "media", "media/7", "track.json", "frames", "edit", "record", "remove", "reveal", "commands", "commands/text"]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("tail", SENSITIVE)
def test_an_analyst_sees_vehicles_but_nothing_sensitive(world: World, asset: int, tail: str, method: str) -> None:
    analyst = signed_in(world, Role.ANALYST, world.north)
    assert PLATE in shown(analyst.get("/vehicles/"))
    assert PHONE not in shown(analyst.get(f"/vehicles/{asset}/"))
    assert ask(analyst, f"/vehicles/{asset}/{tail}", method).status_code in (404, 405)


def test_a_role_holds_below_its_organisation_and_not_above(world: World, asset: int) -> None:
    below = signed_in(world, Role.OWNER, world.depot)
    assert below.get(f"/vehicles/{asset}/").status_code == 404
    owner = world.actor(Role.OWNER, world.depot)
    deep = actions.add_vehicle(data=VehicleData(plate="吉ADEEP1", organisation=world.depot), by=owner, now=NOW)
    assert signed_in(world, Role.OWNER, world.north).get(f"/vehicles/{deep}/").status_code == 200
