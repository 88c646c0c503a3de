"""Alarms of all vehicles: the list, acknowledgement of many, its undo, and what is new."""

import json
import re
from datetime import datetime, timedelta

import pytest
from django.test import Client

from jilink.core.observations import actions as alarms
from jilink.core.observations.actions import Cleared, Raised, TooLate, TooMany
from jilink.core.observations.models import Alarm
from jilink.core.parties.access import NotFound
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId
from jilink.services.vehicles import actions
from jilink.services.vehicles.actions import VehicleData
from tests.core.world import World
from tests.services.conftest import signed_in

pytestmark = pytest.mark.usefixtures("site")


def vehicle(world: World, plate: str) -> AssetId:
    data = VehicleData(plate=plate, organisation=world.north)
    return AssetId(actions.add_vehicle(data=data, by=world.actor(Role.OWNER, world.north)))


def alarm(world: World, asset: AssetId, condition: str = "overspeed", ago: float = 60, **more: object) -> int:
    at = utc_now() - timedelta(seconds=ago)
    alarms.raise_alarms([Raised(organisation=world.north, asset=asset, condition=condition, at=at, **more)])
    return Alarm.objects.get(asset_id=asset, condition=condition, raised_at=at).pk


def listed(browser: Client, **query: str) -> list[str]:
    text = browser.get("/vehicles/alarms", query, headers={"HX-Request": "true"}).content.decode()
    return re.findall(r'data-alarm="(\d+)"', text)


def test_the_list_says_in_its_address_what_it_shows(world: World) -> None:
    a, b = vehicle(world, "吉A11111"), vehicle(world, "吉B22222")
    speeding, smoking, old = alarm(world, a), alarm(world, b, "dsm.smoking", level=2), alarm(world, b, "rollover", ago=9 * 86400)
    alarms.clear_alarms([Cleared(asset=a, condition="overspeed", at=utc_now())])
    browser = signed_in(world, Role.DISPATCHER, world.north)
    assert listed(browser) == [str(smoking), str(speeding)]
    assert listed(browser, state="open") == [str(smoking)]
    assert listed(browser, family="dsm") == [str(smoking)] and listed(browser, family="device") == [str(speeding)]
    assert listed(browser, q="a111") == [str(speeding)]
    assert listed(browser, days="30", state="all") == [str(smoking), str(speeding), str(old)]
    alarms.acknowledge_alarms(alarms=[smoking], by=world.actor(Role.DISPATCHER, world.north))
    assert listed(browser, state="acknowledged") == [str(smoking)] and listed(browser) == [str(speeding)]
    for odd in ("state=x", "family=x", "days=x", "page=0", "q=%00", "days=99999999999"):
        assert browser.get(f"/vehicles/alarms?{odd}").status_code == 200


def test_many_are_acknowledged_at_once_with_name_and_time_and_undone_within_ten_seconds(world: World) -> None:
    asset = vehicle(world, "吉A11111")
    numbers = [alarm(world, asset, condition) for condition in ("overspeed", "emergency", "fatigue")]
    browser = signed_in(world, Role.DISPATCHER, world.north)
    back = "/vehicles/alarms?state=open"
    response = browser.post("/vehicles/alarms/acknowledge", {"alarm": numbers[:2], "back": back})
    assert response["Location"] == back
    rows = list(Alarm.objects.filter(pk__in=numbers[:2]).values_list("acknowledged_by__username", "acknowledged_at"))
    assert {name for name, _ in rows} == {f"dispatcher-{world.north}"} and len({at for _, at in rows}) == 1
    shown = browser.get(back).content.decode()
    undo = re.search(r"/vehicles/alarms/undo/\d+", shown)
    assert undo and "dispatcher-" in shown
    stranger = signed_in(world, Role.SUPERVISOR, world.north)
    assert stranger.post(undo[0]).status_code == 404, "only who acknowledged can undo it"
    assert browser.post(undo[0], headers={"Referer": f"http://testserver{back}"})["Location"] == f"http://testserver{back}"
    assert Alarm.objects.filter(acknowledged_at=None).count() == 3
    told = list(AuditEntry.objects.filter(action__startswith="alarm.").values_list("action", flat=True))
    assert sorted(told) == ["alarm.acknowledged"] * 2 + ["alarm.acknowledgement_undone"] * 2
    assert browser.post(undo[0]).status_code == 404, "a second time there is nothing to undo"


