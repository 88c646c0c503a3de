"""What happened to people. Events lie in a stream for a month: they say numbers, and nothing of a person."""

from typing import ClassVar

from jilink.spine.events import Event


class PersonAdded(Event, frozen=True, kw_only=True):
    """A person is known to an organisation."""

    NOUN: ClassVar[str] = "person"
    OUTWARD: ClassVar[bool] = True
    person: int


class PersonChanged(Event, frozen=True, kw_only=True):
    """Something told about a person, a contact, an identity number or a consent has changed."""

    NOUN: ClassVar[str] = "person"
    OUTWARD: ClassVar[bool] = True
    person: int


class PersonMerged(Event, frozen=True, kw_only=True):
    """A person was found to be another; what was held about `person` is now held about `into`."""

    NOUN: ClassVar[str] = "person"
    OUTWARD: ClassVar[bool] = True
    person: int
    into: int


class PersonParted(Event, frozen=True, kw_only=True):
    """A merge was undone: `person` is somebody else than `kept`, after all."""

    NOUN: ClassVar[str] = "person"
    OUTWARD: ClassVar[bool] = True
    person: int
    kept: int


class PersonErased(Event, frozen=True, kw_only=True):
    """Everything that told of a person was taken out; the number stays and names nobody."""

    NOUN: ClassVar[str] = "person"
    OUTWARD: ClassVar[bool] = True
    person: int
