"""Columns from declarations: the fields of many records, and their tagged items, read without a loop over records.

A buffer here is a one-dimensional uint8 array with at least `PADDING` bytes after the last record, so that a read of a fixed
width never leaves it. Values are the wire's integers as in the scalar reading of the same declaration; a column's `valid` is
None where every value is there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jilink.protocols.wire.groups import ItemColumn, Tagged
from jilink.protocols.wire.kinds import Coordinate, Number, SignMagnitude
from jilink.protocols.wire.records import Record
from jilink.protocols.wire.times import Time

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
Mask = NDArray[np.bool_]

PADDING = 320
"""Bytes a buffer must hold behind its last record: more than any fixed part, or item with its head, is wide."""

_WORD = np.dtype("<u8")
_HEAD = 2
"""Bytes of an item's id and length."""

_WASTEFUL = 4
_NEVER = -(1 << 40)
_LATE_DAY = 0x29 << 8
"""As packed digits the 29th, hour 0: only from here on may a day be missing in its month."""


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one field; where `valid` is given and false the value is not available and means nothing."""

    values: NDArray[Any]
    valid: Mask | None = None


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Bytes as received that no column took, row by row: `data[offsets[k]:offsets[k + 1]]` belongs to row k."""

    data: Bytes
    offsets: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Rank:
    """The k-th items of all rows that have one: row, bounds, first eight bytes, and place in the table of taken items."""

    rows: Places
    places: Places
    after: Places
    words: NDArray[np.uint64]
    target: Places


def padded(*parts: Bytes) -> Bytes:
    """Return the parts end to end with the padding that reading columns needs."""
    return np.concatenate((*parts, np.zeros(PADDING, np.uint8)))


def at(buffer: Bytes, dtype: np.dtype, places: Places) -> NDArray[Any]:
    """Return the values of a type that begin at these places, aligned or not.

    Gathered as opaque bytes, which numpy copies ten times as fast as the fields of a structure.
    """
    count = buffer.size - dtype.itemsize + 1
    return np.ndarray((count,), f"V{dtype.itemsize}", buffer, strides=(1,))[places].view(dtype)


def ranges(starts: Places, lengths: Places) -> Places:
    """Return the places start, start + 1, ... of every range, end to end."""
    ends = np.cumsum(lengths)
    places = np.arange(int(ends[-1]) if ends.size else 0)
    places += np.repeat(starts - (ends - lengths), lengths)
    return places


def stretches(buffer: Bytes, starts: Places, lengths: Places) -> Bytes:
    """Return the bytes of every range (of at least one byte), end to end. Rows of equal width are masked where that is not wasteful."""
    widest = int(lengths.max(initial=1))
    if widest > PADDING or widest * lengths.size > _WASTEFUL * int(lengths.sum()):
        return buffer[ranges(starts, lengths)]
    rows = at(buffer, np.dtype(f"V{widest}"), starts).view(np.uint8).reshape(-1, widest)
    found: Bytes = rows[np.arange(widest, dtype=np.uint16) < lengths.astype(np.uint16)[:, None]]
    return found


class FixedColumns:
    """Reads the leading fields of a record whose places never vary."""

    def __init__(self, record: type[Record]) -> None:
        fields = record.fixed()
        self.width = sum(field.size for field in fields)
        names: list[str] = []
        formats: list[np.dtype] = []
        offsets: list[int] = []
        for field in fields:
            pieces = [(field.name, field.dtype)] if field.dtype is not None else []
            if isinstance(field.kind, Time):
                pieces = [(f"{field.name}.{part}", np.dtype(">u2")) for part in range(3)]
            step = field.size // max(len(pieces), 1)
            for place, (name, dtype) in enumerate(pieces):
                names.append(name)
                formats.append(dtype)
                offsets.append(field.offset + place * step)
        self._layout = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": self.width})
        self._kinds = {field.name: field.kind for field in fields}
        self._native = {name: dtype.newbyteorder("=") for name, dtype in zip(names, formats, strict=True)}

    def read(self, buffer: Bytes, starts: Places) -> dict[str, Column]:
        """Return a column for each number and each time (milliseconds since 1970, UTC)."""
        rows = at(buffer, self._layout, starts)
        raw = {name: rows[name].astype(native) for name, native in self._native.items()}
        columns: dict[str, Column] = {}
        for name, kind in self._kinds.items():
            if isinstance(kind, Time):
                columns[name] = _times(raw[f"{name}.0"], raw[f"{name}.1"], raw[f"{name}.2"], kind)
            elif isinstance(kind, Coordinate):
                columns[name] = _coordinates(raw[name], raw[kind.flags], kind)
            elif isinstance(kind, Number):
                columns[name] = _numbers(raw[name], kind)
        return columns


