"""The register of reactions: which handler of which room is told of which event.

Each room (package) has one durable consumer, so a room that fails holds up no other. A reaction is told at least once and
in any order; running it twice changes nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jilink.spine.client import Spine
from jilink.spine.events import ANY, Event
from jilink.spine.records import Envelope


@dataclass(frozen=True, slots=True)
class Context:
    """What a reaction is given beside the event: the envelope with its organisation and times, and the spine."""

    envelope: Envelope
    spine: Spine


E = TypeVar("E", bound=Event)
Handler = Callable[[Any, Context], Awaitable[None] | None]
"""A plain function runs in a thread and may use the database; a coroutine function runs on the relay's loop."""


Hearer = Callable[[Envelope, Context], Awaitable[None] | None]
"""A handler of every event."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """One handler for one kind of event."""

    room: str
    event: type[Event]
    """`Event` itself for a handler that hears everything."""
    handler: Handler


Work = Callable[[Spine], Awaitable[None]]
_reactions: dict[tuple[str, str, str], Reaction] = {}
_works: list[Work] = []


def reacts_to(event: type[E]) -> Callable[[Callable[[E, Context], Awaitable[None] | None]], Callable[[E, Context], Awaitable[None] | None]]:
    """Register the decorated function of a room's `reactions` module for one kind of event."""

    def register(handler: Callable[[E, Context], Awaitable[None] | None]) -> Callable[[E, Context], Awaitable[None] | None]:
        room = _room(handler)
        _reactions[room, event.NOUN, event.NAME] = Reaction(room, event, handler)
        return handler

    return register


def hears_everything(handler: Hearer) -> Hearer:
    """Register the decorated function of a room's `reactions` module for every event, known or not; it is told the envelope.

    Such a room reacts to nothing else: the spine allows no two overlapping subjects in one consumer.
    """
    room = _room(handler)
    _reactions[room, *ANY] = Reaction(room, Event, handler)
    return handler


def works_beside(work: Work) -> Work:
    """Register a coroutine function of a room's `reactions` module that the relay runs for ever beside the reactions."""
    if work not in _works:
        _works.append(work)
    return work


def works() -> Sequence[Work]:
    """Return what runs beside the reactions."""
    return tuple(_works)


def reaction_of(room: str, noun: str, name: str) -> Reaction | None:
    """Return a room's reaction to one kind of event, or None where it has none."""
    return _reactions.get((room, noun, name)) or _reactions.get((room, *ANY))


def rooms() -> dict[str, dict[tuple[str, str], Reaction]]:
    """Return every room's reactions by noun and name of the event."""
    found: dict[str, dict[tuple[str, str], Reaction]] = {}
    for (room, noun, name), reaction in _reactions.items():
        found.setdefault(room, {})[noun, name] = reaction
    return found


def _room(handler: Callable[..., object]) -> str:
    return handler.__module__.rpartition(".")[0].removeprefix("jilink.").replace(".", "_")