def test_an_acknowledgement_cannot_be_undone_later_and_the_first_one_stays(world: World) -> None:
    number = alarm(world, vehicle(world, "吉A11111"))
    first, second = world.actor(Role.DISPATCHER, world.north), world.actor(Role.SUPERVISOR, world.north)
    now = utc_now()
    done = alarms.acknowledge_alarms(alarms=[number], by=first, now=now)
    assert alarms.acknowledge_alarms(alarms=[number], by=second, now=now + timedelta(seconds=1)).assets == ()
    with pytest.raises(TooLate):
        alarms.undo_acknowledgement(at=done.at, by=first, now=now + timedelta(seconds=13))
    assert Alarm.objects.get().acknowledged_by_id == first.user
    assert alarms.undo_acknowledgement(at=done.at, by=first, now=now + timedelta(seconds=11)) == 1


def test_one_alarm_behind_a_wall_stops_the_whole_acknowledgement(world: World) -> None:
    mine = alarm(world, vehicle(world, "吉A11111"))
    for stranger in (world.actor(Role.OWNER, world.south), world.actor(Role.ANALYST, world.north)):
        with pytest.raises(NotFound):
            alarms.acknowledge_alarms(alarms=[mine], by=stranger)
    with pytest.raises(NotFound):
        alarms.acknowledge_alarms(alarms=[mine, 987654], by=world.actor(Role.OWNER, world.north))
    with pytest.raises(TooMany):
        alarms.acknowledge_alarms(alarms=range(1, 502), by=world.actor(Role.OWNER, world.north))
    assert Alarm.objects.get().acknowledged_at is None


def test_no_other_address_than_the_list_is_gone_back_to(world: World) -> None:
    browser = signed_in(world, Role.DISPATCHER, world.north)
    for back in ("https://elsewhere.example/", "//elsewhere.example", "/vehicles/alarmsx", ""):
        assert browser.post("/vehicles/alarms/acknowledge", {"back": back})["Location"] == "/vehicles/alarms"


def test_a_script_learns_what_is_new_and_nothing_of_others(world: World) -> None:
    asset = vehicle(world, "吉A11111")
    first = alarm(world, asset)
    browser = signed_in(world, Role.DISPATCHER, world.north)
    begin = browser.get("/vehicles/alarms/news").json()
    assert begin == {"newest": first, "waiting": 1, "fresh": 0, "text": ""}
    second = alarm(world, asset, "emergency")
    alarm(world, asset, "rollover", ago=7200)
    news = browser.get("/vehicles/alarms/news", {"after": begin["newest"]}).json()
    assert (news["newest"], news["waiting"], news["fresh"]) == (second, 2, 1) and "吉A11111" in news["text"]
    assert signed_in(world, Role.OWNER, world.south).get("/vehicles/alarms/news", {"after": "0"}).json()["fresh"] == 0


def test_programs_acknowledge_and_undo(world: World) -> None:
    number = alarm(world, vehicle(world, "吉A11111"))
    browser = signed_in(world, Role.DISPATCHER, world.north)
    done = browser.post("/api/v1/alarms/acknowledge", {"alarms": [number]}, content_type="application/json").json()
    assert done["count"] == 1 and datetime.fromisoformat(done["at"]).tzinfo
    undone = browser.post("/api/v1/alarms/acknowledge/undo", json.dumps({"at": done["at"]}), content_type="application/json")
    assert undone.status_code == 204 and Alarm.objects.get().acknowledged_at is None


def test_the_map_learns_plates_of_its_own_vehicles_only(world: World) -> None:
    asset = vehicle(world, "吉A11111")
    assert signed_in(world, Role.ANALYST, world.north).get("/vehicles/names", {"of": f"{asset},x,9999"}).json() == {str(asset): "吉A11111"}
    assert signed_in(world, Role.OWNER, world.south).get("/vehicles/names", {"of": str(asset)}).json() == {}


def test_a_storm_is_shown_once_opened_one_by_one_and_acknowledged_whole(world: World) -> None:
    fleet = [vehicle(world, f"吉S{n:05}") for n in range(11)]
    numbers = [alarm(world, asset, ago=60 - n) for n, asset in enumerate(fleet)]
    storm = str(Alarm.objects.exclude(storm=None).values_list("storm_id", flat=True).first())
    browser = signed_in(world, Role.DISPATCHER, world.north)
    assert listed(browser) == [str(numbers[-1])]
    assert listed(browser, storm=storm) == [str(number) for number in reversed(numbers)]
    stranger = signed_in(world, Role.OWNER, world.south)
    assert listed(stranger, storm=storm) == []
    stranger.post("/vehicles/alarms/acknowledge", {"storm": storm})
    assert Alarm.objects.filter(acknowledged_at=None).count() == 11
    browser.post("/vehicles/alarms/acknowledge", {"storm": storm})
    assert Alarm.objects.filter(acknowledged_at=None).count() == 0 and listed(browser) == []
