"""Domain events on the spine: frozen structs inside a JSON envelope, found again by noun and name.

    class CaseClosed(Event, frozen=True, kw_only=True):
        NOUN: ClassVar[str] = "case"
        case: int
        closed_at: datetime

Noun and name (here ``case`` and ``closed``) make the subject ``events.case.closed``. Fields are numbers and words that may
lie in a stream for a month: no more of a person than reactions need.
"""

import re
from datetime import datetime
from typing import ClassVar, TypeVar, overload

import msgspec

from jilink.kernel.errors import Malformed
from jilink.kernel.ids import EventId, OrganisationId, new_event_id
from jilink.spine import subjects
from jilink.spine.records import Envelope

ANY = ("*", "*")
"""In place of noun and name: every event, as NATS writes it in a subject."""


class NotAnEvent(Malformed):
    """Bytes that are not an event we know. Reasons: ``envelope``, ``unknown``, ``payload``."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every domain event."""

    NOUN: ClassVar[str] = ""
    """The core noun, service or edge that tells it."""
    NAME: ClassVar[str] = ""
    """What happened; without it, the class name less the noun."""
    OUTWARD: ClassVar[bool] = False
    """Whether webhooks may carry it out of the installation: to be said of each kind that holds nothing an owner must not see."""

    def __init_subclass__(cls) -> None:
        """Register the event. Raises TypeError where noun and name are missing or belong to another class."""
        super().__init_subclass__()
        cls.NAME = cls.__dict__.get("NAME") or _name(cls.__name__, cls.NOUN)
        for word in (cls.NOUN, cls.NAME):
            if not re.fullmatch(r"[a-z][a-z0-9_]*", word):
                raise TypeError(f"{cls.__name__} needs a NOUN and a NAME of small letters, digits and _, not {word!r}")
        known = EVENTS.get((cls.NOUN, cls.NAME), cls)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"{cls.__qualname__} and {known.__module__}.{known.__qualname__} are both {cls.NOUN}.{cls.NAME}")
        EVENTS[(cls.NOUN, cls.NAME)] = cls


E = TypeVar("E", bound=Event)
EVENTS: dict[tuple[str, str], type[Event]] = {}
"""Every event class that has been imported, by noun and name."""


def envelope(
    event: Event,
    *,
    organisation: OrganisationId,
    occurred_at: datetime,
    received_at: datetime,
    cause: str = "",
    id: EventId | None = None,
) -> Envelope:
    """Return the event in its envelope, with a new id unless one is given."""
    return Envelope(
        id=id or new_event_id(),
        noun=event.NOUN,
        name=event.NAME,
        organisation=organisation,
        occurred_at=occurred_at,
        received_at=received_at,
        cause=cause,
        payload=msgspec.Raw(msgspec.json.encode(event)),
    )


def encode_envelope(value: Envelope) -> bytes:
    """Return the envelope as JSON."""
    return msgspec.json.encode(value)


def decode_envelope(data: bytes) -> Envelope:
    """Return the envelope; its payload is checked by `decode_event`. Raises NotAnEvent."""
    try:
        return msgspec.json.decode(data, type=Envelope)
    except msgspec.DecodeError as error:
        raise NotAnEvent("envelope", str(error)) from error


@overload
def decode_event(value: Envelope) -> Event: ...
@overload
def decode_event(value: Envelope, kind: type[E]) -> E: ...
def decode_event(value: Envelope, kind: type[Event] | None = None) -> Event:
    """Return the event inside. Raises NotAnEvent where its class is unknown here or its fields do not fit."""
    kind = kind or EVENTS.get((value.noun, value.name))
    if kind is None:
        raise NotAnEvent("unknown", f"{value.noun}.{value.name}")
    try:
        return msgspec.json.decode(value.payload, type=kind)
    except msgspec.DecodeError as error:
        raise NotAnEvent("payload", f"{value.noun}.{value.name}: {error}") from error


def subject(value: Envelope) -> str:
    """Return the subject the envelope is published on."""
    return subjects.event(value.noun, value.name)


def _name(class_name: str, noun: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()
    return words.removeprefix(f"{noun}_")
