"""Questions: what comes back, to whom, and from when to when."""

from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from jilink.history.compaction import Compaction
from jilink.history.latest import Latest
from jilink.history.reads import Box, Reads, WindowRefused, in_units
from jilink.history.scans import Scans
from jilink.history.tables import History
from jilink.spine.measurements import POSITIONS
from tests.history.fixes import NOON, drive, fix, store, table

DAY = date(2026, 11, 20)
SPAN = (NOON - timedelta(hours=12), NOON + timedelta(hours=12))


@pytest.fixture(params=["as committed", "compacted"])
def stored(request: pytest.FixtureRequest, history: History) -> History:
    store(history, drive(20) + drive(20, asset=2, organisation=2), drive(5, start=NOON + timedelta(days=1)))
    if request.param == "compacted":
        Compaction(history).compact(DAY)
    return history


def test_a_track_has_every_column_in_the_canonical_schema_and_order(stored: History) -> None:
    track = Reads(stored).track(1, 1, *SPAN)
    assert track.schema.equals(POSITIONS, check_metadata=True)
    assert track.equals(table(drive(20)))


def test_a_track_begins_with_its_start_and_ends_before_its_end(stored: History) -> None:
    reads = Reads(stored)
    assert reads.track(1, 1, NOON, NOON + timedelta(seconds=30))["serial"].to_pylist() == [0, 1, 2]
    assert reads.track(1, 1, NOON + timedelta(milliseconds=1), NOON + timedelta(seconds=30))["serial"].to_pylist() == [1, 2]
    assert reads.track(1, 1, NOON, NOON).num_rows == 0


def test_a_track_may_be_asked_in_any_zone_and_across_midnight(stored: History) -> None:
    start = (NOON - timedelta(hours=1)).astimezone(timezone(timedelta(hours=-7)))
    assert Reads(stored).track(1, 1, start, NOON.astimezone(UTC) + timedelta(days=2)).num_rows == 25


def test_another_organisation_gets_nothing_of_an_asset(stored: History) -> None:
    reads = Reads(stored)
    assert reads.track(2, 1, *SPAN).num_rows == 0
    assert reads.daily_summary(2, 1, DAY, DAY).num_rows == 0
    assert reads.last_known([2])["asset"].to_pylist() == [2]
    assert reads.last_known([]).num_rows == 0
    assert reads.mileage([2], DAY, DAY)["asset"].to_pylist() == [2]
    assert reads.mileage([], DAY, DAY).num_rows == 0
    assert reads.heat([3], *SPAN).num_rows == 0
    assert sum(reads.heat([1], *SPAN)["fixes"].to_pylist()) == 20


def test_an_asset_that_changed_its_owner_shows_each_owner_its_own_time(history: History) -> None:
    store(history, drive(3, organisation=1), drive(3, start=NOON + timedelta(hours=1), organisation=2))
    reads = Reads(history)
    assert [reads.track(o, 1, *SPAN).num_rows for o in (1, 2)] == [3, 3]
    assert reads.last_known([1])["measured_at"].to_pylist()[0] < NOON + timedelta(hours=1)
    assert reads.last_known(None)["organisation"].to_pylist() == [2]


def test_a_read_without_bounds_is_refused(history: History) -> None:
    reads = Reads(history)
    with pytest.raises(WindowRefused):
        reads.track(1, 1, NOON - timedelta(days=367), NOON)
    with pytest.raises(WindowRefused):
        reads.heat([1], datetime(2026, 1, 1), NOON)  # noqa: DTZ001 -- the naive time is what is refused
    with pytest.raises(WindowRefused):
        reads.mileage([1], date(2025, 1, 1), date(2026, 12, 31))


def test_fixes_come_in_the_order_they_happened_however_they_arrived(history: History) -> None:
    rows = drive(30)
    store(history, rows[20:], rows[:10][::-1], rows[10:20])
    assert Reads(history).track(1, 1, *SPAN)["serial"].to_pylist() == list(range(30))


def test_a_redelivery_on_another_day_or_with_a_wrong_clock_is_shown_once(history: History) -> None:
    wrong = fix(NOON, measured_at=datetime(2000, 1, 1, tzinfo=UTC), received_at=NOON)
    store(history, [wrong], [wrong | {"received_at": NOON + timedelta(days=1)}], drive(2), drive(2))
    assert Reads(history).track(1, 1, SPAN[0], SPAN[1] + timedelta(days=2)).num_rows == 3


def test_backfill_joins_the_day_it_was_measured_on(history: History) -> None:
    late = [row | {"received_at": NOON + timedelta(days=3)} for row in drive(4, backfill=True)]
    store(history, late)
    assert Reads(history).track(1, 1, *SPAN).num_rows == 4
    assert Reads(history).daily_summary(1, 1, DAY, DAY + timedelta(days=5))["day"].to_pylist() == [DAY]


