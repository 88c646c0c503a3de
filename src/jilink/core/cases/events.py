"""What happened to cases, for those who react, and the timers of their clocks."""

from typing import ClassVar

from jilink.spine.events import Event


class CaseEvent(Event, frozen=True, kw_only=True):
    """Base of the events of one case. `unit` is the organisation that has it, beside the one that answers for it; `by` the member who
    did it, none where it was the installation or the person served."""

    NOUN: ClassVar[str] = "case"
    NAME: ClassVar[str] = "told"
    case: int
    number: str
    unit: int
    by: int | None = None


class CaseOpened(CaseEvent, frozen=True, kw_only=True):
    """A case was opened."""

    type: str
    priority: int


class CaseMoved(CaseEvent, frozen=True, kw_only=True):
    """A case took a step from one stage to another."""

    step: str
    source: str
    target: str
    state: str


class CaseAssigned(CaseEvent, frozen=True, kw_only=True):
    """A case was given to a unit, a team or a person."""

    team: int | None = None
    assignee: int | None = None
    unit_before: int | None = None


class CaseEdited(CaseEvent, frozen=True, kw_only=True):
    """Fields of a case were changed."""

    fields: tuple[str, ...]


class CaseNoted(CaseEvent, frozen=True, kw_only=True):
    """A note, a link, a file or the like was added to a case. `mentions` are members whom a note calls by name."""

    what: str
    mentions: tuple[int, ...] = ()


class CaseReplyWritten(CaseEvent, frozen=True, kw_only=True):
    """A reply waits to be sent on its channel; whoever carries that channel fetches it by its number and says what became of it."""

    OUTWARD: ClassVar[bool] = True
    reply: int
    channel: str


class CaseRequestMade(CaseEvent, frozen=True, kw_only=True):
    """A unit asks for an extension, a return or a suspension."""

    request: int
    what: str


class CaseRequestDecided(CaseEvent, frozen=True, kw_only=True):
    """What a unit asked for was decided; `asked_by` is the member who asked."""

    request: int
    what: str
    outcome: str
    asked_by: int | None = None


class CaseEscalated(CaseEvent, frozen=True, kw_only=True):
    """A rung of the ladder was reached, or a member calls for help (no clock, no rung). `notify` are roles, ``assignee`` and ``team``."""

    clock: str
    rung: str
    notify: tuple[str, ...]
    overdue: bool


class CaseMerged(CaseEvent, frozen=True, kw_only=True):
    """A case goes on as another."""

    into: int


class CaseRated(CaseEvent, frozen=True, kw_only=True):
    """Whoever was served rated the case; `call_back` where somebody must call."""

    level: int
    call_back: bool


class CaseClockRang(Event, frozen=True, kw_only=True):
    """Timer: a clock should have come to a rung of the ladder, if nothing changed since `generation`."""

    NOUN: ClassVar[str] = "case"
    case: int
    clock: int
    rung: str
    generation: int
    at_ms: int
    """When, in milliseconds since 1970 UTC."""


class CaseSuspensionEnded(Event, frozen=True, kw_only=True):
    """Timer: the time until which a case was suspended has come, if it still is by this request."""

    NOUN: ClassVar[str] = "case"
    case: int
    request: int


class CaseTypePublished(Event, frozen=True, kw_only=True):
    """A version of a case type is used for new cases from now on."""

    NOUN: ClassVar[str] = "case"
    type: int
    key: str
    version: int


class CaseCalendarLoaded(Event, frozen=True, kw_only=True):
    """A working calendar was loaded or replaced: clocks that count by it must be set anew."""

    NOUN: ClassVar[str] = "case"
    key: str
