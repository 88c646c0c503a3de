"""The watch's own place: its whole state and the stream sequence it reaches, as one file that is replaced whole.

A restart reads it and goes on after its sequence, so it comes to the same state as a watch that never stopped. Losing it costs only time:
then the history gives the last values and the database the open alarms (see `restore`).
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import structlog

from jilink.core.observations.columns import Fleet
from jilink.core.observations.evaluation import STATE

log = structlog.get_logger(__name__)
LAYOUT = b"2"


@dataclass(frozen=True, slots=True)
class Place:
    """How far the state goes: `life` and `sequence` of the stream MEASUREMENTS, and when the stream stored that message."""

    life: str
    sequence: int
    stored_at: datetime | None = None


def path(data: Path) -> Path:
    """Return where the checkpoint lies in a data folder."""
    return data / "watch" / "state.arrow"


def save(file: Path, state: pa.RecordBatch, place: Place, ruled: pa.RecordBatch) -> None:
    """Replace the checkpoint; on disk when it returns. Raises OSError.

    The state of the rules lies beside it under the place's number and is there first; those of earlier places go last.
    """
    metadata = {b"layout": LAYOUT, b"life": place.life.encode(), b"sequence": str(place.sequence).encode()}
    if place.stored_at is not None:
        metadata[b"stored_at"] = place.stored_at.isoformat().encode()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = _beside(file, place)
    _replace(beside, ruled)
    _replace(file, state.replace_schema_metadata(metadata))
    for old in file.parent.glob("rules-*.arrow"):
        if old != beside:
            old.unlink(missing_ok=True)


def _beside(file: Path, place: Place) -> Path:
    return file.with_name(f"rules-{place.sequence}.arrow")


def _replace(file: Path, batch: pa.RecordBatch) -> None:
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as sink:
        with pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        sink.flush()
        os.fsync(sink.fileno())
    fresh.replace(file)


def load_ruled(file: Path, place: Place) -> pa.RecordBatch | None:
    """Return the state of the rules at the checkpoint's place; None where there is none that can be read."""
    try:
        with pa.memory_map(str(_beside(file, place))) as source, pa.ipc.open_file(source) as reader:
            batch = reader.get_batch(0)
    except (OSError, pa.ArrowException) as error:
        log.warning("watch.rules_unreadable", file=str(file), reason=repr(error))
        return None
    return batch if batch.schema.equals(STATE) else None


def load(file: Path) -> tuple[Fleet, Place] | None:
    """Return the checkpoint; None where there is none that can be read."""
    try:
        with pa.memory_map(str(file)) as source, pa.ipc.open_file(source) as reader:
            metadata = reader.schema.metadata or {}
            if metadata.get(b"layout") != LAYOUT:
                log.info("watch.checkpoint_of_another_layout", file=str(file))
                return None
            fleet = Fleet()
            for number in range(reader.num_record_batches):
                fleet = Fleet.restored(reader.get_batch(number))
            at = metadata.get(b"stored_at")
            stored_at = datetime.fromisoformat(at.decode()) if at else None
            return fleet, Place(metadata[b"life"].decode(), int(metadata[b"sequence"]), stored_at)
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        log.warning("watch.checkpoint_unreadable", file=str(file), reason=repr(error))
        return None
