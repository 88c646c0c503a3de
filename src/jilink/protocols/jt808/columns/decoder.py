"""One pass from reads to positions: what the terminal gateway does with everything its sockets brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jilink.protocols.jt808.columns.arrow import to_arrow
from jilink.protocols.jt808.columns.carry import Bytes, Carry, Places, Stray
from jilink.protocols.jt808.columns.frames import TRUNCATED, Frames, read_frames
from jilink.protocols.jt808.columns.positions import ANSWERS, BATCH, REPORT, PositionReader, Positions, joined, single
from jilink.protocols.jt808.frame import MOST_FRAME


@dataclass(frozen=True, slots=True)
class Batch:
    """What one decode found. Every row of `frames` is in `taken`, `others` or `bad` (row numbers, in order of arrival).

    `taken` (0x0200, 0x0704) are decoded whole into `positions` and await their acknowledgement. `others` take the readable path
    by `frames.raw(row)`; a command's answer with a position (0x0201, 0x0500) is there too, its position in `positions`. `bad` frames
    failed with `REASONS[frames.reason[row]]`; the readable path has the last word on them too, since it forgives what a fast
    path cannot (an unescaped frame with a right checksum). `strays` are bytes outside any frame.
    """

    frames: Frames
    positions: Positions
    taken: Places
    others: Places
    bad: Places
    strays: list[Stray]


class Decoder:
    """Decodes the reads of many connections by columns, keeping what is unfinished for each."""

    def __init__(self, schema: pa.Schema, limit: int = MOST_FRAME) -> None:
        """Every number of a position named in `schema` becomes a column; all other items stay bytes in `items`."""
        self.schema = schema
        self.carry = Carry(limit)
        self._reader = PositionReader(schema.names)

    def decode(self, data: Bytes, fds: Places, lengths: Places, generations: NDArray[np.uint32]) -> Batch:
        """Decode reads given end to end: read k is `lengths[k]` (more than 0) bytes of connection (fds[k], generations[k]).

        Reads may end anywhere, and one connection may have several. Never raises for what a peer sent.
        """
        pieces = self.carry.cut(data, fds, generations, lengths)
        frames = read_frames(pieces)
        good = (frames.reason == 0) & frames.plain
        taken = good & (frames.message == REPORT)
        rows = np.flatnonzero(taken)
        spoilt: NDArray[np.bool_] = np.zeros(frames.count, np.bool_)
        if rows.size == frames.count:
            found = single(rows, frames.start, frames.end)
        else:
            found = single(rows, frames.start[rows], frames.end[rows])
            batches = np.flatnonzero(good & (frames.message == BATCH))
            if batches.size:
                more = self._reader.in_batches(frames.buffer, batches, frames.start[batches], frames.end[batches], spoilt)
                found = joined(found, more)
                taken[batches] = True
            for message, head in ANSWERS.items():
                answers = np.flatnonzero(good & (frames.message == message))
                if answers.size:
                    found = joined(found, single(answers, frames.start[answers] + head, frames.end[answers]))
        positions = self._reader.read(frames.buffer, found, spoilt)
        if spoilt.any():  # one short position spoils its whole message, as a message is acknowledged whole
            frames.reason[spoilt] = TRUNCATED
            taken &= ~spoilt
        bad = frames.reason != 0
        return Batch(frames, positions, np.flatnonzero(taken), np.flatnonzero(~taken & ~bad), np.flatnonzero(bad), pieces.strays)

    def decode_bodies(self, message: int, bodies: Sequence[bytes]) -> tuple[Positions, NDArray[np.bool_]]:
        """Decode bodies of one kind of message (0x0200, 0x0201, 0x0500, 0x0704) that took the readable path.

        `Positions.frame` counts in `bodies`. Also returns which bodies have a position cut off: it gave none,
        the others of its body did.
        """
        return self._reader.in_bodies(message, bodies)

    def to_arrow(
        self,
        positions: Positions,
        *,
        organisation: NDArray[np.int64],
        asset: NDArray[np.int64],
        received_at: NDArray[np.int64] | int,
        message: NDArray[np.uint16],
        serial: NDArray[np.uint16],
        rows: Places | None = None,
    ) -> pa.RecordBatch:
        """Return positions (all, or those in `rows`) as a record batch of exactly the schema.

        The other arrays have a value a frame (`Positions.frame` counts in them); `received_at` may be one for all, in milliseconds
        since 1970, UTC.
        """
        told: dict[str, NDArray[Any]] = {
            "organisation": organisation,
            "asset": asset,
            "received_at": np.full(organisation.size, received_at, np.int64) if isinstance(received_at, int) else received_at,
            "message": message,
            "serial": serial,
        }
        return to_arrow(positions, self.schema, told, rows)
