"""Rewriting changes how rows lie, never what is read."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jilink.history import compaction
from jilink.history.columns import prepare
from jilink.history.compaction import MERGE_FILES, Compaction, one_generation
from jilink.history.latest import Latest
from jilink.history.maintenance import Maintenance
from jilink.history.reads import Reads
from jilink.history.scans import FileDamaged, Scans
from jilink.history.synthetic import vehicle_days
from jilink.history.tables import History
from jilink.kernel.clock import CHINA
from tests.history.fixes import NOON, drive, fix, store

DAY = date(2026, 11, 20)
SPAN = (NOON - timedelta(days=400 - 200), NOON + timedelta(hours=12))


def all_reads(reads: Reads, assets: range) -> list[object]:
    owners = list(range(1, 11))
    span = (NOON - timedelta(hours=12), NOON + timedelta(hours=12))
    return [
        [reads.track(o, a, *span).to_pylist() for o in owners for a in assets],
        reads.last_known(owners).to_pylist(),
        reads.last_known(owners, located=True).to_pylist(),
        reads.mileage(owners, DAY, DAY).to_pylist(),
        reads.heat(owners, *span, level=2).to_pylist(),
        reads.daily_summary(2, 2, DAY, DAY).to_pylist(),
    ]


def test_compaction_changes_no_read_result(history: History) -> None:
    day = vehicle_days(12, DAY, hours=3)
    unplaced = drive(5, asset=3, organisation=3, latitude=None, longitude=None)
    wrong_clock = [row | {"measured_at": datetime(2000, 1, 1, tzinfo=CHINA)} for row in drive(3, asset=4, organisation=4)]
    for start in range(0, day.num_rows, 2000):
        history.append(prepare(day.slice(start, 2000)), {"history": start + 1})
    store(history, drive(50) + unplaced + wrong_clock, drive(60), drive(3, start=NOON - timedelta(days=2)), sequence=day.num_rows)
    before = all_reads(Reads(history), range(1, 14))
    done = Compaction(history).compact(DAY)
    assert done.rows == done.rows_before - 50
    assert one_generation(history.files(DAY, DAY))
    assert all_reads(Reads(history), range(1, 14)) == before
    Compaction(history).compact(DAY)
    assert all_reads(Reads(history), range(1, 14)) == before
    assert history.committed_sequence() == day.num_rows + 3


def test_compaction_sorts_and_takes_every_repetition_out(history: History) -> None:
    store(history, drive(4, asset=2)[::-1], drive(3, asset=1), drive(4, asset=2), drive(3, asset=1))
    store(history, [row | {"received_at": NOON + timedelta(hours=2)} for row in drive(4, asset=2)], sequence=9)
    assert Compaction(history).compact(DAY).rows == 7
    (file,) = history.files()
    rows = pq.read_table(history.storage.local / file.path) if history.storage.local else None
    assert rows is not None
    assert rows.select(["asset", "serial"]).to_pylist() == [
        *({"asset": 1, "serial": i} for i in range(3)),
        *({"asset": 2, "serial": i} for i in range(4)),
    ]
    assert max(rows["received_at"].to_pylist()) < NOON + timedelta(hours=1)


def test_fixes_without_a_measured_time_are_repetitions_only_when_received_together(history: History) -> None:
    rows = [fix(NOON, measured_at=None, received_at=NOON + timedelta(seconds=s)) for s in (0, 0, 5)]
    store(history, rows)
    assert Compaction(history).compact(DAY).rows == 2


def test_rows_that_arrive_during_a_compaction_stay(history: History) -> None:
    store(history, drive(5))
    replaced = history.files()
    store(history, drive(3, start=NOON + timedelta(hours=1)), sequence=1)
    Compaction(history)._rewrite(DAY, replaced, ())
    assert Reads(history).track(1, 1, *SPAN).num_rows == 8


def test_late_rows_make_a_finished_day_unfinished_again(history: History) -> None:
    upkeep = Compaction(history)
    store(history, drive(5))
    assert upkeep.unfinished(DAY) == []
    assert upkeep.unfinished(DAY + timedelta(days=1)) == [DAY]
    upkeep.compact(DAY)
    assert upkeep.unfinished(DAY + timedelta(days=1)) == []
    store(history, drive(1, start=NOON + timedelta(hours=1)), sequence=1)
    assert upkeep.unfinished(DAY + timedelta(days=1)) == [DAY]


def test_a_long_day_is_cut_into_files_between_assets(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "FILE_ROWS", 64)
    store(history, [row for asset in range(1, 21) for row in drive(30, asset=asset)], drive(150, asset=21))
    Compaction(history).compact(DAY)
    files = history.files()
    assert sum(f.rows for f in files) == 750
    bounds = [(f.first_asset, f.last_asset) for f in files if f.last_asset < 21]
    assert all(a[1] < b[0] for a, b in pairwise(bounds))
    assert Reads(history).track(1, 21, *SPAN).num_rows == 150
    assert Reads(history).mileage([1], DAY, DAY).num_rows == 21


def test_small_files_of_the_day_under_way_are_merged(history: History) -> None:
    for number in range(MERGE_FILES):
        store(history, drive(2, asset=number), sequence=number)
    upkeep = Compaction(history)
    upkeep.merge(DAY)
    assert len(history.files()) == 1
    assert upkeep.merge(DAY) is None


def test_vacuum_removes_what_was_replaced_and_nothing_else(history: History) -> None:
    store(history, drive(2), drive(3, start=NOON + timedelta(hours=1)))
    upkeep = Compaction(history)
    upkeep.compact(DAY)
    assert upkeep.vacuum(1) == 0
    assert upkeep.vacuum(0) == 2
    assert Reads(history).track(1, 1, *SPAN).num_rows == 5


def test_retention_deletes_old_days_of_one_organisation_alone(history: History) -> None:
    old, young = NOON - timedelta(days=40), NOON - timedelta(days=20)
    for owner in (1, 2, 3):
        store(history, *(drive(2, start=start, asset=owner, organisation=owner) for start in (old, young, NOON)), sequence=owner * 10)
    today = DAY + timedelta(days=1)
    Compaction(history).retain(today, {1: 30, 2: 0}, 0)
    reads = Reads(history)
    assert [reads.track(o, o, *SPAN).num_rows for o in (1, 2, 3)] == [4, 6, 6]
    Compaction(history).retain(today, {1: 30, 2: 0}, 10)
    assert [reads.track(o, o, *SPAN).num_rows for o in (1, 2, 3)] == [4, 6, 2]


def test_retention_keeps_a_day_until_its_last_hour_is_old_enough(history: History) -> None:
    store(history, drive(2))
    Compaction(history).retain(DAY + timedelta(days=30), {1: 30}, 0)
    assert len(history.files()) == 1
    Compaction(history).retain(DAY + timedelta(days=31), {1: 30}, 0)
    assert history.files() == []


def test_a_damaged_file_stops_the_compaction_of_its_day_before_anything_changes(history: History, tmp_path: Path) -> None:
    store(history, drive(40), drive(40, asset=2))
    victim = tmp_path / "history" / "positions" / history.files()[0].path
    victim.write_bytes(victim.read_bytes()[:-20])
    version = history.version()
    with pytest.raises(FileDamaged, match=victim.name):
        Compaction(history).compact(DAY)
    assert history.version() == version


def test_upkeep_sorts_finished_days_at_night_renews_the_snapshot_and_retains(history: History) -> None:
    store(history, drive(3), drive(3, start=NOON + timedelta(days=1)))
    upkeep = Maintenance(history, lambda: ({1: 30}, 0))
    upkeep.step(NOON + timedelta(days=1, hours=2))
    assert not any(f.sorted for f in history.files())
    store(history, drive(3, start=NOON - timedelta(days=50)), sequence=2)
    upkeep.step(NOON + timedelta(days=1, hours=15))
    assert [(f.day, f.sorted) for f in history.files()] == [(DAY, True), (DAY + timedelta(days=1), True)]
    assert Latest(Scans(history)).rows(None).num_rows == 1


def test_a_night_that_was_missed_is_made_up_for_at_the_next_start(history: History) -> None:
    store(history, drive(3))
    Maintenance(history, lambda: ({}, 0)).step(NOON + timedelta(days=3))
    assert [f.sorted for f in history.files()] == [True]


def test_upkeep_deletes_nothing_while_the_rules_are_unknown(history: History) -> None:
    store(history, drive(3, start=NOON - timedelta(days=500)))
    Maintenance(history, lambda: None).step(NOON.replace(hour=3))
    assert sum(f.rows for f in history.files()) == 3
