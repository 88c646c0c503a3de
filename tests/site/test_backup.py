"""An installation saved, put back elsewhere, and found to hold the same."""

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jilink.kernel.settings import Settings
from jilink.site.backup import streams
from jilink.site.backup.archive import BadArchive, unpack
from jilink.site.backup.saving import run_tool
from jilink.spine import subjects
from tests.site.installation import environment, jilink, prepared, running_spine


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """One prepared installation with demonstration vehicles and stored messages, and its backup made beside a running spine."""
    folder = tmp_path_factory.mktemp("saved")
    env = prepared(folder / "data")
    with running_spine(env):
        assert jilink("prepare", "--spine", "--demo", "25", "--cases", "24", env=env).returncode == 0
        asyncio.run(_publish(Settings.from_environment(env)))
        table = folder / "data" / "history" / "positions"
        (table / "_delta_log").mkdir(parents=True)
        (table / "_delta_log" / f"{0:020}.json").write_text("{}")
        (table / "part.parquet").write_bytes(b"rows" * 1000)
        done = jilink("backup", str(folder / "one.tar.zst"), env=env)
    assert done.returncode == 0, done.stderr
    return env, folder / "one.tar.zst"


async def _publish(settings: Settings) -> None:
    async with streams.reached(settings) as spine:
        for number in range(50):
            await spine.publish(subjects.event("tests", "counted"), b"x" * 30_000 + str(number).encode())
        await spine.put_object("photo/1.jpg", b"picture" * 50_000)


async def _contents(settings: Settings) -> dict[str, object]:
    async with streams.reached(settings) as spine:
        events = await spine.read_last(subjects.EVENTS.name, subjects.event("tests", "counted"), 100)
        admissions = await spine.bucket(subjects.ADMISSION).all()
        picture = await spine.get_object("photo/1.jpg")
        return {
            "streams": await streams.names(spine),
            "events": [(message.sequence, bytes(message.data)[-10:]) for message in events],
            "admissions": admissions,
            "picture": hashlib.sha256(picture or b"").hexdigest(),
        }


def _tables(data: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(data / "jilink.sqlite3")) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: sorted(database.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr) for name in names}


def test_what_is_restored_is_what_was_saved(saved, tmp_path):
    env, archive = saved
    other = environment(tmp_path / "other")
    done = jilink("restore", str(archive), env=other)
    assert done.returncode == 0, done.stderr
    here, there = Path(env["JILINK_DATA"]), Path(other["JILINK_DATA"])
    assert _tables(there) == _tables(here)
    for name in ("secret_key", "first-login", "history/positions/part.parquet", f"history/positions/_delta_log/{0:020}.json"):
        assert (there / name).read_bytes() == (here / name).read_bytes()
    assert (there / "secret_key").stat().st_mode & 0o777 == 0o600
    before = asyncio.run(_contents(Settings.from_environment(env)))
    after = asyncio.run(_contents(Settings.from_environment(other)))
    assert after == before
    assert len(before["events"]) == 50
    assert len(before["admissions"]) == 26


def test_a_folder_that_is_not_empty_is_refused_and_moved_aside_only_when_forced(saved, tmp_path):
    _, archive = saved
    other = environment(tmp_path / "other")
    data = Path(other["JILINK_DATA"])
    data.mkdir()
    (data / "precious").write_text("mine")
    refused = jilink("restore", str(archive), env=other)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert [file.name for file in data.iterdir()] == ["precious"]
    assert jilink("restore", "--force", str(archive), env=other).returncode == 0
    aside = [folder for folder in tmp_path.iterdir() if folder.name.startswith("other.before-")]
    assert [(folder / "precious").read_text() for folder in aside] == ["mine"]
    assert (data / "jilink.sqlite3").exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "no backup"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(saved, tmp_path, damage):
    _, archive = saved
    whole = archive.read_bytes()
    middle = len(whole) // 2
    bad = tmp_path / "bad.tar.zst"
    bad.write_bytes(
        {"cut": whole[:middle], "flipped": whole[:middle] + bytes([whole[middle] ^ 0x10]) + whole[middle + 1 :], "no backup": b"hello"}[
            damage
        ]
    )
    other = environment(tmp_path / "other")
    done = jilink("restore", str(bad), env=other)
    assert done.returncode == 4, done.stderr
    assert done.stderr.count("\n") == 1
    assert not Path(other["JILINK_DATA"]).exists()
    with pytest.raises(BadArchive):
        unpack(bad, tmp_path / "out", lambda _name, _count: None)


def test_a_backup_overwrites_no_file_and_is_readable_by_its_owner_alone(saved):
    env, archive = saved
    assert archive.stat().st_mode & 0o777 == 0o600
    again = jilink("backup", str(archive), env=env)
    assert again.returncode == 2
    assert "exists" in again.stderr


def test_there_is_nothing_to_save_where_nothing_is_installed(tmp_path):
    done = jilink("backup", str(tmp_path / "one.tar.zst"), env=environment(tmp_path / "data"))
    assert done.returncode == 2
    assert "no installation" in done.stderr
    assert not (tmp_path / "one.tar.zst").exists()


def test_the_password_of_the_database_is_no_argument_of_a_program(tmp_path, monkeypatch):
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "$PGPASSWORD" > ' + str(tmp_path / "seen") + "\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    run_tool("pg_dump", "--format=custom", database_url="postgresql://jilink:s%40cret@db.example:5433/fleet?sslmode=require")
    seen = (tmp_path / "seen").read_text().splitlines()
    assert seen == ["--format=custom", "--dbname=postgresql://jilink@db.example:5433/fleet?sslmode=require", "s@cret"]
