"""Positions as columns, from the bodies that carry them: one, one behind a reply serial, or many in a batch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jilink.protocols.jt808.columns.carry import Bytes, Places
from jilink.protocols.jt808.control import VehicleControlAnswer
from jilink.protocols.jt808.message import Message
from jilink.protocols.jt808.position import Position, PositionAnswer, PositionBatch, PositionBody
from jilink.protocols.wire.columns import Column, FixedColumns, Leftovers, TaggedColumns, at, padded
from jilink.protocols.wire.records import Nested

_WORD = np.dtype(">u2")
_LATE = 1
"""Type of a batch that a terminal sends from its memory (JT/T 808-2019, table 76)."""


def _answer_head(message: type[Message]) -> int:
    """Return how many bytes stand before the position that ends a message."""
    *head, last = message.fields().values()
    if not isinstance(last, Nested) or not issubclass(last.record, PositionBody):
        raise TypeError(f"{message.__name__} does not end in a position")
    return sum(kind.size or 0 for kind in head)


REPORT, BATCH = Position.id, PositionBatch.id
ANSWERS = {message.id: _answer_head(message) for message in (PositionAnswer, VehicleControlAnswer)}
"""Messages that answer a command and end in a position: id -> bytes before it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where positions lie: the row of the frame (or body) each is in, its bounds, its 0-based place there, and whether it is late."""

    row: Places
    start: Places
    end: Places
    part: NDArray[np.uint16]
    late: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Positions:
    """A row a fix: the frame (or body) that carried it, its 0-based place there, whether it was sent late, and its values by name.

    A column that no row has is not there. `items` are the bytes of every item that is no column, and null rows where none is.
    """

    frame: Places
    part: NDArray[np.uint16]
    backfill: NDArray[np.bool_]
    columns: dict[str, Column]
    items: Leftovers | None

    @property
    def count(self) -> int:
        """How many positions there are."""
        return self.frame.size


def single(row: Places, start: Places, end: Places) -> Found:
    """Return one position a row."""
    return Found(row, start, end, np.zeros(row.size, np.uint16), np.zeros(row.size, np.bool_))


def joined(*parts: Found) -> Found:
    """Return all of several."""
    return Found(
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.end for part in parts]),
        np.concatenate([part.part for part in parts]),
        np.concatenate([part.late for part in parts]),
    )


class PositionReader:
    """Reads positions into the columns named in `wanted`; every other item stays bytes."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._fixed = FixedColumns(Position)
        self._items = TaggedColumns(Position.items, wanted)
        self._batch = FixedColumns(PositionBatch)

    def read(self, buffer: Bytes, found: Found, spoilt: NDArray[np.bool_], *, whole: bool = True) -> Positions:
        """Read what was found. Marks in `spoilt` the rows (of frames or bodies) with a position too short.

        Those rows are left out `whole`, else their short positions alone.
        """
        short = found.end - found.start < self._fixed.width
        if short.any():
            spoilt[found.row[short]] = True
        keep = ~spoilt[found.row] if whole else ~short
        if not keep.all():
            found = Found(found.row[keep], found.start[keep], found.end[keep], found.part[keep], found.late[keep])
        columns = self._fixed.read(buffer, found.start)
        tagged, items = self._items.read(buffer, found.start + self._fixed.width, found.end)
        return Positions(found.row, found.part, found.late, columns | tagged, items)

    def in_batches(self, buffer: Bytes, rows: Places, starts: Places, ends: Places, spoilt: NDArray[np.bool_]) -> Found:
        """Find every position inside batch messages (JT/T 808-2019, 8.49), marking those that are cut off."""
        places = starts + self._batch.width
        spoilt[rows[places > ends]] = True
        head = self._batch.read(buffer, starts)
        counts, late = head["count"].values.astype(np.int64), head["type"].values == _LATE
        found = [single(rows[:0], starts[:0], ends[:0])]
        rank = 0
        while rows.size:
            after = places + _WORD.itemsize + at(buffer, _WORD, np.minimum(places, ends)).astype(np.int64)
            going = (rank < counts) & (places < ends)
            over = going & (after > ends)
            spoilt[rows[over]] = True
            going &= ~over
            rows, ends, places, after, counts = (column[going] for column in (rows, ends, places, after, counts))
            late = late[going]
            found.append(Found(rows, places + _WORD.itemsize, after, np.full(rows.size, rank, np.uint16), late))
            places = after
            rank += 1
        return joined(*found)

    def in_bodies(self, message: int, bodies: Sequence[bytes]) -> tuple[Positions, NDArray[np.bool_]]:
        """Read the bodies of one kind of message, such as were joined from packages; also return which have a position cut off.

        The whole positions of those are read all the same.
        """
        buffer = padded(np.frombuffer(b"".join(bodies), np.uint8))
        ends = np.cumsum(np.array([len(body) for body in bodies], np.int64))
        starts = ends - np.array([len(body) for body in bodies], np.int64)
        rows, spoilt = np.arange(len(bodies)), np.zeros(len(bodies), np.bool_)
        if message == BATCH:
            found = self.in_batches(buffer, rows, starts, ends, spoilt)
        else:
            found = single(rows, starts + ANSWERS.get(message, 0), ends)
        return self.read(buffer, found, spoilt, whole=False), spoilt
