"""Active-safety alarms that last: which are open, and when a report shows that one is over although its end never came.

Terminals tell a beginning and an end once each (T/JSATL 12-2017, state of the alarm); an end that is lost is lost for good. So an alarm is
also over when a later report says that the ignition is off, when ten minutes have passed since it was last told, or, for tyres, when
a later report of the tyres no longer names the fault. It ends at the time of that report.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from jilink.core.observations import rules
from jilink.core.observations.columns import Edge
from jilink.kernel.ids import AssetId

LONGEST_MS = 10 * 60 * 1000
"""An alarm of driver or road that was not told again for so long is over with the next report."""
IGNITION = 1
"""Bit of the status word: ignition on (JT/T 808-2019, table 25)."""
WHILE_DRIVING = ("adas.", "dsm.", "bsd.")
TYRES = "tpms."


class Lasting:
    """Open lasting alarms: for each asset the conditions, and when each was last told (milliseconds since 1970)."""

    def __init__(self, opened: Mapping[AssetId, Mapping[str, datetime]] | None = None) -> None:
        self._open: dict[int, dict[str, int]] = {}
        for asset, conditions in (opened or {}).items():
            for condition, at in conditions.items():
                if condition.startswith((*WHILE_DRIVING, TYRES)):
                    self._open.setdefault(int(asset), {})[condition] = _ms(at)
        self.changed = True

    def assets(self) -> list[int]:
        """Return the assets with an open lasting alarm, and take note that they were asked for."""
        self.changed = False
        return list(self._open)

    def keep(self, assets: Iterable[int]) -> None:
        """Forget every asset that is not among these."""
        known = set(assets)
        for asset in [asset for asset in self._open if asset not in known]:
            del self._open[asset]
            self.changed = True

    def take(self, edge: Edge) -> None:
        """Take in an edge, in the order they happened."""
        told = self._open.get(edge.asset, {})
        if edge.raised and edge.ended_at is None:
            self.changed |= not told
            self._open.setdefault(edge.asset, told)[edge.condition] = max(_ms(edge.at), told.get(edge.condition, 0))
        elif not edge.raised and edge.condition in told and told[edge.condition] <= _ms(edge.at):
            self._close(edge.asset, edge.condition)

    def tyres(self, asset: int, named: Iterable[str], at: datetime) -> list[str]:
        """Return the open faults of tyres that a report of the tyres at that time no longer names."""
        named = set(named)
        return [
            condition
            for condition, told in self._open.get(asset, {}).items()
            if condition.startswith(TYRES) and condition not in named and told < _ms(at)
        ]

    def over(self, batch: pa.RecordBatch) -> list[Edge]:
        """Return the ends that a batch of schema POSITIONS shows, in the order of its rows, and take them in."""
        if not self._open:
            return []
        asset = batch.column("asset").to_numpy()
        rows = np.flatnonzero(np.isin(asset, np.fromiter(self._open, np.int64)))
        if not rows.size:
            return []
        part = batch.take(pa.array(rows))
        received = part.column("received_at").cast(pa.int64()).to_numpy()
        measured = part.column("measured_at").cast(pa.int64()).fill_null(0).to_numpy()
        happened = rules.happened(measured, received)
        off = (part.column("status").to_numpy() & IGNITION) == 0
        found = []
        for place in np.argsort(happened, kind="stable").tolist():
            row, at = int(rows[place]), int(happened[place])
            for condition in self._over(int(asset[row]), at, bool(off[place])):
                found.append(_end(batch, row, condition, at))
                self._close(int(asset[row]), condition)
        return found

    def _over(self, asset: int, at_ms: int, ignition_off: bool) -> list[str]:
        return [
            condition
            for condition, told in self._open.get(asset, {}).items()
            if condition.startswith(WHILE_DRIVING) and at_ms > told and (ignition_off or at_ms - told > LONGEST_MS)
        ]

    def _close(self, asset: int, condition: str) -> None:
        told = self._open[asset]
        del told[condition]
        if not told:
            del self._open[asset]
            self.changed = True


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _end(batch: pa.RecordBatch, row: int, condition: str, at_ms: int) -> Edge:
    return Edge(
        organisation=batch.column("organisation")[row].as_py(),
        asset=batch.column("asset")[row].as_py(),
        condition=condition,
        raised=False,
        at=datetime.fromtimestamp(at_ms / 1000, UTC),
        latitude=batch.column("latitude")[row].as_py(),
        longitude=batch.column("longitude")[row].as_py(),
    )
