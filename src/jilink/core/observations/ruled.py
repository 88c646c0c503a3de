"""The rules at work in the watch: read from the database, looked at with every batch, their changes as edges of alarms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from jilink.core.observations.columns import Edge, Fleet
from jilink.core.observations.evaluation import Change, Evaluation, Rule, name_of
from jilink.core.observations.rules import Int64s
from jilink.kernel.ids import AssetId


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A rule that is switched on, with what its alarms carry."""

    rule: Rule
    title: str
    level: int | None


class Ruled:
    """Evaluates rules over one fleet. Not thread-safe: the watch's loop owns it."""

    def __init__(self, fleet: Fleet) -> None:
        self.evaluation = Evaluation()
        self._fleet = fleet
        self._rulings: dict[int, Ruling] = {}

    def begin(
        self, rulings: Iterable[Ruling], state: pa.RecordBatch | None, opened: Mapping[AssetId, Mapping[str, datetime]]
    ) -> list[Edge]:
        """Take rules, the state of a checkpoint and what is open in the database; return the ends of alarms whose rule is gone."""
        edges = self.set_rules(rulings, 0)
        if state is not None:
            self.evaluation.restore(state)
        numbers = {name_of(number): number for number in self.evaluation.standings}
        for asset, conditions in opened.items():
            for condition, at in conditions.items():
                if condition in numbers:
                    self.evaluation.standings[numbers[condition]].set_open(int(asset), round(at.timestamp() * 1000))
        return edges

    def orphans(self, opened: Mapping[AssetId, Mapping[str, datetime]], now_ms: int) -> list[Edge]:
        """Return the ends of alarms that are open in the database although their rule is gone or switched off."""
        known = {name_of(number) for number in self.evaluation.standings}
        return [
            _edge(int(asset), 0, condition, False, now_ms)
            for asset, conditions in opened.items()
            for condition in conditions
            if condition.startswith("rule.") and condition not in known
        ]

    def set_rules(self, rulings: Iterable[Ruling], now_ms: int) -> list[Edge]:
        """Make these the rules; return the ends of alarms whose rule is gone or was changed."""
        fresh = {ruling.rule.id: ruling for ruling in rulings}
        changes = self.evaluation.set_rules((ruling.rule for ruling in fresh.values()), now_ms)
        self._rulings = fresh
        return [self._told(change, None) for change in changes]

    def take(self, batch: pa.RecordBatch) -> list[Edge]:
        """Return what begins and ends with a batch of schema POSITIONS that the fleet has taken in."""
        if not self.evaluation.standings:
            return []
        rows = self._fleet.rows_of(batch.column("asset").to_numpy().astype(np.int64))
        owners = np.where(rows >= 0, self._fleet.numbers("organisation")[rows], 0)
        return [self._told(change, batch) for change in self.evaluation.take(batch, owners)]

    def listen(self, now_ms: int) -> list[Edge]:
        """Return which silences begin and end."""
        if not self.evaluation.standings:
            return []
        rows = self._fleet.all_rows()
        heard = np.maximum(self._fleet.numbers("seen_ms")[rows], self._fleet.numbers("opened_ms")[rows])
        assets, owners = self._fleet.numbers("asset")[rows], self._fleet.numbers("organisation")[rows]
        return [self._told(change, None) for change in self.evaluation.listen(assets, owners, heard, now_ms)]

    def keep(self, assets: Int64s, owners: Int64s, now_ms: int) -> list[Edge]:
        """Forget assets that are gone or belong to others now; return the ends of their alarms."""
        return [self._told(change, None) for change in self.evaluation.keep(assets, owners, now_ms)]

    def _told(self, change: Change, batch: pa.RecordBatch | None) -> Edge:
        ruling = self._rulings.get(change.rule)
        row = self._fleet.rows_of(np.array([change.asset], np.int64))[0]
        owner = int(self._fleet.numbers("organisation")[row]) if row >= 0 else 0
        if batch is None or change.row < 0 or ruling is None:
            place: tuple[int | None, int | None] = (None, None)
        else:
            place = (batch.column("latitude")[change.row].as_py(), batch.column("longitude")[change.row].as_py())
        return _edge(change.asset, owner, name_of(change.rule), change.raised, change.at_ms, place, ruling)


def _edge(
    asset: int,
    owner: int,
    condition: str,
    raised: bool,
    at_ms: int,
    place: tuple[int | None, int | None] = (None, None),
    ruling: Ruling | None = None,
) -> Edge:
    return Edge(
        organisation=owner,
        asset=asset,
        condition=condition,
        raised=raised,
        at=datetime.fromtimestamp(at_ms / 1000, UTC),
        latitude=place[0],
        longitude=place[1],
        level=ruling.level if ruling else None,
        rule=ruling.rule.id if ruling else None,
        title=ruling.title if ruling else "",
    )