class TaggedColumns:
    """Reads the items of tagged tails (id and length of one byte each): wanted numbers as columns, all else as it came.

    An item belongs to a column only with the length declared for it. The first item of an id counts; one that comes again,
    an unknown or oddly long one, and what cannot be cut into items is left over. Each item is gathered once, its head and the
    first six bytes of its value in one word.
    """

    def __init__(self, tagged: Tagged, wanted: Collection[str]) -> None:
        """Raises ValueError where a wanted number does not lie in the first six bytes of its item."""
        columns = [column for column in tagged.columns() if column.name in wanted]
        heads = {(column.id, column.length): None for column in columns}
        self._slots = np.full(1 << 16, len(heads), np.int64)
        self._taken: list[list[ItemColumn]] = []
        for slot, (number, length) in enumerate(heads):
            self._slots[number | length << 8] = slot
            self._taken.append([column for column in columns if (column.id, column.length) == (number, length)])
        self._other = len(heads)
        if any(_HEAD + column.offset + column.dtype.itemsize > _WORD.itemsize for column in columns):
            raise ValueError("a column of an item must lie in its first six bytes")

    def read(self, buffer: Bytes, starts: Places, ends: Places) -> tuple[dict[str, Column], Leftovers | None]:
        """Return the wanted columns that any row has, and what is left over where anything is."""
        count = starts.size
        taken = np.zeros((self._other + 1, count), np.uint64)
        ranks, tails = self._walk(buffer, starts, ends)
        flat = taken.reshape(-1)
        for rank in reversed(ranks):  # so that the first item of an id is written last, and stays
            flat[rank.target] = rank.words
        columns: dict[str, Column] = {}
        found = 0
        for words, wanted in zip(taken, self._taken, strict=False):
            there = int(np.count_nonzero(words))
            if not there:
                continue
            found += there
            valid = None if there == count else words != 0
            for column in wanted:
                read = _numbers(_in_word(words, column), column.kind)
                columns[column.name] = Column(read.values, _both(read.valid, valid))
        if not tails[0].size and found == sum(rank.rows.size for rank in ranks):
            return columns, None
        return columns, self._leave(buffer, count, ranks, tails)

    def _walk(self, buffer: Bytes, starts: Places, ends: Places) -> tuple[list[_Rank], tuple[Places, Places, Places]]:
        """Step through the items of all rows at once: first items, second items and so on."""
        count = starts.size
        rows, places = np.arange(count), starts
        ranks: list[_Rank] = []
        tail_rows, tail_starts, tail_ends = [], [], []
        while rows.size:
            words = at(buffer, _WORD, places)
            head = words.astype(np.uint16)
            after = places + _HEAD
            after += head >> 8
            fits = after <= ends
            if not fits.all():
                over = ~fits & (places < ends)
                if over.any():
                    tail_rows.append(rows[over])
                    tail_starts.append(places[over])
                    tail_ends.append(ends[over])
                on = np.flatnonzero(fits)
                if not on.size:
                    break
                rows, places, ends, after = rows[on], places[on], ends[on], after[on]
                head, words = head[on], words[on]
            target = self._slots.take(head)
            target *= count
            target += rows
            ranks.append(_Rank(rows, places, after, words, target))
            places = after
        none = np.zeros(0, np.int64)
        if not tail_rows:
            return ranks, (none, none, none)
        return ranks, (np.concatenate(tail_rows), np.concatenate(tail_starts), np.concatenate(tail_ends))

    def _leave(self, buffer: Bytes, count: int, ranks: list[_Rank], tails: tuple[Places, Places, Places]) -> Leftovers | None:
        """Collect what no column took: the bytes of each row in the order received."""
        first_other = self._other * count
        seen = np.zeros(first_other, np.bool_)
        rows, starts, ends = [], [], []
        for rank in ranks:
            left = rank.target >= first_other
            left[~left] = seen[rank.target[~left]]
            if left.any():
                rows.append(rank.rows[left])
                starts.append(rank.places[left])
                ends.append(rank.after[left])
            seen[rank.target[~left]] = True
        if tails[0].size:
            rows.append(tails[0])
            starts.append(tails[1])
            ends.append(tails[2])
        if not rows:
            return None
        all_rows, all_starts = np.concatenate(rows), np.concatenate(starts)
        lengths = np.concatenate(ends) - all_starts
        order = np.argsort(all_rows, kind="stable")
        offsets = np.zeros(count + 1, np.int32)
        offsets[1:] = np.cumsum(np.bincount(all_rows, lengths, count))
        return Leftovers(buffer[ranges(all_starts[order], lengths[order])], offsets)


