"""What is on its way to the spine and not yet confirmed: tried again for a bounded time, then reported as failed.

All calls and callbacks happen in the thread of the loop; confirmations from the spine's thread come through `post`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

ATTEMPT_S = 5.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2.0

Done = Callable[[bool], None]


class Publishes(Protocol):
    """The part of the spine this module needs."""

    def publish_soon(
        self, subject: str, payload: bytes, msg_id: str | None, done: Callable[[Exception | None], None], *, timeout_s: float = ...
    ) -> None:
        """Publish durably; `done` is told, in any thread, None once the spine confirmed."""


@dataclass(slots=True)
class _Pending:
    subject: str
    payload: bytes
    msg_id: str
    deadline: float
    done: Done
    pause: float = FIRST_PAUSE_S
    retry_at: float = 0.0


class Publisher:
    """Publishes with a message id, so that trying again never stores twice (NATS JetStream, message deduplication)."""

    def __init__(
        self, spine: Publishes, post: Callable[[Callable[[], None]], None], prefix: str, retry_s: float, clock: Callable[[], float]
    ) -> None:
        self._spine = spine
        self._post = post
        self._prefix = prefix
        self._retry_s = retry_s
        self._clock = clock
        self._count = 0
        self._waiting: list[_Pending] = []
        self.unconfirmed = 0
        self.unconfirmed_bytes = 0
        self.failed = 0
        self.down = False
        """True from the first failed attempt to the next confirmation."""

    def publish(self, subject: str, payload: bytes, done: Done, msg_id: str = "") -> None:
        """Publish; `done` is called once, with True after the spine confirmed and False after the time for retries is over."""
        self._count += 1
        pending = _Pending(subject, payload, msg_id or f"{self._prefix}-{self._count}", self._clock() + self._retry_s, done)
        self.unconfirmed += 1
        self.unconfirmed_bytes += len(payload)
        self._send(pending)

    def tick(self) -> None:
        """Send again what is due."""
        if not self._waiting:
            return
        now = self._clock()
        due = [p for p in self._waiting if p.retry_at <= now]
        self._waiting = [p for p in self._waiting if p.retry_at > now]
        for pending in due:
            self._send(pending)

    def _send(self, pending: _Pending) -> None:
        self._spine.publish_soon(
            pending.subject,
            pending.payload,
            pending.msg_id,
            lambda error: self._post(lambda: self._settle(pending, error)),
            timeout_s=min(ATTEMPT_S, max(pending.deadline - self._clock(), FIRST_PAUSE_S)),
        )

    def _settle(self, pending: _Pending, error: Exception | None) -> None:
        now = self._clock()
        if error is not None and now < pending.deadline:
            self._notice(error)
            pending.retry_at = min(now + pending.pause, pending.deadline)
            pending.pause = min(pending.pause * 2, LONGEST_PAUSE_S)
            self._waiting.append(pending)
            return
        self.unconfirmed -= 1
        self.unconfirmed_bytes -= len(pending.payload)
        if error is None:
            if self.down:
                self.down = False
                log.info("spine_confirms_again", unconfirmed=self.unconfirmed)
        else:
            self.failed += 1
            self._notice(error)
        pending.done(error is None)

    def _notice(self, error: Exception) -> None:
        if not self.down:
            self.down = True
            log.warning("spine_does_not_confirm", error=str(error) or type(error).__name__)
