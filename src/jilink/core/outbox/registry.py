"""The register of reactions: which handler of which room is told of which event.

Each room (package) has one durable consumer, so a room that fails holds up no other. A reaction is told at least once and
in any order; running it twice changes nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from jilink.spine.client import Spine
from jilink.spine.events import Event
from jilink.spine.records import Envelope


@dataclass(frozen=True, slots=True)
class Context:
    """What a reaction is given beside the event: the envelope with its organisation and times, and the spine."""

    envelope: Envelope
    spine: Spine


E = TypeVar("E", bound=Event)
Handler = Callable[[Any, Context], Awaitable[None] | None]
"""A plain function runs in a thread and may use the database; a coroutine function runs on the relay's loop."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """One handler for one kind of event."""

    room: str
    event: type[Event]
    handler: Handler


_reactions: dict[tuple[str, str, str], Reaction] = {}


def reacts_to(event: type[E]) -> Callable[[Callable[[E, Context], Awaitable[None] | None]], Callable[[E, Context], Awaitable[None] | None]]:
    """Register the decorated function of a room's `reactions` module for one kind of event."""

    def register(handler: Callable[[E, Context], Awaitable[None] | None]) -> Callable[[E, Context], Awaitable[None] | None]:
        room = handler.__module__.rpartition(".")[0].removeprefix("jilink.").replace(".", "_")
        _reactions[room, event.NOUN, event.NAME] = Reaction(room, event, handler)
        return handler

    return register


def rooms() -> dict[str, dict[tuple[str, str], Reaction]]:
    """Return every room's reactions by noun and name of the event."""
    found: dict[str, dict[tuple[str, str], Reaction]] = {}
    for (room, noun, name), reaction in _reactions.items():
        found.setdefault(room, {})[noun, name] = reaction
    return found
