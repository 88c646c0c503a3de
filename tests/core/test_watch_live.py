"""Map frames, read back by a decoder written from the format's text alone."""

import random
import struct
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest

from jilink.core.observations import rules
from jilink.core.observations.columns import Fleet
from jilink.core.observations.live import Boards
from jilink.spine.measurements import POSITIONS
from tests.core.test_watch_columns import NOW_MS, batch, fix

Shown = tuple[float, float, int, int, int]


@dataclass
class Viewer:
    """What a page knows: decodes frames in order and keeps (longitude, latitude, course, speed, state) by asset."""

    tick: int = -1
    assets: list[int] = field(default_factory=list)
    shown: dict[int, Shown] = field(default_factory=dict)
    snapshots: int = 0

    def take(self, frame: bytes, organisation: int = 1) -> None:
        kind, version, zero, owner, tick, n = struct.unpack_from("<BBHIII", frame)
        lon0, lat0, lon_span, lat_span = struct.unpack_from("<ffff", frame, 16)
        assert (version, zero, owner) == (1, 0, organisation)
        at = 32
        columns = []
        for kind_of_column in ("I" if kind == 1 else "H", "H", "H", "B", "B", "B", "B"):
            values = struct.unpack_from(f"<{n}{kind_of_column}", frame, at)
            columns.append(values)
            at += struct.calcsize(f"<{n}{kind_of_column}")
            at += -at % 4
        assert at == len(frame)
        first, xs, ys, fines, courses, speeds, states = columns
        if kind == 1:
            self.assets, self.shown = list(first), {}
            self.snapshots += 1
        else:
            assert tick == self.tick + 1
        self.tick = tick
        slot = 0
        for i in range(n):
            if kind == 1:
                slot = i
            else:
                slot += first[i]
                if first[i] == 65535:
                    continue
            lon = lon0 + lon_span * (xs[i] * 16 + (fines[i] >> 4)) / 2**20
            lat = lat0 + lat_span * (ys[i] * 16 + (fines[i] & 15)) / 2**20
            self.shown[self.assets[slot]] = (lon, lat, courses[i], speeds[i], states[i])


def frames(boards: Boards, viewer: Viewer, seconds: float) -> int:
    found = boards.frames(NOW_MS + int(seconds * 1000))
    for organisation, frame in found:
        viewer.take(frame, organisation)
    return sum(len(frame) for _, frame in found)


def test_a_snapshot_shows_place_course_speed_and_state() -> None:
    fleet = Fleet()
    boards = Boards(fleet)
    viewer = Viewer()
    fleet.apply_positions(
        batch(
            fix(1, 0, longitude=125_300_000, latitude=43_800_000, speed=605, course=270),
            fix(2, 0, longitude=131_000_123, latitude=41_200_456, speed=0, course=359),
            fix(3, 0, longitude=None, latitude=None),
            fix(4, 0, speed=None, course=None, alarm=1),
            fix(5, 0, speed=9999),
        )
    )
    frames(boards, viewer, 0)
    lon, lat, course, speed, state = viewer.shown[1]
    assert (lon, lat) == (pytest.approx(125.3, abs=1e-5), pytest.approx(43.8, abs=1e-5))
    assert (course, speed, state) == (192, 61, rules.MOVING)
    assert viewer.shown[2][:2] == (pytest.approx(131.000123, abs=1e-5), pytest.approx(41.200456, abs=1e-5))
    assert viewer.shown[2][2:] == (255, 0, rules.IDLE)
    assert viewer.shown[3][4] == rules.NEVER
    assert viewer.shown[4][2:] == (0, 0, rules.ALARM)
    assert viewer.shown[5][3] == 255


