"""The formulas, on tracks whose answers can be worked out by hand."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from jilink.history.columns import prepare
from jilink.history.summaries import SUMMARY, summarise, total
from tests.history.fixes import NOON, drive, fix, table

DAY = date(2026, 11, 20)


def summary(rows: list[dict[str, object]]) -> dict[str, object]:
    (row,) = summarise(prepare(table(rows)).table).to_pylist()
    return dict(row)


def test_a_steady_drive_counts_its_time_and_both_distances() -> None:
    row = summary(drive(361))
    assert (row["fixes"], row["driving"], row["idle"], row["parked"]) == (361, 3600, 0, 0)
    assert row["odometer_distance"] == 360
    assert row["geometry_distance"] == pytest.approx(360 * 0.0009 * 111_195, rel=1e-4)
    assert row["top_speed"] == 360
    assert (row["day"], row["first_at"], row["last_at"]) == (DAY, NOON, NOON + timedelta(hours=1))


def test_standing_is_idle_with_the_ignition_on_and_parked_with_it_off() -> None:
    idle = drive(4, speed=29, latitude=1, status=3)
    parked = drive(4, start=NOON + timedelta(seconds=40), speed=None, latitude=1, status=2)
    row = summary(idle + parked)
    assert (row["driving"], row["idle"], row["parked"]) == (0, 40, 30)
    assert row["geometry_distance"] == 0


def test_a_silence_of_more_than_ten_minutes_is_no_state_but_its_distance_counts() -> None:
    row = summary([fix(NOON, odometer=1000), fix(NOON + timedelta(seconds=601), odometer=1080, latitude=43_920_000)])
    assert (row["driving"], row["odometer_distance"]) == (0, 80)
    assert row["geometry_distance"] == pytest.approx(4448, abs=1)
    row = summary([fix(NOON), fix(NOON + timedelta(seconds=600))])
    assert row["driving"] == 600


def test_a_jump_of_the_receiver_adds_nothing() -> None:
    rows = drive(5)
    rows[2] |= {"latitude": 44_500_000}
    row = summary(rows)
    assert row["geometry_distance"] == pytest.approx(200, abs=1)
    assert row["odometer_distance"] == 4


def test_drift_while_standing_adds_nothing() -> None:
    rows = [fix(NOON + timedelta(seconds=10 * i), speed=0, latitude=43_880_000 + 100 * (i % 2)) for i in range(100)]
    assert summary(rows)["geometry_distance"] == 0
    rows = [row | {"speed": 50} for row in rows]
    assert summary(rows)["geometry_distance"] == pytest.approx(99 * 11.1, abs=5)


def test_a_reset_odometer_and_one_that_leaps_add_nothing() -> None:
    values = [1000, 1010, 5, 15, 900_000, 900_001]
    rows = [fix(NOON + timedelta(minutes=i), odometer=value) for i, value in enumerate(values)]
    assert summary(rows)["odometer_distance"] == 10 + 10 + 1


def test_what_was_never_reported_is_null_and_not_zero() -> None:
    row = summary([fix(NOON, speed=None, latitude=None, longitude=None, odometer=None)])
    assert [row[k] for k in ("odometer_distance", "geometry_distance", "top_speed")] == [None, None, None]


def test_fixes_without_a_value_do_not_break_the_distance_between_those_with_one() -> None:
    rows = drive(5)
    for row in rows[1:4]:
        row |= {"odometer": None, "latitude": None, "longitude": None}
    found = summary(rows)
    assert found["odometer_distance"] == 4
    assert found["geometry_distance"] == pytest.approx(400, abs=1)


def test_an_impossible_top_speed_is_not_believed() -> None:
    assert summary([fix(NOON, speed=2200), fix(NOON + timedelta(seconds=1), speed=65_535)])["top_speed"] == 2200


def test_days_assets_and_owners_are_kept_apart_and_midnight_is_that_of_utc_plus_8() -> None:
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    rows = (
        drive(4, start=midnight - timedelta(seconds=20))
        + drive(2, asset=2)
        + drive(2, asset=2, organisation=3, start=NOON + timedelta(hours=1))
    )
    found = summarise(prepare(table(rows)).table).to_pylist()
    assert [(r["organisation"], r["asset"], r["day"], r["fixes"], r["driving"]) for r in found] == [
        (1, 1, DAY, 2, 10),
        (1, 1, DAY + timedelta(days=1), 2, 10),
        (1, 2, DAY, 2, 10),
        (3, 2, DAY, 2, 10),
    ]


def test_totals_add_the_days_of_an_asset() -> None:
    rows = drive(10) + drive(10, start=NOON + timedelta(days=1), speed=800)
    (row,) = total(summarise(prepare(table(rows)).table)).to_pylist()
    assert (row["fixes"], row["driving"], row["odometer_distance"], row["top_speed"], row["days"]) == (20, 180, 18, 800, 2)
    assert total(pa.Table.from_pylist([], schema=SUMMARY)).num_rows == 0
