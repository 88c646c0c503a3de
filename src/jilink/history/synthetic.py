"""Columns of made-up but lifelike vehicle days, for benches and tests: no input, no I/O, the same seed gives the same rows.

Each vehicle reports at its own steady interval of 10 to 30 s (now and then a second early or late), drives several trips with
stops between, follows a smooth course, and carries what common JT/T 808 terminals carry: odometer, fuel, recorder speed, signal and
satellites. Parked vehicles drift about a metre, as receivers do.
"""

from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jilink.kernel.clock import CHINA
from jilink.spine.measurements import POSITIONS

_STEP_LIMIT = 8640
_METRES_PER_DEGREE = 111_195.0


def vehicle_days(
    vehicles: int, day: date, *, seed: int = 1, organisations: int = 10, first_asset: int = 1, hours: float = 24.0, by_arrival: bool = True
) -> pa.Table:
    """Return one measured day (UTC+8) of that many vehicles in schema POSITIONS, about 4,000 rows a vehicle for 24 hours.

    Rows come in order of arrival, as a gateway would publish them, or grouped by vehicle where `by_arrival` is false.
    """
    rng = np.random.default_rng(seed)
    interval = rng.choice(np.array([10, 15, 20, 30]), vehicles, p=[0.3, 0.2, 0.2, 0.3])
    counts = np.minimum((hours * 3600 / interval).astype(np.int64), _STEP_LIMIT)
    blocks = [
        _vehicles(rng, np.flatnonzero(interval == step), int(step), int(counts[interval == step].max(initial=0)))
        for step in np.unique(interval)
    ]
    columns = {name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]}
    start = datetime(day.year, day.month, day.day, tzinfo=CHINA)
    base_ms = int(start.timestamp() * 1000)
    columns["measured_at"] = base_ms + columns["measured_at"]
    columns["received_at"] = base_ms + columns["received_at"]
    columns["organisation"] = columns["asset"] % organisations + 1
    columns["asset"] = columns["asset"] + first_asset
    if by_arrival:
        order = np.argsort(columns["received_at"], kind="stable")
        columns = {name: values[order] for name, values in columns.items()}
    return _table(columns)


def _vehicles(rng: np.random.Generator, index: npt.NDArray[np.int64], step: int, steps: int) -> dict[str, npt.NDArray[np.int64]]:
    """Columns of the vehicles that share one reporting interval; arrays are vehicles x steps, then flattened."""
    n = len(index)
    shape = (n, steps)
    driving = _trips(rng, n, steps, step)
    cruise = rng.uniform(25, 85, (n, 1))
    wave = _smooth(rng, shape, 0.93) * 14
    speed = np.clip(cruise + wave, 0, 130) * driving
    turn = np.cumsum(_smooth(rng, shape, 0.7) * 4 * (speed > 1), axis=1) + rng.uniform(0, 360, (n, 1))
    metres = speed / 3.6 * step
    north = np.cumsum(metres * np.cos(np.radians(turn)), axis=1)
    east = np.cumsum(metres * np.sin(np.radians(turn)), axis=1)
    drift = _smooth(rng, shape, 0.97) * 1.0
    latitude = rng.uniform(41.5, 46.0, (n, 1)) + (north + drift) / _METRES_PER_DEGREE
    longitude = rng.uniform(122.5, 130.5, (n, 1)) + (east - drift) / (_METRES_PER_DEGREE * 0.72)
    seconds = np.arange(steps) * step + rng.integers(0, step, (n, 1)) + (rng.random(shape) < 0.02)
    delay = rng.gamma(2.0, 90.0, shape) + 60
    return {
        name: np.broadcast_to(values, shape).ravel().astype(np.int64)
        for name, values in {
            "asset": index[:, None],
            "measured_at": seconds * 1000,
            "received_at": seconds * 1000 + delay,
            "serial": (np.arange(steps) + rng.integers(0, 65536, (n, 1))) % 65536,
            "status": np.where(driving, 0b11, 0b10),
            "latitude": np.round(latitude * 1e6),
            "longitude": np.round(longitude * 1e6),
            "altitude": np.round(rng.uniform(120, 500, (n, 1)) + np.cumsum(_smooth(rng, shape, 0.9) * 0.5 * driving, axis=1)),
            "speed": np.round(speed * 10),
            "course": np.round(turn) % 360,
            "odometer": np.cumsum(metres, axis=1) / 100 + rng.integers(100_000, 3_000_000, (n, 1)),
            "fuel": np.maximum(2000 - np.cumsum(metres, axis=1) / 300, 100),
            "recorder_speed": np.round(speed) * 10,
            "network_signal": np.clip(np.round(24 + _smooth(rng, shape, 0.98) * 3), 0, 31),
            "satellites": np.clip(np.round(14 + _smooth(rng, shape, 0.98) * 2), 4, 30),
        }.items()
    }


def _trips(rng: np.random.Generator, n: int, steps: int, step: int) -> npt.NDArray[np.bool_]:
    """True while driving: trips of half an hour to two hours with breaks of like length."""
    toggles = rng.random((n, steps)) < step / 3600
    driving: npt.NDArray[np.bool_] = (np.cumsum(toggles, axis=1) + rng.integers(0, 2, (n, 1))) % 2 == 1
    return driving


def _smooth(rng: np.random.Generator, shape: tuple[int, int], keep: float) -> npt.NDArray[np.float64]:
    """Unit-variance noise that forgets slowly: each value keeps `keep` of the one before."""
    noise: npt.NDArray[np.float64] = rng.standard_normal(shape) * np.sqrt(1 - keep * keep)
    for column in range(1, shape[1]):
        noise[:, column] += keep * noise[:, column - 1]
    return noise


def _table(columns: dict[str, npt.NDArray[np.int64]]) -> pa.Table:
    rows = len(columns["asset"])
    constants = {"message": 0x0200, "part": 0, "alarm": 0}
    arrays = []
    for field in POSITIONS:
        if field.name in columns:
            values = columns[field.name]
            arrays.append(pa.array(values).cast(field.type) if not pa.types.is_timestamp(field.type) else pa.array(values).view(field.type))
        elif field.name == "backfill":
            arrays.append(pa.array(np.zeros(rows, bool)))
        elif field.name in constants:
            arrays.append(pa.array(np.full(rows, constants[field.name])).cast(field.type))
        else:
            arrays.append(pa.nulls(rows, field.type))
    return pa.Table.from_arrays(arrays, schema=POSITIONS)
