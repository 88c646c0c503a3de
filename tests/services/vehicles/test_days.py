"""The last seven days of a vehicle, from a real history."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role
from jilink.kernel.clock import CHINA, utc_now
from jilink.services.vehicles import actions, link
from jilink.services.vehicles.actions import VehicleData
from jilink.webkit import link as webkit
from tests.core.world import World
from tests.history.fixes import drive, new_history, store
from tests.services.conftest import signed_in


@pytest.mark.usefixtures("site")
def test_each_of_the_last_seven_days_shows_what_the_vehicle_did(world: World, settings: Any, tmp_path: Path) -> None:
    settings.JILINK = replace(settings.JILINK, data=tmp_path)
    data = VehicleData(plate="吉A12345", organisation=world.north)
    asset = actions.add_vehicle(data=data, by=world.actor(Role.OWNER, world.north))
    noon = datetime.now(CHINA).replace(hour=0, minute=5, second=0, microsecond=0) - timedelta(days=1)
    of = {"organisation": world.north, "asset": asset}
    store(
        new_history(tmp_path),
        drive(361, start=noon, **of),
        drive(91, start=noon - timedelta(days=3), **of),
        drive(91, start=noon - timedelta(days=8), **of),
        drive(91, start=noon, organisation=world.south, asset=asset),
    )
    browser = signed_in(world, Role.DISPATCHER, world.north)
    browser.post("/i18n/setlang/", {"language": "en", "next": "/"})
    try:
        answer = browser.get(f"/vehicles/{asset}/track")
    finally:
        link.close()
        webkit.close()
    shown = {day["day"]: day["totals"] for day in answer.context["days"]}
    assert list(shown) == [noon.date(), noon.date() - timedelta(days=3)], "newest first, older than seven days not at all"
    assert (shown[noon.date()].distance_odometer_km, shown[noon.date()].driving_s) == (36.0, 3600)
    assert shown[noon.date()].top_speed_kmh == 36 and shown[noon.date()].distance_geometry_km == pytest.approx(36, rel=0.01)
    text = answer.content.decode()
    assert 'id="days"' in text and f"{noon:%Y-%m-%d}" in text
    assert AuditEntry.objects.filter(action="track.read", at__gte=utc_now() - timedelta(minutes=5)).count() == 1
