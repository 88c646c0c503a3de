"""How the installation fares: its processes' own health pages, the spine's streams, the outbox, the disk."""

import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from django.conf import settings

from jilink.core.outbox import reads as outbox
from jilink.core.outbox.reads import Backlog, Letter
from jilink.core.parties import second_factor, walls
from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import PROCESSES, Readiness
from jilink.spine import standing, subjects
from jilink.spine.standing import Standing
from jilink.webkit.link import spine

ASK_S = 0.5


@dataclass(frozen=True, slots=True)
class Process:
    """One process of this machine: ``ok`` or ``down``, why it is not ready, and how often `jilink up` started it again.

    `hung` counts those times that it was killed because it no longer answered; `ended_at` and `ended_because` tell of the last.
    """

    name: str
    state: str
    reason: str
    restarts: int = 0
    hung: int = 0
    ended_at: datetime | None = None
    ended_because: str = ""


@dataclass(frozen=True, slots=True)
class StreamState:
    """One stream of the spine."""

    name: str
    messages: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class Health:
    """Everything the operations page shows."""

    processes: list[Process]
    streams: list[StreamState]
    outbox: Backlog
    letters: list[Letter]
    disk_free_gb: float
    disk_total_gb: float
    two_factors: bool
    """Whether those who may decide much must have a second factor."""


def _process(name: str, place: Readiness) -> Process:
    asking = HTTPConnection("127.0.0.1", place.port, timeout=ASK_S)
    try:
        asking.request("GET", place.path)
        answer = asking.getresponse()
        said = answer.read(500).decode("utf-8", "replace").strip()
    except (OSError, HTTPException):
        return Process(name, "down", "")
    finally:
        asking.close()
    return Process(name, "ok", "") if answer.status == HTTPStatus.OK else Process(name, "down", said)


def _with_standing(process: Process, known: Standing | None) -> Process:
    if known is None:
        return process
    return replace(process, restarts=known.restarts, hung=known.hung, ended_at=known.ended_at, ended_because=known.ended_because)


def _streams() -> list[StreamState]:
    found: list[StreamState] = []
    for stream in subjects.STREAMS:
        try:
            messages, size = spine().stream_size(stream.name)
        except Unavailable:
            return found
        found.append(StreamState(stream.name, messages, size / 1e6))
    return found


def health(now: datetime) -> Health:
    """Ask everyone and return what they said; whoever is silent is shown as not working."""
    standings = standing.read(settings.JILINK.data)
    places = {name: settings.JILINK.readiness(name) for name in PROCESSES}
    disk = shutil.disk_usage(settings.JILINK.data if settings.JILINK.data.exists() else "/")
    with walls.everything():  # the outbox of the whole installation, whoever's events they are
        waiting, dead = outbox.backlog(now), outbox.dead_letters(20)
    return Health(
        processes=[_with_standing(_process(name, place), standings.get(name)) for name, place in places.items() if place],
        streams=_streams(),
        outbox=waiting,
        letters=dead,
        disk_free_gb=disk.free / 1e9,
        disk_total_gb=disk.total / 1e9,
        two_factors=second_factor.required(),
    )
