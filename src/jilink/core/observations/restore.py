"""Where the watch begins: from its checkpoint, else from the history and the open alarms, and after which message."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import structlog

from jilink.core.observations import checkpoint, reads, rules
from jilink.core.observations.checkpoint import Place
from jilink.core.observations.columns import Edge, Fleet
from jilink.core.observations.ruled import Ruling
from jilink.history.reads import Reads
from jilink.history.tables import APPLICATION, History
from jilink.history.writer import STORED_AT
from jilink.kernel.ids import AssetId
from jilink.kernel.settings import Settings
from jilink.spine.measurements import POSITIONS
from jilink.spine.reading import StreamState

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """The state at the start, the place to go on after, and alarm edges that came to light."""

    fleet: Fleet
    place: Place
    edges: list[Edge]
    opened: dict[AssetId, dict[str, datetime]]
    """Every open condition with the time it was raised."""
    rulings: list[Ruling]
    ruled: pa.RecordBatch | None
    """The rules, and their state where a checkpoint has it."""


def restore(settings: Settings, stream: StreamState) -> Restored:
    """Return the state to begin with. Raises Unavailable where the history cannot be read, and the database's errors.

    The checkpoint suffices while the stream still holds what follows it. Otherwise the history fills in what it knows to be newer, as
    one batch, so that alarms that began or ended meanwhile are noticed, at the time of the fix that shows them.
    """
    opened, rulings = reads.open_conditions(), reads.rulings()
    file = checkpoint.path(settings.data)
    saved = checkpoint.load(file)
    if saved is not None:
        fleet, place = saved
        if place.life == stream.life and stream.first <= place.sequence + 1 and place.sequence <= stream.last:
            log.info("watch.restored", assets=fleet.count, after=place.sequence)
            return Restored(fleet, place, [], opened, rulings, checkpoint.load_ruled(file, place))
        after = Place(stream.life, 0)
    else:
        fleet = _with_open_alarms(Fleet(), opened)
        after = _place_of_history(settings, stream)
    edges: list[Edge] = []
    for batch in _last_known(settings):
        edges += fleet.apply_positions(batch)
    log.info("watch.restored_from_history", assets=fleet.count, after=after.sequence, checkpoint=saved is not None)
    return Restored(fleet, after, edges, opened, rulings, None)


def _place_of_history(settings: Settings, stream: StreamState) -> Place:
    history, application = History(settings), f"{APPLICATION}.{stream.life}"
    at = history.committed_sequence(application + STORED_AT)
    return Place(stream.life, history.committed_sequence(application), datetime.fromtimestamp(at / 1000, UTC) if at else None)


def _with_open_alarms(fleet: Fleet, opened: dict[AssetId, dict[str, datetime]]) -> Fleet:
    words = {int(asset): rules.word(set(conditions)) for asset, conditions in opened.items()}
    owners = dict(zip(*(column.tolist() for column in reads.owners()), strict=True))
    fleet.set_open_alarms({asset: word for asset, word in words.items() if word}, owners)
    return fleet


def _last_known(settings: Settings) -> list[pa.RecordBatch]:
    history = Reads(History(settings))
    rows = pa.concat_tables([history.last_known(None), history.last_known(None, located=True)])
    batches: list[pa.RecordBatch] = rows.select(POSITIONS.names).combine_chunks().to_batches()
    return batches
