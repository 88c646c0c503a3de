"""Active-safety alarms in positions (items 0x64 to 0x67, T/JSATL 12-2017): which began, which ended, which only happened.

Only rows that hold such an item are decoded. Telling the same batch again gives the same edges, which the database takes once.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from jilink.core.observations.columns import Edge
from jilink.core.observations.lasting import Lasting
from jilink.core.observations.rules import AHEAD_MS, FLASH_MS
from jilink.history.columns import OLDEST_MS
from jilink.kernel.errors import Malformed
from jilink.kernel.ids import AssetId
from jilink.protocols.jt808.columns.items import rows_with_items
from jilink.protocols.jt808.safety import (
    ADAS_TYPES,
    BSD_TYPES,
    DSM_TYPES,
    SAFETY_ITEMS,
    TPMS_TYPES,
    Adas,
    Bsd,
    Dsm,
    SafetyItems,
    Tpms,
)
from jilink.protocols.wire.cursor import Cursor

FIRST, LAST = min(SAFETY_ITEMS), max(SAFETY_ITEMS)
STARTED, ENDED = 1, 2
MOST_ENDS = 50_000
"""Ends remembered, so that a beginning that comes after its end is closed at once."""
KINDS: tuple[tuple[type[Adas | Dsm | Bsd], str, dict[int, str]], ...] = (
    (Adas, "adas", ADAS_TYPES),
    (Dsm, "dsm", DSM_TYPES),
    (Bsd, "bsd", BSD_TYPES),
)
Told = Any  # a record of `protocols.jt808.safety`, whose fields are declared there
Row = dict[str, Any]  # one row of schema POSITIONS


def _name(item: str, type_name: str) -> str:
    return f"{item}.{type_name.replace(' ', '_')}"


CONDITIONS = tuple(
    [_name(item, name) for _kind, item, names in KINDS for name in names.values()] + [_name("tpms", name) for name in TPMS_TYPES.values()]
)
"""Every condition that this room raises."""


def conditions(alarm: Told) -> list[str]:
    """Return what an alarm tells of: one condition, or for tyres each fault of any wheel once; types nobody knows by number."""
    if isinstance(alarm, Tpms):
        told = [name for bit, name in TPMS_TYPES.items() if any(wheel.type >> bit & 1 for wheel in alarm.wheels)]
        names = list(TPMS_TYPES.values()) if not told and alarm.state == ENDED else told  # an end that names no fault ends all
        return [_name("tpms", name) for name in names]
    for kind, item, types in KINDS:
        if isinstance(alarm, kind):
            return [_name(item, types.get(alarm.type, f"0x{alarm.type:02x}"))]
    return []


class SafetyAlarms:
    """Turns batches of positions into edges of active-safety alarms, given those that are open in the database."""

    def __init__(self, opened: Mapping[AssetId, Mapping[str, datetime]] | None = None) -> None:
        self.lasting = Lasting(opened)
        self._ends: OrderedDict[tuple[int, str], datetime] = OrderedDict()

    def edges(self, batch: pa.RecordBatch) -> list[Edge]:
        """Return the edges of a batch of schema POSITIONS in the order they happened."""
        rows = rows_with_items(batch.column("items"), FIRST, LAST)
        told = [self._told(row) for row in batch.take(pa.array(rows)).to_pylist()] if rows.size else []
        found = sorted((edge for edges in told for edge in edges), key=lambda edge: (edge.at, not edge.raised))
        for edge in found:
            if not edge.raised:
                self._remember(edge)
        found = [self._closed(edge) for edge in found]
        for edge in found:
            self.lasting.take(edge)
        over = self.lasting.over(batch)
        for edge in over:
            self._remember(edge)
        return found + over

    def _told(self, row: Row) -> list[Edge]:
        """Return what one row tells: its own edges, and the ends of the tyres' faults that it no longer names."""
        edges = list(_of_row(row))
        tyres = [edge for edge in edges if edge.condition.startswith("tpms.") and edge.raised]
        gone = self.lasting.tyres(row["asset"], [edge.condition for edge in tyres], tyres[0].at) if tyres else []
        return edges + [replace(tyres[0], condition=condition, raised=False, ended_at=None, level=None, label="") for condition in gone]

    def _remember(self, edge: Edge) -> None:
        key = edge.asset, edge.condition
        self._ends[key] = max(edge.at, self._ends.pop(key, edge.at))
        if len(self._ends) > MOST_ENDS:
            self._ends.popitem(last=False)

    def _closed(self, edge: Edge) -> Edge:
        """Return a beginning that came after its end as one already ended."""
        end = self._ends.get((edge.asset, edge.condition))
        if not edge.raised or edge.ended_at is not None or end is None or end < edge.at:
            return edge
        return replace(edge, ended_at=end)


def flashes(edges: Iterable[Edge]) -> dict[int, int]:
    """Return until when (milliseconds since 1970) alarms that only happened colour their assets."""
    found: dict[int, int] = {}
    for edge in edges:
        if edge.raised and edge.ended_at is not None:
            found[edge.asset] = max(found.get(edge.asset, 0), round(edge.at.timestamp() * 1000) + FLASH_MS)
    return found


def _of_row(row: Row) -> Iterator[Edge]:
    try:
        tags = SafetyItems.read(Cursor(row["items"])).items
    except Malformed:
        return  # the bytes stay in the history
    for tag in tags:
        alarm = tag.value
        if isinstance(alarm, Adas | Dsm | Bsd | Tpms):
            yield from _of_alarm(row, alarm)


def _of_alarm(row: Row, alarm: Told) -> Iterator[Edge]:
    at = _happened(alarm.measured_at, row)
    label = bytearray()
    alarm.label.write(label)
    level = getattr(alarm, "level", 0)
    for condition in conditions(alarm):
        yield Edge(
            organisation=row["organisation"],
            asset=row["asset"],
            condition=condition,
            raised=alarm.state != ENDED,
            at=at,
            latitude=row["latitude"],
            longitude=row["longitude"],
            ended_at=None if alarm.state in (STARTED, ENDED) else at,
            level=level or None,
            label=label.hex(),
        )


def _happened(told: datetime | None, row: Row) -> datetime:
    """Return the alarm's own time where it can be believed, as positions' times are; else that of its position."""
    received: datetime = row["received_at"]
    for moment in (told, row["measured_at"]):
        if moment is not None and -AHEAD_MS <= (received - moment).total_seconds() * 1000 <= OLDEST_MS:
            result: datetime = moment
            return result
    return received
