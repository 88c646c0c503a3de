"""Figures of intervals from raw facts: what was offered, answered, abandoned, how well, how long, how busy.

A contact counts in the interval in which it was **offered** (entered the queue), whenever it ended; one that came back to its place after a
missed ring was offered once. Service level = answered within the target / (offered - short abandoned - moved elsewhere - still waiting). A
**short abandoned** one hung up before anybody could answer (`short_s`, often a wrong number); it is shown apart and weighs in no share.
Handling = talk, hold and wrap-up.
Occupancy = time in contacts / (time in contacts + time ready without one), of time clipped to the interval.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """One contact's way through one queue. Aware times."""

    queue: int
    offered_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    """When it left the queue unanswered, or when the conversation ended; None: it goes on."""
    wrapped_up_at: datetime | None = None
    hold_s: float = 0.0
    agent: int | None = None
    moved: bool = False
    """It left unanswered, but for another queue or a callback: neither answered nor abandoned here."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """An agent was in one state from then to then."""

    agent: int
    state: str
    begin: datetime
    end: datetime


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one queue in one interval. Seconds; shares 0 to 1, None of nothing."""

    begin: datetime
    queue: int
    offered: int = 0
    answered: int = 0
    in_target: int = 0
    abandoned: int = 0
    short: int = 0
    moved: int = 0
    waiting: int = 0
    """Still waiting when the figures were made."""
    answer_wait_s: float = 0.0
    longest_wait_s: float = 0.0
    talk_s: float = 0.0
    hold_s: float = 0.0
    wrap_up_s: float = 0.0

    @property
    def service_level(self) -> float | None:
        """Return answered within the target / all that count."""
        weighed = self.offered - self.short - self.waiting - self.moved
        return self.in_target / weighed if weighed > 0 else None

    @property
    def abandoned_share(self) -> float | None:
        """Return abandoned / all that count."""
        weighed = self.offered - self.short - self.waiting - self.moved
        return self.abandoned / weighed if weighed > 0 else None

    @property
    def mean_wait_s(self) -> float | None:
        """Return the mean wait of those answered (average speed of answer)."""
        return self.answer_wait_s / self.answered if self.answered else None

    @property
    def mean_handling_s(self) -> float | None:
        """Return the mean of talk, hold and wrap-up."""
        return (self.talk_s + self.wrap_up_s) / self.answered if self.answered else None


def interval_of(moment: datetime, length: timedelta) -> datetime:
    """Return when the interval of a moment begins; intervals are counted from midnight of its zone."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // length * length


def figures(
    passed: Iterable[Passed], *, length: timedelta, target_s: dict[int, int], short_s: dict[int, int], now: datetime
) -> list[Figures]:
    """Return the figures of each queue and interval in which anything was offered, by time and queue."""
    rows: dict[tuple[datetime, int], dict[str, float]] = {}
    for one in passed:
        row = rows.setdefault((interval_of(one.offered_at, length), one.queue), {})
        for name, value in _of(one, target_s.get(one.queue, 20), short_s.get(one.queue, 5), now).items():
            row[name] = max(row.get(name, 0.0), value) if name == "longest_wait_s" else row.get(name, 0.0) + value
    return [_row(begin, queue, row) for (begin, queue), row in sorted(rows.items())]


def held_s(facts: Iterable[tuple[datetime, bool]], until: datetime) -> float:
    """Return how long somebody was on hold, from the moments in order at which that began (True) and ended (False)."""
    held, since = 0.0, None
    for at, begins in facts:
        if since is not None and not begins:
            held += (at - since).total_seconds()
        since = (since or at) if begins else None
    return held + (max(0.0, (until - since).total_seconds()) if since is not None else 0.0)


_WHOLE = frozenset({"offered", "answered", "in_target", "abandoned", "short", "moved", "waiting"})


def _row(begin: datetime, queue: int, row: dict[str, float]) -> Figures:
    values: dict[str, float] = {name: int(value) if name in _WHOLE else value for name, value in row.items()}
    return msgspec.convert({"begin": begin, "queue": queue, **values}, Figures)


def _of(one: Passed, target_s: int, short_s: int, now: datetime) -> dict[str, float]:
    until = one.answered_at or one.ended_at or now
    wait = (until - one.offered_at).total_seconds()
    found: dict[str, float] = {"offered": 1, "longest_wait_s": wait}
    if one.answered_at is not None:
        end = one.ended_at or now
        found |= {"answered": 1, "in_target": float(wait <= target_s), "answer_wait_s": wait, "hold_s": one.hold_s}
        found |= {"talk_s": (end - one.answered_at).total_seconds()}
        found |= {"wrap_up_s": (one.wrapped_up_at - end).total_seconds() if one.wrapped_up_at else 0.0}
    elif one.ended_at is None:
        found["waiting"] = 1
    elif one.moved:
        found["moved"] = 1
    else:
        found["short" if wait < short_s else "abandoned"] = 1
    return found


def occupancy(spans: Iterable[Span], *, begin: datetime, end: datetime, busy: frozenset[str], idle: frozenset[str]) -> dict[int, float]:
    """Return each agent's share of time in contacts between two moments; agents who were neither are left out."""
    sums: dict[int, list[float]] = {}
    for span in spans:
        inside = (min(span.end, end) - max(span.begin, begin)).total_seconds()
        if inside > 0 and span.state in busy | idle:
            pair = sums.setdefault(span.agent, [0.0, 0.0])
            pair[0 if span.state in busy else 1] += inside
    return {agent: pair[0] / (pair[0] + pair[1]) for agent, pair in sums.items()}
