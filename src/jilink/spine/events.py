"""Domain events: frozen facts with a noun and a name, registered when they are declared.

A declaration is a msgspec struct that names its noun; the class name is the event's name, in the past tense. Fields are
numbers and words that may lie in a stream for a month: never a person's name.
"""

from typing import ClassVar, TypeVar

import msgspec

from jilink.kernel.errors import Malformed
from jilink.spine.records import Envelope


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every event. `noun` is the room that states the fact; `name` is the class's."""

    noun: ClassVar[str] = ""
    name: ClassVar[str] = ""

    def __init_subclass__(cls, **options: object) -> None:
        """Register the declaration. Two declarations of one noun and name are a bug."""
        super().__init_subclass__(**options)
        cls.name = cls.__name__
        known = _registry.setdefault((cls.noun, cls.name), cls)
        if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
            raise TypeError(f"event {cls.noun}.{cls.name} is declared in {known.__module__} already")


_registry: dict[tuple[str, str], type[Event]] = {}
E2 = TypeVar("E2", bound=Event)


def registry() -> dict[tuple[str, str], type[Event]]:
    """Return every event declared so far by noun and name."""
    return dict(_registry)


def decode_envelope(data: bytes) -> Envelope:
    """Return the envelope of a message of the stream EVENTS. Raises Malformed."""
    try:
        return msgspec.json.decode(data, type=Envelope)
    except msgspec.MsgspecError as error:
        raise Malformed("envelope", str(error)) from error


def decode_event(envelope: Envelope, kind: type[E2]) -> E2:
    """Return the event inside an envelope, checked against its declaration. Raises Malformed."""
    try:
        return msgspec.json.decode(envelope.payload, type=kind)
    except msgspec.MsgspecError as error:
        raise Malformed("event", str(error)) from error


class TerminalSeen(Event, frozen=True, kw_only=True):
    """A terminal that nobody has entered tried to register (JT/T 808-2019, 8.8) and may wait for admission."""

    noun: ClassVar[str] = "terminals"
    phone: str
    terminal_id: str = ""
    maker: str = ""
    model: str = ""
    plate: str = ""


class TerminalRegistered(Event, frozen=True, kw_only=True):
    """An admitted terminal registered and said of itself what it is (JT/T 808-2019, 8.8)."""

    noun: ClassVar[str] = "terminals"
    asset: int
    terminal_id: str = ""
    maker: str = ""
    model: str = ""
    plate: str = ""
