"""Wakes the open desks of agents: each page reads for itself, through its own walls, what is new."""

from collections.abc import Collection
from dataclasses import dataclass

from jilink.services.contact.events import DeskChanged
from jilink.spine import subjects
from jilink.spine.events import Event
from jilink.spine.records import Envelope
from jilink.webkit import live


@dataclass(slots=True, eq=False)
class Viewer(live.Viewer):
    """One open desk."""

    agent: int


def _tell(_told: Envelope, event: Event, viewers: Collection[Viewer]) -> None:
    for viewer in viewers:
        if isinstance(event, DeskChanged) and viewer.agent == event.agent:
            viewer.news.set()


hub = live.PerLoop(lambda settings: live.Hub(settings, "web-desks", [subjects.event(DeskChanged.NOUN, DeskChanged.NAME)], _tell))
"""Return the hub of the running event loop."""
