"""Decoding alone: what one core makes of positions with three to six tagged items, by columns and, beside it, one by one.

Speeds are of the thread's own CPU time, so that other work on the machine counts for little.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import numpy as np
import numpy.typing as npt

from jilink.protocols.jt808.codec import decode_frame
from jilink.protocols.jt808.columns import Batch, Decoder, encode_answers
from jilink.simulator.load.fleet import fleet, positions
from jilink.site.bench.figures import Figure, Target
from jilink.spine.measurements import POSITIONS

BATCH = 3_000
BATCHES = 8
SECONDS = 1.0
RECEIVED_MS = 1_767_571_200_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Reads:
    """One position of each of many connections, end to end, as a socket loop hands it over."""

    frames: list[bytes]
    data: npt.NDArray[np.uint8]
    fds: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    generations: npt.NDArray[np.uint32]


def traffic(batch: int, batches: int) -> list[Reads]:
    """Return that many batches of positions of `batch` terminals."""
    start, dice = datetime(2026, 1, 5, tzinfo=UTC), Random(1)  # noqa: S311 -- made-up traffic, no secret
    terminals = [list(positions(one, batches, start, dice)) for one in fleet(batch)]
    return [_reads([frames[number] for frames in terminals]) for number in range(batches)]


def _reads(frames: list[bytes]) -> Reads:
    return Reads(
        frames,
        np.frombuffer(b"".join(frames), np.uint8),
        np.arange(len(frames), dtype=np.int64),
        np.array([len(frame) for frame in frames], np.int64),
        np.ones(len(frames), np.uint32),
    )


def measure(runs: int, say: Say, *, batch: int = BATCH, seconds: float = SECONDS) -> list[Figure]:
    """Return the figures of decoding; `say` is told what is being measured."""
    say("decode: making positions")
    given = traffic(batch, BATCHES)
    decoder = Decoder(POSITIONS)
    decoded = [decoder.decode(one.data, one.fds, one.lengths, one.generations) for one in given]
    whole = all(found.taken.size == batch == found.positions.count for found in decoded)
    if not whole:
        raise AssertionError("the decoder does not take every position of the load")
    steps: dict[str, Callable[[int], object]] = {
        "columns: frames to positions": lambda k: _decode(decoder, given[k]),
        "positions to Arrow": lambda k: _to_arrow(decoder, decoded[k]),
        "answers (0x8001)": lambda k: _answers(decoded[k]),
        "all three": lambda k: _everything(decoder, given[k]),
        "one by one (the readable path)": lambda k: [decode_frame(frame) for frame in given[k].frames],
    }
    subject = f"Decode: location frames with 3 to 6 tagged items, batches of {batch:,}"
    figures = []
    for name, step in steps.items():
        say(f"decode: {name}")
        found = tuple(_speed(step, batch, seconds) for _ in range(runs))
        target = Target("at least", 1_900_000) if name.startswith("columns") else None
        figures.append(Figure(subject, name, "frames/s a core", found, target))
    return figures


def _speed(step: Callable[[int], object], batch: int, seconds: float) -> float:
    """Return frames a second of this thread's CPU time."""
    step(0)
    rounds, began = 0, time.thread_time()
    while (spent := time.thread_time() - began) < seconds or not rounds:
        step(rounds % BATCHES)
        rounds += 1
    return rounds * batch / spent


def _decode(decoder: Decoder, given: Reads) -> Batch:
    return decoder.decode(given.data, given.fds, given.lengths, given.generations)


def _to_arrow(decoder: Decoder, found: Batch) -> None:
    frames = found.frames
    decoder.to_arrow(
        found.positions,
        organisation=np.ones(frames.count, np.int64),
        asset=frames.fd,
        received_at=RECEIVED_MS,
        message=frames.message,
        serial=frames.serial,
    )


def _answers(found: Batch) -> None:
    frames = found.frames
    encode_answers(
        frames.phone, frames.phone_high, frames.year, frames.serial, frames.serial, frames.message, np.zeros(frames.count, np.uint8)
    )


def _everything(decoder: Decoder, given: Reads) -> None:
    found = _decode(decoder, given)
    _to_arrow(decoder, found)
    _answers(found)
