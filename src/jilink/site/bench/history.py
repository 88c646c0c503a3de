"""The history on many rows: written as the history process writes them, compacted, and asked what pages ask.

One made-up day of many vehicles arrives in the order a gateway would publish it, in messages of about 40 ms, and is committed in as many
pieces as hours. "Rows a second per core" is rows over the CPU time of this process, all its threads together. Runs are equal shares of
the same writing, and repetitions of the same question.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jilink.history.compaction import Compaction
from jilink.history.latest import Latest
from jilink.history.reads import Reads
from jilink.history.scans import Scans
from jilink.history.synthetic import vehicle_days
from jilink.history.tables import History
from jilink.history.writer import Writer
from jilink.kernel.clock import CHINA
from jilink.kernel.settings import Settings
from jilink.site.bench.figures import Figure, NotMeasured, Target
from jilink.spine import arrow

ROWS = 20_000_000
ROWS_A_VEHICLE = 5_184
"""Of a synthetic day on average."""
VEHICLES_TOGETHER = 250
MESSAGE_ROWS = 4_000
ORGANISATIONS = 10
DAY = date(2026, 3, 10)
TRACKS = 40
BYTES_A_ROW = 200
"""Memory that a row needs at most while the day is made and compacted."""

Say = Callable[[str], None]


def measure(runs: int, say: Say, *, rows: int = ROWS) -> list[Figure]:
    """Return the figures of the history. Raises NotMeasured where there is too little memory for so many rows."""
    available = int(Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0]) * 1024
    if available < rows * BYTES_A_ROW:
        raise NotMeasured(f"{rows:,} rows need {rows * BYTES_A_ROW / 1e9:.1f} GB of free memory; make them fewer with --rows")
    vehicles = max(rows // ROWS_A_VEHICLE, 1)
    with tempfile.TemporaryDirectory(prefix="jilink-bench-") as name:
        history = History(Settings(data=Path(name)))
        history.create()
        written, total = _write(history, Path(name), vehicles, runs, say)
        subject = f"History: {total:,} rows, {vehicles:,} vehicles on one day"
        say("history: compacting the day")
        began = time.process_time()
        done = Compaction(history).compact(DAY)
        compacted = done.rows / (time.process_time() - began)
        figures = [
            Figure(subject, "written", "rows/s a core", written, Target("at least", 2_000_000)),
            Figure(subject, "compacted", "rows/s a core", (compacted,)),
            Figure(subject, "before compaction", "bytes a row", (done.bytes_before / done.rows_before,)),
            Figure(subject, "after compaction", "bytes a row", (done.bytes / done.rows,), Target("at most", 15)),
        ]
        say("history: snapshot of the last fixes")
        began = time.perf_counter()
        Latest(Scans(history, threads=1)).refresh()
        figures.append(Figure(subject, "snapshot of the last fixes, made anew", "ms", (1000 * (time.perf_counter() - began),)))
        return figures + _asked(Reads(history), subject, vehicles, runs, say)


def _hours(vehicles: int, say: Say) -> list[list[pa.Table]]:
    """Return a day's rows by the hour of their receipt, vehicle group by vehicle group: a whole day at once takes too much memory."""
    hours: list[list[pa.Table]] = [[] for _ in range(25)]
    start = int(datetime(DAY.year, DAY.month, DAY.day, tzinfo=CHINA).timestamp() * 1000)
    for first in range(0, vehicles, VEHICLES_TOGETHER):
        say(f"history: making rows, vehicle {first:,} of {vehicles:,}")
        some = min(VEHICLES_TOGETHER, vehicles - first)
        table = vehicle_days(some, DAY, seed=first + 1, organisations=ORGANISATIONS, first_asset=first + 1)
        received = table["received_at"].cast(pa.int64()).to_numpy()
        borders = np.searchsorted(received, start + 3_600_000 * np.arange(1, 25))
        cuts = [0, *borders.tolist(), len(received)]
        for hour in range(25):
            hours[hour].append(table.slice(cuts[hour], cuts[hour + 1] - cuts[hour]))
    return hours


def _messages(groups: list[pa.Table]) -> list[bytes]:
    """Return one hour's rows in the order of their receipt, as the messages a gateway would publish."""
    table = pa.concat_tables(groups).combine_chunks()
    table = table.take(pc.sort_indices(table["received_at"]))
    messages = [arrow.encode(batch) for batch in table.to_batches(max_chunksize=MESSAGE_ROWS)]
    groups.clear()
    return messages


def _write(history: History, data: Path, vehicles: int, runs: int, say: Say) -> tuple[tuple[float, ...], int]:
    """Store the day; return rows a second of CPU time, one value a run, and the rows stored."""
    writer = Writer(history, data / "aside")
    hours = _hours(vehicles, say)
    parts: list[tuple[int, float]] = []
    sequence = 0
    for number, groups in enumerate(hours):
        say(f"history: writing, hour {number + 1} of {len(hours)}")
        messages = _messages(groups)
        began, rows = time.process_time(), 0
        for message in messages:
            sequence += 1
            writer.add(sequence, message)
        if writer.uncommitted:
            rows = writer.commit().rows
        parts.append((rows, time.process_time() - began))
    total = sum(rows for rows, _ in parts)
    shares = [share for share in np.array_split(np.array(parts[:24]), min(runs, 24)) if share[:, 1].sum() > 0]
    return tuple(float(share[:, 0].sum() / share[:, 1].sum()) for share in shares), total


def _asked(reads: Reads, subject: str, vehicles: int, runs: int, say: Say) -> list[Figure]:
    start = datetime(DAY.year, DAY.month, DAY.day, tzinfo=CHINA)
    organisations = list(range(1, ORGANISATIONS + 1))
    dice = Random(1)  # noqa: S311 -- which vehicles are asked for, no secret
    end = start + timedelta(days=1)

    def track() -> float:
        assets = [dice.randrange(vehicles) + 1 for _ in range(TRACKS)]
        return median(_timed(partial(reads.track, _owner(asset), asset, start, end)) for asset in assets)

    questions: dict[str, Callable[[], float]] = {
        "a vehicle's day (median of 40 vehicles)": track,
        "a vehicle's daily summary": lambda: _timed(lambda: reads.daily_summary(_owner(1), 1, DAY, DAY)),
        "last known of all": lambda: _timed(lambda: reads.last_known(organisations)),
        "mileage of the province for the day": lambda: _timed(lambda: reads.mileage(organisations, DAY, DAY)),
        "heat grid of the province for the day": lambda: _timed(lambda: reads.heat(organisations, start, end)),
    }
    figures = []
    for name, question in questions.items():
        say(f"history: {name}")
        question()
        found = tuple(question() for _ in range(runs))
        figures.append(Figure(subject, name, "ms", found, Target("at most", 10) if "vehicle's day" in name else None))
    return figures


def _owner(asset: int) -> int:
    """Return whose the synthetic vehicle is; vehicles are numbered anew in each group."""
    return (asset - 1) % VEHICLES_TOGETHER % ORGANISATIONS + 1


def _timed(question: Callable[[], pa.Table]) -> float:
    began = time.perf_counter()
    if not question().num_rows:
        raise AssertionError("the history gave no rows back")
    return 1000 * (time.perf_counter() - began)
