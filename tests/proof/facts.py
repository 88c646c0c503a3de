"""Facts as plain tuples, made alike from a terminal's journal, the history and the watch, so that they compare."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import pyarrow as pa

from jilink.simulator.journal import Acknowledged
from jilink.spine.records import Admission, digest

Fact = tuple[int | None, ...]

_FIXED = ("alarm", "status", "latitude", "longitude", "altitude", "speed", "course")
_ITEMS = ("odometer", "fuel", "recorder_speed", "signals", "network_signal", "satellites")
COLUMNS = ("asset", "measured_at", *_FIXED, *_ITEMS)


def of_journal(notes: Iterable[Acknowledged], admissions: Mapping[str, Admission]) -> list[Fact]:
    """Return what terminals know to be safe; `admissions` by digest of the telephone number."""
    asset_of = {phone: admissions[digest(phone)].asset for phone in {note.phone for note in notes}}
    found: list[Fact] = []
    for note in notes:
        body = note.body
        fixed = [int(getattr(body, name)) for name in _FIXED]
        items = [body.items.get(name) for name in _ITEMS]
        found.append((asset_of[note.phone], _seconds(note.measured_at), *fixed, *(int(str(value)) for value in items)))
    return found


def of_table(positions: pa.Table) -> list[Fact]:
    """Return what rows of schema POSITIONS say, stored ones included."""
    columns = [positions[name].to_pylist() for name in COLUMNS]
    columns[1] = [None if at is None else _seconds(at) for at in columns[1]]
    return list(zip(*columns, strict=True))


def newest(facts: Iterable[Fact]) -> dict[int | None, Fact]:
    """Return the last fact of each asset."""
    return {fact[0]: fact for fact in sorted(facts, key=lambda fact: fact[1] or 0)}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
