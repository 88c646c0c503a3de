"""Starting after damage: a torn end of the log is taken off, a damaged file is named, and everything sound stays readable.

Rows and the place in the stream are in the same commit, so a commit that is taken off is simply read from the spine again.
"""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from jilink.history.scans import advice, examine
from jilink.history.tables import File, History, HistoryUnreadable

log = structlog.get_logger(__name__)


def recover(history: History) -> list[File]:
    """Create the table or make it readable; return the damaged files that stay part of it (each logged with what to do).

    Raises StorageFull, and HistoryUnreadable where more than the end of the log is damaged.
    """
    folder = history.storage.local
    if folder is not None and (folder / "_delta_log").is_dir():
        _mend_log(folder)
        history.create()
        _take_off_torn_commits(history, folder)
    else:
        history.create()
    damaged = []
    for file in history.files():
        reason = examine(file, history, deep=False)
        if reason:
            damaged.append(file)
            log.error("history.file_damaged", advice=advice(file, history, reason))
    return damaged


def _mend_log(folder: Path) -> None:
    """Move log entries at the end, and checkpoints, that cannot be read out of the way."""
    entries = _entries(folder)
    while entries and _adds(entries[-1]) is None:
        _move_away(folder, entries.pop(), "the last entry of the log is torn; the spine still holds what it stored")
    for checkpoint in (folder / "_delta_log").glob("*.checkpoint.parquet"):
        try:
            pq.read_metadata(checkpoint)
        except (OSError, pa.ArrowException):
            first = int(entries[0].stem) if entries else -1
            if first != 0 and not any(c.name < checkpoint.name for c in (folder / "_delta_log").glob("*.checkpoint.parquet")):
                raise HistoryUnreadable(f"{checkpoint} is damaged and no earlier one is left: restore {folder} from a backup") from None
            _move_away(folder, checkpoint, "a checkpoint of the log is damaged; an earlier one or the entries are used")
            (folder / "_delta_log" / "_last_checkpoint").unlink(missing_ok=True)


def _take_off_torn_commits(history: History, folder: Path) -> None:
    """Take off the newest commits while a file that they added is damaged, as after a power cut on a disk that lies about fsync."""
    while True:
        entries = _entries(folder)
        if len(entries) < 2:
            return
        checkpoint = entries[-1].with_name(f"{entries[-1].stem}.checkpoint.parquet")
        added = set(_adds(entries[-1]) or [])
        torn = [f for f in history.files() if f.path in added and examine(f, history, deep=False)]
        if not torn or checkpoint.exists() or any("/new-" not in f.path for f in torn):
            return
        _move_away(folder, entries[-1], f"the last commit's file {torn[0].path} is torn; the spine still holds what it stored")
        history.create()


def _entries(folder: Path) -> list[Path]:
    return sorted(p for p in (folder / "_delta_log").glob("*.json") if p.stem.isdecimal())


def _adds(entry: Path) -> list[str] | None:
    """The paths that a log entry adds; None where it is not whole."""
    try:
        actions = [json.loads(line) for line in entry.read_text().splitlines()]
    except (OSError, ValueError):
        return None
    if not actions:
        return None
    return [a["add"]["path"] for a in actions if "add" in a]


def _move_away(folder: Path, file: Path, why: str) -> None:
    away = folder.parent / "damaged"
    away.mkdir(exist_ok=True)
    os.replace(file, away / file.name)
    log.error("history.log_mended", file=file.name, moved_to=str(away), why=why)
