"""Record batches as bytes: the Arrow IPC stream format (Apache Arrow, "IPC Streaming Format"), one batch a message.

The schema's name and version travel in its metadata under ``schema`` (for example ``positions.1``). A reader takes its own
version by name: fields it does not know are dropped, fields that are missing become null where the schema allows it.
"""

import pyarrow as pa

from jilink.kernel.errors import Malformed
from jilink.spine.measurements import LATEST, POSITIONS, SESSIONS

SCHEMAS: dict[str, pa.Schema] = {schema.metadata[b"schema"].decode(): schema for schema in (POSITIONS, SESSIONS, LATEST)}

_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""End of stream (Arrow columnar format, "IPC Streaming Format")."""
_WRITE = pa.ipc.IpcWriteOptions(compression=None)


class NotABatch(Malformed):
    """Bytes that are not one record batch of the expected schema. Reasons: ``arrow``, ``schema``, ``nulls``."""


def encode(batch: pa.RecordBatch) -> bytes:
    """Return the batch, with its schema, as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=_WRITE) as writer:
        writer.write_batch(batch)
    result: bytes = sink.getvalue().to_pybytes()
    return result


def decode(data: bytes, expected: pa.Schema | None = None) -> pa.RecordBatch:
    """Return the batch with exactly the declared schema's fields, in its order. Raises NotABatch.

    Several batches in one stream are joined. With `expected`, a batch of another schema is refused.
    """
    if not data.endswith(_END):  # one cut between two messages would pass for a shorter one
        raise NotABatch("arrow", "not a whole Arrow stream: its end is missing")
    try:
        with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
            table = reader.read_all()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, pa.ArrowKeyError) as error:
        raise NotABatch("arrow", f"not an Arrow stream: {error}") from error
    name = (table.schema.metadata or {}).get(b"schema", b"").decode(errors="replace")
    schema = SCHEMAS.get(name)
    if schema is None or (expected is not None and name.encode() != expected.metadata[b"schema"]):
        raise NotABatch("schema", f"a batch of schema {name!r}")
    if table.schema.equals(schema):
        batches = table.to_batches()
        return batches[0] if len(batches) == 1 else _joined(table, schema)
    return _conformed(table, schema)


def _joined(table: pa.Table, schema: pa.Schema) -> pa.RecordBatch:
    combined = table.combine_chunks().to_batches()
    return combined[0] if combined else pa.RecordBatch.from_pylist([], schema=schema)


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.RecordBatch:
    columns = []
    for field in schema:
        if field.name in table.schema.names:
            column = table.column(field.name)
        elif field.nullable:
            column = pa.nulls(table.num_rows, field.type)
        else:
            raise NotABatch("schema", f"field {field.name} is missing")
        try:
            columns.append(column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise NotABatch("schema", f"field {field.name}: {error}") from error
        if not field.nullable and columns[-1].null_count:
            raise NotABatch("nulls", f"field {field.name} has nulls")
    return _joined(pa.Table.from_arrays(columns, schema=schema), schema)