def test_the_tail_joins_in_and_what_is_in_both_counts_once(stored: History) -> None:
    tail = table(drive(25)[15:])
    reads = Reads(stored)
    assert reads.track(1, 1, *SPAN, tail=tail)["serial"].to_pylist() == list(range(25))
    assert reads.daily_summary(1, 1, DAY, DAY, tail=tail)["fixes"].to_pylist() == [25]
    assert reads.mileage([1], DAY, DAY, tail=tail)["fixes"].to_pylist() == [25]
    assert sum(reads.heat([1], *SPAN, tail=tail)["fixes"].to_pylist()) == 25
    assert reads.last_known([1], tail=table([fix(NOON + timedelta(days=2), serial=77)]))["serial"].to_pylist() == [77]
    assert reads.track(2, 1, *SPAN, tail=tail).num_rows == 0


def test_the_tail_alone_is_enough(history: History) -> None:
    reads = Reads(history)
    tail = table(drive(6))
    assert reads.track(1, 1, *SPAN, tail=tail).equals(tail)
    assert reads.mileage([1], DAY, DAY, tail=tail)["odometer_distance"].to_pylist() == [5]
    assert reads.last_known(None).num_rows == 0


def test_the_last_known_fix_is_the_latest_measured_not_the_latest_received(history: History) -> None:
    newest = fix(NOON + timedelta(hours=1), serial=9)
    backfilled = fix(NOON, serial=1, backfill=True, received_at=NOON + timedelta(hours=3))
    store(history, [newest], [backfilled])
    assert Reads(history).last_known([1])["serial"].to_pylist() == [9]


def test_the_last_located_fix_is_found_behind_fixes_without_position(history: History) -> None:
    store(history, drive(3), drive(5, start=NOON + timedelta(hours=1), latitude=None, longitude=None))
    for _ in range(2):
        assert Reads(history).last_known([1])["latitude"].to_pylist() == [None]
        assert Reads(history).last_known([1], located=True)["serial"].to_pylist() == [2]
        Latest(Scans(history)).refresh()


def test_last_fixes_survive_in_the_snapshot_and_newer_ones_win(history: History) -> None:
    store(history, drive(3) + drive(2, asset=2))
    Latest(Scans(history)).refresh()
    store(history, drive(1, start=NOON + timedelta(hours=5), serial=50), sequence=1)
    Compaction(history).retain(DAY + timedelta(days=2), {2: 1}, 0)
    last = Reads(history).last_known(None)
    assert last.select(["asset", "serial"]).to_pylist() == [{"asset": 1, "serial": 50}, {"asset": 2, "serial": 1}]
    Latest(Scans(history)).refresh()
    assert Reads(history).last_known(None).equals(last)


def test_a_compaction_after_the_snapshot_hides_no_newer_fix(history: History) -> None:
    store(history, drive(3) + drive(2, asset=2))
    Compaction(history).compact(DAY)
    Latest(Scans(history)).refresh()
    store(history, drive(1, start=NOON + timedelta(hours=5), serial=50), sequence=1)
    Compaction(history).compact(DAY)
    for _ in range(2):
        last = Reads(history).last_known(None)
        assert last.select(["asset", "serial"]).to_pylist() == [{"asset": 1, "serial": 50}, {"asset": 2, "serial": 1}]
        Latest(Scans(history)).refresh()


def test_retention_reaches_the_snapshot_too(history: History) -> None:
    store(history, drive(3, start=NOON - timedelta(days=60)) + drive(2, asset=2, organisation=2, start=NOON - timedelta(days=60)))
    latest = Latest(Scans(history))
    latest.refresh()
    Compaction(history).retain(DAY, {1: 30}, 0)
    latest.forget(DAY, {1: 30}, 0)
    assert Reads(history).last_known(None)["asset"].to_pylist() == [2]


def test_heat_counts_fixes_by_cell_and_level_within_a_box(stored: History) -> None:
    reads = Reads(stored)
    far = table([fix(NOON, asset=3, latitude=45_000_000, longitude=130_000_000), fix(NOON, asset=4, latitude=None, longitude=None)])
    whole = reads.heat([1, 2], *SPAN, tail=far)
    assert sum(whole["fixes"].to_pylist()) == 41
    assert len(set(whole["cell"].to_pylist())) == whole.num_rows > 2
    boxed = reads.heat([1, 2], *SPAN, level=3, box=Box(south=43, west=125, north=44, east=126), tail=far)
    assert boxed["fixes"].to_pylist() == [40]
    (south,), (west,) = boxed["south"].to_pylist(), boxed["west"].to_pylist()
    assert south <= 43.88 < south + 8 / 128
    assert west <= 125.32 < west + 8 / 128


def test_values_in_units_are_stored_times_scale() -> None:
    rows = in_units(table([fix(NOON, speed=655, odometer=123_456, latitude=43_880_001)]))
    assert rows.select(["speed", "odometer", "latitude"]).to_pylist() == [{"speed": 65.5, "odometer": 12345.6, "latitude": 43.880001}]
    assert rows.schema.field("speed").type == pa.float64()
    assert rows.schema.field("speed").metadata[b"unit"] == b"km/h"


def test_the_committed_sequence_is_told(stored: History) -> None:
    assert Reads(stored).committed_sequence() == 2
