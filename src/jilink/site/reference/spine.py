"""The page of the spine: streams, buckets and the columns of measurement batches."""

from __future__ import annotations

import pyarrow as pa

from jilink.spine import measurements, subjects

SCHEMAS = {"POSITIONS": measurements.POSITIONS, "SESSIONS": measurements.SESSIONS}


def page() -> str:
    """Return the Markdown of the page."""
    lines = [
        "# The spine",
        "",
        "Streams, buckets and schemas of NATS JetStream. Generated from `jilink.spine.subjects` and `jilink.spine.measurements`.",
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
    return "\n".join([*lines, ""])


def _columns(schema: pa.Schema) -> list[str]:
    rows = ["| column | type | unit | scale | null | meaning |", "|---|---|---|---|---|---|"]
    for field in schema:
        told = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        rows.append(
            f"| {field.name} | {field.type} | {told['unit']} | {told['scale']} | {'yes' if field.nullable else 'never'} | {told['doc']} |"
        )
    return rows
