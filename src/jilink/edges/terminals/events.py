"""Domain events of the gateway on their way to the spine."""

from collections.abc import Callable
from datetime import datetime

from jilink.edges.terminals.publishing import Publisher
from jilink.kernel.ids import OrganisationId
from jilink.spine import events
from jilink.spine.events import Event


def plain(text: str) -> str:
    """Return text that any reader of JSON takes: bytes that were no GBK become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _forget(stored: bool) -> None:
    """Nobody waits for this event."""


class Teller:
    """Publishes events durably; `done` hears whether the spine confirmed."""

    def __init__(self, publisher: Publisher, now: Callable[[], datetime]) -> None:
        self._publisher, self._now = publisher, now

    def tell(
        self, event: Event, organisation: int = 0, done: Callable[[bool], None] = _forget, *, occurred_at: datetime | None = None
    ) -> None:
        """Publish one event (organisation 0: not known). `occurred_at` is the terminal's own time where it has one."""
        received = self._now()
        value = events.envelope(event, organisation=OrganisationId(organisation), occurred_at=occurred_at or received, received_at=received)
        self._publisher.publish(events.subject(value), events.encode_envelope(value), done, msg_id=value.id)
