"""The tests of a flow: one contact, what happens to it, and what is to be seen of it."""

from collections.abc import Mapping

import msgspec

from jilink.kernel.texts import Text


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at the next wait of a test: an answer is given, or something else comes of it."""

    answer: str = ""
    outcome: str = ""
    """``silence``, ``gone``, or an outcome of the step (``served``, ``full``, ``booked``, ``failed`` ...)."""


class CaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a flow may tell about a case."""

    number: str
    title: str = ""
    state: str = "open"
    stage: Text = Text()


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a test wants to have seen; what is left empty is not asked for."""

    said: tuple[str, ...] = ()
    """Words that were said in this order."""
    passed: tuple[str, ...] = ()
    """Steps that were passed in this order."""
    ends: str = ""
    """The outcome of the whole."""


class FlowTest(msgspec.Struct, frozen=True, kw_only=True):
    """One contact played through before a flow is published."""

    name: str
    channel: str = "call"
    language: str = ""
    known: bool = False
    inputs: Mapping[str, str] = {}
    open: tuple[str, ...] = ()
    """Calendars by which it is working time."""
    cases: tuple[CaseFacts, ...] = ()
    hooks: Mapping[str, Mapping[str, str]] = {}
    """What addresses answer, variable by variable; one that is not named fails."""
    lines: tuple[Line, ...] = ()
    expects: Expected = Expected()
