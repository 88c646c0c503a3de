"""Whether agents are there when the plan says so. Pure: shifts and spells in, shares and minutes out.

Planned is a shift up to now, its breaks apart. An agent keeps to it who is ready, or in a contact, in its working time, and is not ready
in its breaks. Adherence = time kept to / planned time. Late is the time from the beginning to the first moment at work; early the time
from the last one to the end, once that has passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jilink.services.contact.rules.states import AgentState
from jilink.services.contact.rules.statistics import Span

AT_WORK = frozenset({AgentState.READY.value})
GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Planned:
    """A shift of an agent with its breaks. Aware times."""

    user: int
    begin: datetime
    end: datetime
    breaks: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """How a shift was kept to. `share` is None before it begins."""

    planned: Planned
    planned_s: float
    kept_s: float
    late_s: float
    early_s: float
    should: str
    """What the plan says of now: work, break, or "" outside the shift."""

    @property
    def share(self) -> float | None:
        """Return the adherence, 0 to 1."""
        return self.kept_s / self.planned_s if self.planned_s else None


def kept(planned: Planned, spells: Sequence[Span], now: datetime) -> Kept:
    """Return how one shift was kept to until now."""
    until = min(planned.end, now)
    mine = [
        (max(span.begin, planned.begin), min(span.end, until)) for span in spells if span.agent == planned.user and span.state in AT_WORK
    ]
    mine = sorted((begin, end) for begin, end in mine if end > begin)
    breaks = [(begin, min(end, until)) for begin, end in planned.breaks if begin < until]
    whole = max(0.0, (until - planned.begin).total_seconds())
    resting = sum((end - begin).total_seconds() for begin, end in breaks)
    at_work = sum((end - begin).total_seconds() for begin, end in mine)
    in_breaks = sum(_overlap(one, other) for one in mine for other in breaks)
    kept_s = (at_work - in_breaks) + (resting - in_breaks)
    first = mine[0][0] if mine else until
    late = max(0.0, (first - planned.begin).total_seconds())
    early = max(0.0, (planned.end - mine[-1][1]).total_seconds()) if mine and now >= planned.end else 0.0
    return Kept(planned, whole, max(0.0, kept_s), _beyond(late), _beyond(early), _should(planned, now))


def _overlap(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> float:
    return max(0.0, (min(one[1], other[1]) - max(one[0], other[0])).total_seconds())


def _beyond(seconds: float) -> float:
    return seconds if seconds > GRACE.total_seconds() else 0.0


def _should(planned: Planned, now: datetime) -> str:
    if not planned.begin <= now < planned.end:
        return ""
    return "break" if any(begin <= now < end for begin, end in planned.breaks) else "work"
