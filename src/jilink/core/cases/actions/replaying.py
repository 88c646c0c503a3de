"""A past that is entered after the fact: its timers are answered at their own time, and nobody is told of it as if it happened now."""

import heapq
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import msgspec

from jilink.core.cases.actions import escalating
from jilink.core.cases.actions.requesting import end_suspension
from jilink.core.cases.events import CaseClockRang, CaseSuspensionEnded
from jilink.core.cases.models import Case
from jilink.core.cases.reports.counting import count_case, rebuild
from jilink.core.outbox.models import OutboxEvent


def _rang(event: CaseClockRang, at: datetime) -> bool:
    return escalating.ring(case=event.case, clock=event.clock, rung=event.rung, generation=event.generation, at_ms=event.at_ms, now=at)


def _ended(event: CaseSuspensionEnded, at: datetime) -> bool:
    return end_suspension(case=event.case, request=event.request, now=at)


_ANSWERS: dict[str, tuple[type[Any], Callable[[Any, datetime], bool]]] = {
    CaseClockRang.NAME: (CaseClockRang, _rang),
    CaseSuspensionEnded.NAME: (CaseSuspensionEnded, _ended),
}


class Past:
    """What organisations that were made in this transaction went through before `now`, entered in the order in which it happened.

    Call `until` before each step: timers that come due before it are answered first, each at its own time, as the relay would have
    done then. `finish` closes the past.
    """

    def __init__(self, organisations: Collection[int], now: datetime) -> None:
        self._events = OutboxEvent.objects.filter(organisation__in=organisations)
        self._organisations, self._now = organisations, now
        self._last = ""
        self._waiting: list[tuple[datetime, str, str, bytes]] = []
        self.answered = 0

    def until(self, moment: datetime) -> None:
        """Answer everything that comes due by then, in order."""
        self._look()
        while self._waiting and self._waiting[0][0] <= min(moment, self._now):
            at, _key, name, payload = heapq.heappop(self._waiting)
            kind, answer = _ANSWERS[name]
            self.answered += answer(msgspec.json.decode(payload, type=kind), at)
            self._look()

    def finish(self, told_from: datetime) -> int:
        """Answer what is left up to now, count the cases in the reports, and return how many timers had something to do.

        What happened before `told_from` is marked as published: nobody is called today for what is long over. Later events and
        the timers of the future stay in the outbox for the relay.
        """
        self.until(self._now)
        self._count()
        over = self._events.filter(published_at=None, not_before__lte=self._now, occurred_at__lt=told_from)
        over.update(published_at=self._now)
        rung = self._events.filter(published_at=None, noun="case", name__in=list(_ANSWERS), not_before__lte=self._now)
        rung.update(published_at=self._now)
        return self.answered

    def _count(self) -> None:
        """Count the cases in the reports: all at once where there are no others."""
        if not Case.objects.exclude(organisation_id__in=self._organisations).exists():
            rebuild()
            return
        for case in Case.objects.filter(organisation_id__in=self._organisations).order_by("pk").values_list("pk", flat=True):
            count_case(case)

    def _look(self) -> None:
        rows = self._events.filter(id__gt=self._last, noun="case").order_by("id").values_list("id", "name", "not_before", "payload")
        for key, name, at, payload in rows:
            self._last = key
            if name in _ANSWERS and at <= self._now:
                heapq.heappush(self._waiting, (at, key, name, bytes(payload)))
