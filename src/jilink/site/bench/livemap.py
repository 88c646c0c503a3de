"""The live map's frames: what the watch computes and sends each second for 100,000 vehicles of which a tenth move.

Frames are made twice a second, as the watch makes them, and shared by all viewers. Times are of the thread's own CPU.
"""

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jilink.core.observations.columns import Fleet
from jilink.core.observations.live import Boards
from jilink.site.bench.figures import Figure
from jilink.spine.measurements import POSITIONS

VEHICLES = 100_000
SHARE_MOVING = 0.1
TICKS_A_SECOND = 2
SECONDS = 10
START_MS = 1_767_571_200_000
BOX = (122.0, 41.2, 9.0, 4.8)
"""West, south, width, height in degrees of where the vehicles are."""
STEP = 150
"""Millionths of a degree between two fixes of a moving vehicle: about 60 km/h at one a second."""

Say = Callable[[str], None]
Int64s = npt.NDArray[np.int64]


class Province:
    """Made-up vehicles with places; some move each time."""

    def __init__(self, assets: Int64s, organisations: Int64s, seed: int = 1) -> None:
        self._dice = np.random.default_rng(seed)
        self.assets, self.organisations = assets, organisations
        west, south, width, height = BOX
        self.longitude = ((west + width * self._dice.random(assets.size)) * 1e6).astype(np.int64)
        self.latitude = ((south + height * self._dice.random(assets.size)) * 1e6).astype(np.int64)
        self.course = self._dice.integers(0, 360, assets.size)
        self.serial = 0

    def everyone(self, at_ms: int) -> pa.RecordBatch:
        """Return a fix (schema POSITIONS) of every vehicle."""
        return self._batch(np.arange(self.assets.size), at_ms)

    def moved(self, count: int, at_ms: int) -> pa.RecordBatch:
        """Move so many vehicles and return their fixes."""
        rows = self._dice.choice(self.assets.size, count, replace=False)
        angle = np.radians(self.course[rows])
        self.longitude[rows] += np.rint(STEP * np.sin(angle)).astype(np.int64)
        self.latitude[rows] += np.rint(STEP * np.cos(angle)).astype(np.int64)
        return self._batch(rows, at_ms)

    def _batch(self, rows: Int64s, at_ms: int) -> pa.RecordBatch:
        self.serial = (self.serial + 1) % 65_536
        given = {
            "organisation": self.organisations[rows],
            "asset": self.assets[rows],
            "received_at": at_ms,
            "measured_at": at_ms // 1000 * 1000,
            "message": 0x0200,
            "serial": self.serial,
            "part": 0,
            "alarm": 0,
            "status": 3,
            "latitude": self.latitude[rows],
            "longitude": self.longitude[rows],
            "altitude": 200,
            "speed": 600,
            "course": self.course[rows],
        }
        arrays = []
        for field in POSITIONS:
            if field.name == "backfill":
                arrays.append(pa.array(np.zeros(rows.size, np.bool_)))
            elif field.name in given:
                values = pa.array(np.broadcast_to(np.asarray(given[field.name], np.int64), rows.shape))
                arrays.append(values.cast(field.type))
            else:
                arrays.append(pa.nulls(rows.size, field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=POSITIONS)


def measure(runs: int, say: Say, *, vehicles: int = VEHICLES) -> list[Figure]:
    """Return the figures of the live map; `say` is told what is being measured."""
    say(f"live map: {vehicles:,} vehicles")
    province = Province(np.arange(1, vehicles + 1), np.ones(vehicles, np.int64))
    fleet = Fleet()
    fleet.set_owners(province.assets, province.organisations)
    boards = Boards(fleet)
    now = START_MS
    fleet.apply_positions(province.everyone(now))
    boards.frames(now)
    moving = int(vehicles * SHARE_MOVING)
    seconds = [_second(fleet, boards, province, moving, now + 10_000 + 1000 * number) for number in range(runs * SECONDS)]
    shares = np.array_split(np.array(seconds), runs)
    snapshots = [_snapshot(boards, now + 1000 * (10 + len(seconds))) for _ in range(runs)]
    subject = f"Live map: {vehicles:,} vehicles of one organisation, {moving:,} of them move each second"
    found = [tuple(float(np.median(share[:, column])) for share in shares) for column in range(3)]
    return [
        Figure(subject, "frames to every viewer", "kB/s", found[0]),
        Figure(subject, "making the frames", "ms CPU a second", found[1]),
        Figure(subject, "taking the positions in", "ms CPU a second", found[2]),
        Figure(subject, "snapshot for a new viewer", "kB", tuple(size for size, _ in snapshots)),
        Figure(subject, "making the snapshot", "ms CPU", tuple(spent for _, spent in snapshots)),
    ]


def _second(fleet: Fleet, boards: Boards, province: Province, moving: int, now_ms: int) -> tuple[float, float, float]:
    """Let a second pass; return kB of frames, ms to make them and ms to take the positions in."""
    size = making = taking = 0.0
    for tick in range(TICKS_A_SECOND):
        at_ms = now_ms + 1000 * tick // TICKS_A_SECOND
        batch = province.moved(moving // TICKS_A_SECOND, at_ms)
        began = time.thread_time()
        fleet.apply_positions(batch)
        taken = time.thread_time()
        frames = boards.frames(at_ms)
        made = time.thread_time()
        taking += 1000 * (taken - began)
        making += 1000 * (made - taken)
        size += sum(len(frame) for _, frame in frames) / 1000
    return size, making, taking


def _snapshot(boards: Boards, now_ms: int) -> tuple[float, float]:
    """Return kB of a snapshot and the ms it took."""
    began = time.thread_time()
    frame = boards.snapshot(1, now_ms)
    return len(frame) / 1000, 1000 * (time.thread_time() - began)
