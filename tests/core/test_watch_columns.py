"""Latest values: the same result whatever the order, the number and the grouping of deliveries."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from jilink.core.observations import rules
from jilink.core.observations.columns import Edge, Fleet
from jilink.spine.measurements import LATEST, POSITIONS, SESSIONS

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
Row = dict[str, object]


def fix(asset: int, measured_s: float, *, received_s: float | None = None, serial: int = 0, **fields: object) -> Row:
    row: Row = {
        "organisation": 1,
        "asset": asset,
        "measured_at": NOW + timedelta(seconds=measured_s),
        "received_at": NOW + timedelta(seconds=measured_s + 1 if received_s is None else received_s),
        "message": 0x0200,
        "serial": serial,
        "part": 0,
        "backfill": False,
        "alarm": 0,
        "status": 3,
        "latitude": 43_800_000 + asset,
        "longitude": 125_300_000 + asset,
        "speed": 400,
        "course": 90,
    }
    return row | fields


def batch(*rows: Row) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=POSITIONS)


def sessions(*rows: tuple[int, float, bool, str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [{"organisation": 1, "asset": a, "at": NOW + timedelta(seconds=s), "online": o, "worker": "w", "reason": r} for a, s, o, r in rows],
        schema=SESSIONS,
    )


def table(fleet: Fleet, seconds: float = 0) -> list[dict[str, object]]:
    fleet.refresh(NOW_MS + int(seconds * 1000))
    latest = fleet.latest(fleet.all_rows())
    assert latest.schema.equals(LATEST)
    rows: list[dict[str, object]] = latest.to_pylist()
    return rows


def test_the_newest_fix_is_given_back_with_its_nulls_and_items() -> None:
    fleet = Fleet()
    fleet.apply_positions(batch(fix(7, 0, items=b"\x51\x01\x00", altitude=None, fuel=12), fix(9, 0, measured_at=None)))
    rows = table(fleet)
    assert [row["asset"] for row in rows] == [7, 9]
    assert (rows[0]["items"], rows[0]["altitude"], rows[0]["fuel"], rows[0]["measured_at"]) == (b"\x51\x01\x00", None, 12, NOW)
    assert (rows[1]["items"], rows[1]["measured_at"], rows[1]["state"]) == (None, None, rules.MOVING)


def model(rows: list[Row]) -> dict[int, Row]:
    """Return the newest of each asset, by the plainest means."""
    best: dict[int, Row] = {}

    def order(row: Row) -> tuple[object, ...]:
        return (row["measured_at"] or row["received_at"], row["received_at"], row["serial"], row["part"])

    for row in rows:
        asset = int(str(row["asset"]))
        if asset not in best or order(row) > order(best[asset]):
            best[asset] = row
    return best


def test_shuffled_duplicated_and_late_batches_give_the_model_values() -> None:
    for seed in range(10):
        chance = random.Random(seed)
        rows: list[Row] = []
        for number in range(400):
            asset = chance.randrange(1, 2500, 13)
            backfill = chance.random() < 0.2
            measured = number - (chance.randrange(300) if backfill else 0)
            row = fix(asset, measured, received_s=number + 1, serial=number, backfill=backfill, speed=chance.randrange(1200))
            if chance.random() < 0.1:
                row |= {"latitude": None, "longitude": None}
            if chance.random() < 0.05:
                row |= {"measured_at": None}
            rows.append(row)
        expected = model(rows)
        deliveries = rows + chance.sample(rows, 100)
        chance.shuffle(deliveries)
        fleet = Fleet()
        while deliveries:
            size = chance.randrange(1, 60)
            part, deliveries = deliveries[:size], deliveries[size:]
            fleet.apply_positions(batch(*part))
            if chance.random() < 0.1:
                fleet = Fleet.restored(fleet.export())
        found = {int(str(row["asset"])): row for row in table(fleet)}
        assert found.keys() == expected.keys()
        for asset, row in expected.items():
            for name in ("measured_at", "received_at", "serial", "latitude", "speed", "backfill"):
                assert found[asset][name] == row[name], (seed, asset, name)
            located = model([r for r in rows if r["asset"] == asset and r["latitude"] is not None])
            assert found[asset]["located_latitude"] == (located[asset]["latitude"] if located else None)


def test_a_hundred_thousand_assets_grow_in_place() -> None:
    fleet = Fleet()
    assets = np.random.default_rng(1).permutation(100_000) * 3 + 1
    for part in np.array_split(assets, 7):
        template = batch(fix(1, 0)).take(pa.array(np.zeros(part.size, np.int64)))
        columns = [pa.array(part) if name == "asset" else template.column(name) for name in POSITIONS.names]
        fleet.apply_positions(pa.RecordBatch.from_arrays(columns, schema=POSITIONS))
    assert fleet.count == 100_000
    assert (fleet.numbers("asset")[fleet.rows_of(assets)] == assets).all()
    assert fleet.rows_of(np.array([0, 2, 300_001])).tolist() == [-1, -1, -1]


def states(fleet: Fleet, seconds: float) -> list[object]:
    return [row["state"] for row in table(fleet, seconds)]


def test_an_asset_is_offline_after_ten_minutes_of_silence() -> None:
    fleet = Fleet()
    fleet.apply_positions(batch(fix(1, 0, received_s=0), fix(2, 0, received_s=0, speed=29), fix(3, 0, received_s=0, alarm=1)))
    assert states(fleet, 599.9) == [rules.MOVING, rules.IDLE, rules.ALARM]
    assert states(fleet, 600) == [rules.OFFLINE] * 3
    fleet.apply_positions(batch(fix(2, -3600, received_s=601, backfill=True)))
    assert states(fleet, 602) == [rules.OFFLINE, rules.IDLE, rules.OFFLINE]


def test_an_asset_is_offline_when_its_session_ends_until_it_is_heard_of_again() -> None:
    fleet = Fleet()
    fleet.apply_positions(batch(fix(1, 0, received_s=0)))
    fleet.apply_sessions(sessions((1, -1, True, "")))
    fleet.apply_sessions(sessions((1, 5, False, "replaced")))
    assert states(fleet, 6) == [rules.MOVING]
    fleet.apply_sessions(sessions((1, 7, False, "idle")))
    assert states(fleet, 8) == [rules.OFFLINE]
    fleet.apply_sessions(sessions((1, 9, True, "")))
    fleet.apply_sessions(sessions((1, 7, False, "idle")))
    assert states(fleet, 10) == [rules.MOVING]


def test_an_asset_that_never_told_its_place_has_state_zero() -> None:
    fleet = Fleet()
    fleet.apply_positions(batch(fix(1, 0, latitude=None, longitude=None)))
    assert states(fleet, 1) == [rules.NEVER]
    fleet.apply_positions(batch(fix(1, 2)))
    fleet.apply_positions(batch(fix(1, 4, latitude=None, longitude=None)))
    (row,) = table(fleet, 5)
    assert (row["state"], row["latitude"], row["located_latitude"]) == (rules.MOVING, None, 43_800_001)


def told(edges: list[Edge]) -> list[tuple[int, str, bool, int]]:
    return [(edge.asset, edge.condition, edge.raised, int(edge.at.timestamp()) - NOW_MS // 1000) for edge in edges]


def test_a_device_alarm_begins_and_ends_with_its_bit() -> None:
    fleet = Fleet()
    assert told(fleet.apply_positions(batch(fix(1, 0, alarm=0b10), fix(2, 0)))) == [(1, "overspeed", True, 0)]
    assert fleet.apply_positions(batch(fix(1, 10, alarm=0b10))) == []
    assert told(fleet.apply_positions(batch(fix(1, 30), fix(1, 20, alarm=0b11)))) == [
        (1, "emergency", True, 20),
        (1, "emergency", False, 30),
        (1, "overspeed", False, 30),
    ]
    assert fleet.apply_positions(batch(fix(1, 25, alarm=1))) == [], "late: a newer fix has told already"


def test_redelivered_and_restored_alarms_tell_nothing_new() -> None:
    fleet = Fleet()
    first = batch(fix(1, 0, alarm=1), fix(2, 0, alarm=1 << 27, latitude=None, longitude=None))
    edges = fleet.apply_positions(first)
    assert [(edge.condition, edge.latitude) for edge in edges] == [("emergency", 43_800_001), ("illegal_ignition", None)]
    assert fleet.apply_positions(first) == []
    again = Fleet.restored(fleet.export())
    assert again.apply_positions(first) == []
    assert told(again.apply_positions(batch(fix(1, 5)))) == [(1, "emergency", False, 5)]


def test_alarms_open_in_the_database_are_closed_by_the_first_fix_without_them() -> None:
    fleet = Fleet()
    fleet.set_open_alarms({1: rules.word({"emergency"}), 2: rules.word({"rollover", "unknown"})}, {1: 1, 2: 1})
    assert told(fleet.apply_positions(batch(fix(1, 0), fix(2, 0, alarm=1 << 30)))) == [(1, "emergency", False, 0)]


def test_assets_that_are_gone_are_forgotten_and_moved_ones_belong_to_their_new_owner() -> None:
    fleet = Fleet()
    fleet.apply_positions(batch(*(fix(asset, 0) for asset in (1, 2, 3))))
    fleet.set_owners(np.array([1, 3, 8]), np.array([1, 5, 5]))
    assert [(row["asset"], row["organisation"]) for row in table(fleet)] == [(1, 1), (3, 5)]
    assert fleet.numbers("asset")[fleet.of_organisations([5])].tolist() == [3, 8]
    assert fleet.left == {1}
    fleet.set_owners(np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert table(fleet) == []
