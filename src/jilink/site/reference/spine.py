"""The page of the spine: streams, buckets, the columns of measurement batches, and what is said of calls."""

from __future__ import annotations

import inspect
import types
from typing import get_args

import msgspec
import pyarrow as pa

from jilink.spine import calls, measurements, subjects

SCHEMAS = {"POSITIONS": measurements.POSITIONS, "SESSIONS": measurements.SESSIONS}


def page() -> str:
    """Return the Markdown of the page."""
    lines = [
        "# The spine",
        "",
        "Streams, buckets and schemas of NATS JetStream, and what is said of calls.",
        "Generated from `jilink.spine.subjects`, `jilink.spine.measurements` and `jilink.spine.calls`.",
        "",
        "## Streams",
        "",
        "| stream | subjects | kept for | at most | what |",
        "|---|---|---|---|---|",
    ]
    for stream in subjects.STREAMS:
        size = f"{stream.max_bytes / 2**30:.0f} GiB" if stream.max_bytes else "no limit"
        listed = ", ".join(f"`{s}`" for s in stream.subjects)
        lines.append(f"| {stream.name} | {listed} | {stream.max_age_s // 86400} days | {size} | {stream.doc} |")
    lines += ["", "## Key-value buckets", "", "| bucket | what |", "|---|---|"]
    lines += [f"| {bucket.name} | {bucket.doc} |" for bucket in subjects.BUCKETS]
    for name, schema in SCHEMAS.items():
        lines += ["", f"## {name}", "", *_columns(schema)]
    lines += ["", "## Calls", "", *inspect.getdoc(calls).splitlines()]  # type: ignore[union-attr]  # -- tests/house asks every module for its docstring
    for title, union in (("Facts", calls.Fact), ("What can be played", calls.Piece), ("Orders", calls.Order), ("Answers", calls.Reply)):
        lines += ["", f"### {title}", "", *_messages(union)]
    return "\n".join([*lines, ""])


def _messages(union: types.UnionType) -> list[str]:
    rows = ["| name | fields | meaning |", "|---|---|---|"]
    for kind in get_args(union):
        told = " ".join((inspect.getdoc(kind) or "").split())
        listed = ", ".join(field.name for field in msgspec.structs.fields(kind))
        rows.append(f"| {kind.__name__} | {listed} | {told} |")
    return rows


def _columns(schema: pa.Schema) -> list[str]:
    rows = ["| column | type | unit | scale | null | meaning |", "|---|---|---|---|---|---|"]
    for field in schema:
        told = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        rows.append(
            f"| {field.name} | {field.type} | {told['unit']} | {told['scale']} | {'yes' if field.nullable else 'never'} | {told['doc']} |"
        )
    return rows
