"""What happened to flows and to those who are in them."""

from typing import ClassVar

from jilink.spine.events import Event


class FlowPublished(Event, frozen=True, kw_only=True):
    """A version of a flow is used for new contacts from now on."""

    NOUN: ClassVar[str] = "flow"
    version: int
    key: str


class FlowSessionDue(Event, frozen=True, kw_only=True):
    """Timer: the wait of a session should be over, if nothing changed since."""

    NOUN: ClassVar[str] = "flow"
    session: int


class FlowSessionMoved(Event, frozen=True, kw_only=True):
    """A session went on because its time ran out: whoever carries its channel does what is to be done now (`reads.session`)."""

    NOUN: ClassVar[str] = "flow"
    session: int
    key: str
    channel: str
    turn: int


class FlowSessionEnded(Event, frozen=True, kw_only=True):
    """A session is over."""

    NOUN: ClassVar[str] = "flow"
    session: int
    key: str
    channel: str
    outcome: str
    interaction: int | None = None


class FlowMessageTaken(Event, frozen=True, kw_only=True):
    """A case was opened with a spoken message; whoever keeps recordings puts it there."""

    NOUN: ClassVar[str] = "flow"
    session: int
    key: str
    recording: str
    case: int
    number: str
