"""What the supervisor knows of its processes, for the operations page: a small file in the data folder.

The page asks each process itself whether it works; how often one was started again, and why, only the supervisor knows.
"""

import contextlib
import os
from datetime import datetime
from pathlib import Path

import msgspec


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One supervised process. `ended_at` and `ended_because` tell of the last time that it was started again; None and "" before."""

    name: str
    restarts: int
    hung: int
    ended_at: datetime | None = None
    ended_because: str = ""


def path(data: Path) -> Path:
    """Return where it is kept."""
    return data / "processes.json"


def write(data: Path, standings: list[Standing]) -> None:
    """Replace what is known. A full disk leaves the old: nobody's work depends on it."""
    target = path(data)
    with contextlib.suppress(OSError):
        draft = target.with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(standings))
        os.replace(draft, target)


def read(data: Path) -> dict[str, Standing]:
    """Return what is known by name; empty where no supervisor has run or the file is damaged."""
    try:
        found = msgspec.json.decode(path(data).read_bytes(), type=list[Standing])
    except (OSError, msgspec.DecodeError):
        return {}
    return {each.name: each for each in found}