def test_nothing_is_sent_while_nothing_looks_different() -> None:
    fleet = Fleet()
    boards = Boards(fleet)
    viewer = Viewer()
    fleet.apply_positions(batch(fix(1, 0)))
    assert frames(boards, viewer, 0)
    assert not frames(boards, viewer, 1)
    fleet.apply_positions(batch(fix(1, 2)))
    assert not frames(boards, viewer, 2), "the same place, speed and course again"
    fleet.apply_positions(batch(fix(1, 3, speed=500)))
    assert frames(boards, viewer, 3)
    assert viewer.snapshots == 1


def test_silence_turns_a_vehicle_grey_on_the_map() -> None:
    fleet = Fleet()
    boards = Boards(fleet)
    viewer = Viewer()
    fleet.apply_positions(batch(fix(1, 0, received_s=0)))
    frames(boards, viewer, 1)
    frames(boards, viewer, 600)
    assert (viewer.shown[1][4], viewer.snapshots) == (rules.OFFLINE, 1)


def test_snapshot_and_changes_come_to_the_same_as_a_new_snapshot() -> None:
    for seed in range(5):
        chance = random.Random(seed)
        fleet = Fleet()
        boards = Boards(fleet)
        early, late = Viewer(), Viewer()
        early.take(boards.snapshot(1, NOW_MS))
        for second in range(1, 60):
            rows = [
                fix(
                    chance.randrange(1, 40 + second * 2),
                    second,
                    speed=chance.randrange(1200),
                    latitude=43_000_000 + chance.randrange(20_000 * second),
                    organisation=1,
                )
                for _ in range(chance.randrange(12))
            ]
            fleet.apply_positions(batch(*rows))
            if second >= 30:
                owners = np.array([asset for asset in range(1, 200) if asset % 7])
                fleet.set_owners(owners, np.ones(owners.size, np.int64))
            found = boards.frames(NOW_MS + second * 1000)
            for _, frame in found:
                early.take(frame)
                if second > 40:
                    late.take(frame)
            if second == 40:
                late.take(boards.snapshot(1, NOW_MS + second * 1000))
        final = Viewer()
        final.take(boards.snapshot(1, NOW_MS + 59_000))
        assert early.shown == late.shown == final.shown
        assert not any(asset % 7 == 0 for asset in final.shown)


def test_one_organisation_sees_nothing_of_another() -> None:
    fleet = Fleet()
    boards = Boards(fleet)
    fleet.apply_positions(batch(fix(1, 0), fix(2, 0, organisation=5), fix(3, 0, organisation=5)))
    found = dict(boards.frames(NOW_MS))
    one, five = Viewer(), Viewer()
    one.take(found[1], 1)
    five.take(found[5], 5)
    assert (set(one.shown), set(five.shown)) == ({1}, {2, 3})
    fleet.set_owners(np.array([1, 2, 3]), np.array([1, 1, 5]))
    for organisation, frame in boards.frames(NOW_MS + 2000):
        (one if organisation == 1 else five).take(frame, organisation)
    assert (set(one.shown), set(five.shown)) == ({1, 2}, {3})
    assert boards.frames(NOW_MS + 4000) == []
    nobody = Viewer()
    nobody.take(boards.snapshot(77, NOW_MS), 77)
    assert nobody.shown == {}


def test_gaps_wider_than_a_column_can_say_are_bridged() -> None:
    count = 200_001
    template = batch(fix(1, 0)).take(pa.array(np.zeros(count, np.int64)))
    columns = {name: template.column(name) for name in POSITIONS.names} | {"asset": pa.array(np.arange(1, count + 1))}
    fleet = Fleet()
    boards = Boards(fleet)
    viewer = Viewer()
    fleet.apply_positions(pa.RecordBatch.from_arrays(list(columns.values()), schema=POSITIONS))
    frames(boards, viewer, 0)
    moved = [65_535, 65_536, 65_537, 131_072, 200_001]
    fleet.apply_positions(batch(*(fix(asset, 5, speed=100, latitude=43_800_001, longitude=125_300_001) for asset in moved)))
    assert frames(boards, viewer, 5) < 200
    assert [asset for asset, shown in viewer.shown.items() if shown[3] == 10] == moved
