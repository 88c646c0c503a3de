"""Once and only once, whatever is delivered and whenever the process ends."""

import json
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from jilink.history.columns import prepare
from jilink.history.compaction import Compaction
from jilink.history.reads import Reads
from jilink.history.recent import Recent
from jilink.history.storage import StorageFull
from jilink.history.tables import History
from jilink.history.writer import Writer
from jilink.spine.arrow import encode
from jilink.spine.measurements import SESSIONS
from tests.history.fixes import NOON, drive, fix, new_history, payload, table

DAY = (NOON - timedelta(hours=12), NOON + timedelta(hours=12))


def writer(history: History, tmp_path: Path, stream: str = "a") -> Writer:
    return Writer(history, tmp_path / "set-aside", stream=stream, recent=Recent(1 << 12))


def serials(history: History, asset: int = 1) -> list[int]:
    return Reads(history).track(1, asset, *DAY)["serial"].to_pylist()


def test_rows_and_place_are_committed_together(history: History, tmp_path: Path) -> None:
    first = writer(history, tmp_path)
    first.add(7, payload(drive(3)))
    assert (history.committed_sequence(), serials(history)) == (0, [])
    assert first.commit().rows == 3
    assert (history.committed_sequence(), serials(history)) == (7, [0, 1, 2])


def test_a_crash_before_the_commit_leaves_the_place_where_it_was(history: History, tmp_path: Path) -> None:
    lost = writer(history, tmp_path)
    lost.add(1, payload(drive(3)))
    again = writer(history, tmp_path)
    assert again.place == 0
    again.add(1, payload(drive(3)))
    again.commit()
    assert serials(history) == [0, 1, 2]


def test_a_crash_after_the_commit_applies_nothing_twice(history: History, tmp_path: Path) -> None:
    first = writer(history, tmp_path)
    for sequence, rows in ((1, drive(2)), (4, drive(2, start=NOON + timedelta(minutes=1)))):
        first.add(sequence, payload(rows))
    first.commit()
    again = writer(history, tmp_path)
    assert again.place == 4
    for sequence in (1, 4):
        again.add(sequence, payload(drive(2)))
    assert again.commit().rows == 0
    assert sum(f.rows for f in history.files()) == 4


def test_a_crash_between_writing_files_and_committing_leaves_no_row(history: History, tmp_path: Path) -> None:
    rows = payload(drive(4))
    prepared = writer(history, tmp_path)
    prepared.add(1, rows)
    orphan = history.add_file(date(2026, 11, 20), prepare(table(drive(4))).table, "new-", lambda t, f: f.write(b"half"))
    again = writer(history, tmp_path)
    again.add(1, rows)
    again.commit()
    assert serials(history) == [0, 1, 2, 3]
    assert Compaction(history).vacuum(0) == 1
    assert not (tmp_path / "history" / "positions" / orphan.path).exists()


def test_a_redelivery_is_dropped_within_a_commit_across_commits_and_after_a_restart(history: History, tmp_path: Path) -> None:
    first = writer(history, tmp_path)
    first.add(1, payload(drive(3) + drive(3)))
    first.add(2, payload([row | {"received_at": NOON + timedelta(minutes=9)} for row in drive(3)]))
    assert (first.commit().rows, first.rows) == (3, 0)
    first.add(3, payload(drive(4)))
    assert (first.commit().rows) == 1
    again = writer(history, tmp_path)
    again.add(4, payload(drive(5)))
    done = again.commit()
    assert (done.rows, done.repeated) == (1, 4)
    assert sum(f.rows for f in history.files()) == 5


def test_a_commit_of_nothing_new_still_moves_the_place(history: History, tmp_path: Path) -> None:
    first = writer(history, tmp_path)
    first.add(1, payload(drive(2)))
    first.commit()
    first.add(9, payload(drive(2)))
    first.commit()
    assert history.committed_sequence() == 9


@pytest.mark.parametrize("cut", [0, 1, 8, 100, -1])
def test_a_batch_that_cannot_be_decoded_is_kept_and_stops_nothing(history: History, tmp_path: Path, cut: int) -> None:
    whole = payload(drive(2))
    first = writer(history, tmp_path)
    first.add(1, whole[:cut])
    first.add(2, encode(pa.RecordBatch.from_pylist([], schema=SESSIONS)))
    first.add(3, payload(drive(2)))
    first.commit()
    assert serials(history) == [0, 1]
    kept = tmp_path / "set-aside"
    assert (kept / "1.batch").read_bytes() == whole[:cut]
    assert json.loads((kept / "1.json").read_text())["reason"] in {"arrow", "schema", "nulls"}
    assert first.set_aside == 2
    assert history.committed_sequence() == 3


def test_a_time_of_receipt_that_cannot_be_is_set_aside(history: History, tmp_path: Path) -> None:
    first = writer(history, tmp_path)
    first.add(1, payload([fix(NOON, received_at=NOON.replace(year=2500))]))
    first.commit()
    assert json.loads((tmp_path / "set-aside" / "1.json").read_text())["reason"] == "time"


def test_a_stream_begun_anew_is_read_from_its_beginning(history: History, tmp_path: Path) -> None:
    first = writer(history, tmp_path, "one")
    first.add(900, payload(drive(1)))
    first.commit()
    second = writer(history, tmp_path, "two")
    assert second.place == 0
    second.add(1, payload(drive(1, start=NOON + timedelta(minutes=5))))
    second.commit()
    assert history.committed_sequence() == 1
    assert len(serials(history)) == 2
    assert writer(history, tmp_path, "one").place == 900


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 3 MB where this may be mounted, else files of 60 kB at most."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True, check=False).returncode == 0:
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_clearly_and_everything_is_stored_once_there_is_room(tmp_path: Path) -> None:
    rows = [row | {"items": bytes([i % 251]) * 900} for i, row in enumerate(drive(4000))]
    with small_disk(tmp_path / "disk") as folder:
        history = new_history(folder)
        first = writer(history, folder)
        first.add(1, payload(rows[:30]))
        first.commit()
        ballast = folder / "ballast"
        with pytest.raises(StorageFull, match=r"could not write|positions"):
            for size in (1 << 20, 1 << 16, 1 << 12, 1 << 8):
                fill(ballast, size)
            first.add(2, payload(rows))
            first.commit()
        assert (history.committed_sequence(), len(serials(history))) == (1, 30)
        assert not [
            p
            for p in folder.rglob("new-*")
            if str(p.relative_to(folder / "history" / "positions")) not in {f.path for f in history.files()}
        ]
        ballast.unlink(missing_ok=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        first.commit()
        assert len(serials(history)) == 4000
        assert history.committed_sequence() == 2


def fill(path: Path, size: int) -> None:
    """Append to a file in pieces of this size until there is no room."""
    try:
        with path.open("ab", buffering=0) as file:
            while file.write(b"\0" * size) == size:
                pass
    except OSError:
        return


def test_commits_of_every_size_lose_nothing(history: History, tmp_path: Path) -> None:
    first = writer(history, tmp_path)
    rows = drive(600)
    for sequence, start in enumerate(range(0, 600, 37), 1):
        first.add(sequence, payload(rows[start : start + 37]))
        if sequence % 3 == 0:
            first.commit()
    first.commit()
    track = Reads(history).track(1, 1, *DAY)
    assert track.equals(table(rows))
