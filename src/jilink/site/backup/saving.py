"""Saving: database, then history, then files, then the spine.

The order matters: a later part may know more than an earlier one, never less. The history reads on from the place in the
stream that its own commit names, and the outbox publishes again what the spine already has.
"""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import msgspec

from jilink import __version__
from jilink.core.parties.rules import ANCHORS
from jilink.core.parties.walls import EVERYTHING, VARIABLE
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused, Unavailable
from jilink.kernel.settings import Settings
from jilink.site.backup import streams
from jilink.site.backup.archive import FORMAT, MANIFEST, Manifest, Progress, Writer, writing

DATABASE = "jilink.sqlite3"
ELSEWHERE = {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "spine", "history", "logs", "up.lock", "basemap", "voice"}
"""Not copied as files: saved in another way, or made anew at the next start."""


class NothingToSave(Refused):
    """The data folder holds no installation."""


class FileExists(Refused):
    """A backup never overwrites a file."""


class ToolMissing(Unavailable):
    """A program of PostgreSQL's that is needed is not on this machine, or it failed."""


def save(settings: Settings, path: Path, progress: Progress) -> Manifest:
    """Save everything the installation keeps in one file, while it runs or not.

    Raises NothingToSave, FileExists; Unavailable where the database or the spine cannot be read, and then leaves no file.
    """
    if not (settings.data / "secret_key").exists() or not (settings.database_url or (settings.data / DATABASE).exists()):
        raise NothingToSave(f"there is no installation in {settings.data}; set JILINK_DATA to the folder of yours")
    if path.exists():
        raise FileExists(f"{path} exists; give another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    left_out = ["basemap (made anew)", "logs"]
    if settings.history_url:
        left_out.append(f"history at {settings.history_url}: save it with its store's own means")
    with writing(path, progress) as writer, tempfile.TemporaryDirectory(dir=path.parent, prefix=".jilink-backup-") as scratch:
        places = settings.data / ANCHORS
        if places.exists():  # before the database: a place that its copy does not reach would look like an end cut off
            writer.add_bytes(f"files/{ANCHORS}", places.read_bytes())
        _database(settings, writer, Path(scratch))
        if not settings.history_url:
            _history(settings.data / "history", writer)
        for file in _files(settings.data):
            writer.add(f"files/{file.relative_to(settings.data)}", file)
        writer.add("spine/password", settings.data / "spine" / "password")
        asyncio.run(_streams(settings, writer, Path(scratch)))
        manifest = Manifest(
            format=FORMAT,
            version=__version__,
            made_at=utc_now().isoformat(timespec="seconds"),
            database="postgresql" if settings.database_url else "sqlite",
            members=dict(writer.members),
            left_out=left_out,
        )
        writer.add_bytes(MANIFEST, msgspec.json.encode(manifest))
    return manifest


def _database(settings: Settings, writer: Writer, scratch: Path) -> None:
    """SQLite by its online backup, PostgreSQL by pg_dump: both are one consistent moment beside running writers."""
    if settings.database_url:
        target = scratch / "dump"
        options = ("--format=custom", "--no-owner", "--no-privileges", "--enable-row-security", f"--file={target}")
        run_tool("pg_dump", *options, database_url=settings.database_url)
        writer.add("database/postgresql.dump", target)
        return
    source = settings.data / DATABASE
    if not source.exists():
        return
    target = scratch / DATABASE
    with closing(sqlite3.connect(source, timeout=30)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
    writer.add(f"database/{DATABASE}", target)


def run_tool(program: str, *arguments: str, database_url: str) -> None:
    """Run one of PostgreSQL's programs on a database. Raises ToolMissing with its last line.

    The password travels in the environment (libpq, PGPASSWORD): arguments are seen by everyone on the machine. The session has
    everything in scope (`core.parties.policies`), or row-level security would leave rows out.
    """
    if shutil.which(program) is None:
        raise ToolMissing(f"{program} is needed for PostgreSQL (Debian package postgresql-client)")
    parts = urlsplit(database_url)
    address = parts._replace(netloc=f"{quote(unquote(parts.username or ''), safe='')}@{parts.netloc.rpartition('@')[2]}").geturl()
    in_scope = f"{os.environ.get('PGOPTIONS', '')} -c {VARIABLE}={EVERYTHING}".strip()
    environment = {**os.environ, "PGOPTIONS": in_scope, **({"PGPASSWORD": unquote(parts.password)} if parts.password else {})}
    done = subprocess.run([program, *arguments, f"--dbname={address}"], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolMissing(f"{program}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")


def _history(folder: Path, writer: Writer) -> None:
    """Copy each table's log before its data: what the copied log names was there, and what comes later it does not name."""
    logs = [file for file in sorted(folder.rglob("*")) if file.is_file() and "_delta_log" in file.parts]
    logs.sort(key=lambda file: file.name != "_last_checkpoint")
    for file in logs:
        writer.add(f"history/{file.relative_to(folder)}", file)
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "_delta_log" not in file.parts:
            writer.add(f"history/{file.relative_to(folder)}", file)


def _files(data: Path) -> Iterator[Path]:
    for entry in sorted(data.iterdir()):
        if entry.name not in {*ELSEWHERE, ANCHORS}:
            yield from sorted(file for file in ([entry] if entry.is_file() else entry.rglob("*")) if file.is_file())


async def _streams(settings: Settings, writer: Writer, scratch: Path) -> None:
    async with streams.reached(settings) as spine:
        for name in await streams.names(spine):
            spool = scratch / "stream"
            with spool.open("wb") as file:
                head = await streams.save(spine, name, file)
            writer.add_bytes(f"streams/{name}.json", msgspec.json.encode(head))
            writer.add(f"streams/{name}.snapshot", spool)
