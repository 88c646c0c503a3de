"""Who is still here: a page that has not been heard of for a while has gone, however it went."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

HEARTBEAT_S = 8
"""A page says this often that it is still open."""
GONE_AFTER = timedelta(seconds=20)
"""Two heartbeats lost, and the way."""


@dataclass(frozen=True, slots=True)
class Heart:
    """One open page."""

    user: int
    edits: bool
    seen_at: datetime


def beats(heart: Heart, now: datetime) -> bool:
    """Return whether a page is still open."""
    return now - heart.seen_at <= GONE_AFTER


def together(hearts: Iterable[Heart], now: datetime) -> dict[int, bool]:
    """Return who is here, each once, and whether any of their pages edits."""
    found: dict[int, bool] = {}
    for heart in hearts:
        if beats(heart, now):
            found[heart.user] = found.get(heart.user, False) or heart.edits
    return found
