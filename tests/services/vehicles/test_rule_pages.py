"""Pages of rules: entered, tried on the last day, changed and removed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jilink.core.observations import reads
from jilink.core.observations.conditions import Flags, Geofence, Rate, Silence, Threshold
from jilink.core.observations.models import Rule
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.services.vehicles import actions, link
from jilink.services.vehicles.actions import VehicleData
from tests.core.world import World
from tests.history.fixes import drive, new_history, store
from tests.services.conftest import signed_in

pytestmark = pytest.mark.usefixtures("site")
ADD = "/vehicles/alarms/rules/add/"
SQUARE = "125, 43\n126 43\n126，44\n\n125,44"
COMMON = {"name": "R", "level": "2", "enabled": "on"}
GIVEN = {
    "threshold": (
        {"value": "speed", "side": "above", "limit": "30", "clear": "20", "minutes": "0.5"},
        Threshold("speed", "above", 30, 20, 30),
    ),
    "geofence": (
        {"side": "outside", "corners": SQUARE, "minutes": "2"},
        Geofence((((125, 43), (126, 43), (126, 44), (125, 44)),), "outside", 120),
    ),
    "silence": ({"minutes": "10"}, Silence(600)),
    "rate": ({"value": "fuel", "side": "falling", "per_minute": "1.5", "over_s": "90"}, Rate("fuel", "falling", 1.5, 90)),
    "flags": ({"word": "io", "bits": "0, 3", "which": "clear", "minutes": "0"}, Flags("io", 0b1001, False, 0)),
}


@pytest.mark.parametrize("kind", list(GIVEN))
def test_every_kind_of_rule_is_entered_shown_again_and_removed(world: World, kind: str) -> None:
    given, condition = GIVEN[kind]
    browser = signed_in(world, Role.SUPERVISOR, world.north)
    assert browser.get(ADD + kind).status_code == 200
    assert browser.post(ADD + kind, {"organisation": world.north, **COMMON, **given})["Location"] == "/vehicles/alarms/rules"
    number = Rule.objects.get().pk
    view = reads.rule(world.actor(Role.SUPERVISOR, world.north), number)
    assert (view.condition, view.name, view.level, view.enabled) == (condition, "R", 2, True)
    form = browser.get(f"/vehicles/alarms/rules/{number}").context["form"]
    again = {name: form.initial[name] for name in form.fields if form.initial.get(name) is not None}
    assert browser.post(f"/vehicles/alarms/rules/{number}", {**again, "name": "S"}).status_code == 302
    assert reads.rule(world.actor(Role.SUPERVISOR, world.north), number).condition == condition
    assert "S" in browser.get("/vehicles/alarms/rules").content.decode()
    browser.post(f"/vehicles/alarms/rules/{number}/remove")
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("threshold", {"clear": "40"}),
        ("geofence", {"corners": "1 2\n3 4"}),
        ("geofence", {"corners": "here"}),
        ("geofence", {"corners": '{"type": "Point", "coordinates": [1, 2]}'}),
        ("geofence", {"corners": "[" * 90_000}),
        ("silence", {"minutes": "0"}),
        ("flags", {"bits": "99"}),
        ("threshold", {"name": ""}),
        ("threshold", {"limit": "nan"}),
    ],
)
def test_what_makes_no_sense_is_shown_again_with_words(world: World, kind: str, wrong: dict[str, str]) -> None:
    browser = signed_in(world, Role.SUPERVISOR, world.north)
    answer = browser.post(ADD + kind, {"organisation": world.north, **COMMON, **GIVEN[kind][0], **wrong})
    assert answer.status_code == 400 and answer.context["form"].errors
    assert not Rule.objects.exists()


def test_a_dispatcher_meets_no_rules(world: World) -> None:
    browser = signed_in(world, Role.DISPATCHER, world.north)
    assert "/vehicles/alarms/rules" not in browser.get("/vehicles/alarms").content.decode()
    for address in ("/vehicles/alarms/rules", ADD + "silence"):
        assert browser.get(address).status_code == 404
    assert browser.post(ADD + "silence", {"organisation": world.north, **COMMON, "minutes": "5"}).status_code == 404


def test_a_rule_is_tried_on_the_last_day_and_nothing_is_saved(world: World, settings: Any, tmp_path: Path) -> None:
    settings.JILINK = replace(settings.JILINK, data=tmp_path)
    asset = actions.add_vehicle(data=VehicleData(plate="吉A12345", organisation=world.north), by=world.actor(Role.OWNER, world.north))
    start = utc_now().replace(microsecond=0) - timedelta(hours=3)
    store(new_history(tmp_path), drive(91, start=start, organisation=world.north, asset=asset))
    browser = signed_in(world, Role.SUPERVISOR, world.north)
    try:
        fast = browser.post(ADD + "threshold", {"organisation": world.north, **COMMON, **GIVEN["threshold"][0], "try": "1"}).context[
            "trial"
        ]
        silent = browser.post(ADD + "silence", {"organisation": world.north, **COMMON, "minutes": "10", "try": "1"}).context["trial"]
        foreign = browser.post(ADD + "silence", {"organisation": world.south, **COMMON, "minutes": "10", "try": "1"})
    finally:
        link.close()
    assert (fast.alarms, fast.assets, fast.looked_at) == (1, 1, 1)
    assert fast.shown[0].label == "吉A12345" and fast.shown[0].raised_at == start + timedelta(seconds=30)
    assert silent.alarms == 1 and silent.shown[0].cleared_at is None
    assert foreign.status_code == 400 and not Rule.objects.exists()
