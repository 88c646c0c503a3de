"""What the screens of the console tell each other."""

from typing import ClassVar

from jilink.spine.events import Event


class ConsolePresenceChanged(Event, frozen=True, kw_only=True):
    """Somebody came to a case, left it, or began or ended editing it; who, is read from the table."""

    NOUN: ClassVar[str] = "console"
    case: int