def _in_word(words: NDArray[np.uint64], column: ItemColumn) -> NDArray[Any]:
    """Return the big-endian numbers of a column out of items whose head and value stand in a word, lowest byte first."""
    native = column.dtype.newbyteorder("=")
    values: NDArray[Any] = (words >> np.uint64(8 * (_HEAD + column.offset))).astype(native)
    return values.byteswap() if native.itemsize > 1 else values


def _both(first: Mask | None, second: Mask | None) -> Mask | None:
    if first is None or second is None:
        return second if first is None else first
    return first & second


def _numbers(raw: NDArray[Any], kind: Number) -> Column:
    values = raw if raw.dtype.isnative else raw.astype(raw.dtype.newbyteorder("="))
    valid = None if kind.absent is None else values != kind.absent
    if isinstance(kind, SignMagnitude):
        top = 1 << 8 * values.dtype.itemsize - 1
        size = (values & (top - 1)).astype(f"i{values.dtype.itemsize}")
        values = np.where(values & top, -size, size)
    return Column(values, valid)


def _coordinates(raw: NDArray[Any], flags: NDArray[Any], kind: Coordinate) -> Column:
    """A coordinate is not available where the terminal says so, and where it is no place on Earth."""
    valid = raw <= (kind.raw_high if kind.raw_high is not None else np.iinfo(np.int32).max)
    if kind.valid is not None:
        valid &= (flags >> kind.valid & 1).astype(np.bool_)
    values = raw.astype(np.int32)
    negative = flags >> kind.negative & 1
    if negative.any():
        values = np.where(negative, -values, values)
    return Column(values, None if valid.all() else valid)


def _times(months: NDArray[np.uint16], hours: NDArray[np.uint16], seconds: NDArray[np.uint16], kind: Time) -> Column:
    """YYMM, DDhh and mmss as packed digits, each looked up."""
    offset = kind.zone.utcoffset(None)
    values = _MONTHS[months] + _HOURS[hours] + _SECONDS[seconds]
    values -= 1000 * int((offset or timedelta()).total_seconds())
    valid = values > 0
    late = hours >= _LATE_DAY
    if late.any():
        valid &= ~late | ((hours >> 8) <= _LAST_DAYS[months])
    return Column(values, None if valid.all() else valid)


def _digits(packed: int) -> int | None:
    return 10 * (packed >> 4) + (packed & 15) if packed >> 4 < 10 and packed & 15 < 10 else None


def _time_tables() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Return milliseconds by YYMM, DDhh and mmss, and the last day of each month in packed digits, by packed digits."""
    months, hours, seconds = (np.full(1 << 16, _NEVER * 1000, np.int64) for _ in range(3))
    last_days = np.zeros(1 << 16, np.uint8)
    pairs = [(high << 8 | low, _digits(high), _digits(low)) for high in range(256) for low in range(256)]
    for packed, high, low in pairs:
        if high is None or low is None:
            continue
        if 1 <= low <= 12:
            begin = datetime(2000 + high, low, 1, tzinfo=UTC)
            months[packed] = int(begin.timestamp()) * 1000
            last = ((begin + timedelta(days=31)).replace(day=1) - begin).days
            last_days[packed] = last // 10 << 4 | last % 10
        if 1 <= high <= 31 and low < 24:
            hours[packed] = ((high - 1) * 24 + low) * 3_600_000
        if high < 60 and low < 60:
            seconds[packed] = (high * 60 + low) * 1000
    return months, hours, seconds, last_days


_MONTHS, _HOURS, _SECONDS, _LAST_DAYS = _time_tables()
