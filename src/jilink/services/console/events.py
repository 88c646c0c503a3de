"""What the screens of the console tell each other."""

from typing import ClassVar

from jilink.spine.events import Event


class ConsolePresenceChanged(Event, frozen=True, kw_only=True):
    """Somebody came to a case, left it, or began or ended editing it; who, is read from the table."""

    NOUN: ClassVar[str] = "console"
    case: int


class ConsoleNoticed(Event, frozen=True, kw_only=True):
    """A member was told something, or has read what they were told; what, they read themselves."""

    NOUN: ClassVar[str] = "console"
    user: int


class ConsoleNoticeWaits(Event, frozen=True, kw_only=True):
    """Timer: a notice should have been read by now; if not, a letter is sent."""

    NOUN: ClassVar[str] = "console"
    notice: int
