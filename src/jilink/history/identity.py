"""What makes two rows one fix: the same asset says that it measured the same values at the same moment.

A terminal that did not get its answer sends the fix again, perhaps inside another message with another serial number. So how a fix
came (message, serial, part, backfill, time of receipt) and who owned the asset then say nothing about which fix it is; all that was
measured does (decision 0050). A row without a measured time is known by its time of receipt instead.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jilink.spine.measurements import POSITIONS

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

CARRIAGE = ("organisation", "received_at", "message", "serial", "part", "backfill")
"""Columns that tell how a fix came, not what it is."""
VALUES = tuple(name for name in POSITIONS.names if name not in {*CARRIAGE, "asset", "measured_at"})
"""Columns that were measured."""
_ODD = np.uint64(1)


def moments(table: pa.Table) -> tuple[Ints, Bools | None]:
    """Return each row's measured time in ms, received time in place of nulls, and where those stand (None: nowhere)."""
    received, measured = _times(table, "received_at"), table["measured_at"]
    if not measured.null_count:
        return _times(table, "measured_at"), None
    missing = _one(measured).is_null().to_numpy(zero_copy_only=False)
    return np.where(missing, received, _times(table, "measured_at")), missing


def identities(table: pa.Table) -> Words:
    """Return a 64-bit hash of what names each fix, the same for a row of schema POSITIONS and for that row stored.

    Each column times an odd number of its own, added up (multilinear hashing: Lemire, Kaser 2014, "Strongly universal string
    hashing is fast"), then mixed as SplitMix64 does: two different fixes agree with a chance of about 2^-64.
    """
    moment, missing = moments(table)
    total = _term(_one(table["asset"]).to_numpy().astype(np.int64), 0) + _term(moment, 1)
    if missing is not None:
        total += missing * _KEYS[-1]
    for place, name in enumerate(VALUES, 2):
        column = _one(table[name])
        if column.null_count == len(column):
            continue
        total += _of_bytes(column, place) if pa.types.is_binary(column.type) else _of_numbers(column, place)
    total ^= total >> np.uint64(32)
    total *= np.uint64(0x94D049BB133111EB)
    total ^= total >> np.uint64(31)
    return total


def unrepeated(table: pa.Table, content: Words | None = None) -> Bools | None:
    """Return which rows are no repetition of an earlier one (None: all), for rows sorted by asset and `moments`.

    Only rows that share asset and moment with a neighbour are compared. `content` stands for the measured columns where the table
    lacks them: equal where all of them are.
    """
    asset, (moment, missing) = table["asset"].to_numpy(), moments(table)
    again = (asset[1:] == asset[:-1]) & (moment[1:] == moment[:-1])
    if not again.any():
        return None
    shared = np.zeros(len(asset), np.bool_)
    shared[1:] = again
    shared[:-1] |= again
    index = np.flatnonzero(shared)
    group = np.concatenate([[0], np.cumsum(~again)])[index]
    if content is None:
        named = identities(table.take(pa.array(index)))
    else:
        named = content[index] if missing is None else content[index] + missing[index] * _KEYS[-1]
    order = np.lexsort((index, named, group))
    repeats = (group[order][1:] == group[order][:-1]) & (named[order][1:] == named[order][:-1])
    kept = np.ones(len(asset), np.bool_)
    kept[index[order[1:][repeats]]] = False
    return None if kept.all() else kept


def last_moment(table: pa.Table) -> int:
    """Return where the rows begin that share asset and moment with the last row, for rows sorted by both."""
    asset, (moment, _) = table["asset"].to_numpy(), moments(table)
    differs = np.flatnonzero((asset != asset[-1:]) | (moment != moment[-1:]))
    return int(differs[-1]) + 1 if differs.size else 0


def _keys(count: int) -> Words:
    """Numbers without pattern: SplitMix64 (Steele, Lea, Flood 2014) from 0."""
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ state >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ state >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    mixed: Words = state ^ state >> np.uint64(31)
    return mixed


_KEYS = _keys(2 * (len(VALUES) + 2) + 1)
_WORD_KEYS = _keys((1 << 16) // 8 + 1) | _ODD
"""One for each eight bytes of the longest `items`."""


def _term(values: Ints, place: int) -> Words:
    term: Words = values.view(np.uint64) + _KEYS[2 * place]
    term *= _KEYS[2 * place + 1] | _ODD
    return term


def _of_numbers(column: pa.Array, place: int) -> Words:
    """A column's part of the sum; a null adds nothing."""
    if not column.null_count:
        return _term(column.to_numpy().astype(np.int64), place)
    term = _term(column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), place)
    term[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return term


def _of_bytes(column: pa.Array, place: int) -> Words:
    """Length and content, eight bytes at a time."""
    column = column.cast(pa.large_binary())
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    lengths = np.diff(offsets)
    data = column.buffers()[2]
    padded = np.zeros((0 if data is None else data.size) + 8, np.uint8)
    if data is not None:
        padded[:-8] = np.frombuffer(data, np.uint8)
    eights = np.ndarray(len(padded) - 7, "<u8", padded, strides=(1,))
    term = _term(lengths, place)
    for word in range(-(-int(lengths.max(initial=0)) // 8)):
        rows = np.flatnonzero(lengths > 8 * word)
        value = eights[offsets[rows] + 8 * word]
        short = np.minimum(lengths[rows] - 8 * word, 8).astype(np.uint64) * np.uint64(8)
        value &= np.uint64(0xFFFF_FFFF_FFFF_FFFF) >> (np.uint64(64) - short)
        value *= _WORD_KEYS[word % len(_WORD_KEYS)]
        value ^= value >> np.uint64(29)
        term[rows] += value * (_KEYS[2 * place + 1] | _ODD)
    if column.null_count:
        term[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return term


def _times(table: pa.Table, name: str) -> Ints:
    column = _one(table[name])
    values: Ints = column.view(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return values if column.type.unit == "ms" else values // 1000


def _one(column: pa.ChunkedArray) -> pa.Array:
    """The only chunk of a combined column."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() if column.num_chunks else pa.array([], column.type)
