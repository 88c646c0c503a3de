"""What the engines hold now, asked of them: which phones are registered, how trunks stand. Nothing of it is kept."""

from dataclasses import dataclass, field

import msgspec
import structlog
from django.conf import settings

from jilink.kernel.errors import Unavailable
from jilink.spine import calls, subjects
from jilink.webkit.link import spine

log = structlog.get_logger(__name__)
PATIENCE_S = 1.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What those engines that answered hold. `silent` names the others."""

    online: frozenset[str] = frozenset()
    trunks: dict[str, calls.TrunkState] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    absent: str = ""
    """Why there is no engine at all; "" where there is."""


def look() -> Seen:
    """Ask every engine. A trunk that is registered at one of them is."""
    absent = settings.JILINK.absent("router")
    if absent:
        return Seen(absent=absent)
    online: set[str] = set()
    trunks: dict[str, calls.TrunkState] = {}
    silent = []
    for node in calls.names(settings.JILINK):
        try:
            told = spine().request(subjects.call_order(node), calls.encode(calls.Look()), PATIENCE_S)
            sight = msgspec.json.decode(told, type=calls.Reply)
        except (Unavailable, msgspec.DecodeError) as error:
            log.info("engine.silent", node=node, reason=repr(error))
            silent.append(node)
            continue
        if isinstance(sight, calls.Sight):
            online.update(sight.online)
            for state in sight.trunks:
                if state.trunk not in trunks or state.state == "registered":
                    trunks[state.trunk] = state
    return Seen(frozenset(online), trunks, tuple(silent))
