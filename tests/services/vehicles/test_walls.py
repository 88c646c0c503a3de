"""What is sensitive of a vehicle, and how far roles reach; `tests/trust` asks every page of everyone."""

import pytest
from django.http import HttpResponse
from django.test import Client

from jilink.core.observations import actions as alarms
from jilink.core.observations.actions import Raised, RuleData
from jilink.core.observations.conditions import Silence
from jilink.core.parties.rules import Role
from jilink.services.vehicles import actions
from jilink.services.vehicles.actions import VehicleData
from tests.core.world import NOW, World
from tests.services.conftest import signed_in

PLATE = "吉AWALL1"
PHONE = "13912345678"


@pytest.fixture
def asset(world: World, site: None) -> int:
    owner = world.actor(Role.OWNER, world.north)
    data = VehicleData(plate=PLATE, organisation=world.north, terminal_phone=PHONE, driver="王师傅", driver_phone="13500001111")
    number = actions.add_vehicle(data=data, by=owner, now=NOW)
    alarms.raise_alarms([Raised(organisation=world.north, asset=number, condition="overspeed", at=NOW)])
    alarms.add_rule(organisation=world.north, data=RuleData(name="吉AWALL1", condition=Silence(for_s=600)), by=owner)
    return number


def ask(client: Client, address: str, method: str) -> HttpResponse:
    given = {"organisation": "1", "terminal": "1", "plate": "X", "text": "hello", "start": "2026-05-01T00:00Z", "end": "2026-05-02T00:00Z"}
    if method == "post" and "/api/" in address:
        return client.post(address, {"message": 0x8201}, content_type="application/json")  # type: ignore[return-value]  # -- the client adds to HttpResponse
    return getattr(client, method)(address, given)


def shown(response: HttpResponse) -> str:
    return "" if response.streaming else response.content.decode()


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
