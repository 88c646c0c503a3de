"""What a rule would have told: it is evaluated over the history as it would be over reports, and nothing is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from jilink.core.assets.models import Asset
from jilink.core.observations import conditions
from jilink.core.observations.conditions import Condition, Silence
from jilink.core.observations.evaluation import Change, Evaluation, Rule
from jilink.core.parties import audit
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, require
from jilink.core.parties.rules import Permission
from jilink.history.reads import Reads
from jilink.kernel.ids import AssetId, OrganisationId

MOST_ASSETS = 200
MOST_SHOWN = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldBe:
    """One alarm that the rule would have raised; `cleared_at` None where it would still be open."""

    asset: AssetId
    label: str
    raised_at: datetime
    cleared_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What would have been told: how many alarms, of how many of the assets looked at (at most MOST_ASSETS), and the first of them."""

    alarms: int
    assets: int
    looked_at: int
    cut: bool
    shown: list[WouldBe]


def try_rule(actor: Actor, organisation: OrganisationId, condition: Condition, *, history: Reads, start: datetime, end: datetime) -> Trial:
    """Return what a rule would have told from start to end (at most two days). Nothing is written but the audit: the
    times of alarms say something of tracks. Raises RuleRefused, NotFound without MANAGE_RULES, and what the history raises.
    """
    require(actor, Permission.MANAGE_RULES, organisation)
    conditions.check(condition)
    if end - start > timedelta(days=2):
        raise conditions.RuleRefused("A rule can be tried on at most two days.")
    owners = parties.below(organisation)
    found = list(
        Asset.objects.filter(organisation_id__in=owners).order_by("pk").values_list("pk", "organisation_id", "label")[: MOST_ASSETS + 1]
    )
    rule = Rule(id=0, version=0, organisations=frozenset(owners), condition=condition)
    audit.record(actor, "rule.tried", "rule", organisation)
    alarms: list[WouldBe] = []
    for asset, owner, label in found[:MOST_ASSETS]:
        rows = history.track(owner, asset, start, end)
        alarms += _pairs(AssetId(asset), label, _changes(rule, rows, owner, end))
    alarms.sort(key=lambda each: each.raised_at)
    return Trial(
        alarms=len(alarms),
        assets=len({each.asset for each in alarms}),
        looked_at=min(len(found), MOST_ASSETS),
        cut=len(found) > MOST_ASSETS,
        shown=alarms[:MOST_SHOWN],
    )


def _changes(rule: Rule, rows: pa.Table, owner: int, end: datetime) -> Sequence[Change]:
    evaluation = Evaluation()
    evaluation.set_rules([rule], 0)
    if not rows.num_rows:
        return []
    batch = rows.combine_chunks().to_batches()[0]
    if not isinstance(rule.condition, Silence):
        return evaluation.take(batch, np.full(batch.num_rows, owner, np.int64))
    heard = np.sort(batch.column("received_at").cast(pa.int64()).to_numpy())
    asset, owners = batch.column("asset").to_numpy()[:1].astype(np.int64), np.array([owner], np.int64)
    changes: list[Change] = []
    for last, now in zip(heard.tolist(), [*heard[1:].tolist(), int(end.timestamp() * 1000)], strict=True):
        changes += evaluation.listen(asset, owners, np.array([last], np.int64), now)
    return changes


def _pairs(asset: AssetId, label: str, changes: Sequence[Change]) -> Iterator[WouldBe]:
    begun: datetime | None = None
    for change in changes:
        at = datetime.fromtimestamp(change.at_ms / 1000).astimezone()
        if change.raised:
            begun = at
        elif begun is not None:
            yield WouldBe(asset=asset, label=label, raised_at=begun, cleared_at=at)
            begun = None
    if begun is not None:
        yield WouldBe(asset=asset, label=label, raised_at=begun, cleared_at=None)
