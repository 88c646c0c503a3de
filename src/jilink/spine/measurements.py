"""What a measurement batch looks like on the spine: one Arrow schema a kind, with units in the field metadata.

Numbers stay scaled integers from the socket to the table (small, exact); `scale` in the metadata gives the unit's value:
value = stored x scale. Times are UTC. Positions are WGS-84. A null means "not available", never zero.
"""

import pyarrow as pa

_UTC = pa.timestamp("ms", tz="UTC")


def _field(name: str, kind: pa.DataType, doc: str, unit: str = "", scale: str = "1", *, nullable: bool = True) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"doc": doc, "unit": unit, "scale": scale})


POSITIONS = pa.schema(
    [
        _field("organisation", pa.int64(), "owner at the time of receipt", nullable=False),
        _field("asset", pa.int64(), "asset that carries the terminal", nullable=False),
        _field("received_at", _UTC, "when the gateway read it from the socket", nullable=False),
        _field("measured_at", _UTC, "the terminal's own clock; null where it had none"),
        _field("message", pa.uint16(), "message id that carried it (0x0200, 0x0201, 0x0704, ...)", nullable=False),
        _field("serial", pa.uint16(), "message serial number of the terminal", nullable=False),
        _field("part", pa.uint16(), "0-based place inside a batch message (0x0704), else 0", nullable=False),
        _field("backfill", pa.bool_(), "sent later from the terminal's memory", nullable=False),
        _field("alarm", pa.uint32(), "alarm word, JT/T 808-2019 table 24", nullable=False),
        _field("status", pa.uint32(), "status word, JT/T 808-2019 table 25", nullable=False),
        _field("latitude", pa.int32(), "WGS-84, north positive; null where not positioned", "deg", "1e-6"),
        _field("longitude", pa.int32(), "WGS-84, east positive; null where not positioned", "deg", "1e-6"),
        _field("altitude", pa.int16(), "above sea level", "m"),
        _field("speed", pa.uint16(), "over ground", "km/h", "0.1"),
        _field("course", pa.uint16(), "clockwise from north", "deg"),
        _field("odometer", pa.uint32(), "item 0x01", "km", "0.1"),
        _field("fuel", pa.uint16(), "item 0x02", "L", "0.1"),
        _field("recorder_speed", pa.uint16(), "item 0x03", "km/h", "0.1"),
        _field("confirmation", pa.uint16(), "item 0x04, id of an alarm waiting for manual confirmation"),
        _field("cabin_temperature", pa.int16(), "item 0x06", "degC"),
        _field("video_alarm", pa.uint32(), "item 0x14, JT/T 1078"),
        _field("video_lost", pa.uint32(), "item 0x15, a bit per channel"),
        _field("video_masked", pa.uint32(), "item 0x16, a bit per channel"),
        _field("signals", pa.uint32(), "item 0x25, lamps, brake, horn"),
        _field("io", pa.uint16(), "item 0x2A"),
        _field("analog0", pa.uint16(), "item 0x2B, low half"),
        _field("analog1", pa.uint16(), "item 0x2B, high half"),
        _field("network_signal", pa.uint8(), "item 0x30"),
        _field("satellites", pa.uint8(), "item 0x31"),
        _field("items", pa.binary(), "every other item as id, length, value, as received"),
    ],
    metadata={"schema": "positions.1", "datum": "WGS-84"},
)
"""One row a fix. What it says names it: asset, measured_at (received_at where null) and every measured value from `alarm` on.

The same again is a redelivery, whatever message, serial and part carry it.
"""

SESSIONS = pa.schema(
    [
        _field("organisation", pa.int64(), "owner", nullable=False),
        _field("asset", pa.int64(), "asset", nullable=False),
        _field("at", _UTC, "when it happened", nullable=False),
        _field("online", pa.bool_(), "true when authenticated or heard of since, false when the connection ended", nullable=False),
        _field("worker", pa.string(), "gateway worker that holds or held the connection", nullable=False),
        _field("reason", pa.string(), "why it ended; empty when it began, alive while it goes on", nullable=False),
    ],
    metadata={"schema": "sessions.1"},
)
"""One row a beginning or end of a terminal's session, and every few minutes one for each that was heard of meanwhile."""

LATEST = pa.schema(
    [
        *POSITIONS,
        _field("online", pa.bool_(), "session open and heard of within ten minutes", nullable=False),
        _field("state", pa.uint8(), "0 never located, 1 moving, 2 idle, 3 alarm, 4 offline", nullable=False),
        _field("located_at", _UTC, "when the last known place was taken; null where there never was one"),
        _field("located_latitude", pa.int32(), "the last known place, WGS-84", "deg", "1e-6"),
        _field("located_longitude", pa.int32(), "the last known place, WGS-84", "deg", "1e-6"),
        _field("clock_off", pa.bool_(), "measured_at cannot be believed; the fix counts as of received_at", nullable=False),
    ],
    metadata={"schema": "latest.1", "datum": "WGS-84"},
)
"""One row an asset: its newest fix and what the watch knows besides."""
