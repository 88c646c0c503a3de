"""Questions to the watch: latest values, states and counts of many vehicles at once. While it is down, answers are empty."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import pyarrow as pa
import structlog

from jilink.core.observations import service
from jilink.kernel.errors import Unavailable
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.spine import subjects
from jilink.spine.measurements import POSITIONS
from jilink.webkit.link import spine

log = structlog.get_logger(__name__)
STATES = ("unseen", "moving", "idle", "alarm", "offline")
"""Names of the watch's state codes, in order."""
ASK_S = 3.0


class Selection(msgspec.Struct, frozen=True):
    """What the watch answers to a selection."""

    counts: dict[str, int] = {}
    total: int = 0
    assets: list[int] = []


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest of one vehicle: the stored integers of schema POSITIONS by name (None: not available), and its state."""

    state: str
    online: bool
    values: dict[str, object]

    def number(self, name: str) -> float | None:
        """Return a value in its unit, or None."""
        value = self.values.get(name)
        return round(float(value) * SCALES[name], 6) if isinstance(value, int | float) else None

    def time(self, name: str) -> datetime | None:
        """Return a time, or None."""
        value = self.values.get(name)
        return value if isinstance(value, datetime) else None


UNSEEN = Latest("unseen", False, {})
SCALES = {field.name: float((field.metadata or {}).get(b"scale", b"1")) for field in POSITIONS}


def select(organisations: Collection[OrganisationId], state: str = "", offset: int = 0, limit: int = 0) -> Selection | None:
    """Return counts of all states and one page of those in a state ("" for any). None while the watch does not answer."""
    question = {"organisations": sorted(organisations), "state": state or None, "offset": offset, "limit": limit}
    try:
        return msgspec.json.decode(spine().request(subjects.WATCH_SELECT, msgspec.json.encode(question), ASK_S), type=Selection)
    except (Unavailable, msgspec.MsgspecError) as error:
        log.warning("vehicles.watch_silent", question="select", reason=repr(error))
        return None


def latest(organisations: Collection[OrganisationId], assets: Sequence[AssetId]) -> dict[AssetId, Latest] | None:
    """Return the latest of these vehicles; those never heard of are left out. None while the watch does not answer."""
    try:
        rows = _latest(sorted(organisations), assets).to_pylist()
    except (Unavailable, pa.ArrowInvalid) as error:
        log.warning("vehicles.watch_silent", question="latest", reason=repr(error))
        return None
    allowed = set(organisations)
    return {AssetId(row["asset"]): Latest(_state(row["state"]), bool(row["online"]), row) for row in rows if row["organisation"] in allowed}


def _latest(organisations: Sequence[int], assets: Sequence[int]) -> pa.Table:
    asking = service.all_latest(organisations, assets)
    question = next(asking)
    while True:
        try:
            question = asking.send(spine().request(subjects.WATCH_LATEST, question, ASK_S))
        except StopIteration as done:
            table: pa.Table = done.value
            return table


def tail(organisation: OrganisationId, asset: AssetId, start: datetime, end: datetime) -> pa.Table | None:
    """Return the fixes of the last minutes that the history may not hold yet. None while the watch does not answer."""
    question = {
        "organisation": organisation,
        "asset": asset,
        "start_ms": int(start.timestamp() * 1000),
        "end_ms": int(end.timestamp() * 1000),
    }
    try:
        data = spine().request(subjects.WATCH_TAIL, msgspec.json.encode(question), ASK_S)
        return pa.ipc.open_stream(data).read_all().select(POSITIONS.names)
    except (Unavailable, pa.ArrowInvalid, KeyError) as error:
        log.warning("vehicles.watch_silent", question="tail", reason=repr(error))
        return None


def _state(code: object) -> str:
    return STATES[code] if isinstance(code, int) and 0 <= code < len(STATES) else STATES[0]
