"""The table as other engines see it, and its commits."""

import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from deltalake import DeltaTable

from jilink.history.compaction import Compaction
from jilink.history.tables import History
from jilink.kernel.settings import Settings
from tests.history.fixes import NOON, drive, new_history, store


def test_any_parquet_reader_sees_plain_types_and_the_same_values(history: History) -> None:
    store(history, drive(5, alarm=2**31, items=b"\x01"))
    Compaction(history).compact(date(2026, 11, 20))
    delta = DeltaTable(history.storage.url)
    (uri,) = delta.file_uris()
    plain = pq.read_table(uri.removeprefix("file://"))
    assert plain["alarm"].to_pylist() == [2**31] * 5
    assert str(plain.schema.field("measured_at").type) == "timestamp[us, tz=UTC]"
    assert {str(f.type) for f in plain.schema if f.name in {"serial", "satellites", "alarm"}} >= {"int32", "int16", "int64"}
    with duckdb.connect() as duck:
        assert duck.execute("SELECT count(*), max(serial), max(day) FROM read_parquet(?)", [uri]).fetchall()[0][:2] == (5, 4)


def test_units_and_scales_are_in_the_table_itself(history: History) -> None:
    schema = json.loads(DeltaTable(history.storage.url).schema().to_json())
    speed = next(f for f in schema["fields"] if f["name"] == "speed")
    assert speed["type"] == "integer"
    assert (speed["metadata"]["unit"], speed["metadata"]["scale"]) == ("km/h", "0.1")
    protocol = DeltaTable(history.storage.url).protocol()
    assert protocol.min_reader_version == 1


def test_a_commit_puts_each_measured_day_in_its_own_partition(history: History) -> None:
    store(history, drive(2) + drive(3, start=NOON - timedelta(days=3), backfill=True))
    assert {(f.day, f.rows) for f in history.files()} == {(date(2026, 11, 20), 2), (date(2026, 11, 17), 3)}
    assert history.committed_sequence() == 1


def test_the_log_carries_bounds_so_that_reads_skip_files(history: History) -> None:
    store(history, drive(2, asset=5, organisation=9) + drive(2, asset=7, organisation=8))
    (file,) = history.files()
    assert (file.first_asset, file.last_asset, file.first_organisation, file.last_organisation) == (5, 7, 8, 9)
    assert (file.last_received_ms - file.first_received_ms, file.rows) == (10_000, 4)


def test_a_reader_sees_commits_of_another_process_without_reopening(tmp_path: Path) -> None:
    writer, reader = new_history(tmp_path), History(Settings(data=tmp_path))
    assert reader.files() == []
    store(writer, drive(1))
    assert len(reader.files()) == 1
    assert reader.version() == writer.version()


def test_a_history_that_does_not_exist_yet_is_empty(tmp_path: Path) -> None:
    history = History(Settings(data=tmp_path / "new folder"))
    assert (history.files(), history.committed_sequence(), history.version()) == ([], 0, -1)


def test_a_history_may_lie_at_a_url(tmp_path: Path) -> None:
    history = History(Settings(data=tmp_path / "data", history_url=f"file://{tmp_path}/store/"))
    history.create()
    store(history, drive(3))
    assert (tmp_path / "store" / "positions" / "_delta_log").is_dir()
    assert sum(f.rows for f in history.files()) == 3
