"""Positions as an Arrow record batch: the decoder's arrays become its buffers, nothing is converted value by value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jilink.protocols.jt808.columns.positions import Positions
from jilink.protocols.wire.columns import Leftovers

_ITEMS = "items"


def to_arrow(
    positions: Positions, schema: pa.Schema, told: Mapping[str, NDArray[Any]], rows: NDArray[np.int64] | None = None
) -> pa.RecordBatch:
    """Return positions as a batch of exactly this schema; `told` are columns by frame, which the positions themselves do not say.

    `rows` are the positions to take, all where None. A field of the schema that no position has becomes null.
    """
    frame = positions.frame if rows is None else positions.frame[rows]
    arrays = []
    for field in schema:
        if field.name in told:
            arrays.append(_array(field.type, told[field.name][frame]))
        elif field.name in ("part", "backfill"):
            values = getattr(positions, field.name)
            arrays.append(_array(field.type, values if rows is None else values[rows]))
        elif field.name == _ITEMS:
            arrays.append(_binary(positions.items, rows, frame.size))
        elif (column := positions.columns.get(field.name)) is None:
            arrays.append(pa.nulls(frame.size, field.type))
        elif rows is None:
            arrays.append(_array(field.type, column.values, column.valid))
        else:
            arrays.append(_array(field.type, column.values[rows], None if column.valid is None else column.valid[rows]))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(kind: pa.DataType, values: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> pa.Array:
    if pa.types.is_boolean(kind):
        stored: NDArray[Any] = np.packbits(values, bitorder="little")
    else:
        stored = np.ascontiguousarray(values, np.int64 if pa.types.is_timestamp(kind) else kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, values.size, [_bitmap(valid), pa.py_buffer(stored)])


def _bitmap(valid: NDArray[np.bool_] | None) -> pa.Buffer | None:
    return None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))


def _binary(items: Leftovers | None, rows: NDArray[np.int64] | None, count: int) -> pa.Array:
    if items is None:
        return pa.nulls(count, pa.binary())
    valid = np.diff(items.offsets) > 0
    array = pa.Array.from_buffers(pa.binary(), valid.size, [_bitmap(valid), pa.py_buffer(items.offsets), pa.py_buffer(items.data)])
    return array if rows is None else array.take(pa.array(rows))
