"""Wakes the open desks of agents, and the windows of those who write: each reads for itself, through its own walls, what is new."""

from collections.abc import Collection
from dataclasses import dataclass, field

from jilink.services.contact.events import ConversationChanged, DeskChanged, MessageWritten, SomebodyTypes
from jilink.spine import subjects
from jilink.spine.events import Event
from jilink.spine.records import Envelope
from jilink.webkit import live


@dataclass(slots=True, eq=False)
class Viewer(live.Viewer):
    """One open desk. `typing` are the conversations in which somebody writes."""

    agent: int
    typing: set[int] = field(default_factory=set, init=False)
    changed: bool = field(default=False, init=False)


@dataclass(slots=True, eq=False)
class Writer(live.Viewer):
    """One open window of somebody who writes."""

    conversation: int
    typing: bool = field(default=False, init=False)


def _tell(_told: Envelope, event: Event, viewers: Collection[Viewer]) -> None:
    for viewer in viewers:
        if isinstance(event, DeskChanged) and viewer.agent == event.agent:
            viewer.changed = True
            viewer.news.set()
        elif isinstance(event, SomebodyTypes) and viewer.agent == event.agent:
            viewer.typing.add(event.conversation)
            viewer.news.set()


def _tell_writers(_told: Envelope, event: Event, viewers: Collection[Writer]) -> None:
    if not isinstance(event, ConversationChanged | MessageWritten | SomebodyTypes):
        return
    types = isinstance(event, SomebodyTypes)
    for viewer in viewers:
        if viewer.conversation == event.conversation and not (isinstance(event, SomebodyTypes) and event.agent):
            viewer.typing = viewer.typing or types
            viewer.news.set()


def _subjects(*events: type[Event]) -> list[str]:
    return [subjects.event(event.NOUN, event.NAME) for event in events]


hub = live.PerLoop(lambda settings: live.Hub(settings, "web-desks", _subjects(DeskChanged, SomebodyTypes), _tell))
"""Return the hub of the desks of the running event loop."""
writers = live.PerLoop(
    lambda settings: live.Hub(settings, "web-writers", _subjects(ConversationChanged, MessageWritten, SomebodyTypes), _tell_writers)
)
"""Return the hub of the windows of the running event loop."""
