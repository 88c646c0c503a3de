"""Positions for tests: one row from keywords, everything else as a plain terminal sends it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from jilink.history.columns import prepare
from jilink.history.tables import APPLICATION, History
from jilink.kernel.clock import CHINA
from jilink.kernel.settings import Settings
from jilink.spine.arrow import encode
from jilink.spine.measurements import POSITIONS

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=CHINA)
_PLAIN = {"organisation": 1, "asset": 1, "message": 0x0200, "serial": 0, "part": 0, "backfill": False, "alarm": 0, "status": 3}


def fix(at: datetime, **columns: object) -> dict[str, object]:
    """Return a row measured at a time and received a second later, with these columns."""
    row: dict[str, object] = {field.name: None for field in POSITIONS}
    row |= _PLAIN | {
        "measured_at": at,
        "received_at": at + timedelta(seconds=1),
        "latitude": 43_880_000,
        "longitude": 125_320_000,
        "speed": 400,
    }
    row |= columns
    return {k: v.astimezone(UTC) if isinstance(v, datetime) else v for k, v in row.items()}


def drive(count: int, start: datetime = NOON, step_s: int = 10, **columns: object) -> list[dict[str, object]]:
    """Return fixes of a vehicle that goes north at 36 km/h: 100 m and 0.1 km of odometer each 10 s."""
    return [
        fix(
            start + timedelta(seconds=i * step_s),
            **{
                "serial": i % 65536,
                "latitude": 43_880_000 + 90 * step_s * i // 10 * 10,
                "speed": 360,
                "odometer": 100_000 + i * step_s // 10,
            }
            | columns,
        )
        for i in range(count)
    ]


def table(rows: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=POSITIONS)


def payload(rows: list[dict[str, object]]) -> bytes:
    """Return what a gateway publishes for these rows."""
    return encode(table(rows).combine_chunks().to_batches()[0])


def store(history: History, *commits: list[dict[str, object]], sequence: int = 0) -> None:
    """Commit rows as they are, repetitions and all."""
    for number, rows in enumerate(commits):
        history.append(prepare(table(rows)), {APPLICATION: sequence + number + 1})


def new_history(folder: Path) -> History:
    history = History(Settings(data=folder))
    history.create()
    return history
