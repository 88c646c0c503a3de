"""Putting a saved installation back: unpacked and checked beside the data folder first, moved into place when whole."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec

from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.settings import Settings
from jilink.site.backup import streams
from jilink.site.backup.archive import Manifest, Progress, unpack
from jilink.site.backup.saving import run_tool
from jilink.site.supervisor import sole_supervisor


class NotEmpty(Refused):
    """The data folder holds something that would be replaced."""


class OtherDatabase(Refused):
    """The backup is of the other kind of database."""


def restore(settings: Settings, path: Path, progress: Progress, *, force: bool = False) -> tuple[Manifest, Path | None]:
    """Put a backup back; return its manifest and, where there was an installation, the folder it was moved to.

    Raises NotEmpty unless `force`, AlreadyRunning while `jilink up` runs there, OtherDatabase, BadArchive. Until everything was unpacked,
    checked and given to the spine, the data folder is as it was.
    """
    data = settings.data
    occupied = data.exists() and any(data.iterdir())
    if occupied and not force:
        raise NotEmpty(f"{data} is not empty; use --force to move it aside, or set JILINK_DATA to another folder")
    if occupied:
        with sole_supervisor(data):
            pass
    data.parent.mkdir(parents=True, exist_ok=True)
    fresh = data.with_name(f"{data.name}.restoring")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    try:
        scratch = fresh / ".unpacked"
        manifest = unpack(path, scratch, progress)
        _require_same_database(settings, manifest)
        _arrange(scratch, fresh)
        asyncio.run(_streams(replace(settings, data=fresh, nats_port=0 if not settings.nats_url else settings.nats_port), scratch))
        if settings.database_url:
            dump = scratch / "database" / "postgresql.dump"
            options = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
            run_tool("pg_restore", *options, str(dump), database_url=settings.database_url)
        shutil.rmtree(scratch)
        aside = _swap(fresh, data) if occupied else None
        if aside is None:
            if data.exists():
                data.rmdir()
            fresh.rename(data)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return manifest, aside


def _swap(fresh: Path, data: Path) -> Path:
    aside = data.with_name(f"{data.name}.before-{utc_now():%Y%m%dT%H%M%S}")
    data.rename(aside)
    fresh.rename(data)
    return aside


def _require_same_database(settings: Settings, manifest: Manifest) -> None:
    own = "postgresql" if settings.database_url else "sqlite"
    if manifest.database != own:
        raise OtherDatabase(f"the backup is of a {manifest.database} database; this installation is set to {own} (JILINK_DATABASE_URL)")


def _arrange(scratch: Path, fresh: Path) -> None:
    """Move what was unpacked to where the installation looks for it."""
    for part, target in (("files", fresh), ("history", fresh / "history"), ("spine", fresh / "spine")):
        if (scratch / part).is_dir():
            target.mkdir(exist_ok=True, mode=0o700)
            for entry in list((scratch / part).iterdir()):
                entry.rename(target / entry.name)
    database = scratch / "database"
    for entry in list(database.glob("*.sqlite3")) if database.is_dir() else []:
        entry.rename(fresh / entry.name)


async def _streams(settings: Settings, scratch: Path) -> None:
    heads = sorted((scratch / "streams").glob("*.json"))
    if not heads:
        return
    async with streams.reached(settings) as spine:
        there = set(await streams.names(spine))
        for head in heads:
            name = head.stem
            if name in there:
                raise NotEmpty(f"the NATS server already has a stream {name}; restore needs one without")
            with head.with_suffix(".snapshot").open("rb") as file:
                await streams.put_back(spine, name, msgspec.json.decode(head.read_bytes(), type=streams.Head), file)
