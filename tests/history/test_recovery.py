"""Starting after damage."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from jilink.history.columns import prepare
from jilink.history.compaction import Compaction
from jilink.history.reads import Reads
from jilink.history.recent import Recent
from jilink.history.recovery import recover
from jilink.history.tables import History, HistoryUnreadable
from jilink.history.writer import Writer
from jilink.kernel.settings import Settings
from tests.history.fixes import NOON, drive, payload, store, table

SPAN = (NOON - timedelta(hours=12), NOON + timedelta(hours=12))


def entries(history: History) -> list[Path]:
    assert history.storage.local is not None
    return sorted((history.storage.local / "_delta_log").glob("*.json"))


def data(history: History, sequence_of_commit: int) -> Path:
    assert history.storage.local is not None
    return sorted((history.storage.local / f.path for f in history.files()), key=os.path.getmtime)[sequence_of_commit - 1]


def reopened(history: History) -> History:
    """The same table as a process sees it that has just started."""
    assert history.storage.local is not None
    return History(Settings(data=history.storage.local.parents[1]))


def again(history: History, sequence: int) -> None:
    """Do what the process does after a start: take the place and read on."""
    writer = Writer(history, Path("/nonexistent"), recent=Recent(1 << 10))
    assert writer.place == sequence - 1
    writer.add(sequence, payload(drive(5, start=NOON + timedelta(hours=sequence))))
    writer.commit()


@pytest.mark.parametrize("left", [0, 1, 50, -1])
def test_a_torn_last_log_entry_is_taken_off_and_read_again_from_the_spine(history: History, left: int) -> None:
    store(history, *(drive(5, start=NOON + timedelta(hours=n)) for n in (1, 2, 3)))
    entries(history)[-1].write_bytes(entries(history)[-1].read_bytes()[:left])
    fresh = reopened(history)
    with capture_logs() as logs:
        assert recover(fresh) == []
    assert [line["event"] for line in logs] == ["history.log_mended"]
    again(fresh, 3)
    assert Reads(fresh).track(1, 1, *SPAN).num_rows == 15


@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_torn_last_data_file_is_taken_off_with_its_commit_and_read_again(history: History, left: int) -> None:
    store(history, *(drive(5, start=NOON + timedelta(hours=n)) for n in (1, 2)))
    victim = data(history, 2)
    victim.write_bytes(victim.read_bytes()[:left])
    fresh = reopened(history)
    assert recover(fresh) == []
    again(fresh, 2)
    assert Reads(fresh).track(1, 1, *SPAN).num_rows == 10


def test_a_lost_last_data_file_is_read_again_too(history: History) -> None:
    store(history, *(drive(5, start=NOON + timedelta(hours=n)) for n in (1, 2)))
    data(history, 2).unlink()
    fresh = reopened(history)
    assert recover(fresh) == []
    again(fresh, 2)
    assert Reads(fresh).track(1, 1, *SPAN).num_rows == 10


def test_an_older_damaged_file_is_named_with_what_to_do_and_the_rest_stays_readable(history: History) -> None:
    store(history, *(drive(5, start=NOON + timedelta(hours=n)) for n in (1, 2, 3)))
    victim = data(history, 1)
    victim.write_bytes(b"rubbish" + victim.read_bytes()[7:-9])
    fresh = reopened(history)
    with capture_logs() as logs:
        assert [f.path for f in recover(fresh)] == [f"day=2026-11-20/{victim.name}"]
    assert victim.name in logs[0]["advice"]
    assert "Restore this file from a backup" in logs[0]["advice"]
    again(fresh, 4)
    reads = Reads(fresh)
    assert reads.track(1, 1, *SPAN).num_rows == 15
    assert reads.mileage([1], date(2026, 11, 20), date(2026, 11, 20))["fixes"].to_pylist() == [15]
    assert sum(reads.heat([1], *SPAN)["fixes"].to_pylist()) == 15
    assert reads.last_known([1])["serial"].to_pylist() == [4]


@pytest.mark.parametrize("compacted", [False, True])
def test_bytes_that_rotted_inside_a_file_are_found_when_they_are_read(history: History, compacted: bool) -> None:
    rows = [row for asset in range(1, 40) for row in drive(500, asset=asset)]
    store(history, rows, drive(5, start=NOON + timedelta(days=1)))
    if compacted:
        Compaction(history).compact(date(2026, 11, 20))
    (name,) = [f.path for f in history.files() if f.rows > 5]
    victim = (history.storage.local or Path()) / name
    whole = bytearray(victim.read_bytes())
    whole[4 : len(whole) // 2] = bytes(len(whole) // 2 - 4)
    victim.write_bytes(whole)
    reads = Reads(reopened(history))
    with capture_logs() as logs:
        assert reads.track(1, 1, SPAN[0], SPAN[1] + timedelta(days=1)).num_rows == 5
        assert reads.last_known([1]).num_rows == 1
        assert reads.mileage([1], date(2026, 11, 20), date(2026, 11, 21))["fixes"].to_pylist() == [5]
    assert [victim.name in line["advice"] for line in logs] == [True]


def test_a_damaged_checkpoint_is_passed_over_while_the_entries_are_there(history: History) -> None:
    for number in range(60):
        history.append(prepare(table(drive(1, start=NOON + timedelta(seconds=number)))), {"history": number + 1})
    checkpoints = list((history.storage.local or Path()).glob("_delta_log/*.checkpoint.parquet"))
    assert checkpoints
    checkpoints[0].write_bytes(b"PAR1")
    fresh = reopened(history)
    assert recover(fresh) == []
    assert fresh.committed_sequence() == 60


def test_a_hole_in_the_log_is_refused_with_the_place_of_the_damage(history: History) -> None:
    store(history, *(drive(5, start=NOON + timedelta(hours=n)) for n in (1, 2, 3)))
    entries(history)[1].write_bytes(b"{")
    with pytest.raises(HistoryUnreadable, match="positions"):
        recover(reopened(history))


def test_an_untouched_history_starts_without_a_word(history: History) -> None:
    store(history, drive(5))
    with capture_logs() as logs:
        assert recover(reopened(history)) == []
    assert logs == []
