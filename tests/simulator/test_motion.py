"""Drives add up: speed, distance, odometer, course and time tell one story."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from jilink.simulator.motion import Drive, Fix
from jilink.simulator.register import MAKES, Kind, register

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


def _drive(vehicle, seconds=1800, every=5) -> list[Fix]:
    drive = Drive(vehicle, START)
    fixes = []
    for step in range(0, seconds, every):
        drive.advance(START + timedelta(seconds=step))
        fixes.append(drive.fix())
    return fixes


def _metres(a: Fix, b: Fix) -> float:
    east = (b.longitude - a.longitude) * math.cos(math.radians(a.latitude))
    return math.hypot(east, b.latitude - a.latitude) * 111_195


@pytest.mark.parametrize("kind", Kind)
def test_distance_speed_and_odometer_agree(kind):
    vehicle = next(vehicle for vehicle in register(200) if vehicle.kind is kind)
    for before, after in pairwise(_drive(vehicle)):
        driven = (after.odometer_km - before.odometer_km) * 1000
        assert _metres(before, after) <= driven + 1.0
        fastest = max(before.speed_kmh, after.speed_kmh) / 3.6
        assert driven <= fastest * 5 + 25
        assert after.speed_kmh <= MAKES[kind].top_kmh * 1.05
        assert abs(after.speed_kmh - before.speed_kmh) <= 1.7 * 3.6 * 5 + 1 or after.speed_kmh == 0


def test_vehicles_head_where_they_go():
    turned = total = 0
    for vehicle in register(30):
        for before, after in pairwise(_drive(vehicle, 600)):
            if _metres(before, after) < 20:
                continue
            east = (after.longitude - before.longitude) * math.cos(math.radians(before.latitude))
            went = math.degrees(math.atan2(east, after.latitude - before.latitude)) % 360
            total += 1
            turned += abs((after.course - went + 180) % 360 - 180) > 60
    assert total > 1000
    assert turned < total * 0.02


def test_most_vehicles_move_and_some_rest():
    moving = [fix.speed_kmh > 3 for vehicle in register(150) for fix in _drive(vehicle, 900, 60)]
    assert 0.5 < sum(moving) / len(moving) < 0.95


def test_the_same_seed_drives_the_same_and_another_does_not():
    one, again, other = register(1, 7)[0], register(1, 7)[0], register(1, 8)[0]
    assert one == again
    assert _drive(one, 300) == _drive(again, 300)
    assert _drive(one, 300) != _drive(other, 300)


def test_a_long_pause_counts_as_parked_and_a_step_back_in_time_changes_nothing():
    drive = Drive(register(1)[0], START)
    drive.advance(START + timedelta(days=3))
    assert drive.fix().at == START + timedelta(days=3)
    before = drive.fix().odometer_km
    drive.advance(START)
    assert drive.fix().odometer_km == before


def test_the_register_is_unique_and_plausible():
    vehicles = register(5000)
    for name in ("plate", "phone", "terminal_id", "vin"):
        assert len({getattr(vehicle, name) for vehicle in vehicles}) == 5000
    assert {vehicle.kind for vehicle in vehicles} == set(Kind)
    assert {vehicle.year for vehicle in vehicles} == {2013, 2019}
    assert all(len(vehicle.plate) == 7 and vehicle.plate.startswith("吉") for vehicle in vehicles)
    assert all(len(vehicle.terminal_id) <= (30 if vehicle.year == 2019 else 7) for vehicle in vehicles)
    assert register(3, first=100) == vehicles[100:103]
