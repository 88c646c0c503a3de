"""The history in an object store, spoken to by the S3 protocol: written, compacted, asked, trimmed."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow.compute as pc
import pytest

from jilink.history.compaction import Compaction
from jilink.history.latest import Latest
from jilink.history.reads import Reads
from jilink.history.scans import Scans
from jilink.history.storage import StoreUnknown
from jilink.history.tables import History, HistoryUnreadable
from jilink.history.writer import Writer
from jilink.kernel.settings import Settings
from tests.history.fixes import NOON, drive, payload
from tests.ports import free_port

BUCKET = "fleet"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server of the S3 protocol in memory, with an empty bucket."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(f"{address}/{BUCKET}", method="PUT"), timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                assert time.monotonic() < deadline and server.poll() is None, "the S3 server did not start"
                time.sleep(0.05)
        yield address
    finally:
        server.kill()
        server.wait(10)


@pytest.fixture
def history(s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> History:
    for name, value in {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "fleet",
        "AWS_SECRET_ACCESS_KEY": "fleet-secret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    found = History(Settings(data=tmp_path, history_url=f"s3://{BUCKET}/{tmp_path.name}"))
    found.create()
    return found


def test_positions_are_written_compacted_asked_and_trimmed(history: History, tmp_path: Path) -> None:
    writer = Writer(history, tmp_path / "aside")
    for hour in range(3):
        begin = NOON + timedelta(hours=hour)
        writer.add(2 * hour + 1, payload(drive(300, start=begin, asset=1)))
        writer.add(2 * hour + 2, payload(drive(300, start=begin, asset=2, organisation=2)))
        assert writer.commit().rows == 600
    assert History(Settings(data=tmp_path, history_url=history.root)).committed_sequence() == 6
    reads = Reads(history)
    day, hours = NOON.date(), timedelta(hours=4)
    before = reads.track(1, 1, NOON, NOON + hours)
    assert before.num_rows == 900
    assert Compaction(history).compact(day).rows == 1800
    assert [file.sorted for file in history.files()] == [True]
    assert reads.track(1, 1, NOON, NOON + hours).equals(before)
    assert reads.mileage([1, 2], day, day).num_rows and reads.heat([1, 2], NOON, NOON + hours).num_rows
    Latest(Scans(history, threads=1)).refresh()
    assert sorted(reads.last_known([1, 2])["asset"].to_pylist()) == [1, 2]
    Compaction(history).retain(day + timedelta(days=40), {1: 30}, 0)
    left = Reads(History(Settings(data=tmp_path, history_url=history.root)))
    assert left.track(1, 1, NOON, NOON + hours).num_rows == 0
    assert pc.unique(left.track(2, 2, NOON, NOON + hours)["organisation"]).to_pylist() == [2]
    Compaction(history).vacuum()


@pytest.mark.parametrize("url", ["ftp://host/history", "/srv/history", "s3://", "hdfs://name/history"])
def test_a_store_that_was_never_tried_is_refused_with_what_to_write_instead(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUnknown, match=r"s3://bucket/folder"):
        History(Settings(data=tmp_path, history_url=url))


def test_a_bucket_that_cannot_be_reached_is_told_in_one_line_with_what_to_check(history: History, tmp_path: Path) -> None:
    with pytest.raises(HistoryUnreadable, match=r"^s3://nobody/history/positions: [^\n\x1b]*AWS_ENDPOINT_URL") as told:
        History(Settings(data=tmp_path, history_url="s3://nobody/history")).create()
    assert "NoSuchBucket" in str(told.value)
