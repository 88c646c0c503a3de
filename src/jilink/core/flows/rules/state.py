"""Where a contact is in a flow, as it is kept between two happenings."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from jilink.core.flows.rules.effects import AnyEffect
from jilink.kernel.errors import Malformed


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes, and how. `caller` is their number or address; `language` is taken where the flow speaks it."""

    channel: str = "call"
    caller: str = ""
    dialled: str = ""
    language: str = ""
    known: bool = False
    person: int | None = None
    """Who it is, for cases that are opened."""
    name: str = ""
    """What they are called, where they are known."""
    inputs: Mapping[str, str] = {}
    """Variables that the flow declared (`Flow.inputs`); others are left out."""


class Frame(msgspec.Struct, frozen=True):
    """A step of a flow: "" is the first one, others by their key."""

    flow: str
    step: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to know between two happenings."""

    contact: Contact
    frames: tuple[Frame, ...]
    """Flows that were called, the running one last, each with its step."""
    language: str
    variables: Mapping[str, str]
    turn: int = 0
    """Grows with everything that waits."""
    tries: int = 0
    """Answers that did not fit the running question."""
    steps: int = 0
    """All that were taken."""
    recording: str = ""
    """A message that waits for its case."""
    connected_at: datetime | None = None
    began_at: datetime
    ends_at: datetime
    """When it is over whatever happens, but for time in which they talk with somebody."""
    expires_at: datetime
    """When the running wait is over even if nobody says so."""
    outcome: str = ""
    """How it ended; "" while it goes on."""

    @property
    def ended(self) -> bool:
        """Return whether it is over."""
        return bool(self.outcome)


class Passed(msgspec.Struct, frozen=True):
    """A step that was passed and what came of it."""

    flow: str
    step: str
    outcome: str


class Moved(NamedTuple):
    """What `begin` and `advance` return: where the contact is now, what to do in order, and what was passed."""

    state: State
    effects: tuple[AnyEffect, ...]
    passed: tuple[Passed, ...]


class StateUnreadable(Malformed):
    """A state that no version of this programme wrote."""


def write_state(state: State) -> str:
    """Return a state as JSON."""
    return msgspec.json.encode(state).decode()


def read_state(text: str) -> State:
    """Return a state from JSON. Raises StateUnreadable."""
    try:
        return msgspec.json.decode(text, type=State)
    except msgspec.DecodeError as error:
        raise StateUnreadable("state", str(error)) from error


def write_effects(effects: tuple[AnyEffect, ...]) -> str:
    """Return effects as JSON."""
    return msgspec.json.encode(effects).decode()


def read_effects(text: str) -> tuple[AnyEffect, ...]:
    """Return effects from JSON. Raises StateUnreadable."""
    try:
        return msgspec.json.decode(text, type=tuple[AnyEffect, ...])
    except msgspec.DecodeError as error:
        raise StateUnreadable("effects", str(error)) from error
