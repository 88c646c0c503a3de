"""What keeps the history small and quick, in the background of the process that writes it: when each thing is due, and doing it.

Small files of the day under way are merged as they gather; whole days are sorted, and retention applied, in the quiet hours (02:00 to
05:00 UTC+8) or as soon as the process starts after having missed them; the snapshot of last fixes is renewed every ten minutes.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial

import structlog

from jilink.history.columns import china_day
from jilink.history.compaction import Compaction
from jilink.history.latest import Latest
from jilink.history.scans import FileDamaged, Scans
from jilink.history.tables import History
from jilink.kernel.clock import CHINA
from jilink.kernel.errors import Unavailable

log = structlog.get_logger(__name__)

QUIET = range(2, 5)
SNAPSHOT = dt.timedelta(minutes=10)
VACUUM = dt.timedelta(hours=1)
OVERDUE = dt.timedelta(hours=30)


class Maintenance:
    """The chores of one history; `step` does what is due. Use it from one thread."""

    def __init__(self, history: History, retention: Callable[[], tuple[Mapping[int, int], int] | None]) -> None:
        """`retention` gives the days each organisation keeps, and the days of those not named (0: for ever); None while unknown."""
        self.history = history
        self._retention = retention
        self._compaction = Compaction(history)
        self._latest = Latest(Scans(history, threads=1))
        self._snapshot_at: dt.datetime | None = None
        self._vacuum_at: dt.datetime | None = None
        self._night: dt.date | None = None
        self._complained: set[str] = set()

    def step(self, now: dt.datetime) -> None:
        """Do what is due at `now` (aware). Failures are logged once and tried again when due next; none rises."""
        today = china_day(now)
        self._try("merge", self._merge)
        if self._snapshot_at is None or now - self._snapshot_at >= SNAPSHOT:
            self._snapshot_at = now
            self._try("snapshot", self._latest.refresh)
        if self._night != today and (now.astimezone(CHINA).hour in QUIET or self._overdue(now)):
            self._night = today
            self.night(today)
        if self._vacuum_at is None or now - self._vacuum_at >= VACUUM:
            self._vacuum_at = now
            self._try("vacuum", self._compaction.vacuum)

    def night(self, today: dt.date) -> None:
        """Sort every finished day that is not sorted, and delete what is past its retention."""
        for day in self._compaction.unfinished(today):
            self._try(f"compact {day}", partial(self._compaction.compact, day))
        rules = self._retention()
        if rules is None:
            return
        days_of, default_days = rules

        def retain() -> None:
            self._compaction.retain(today, days_of, default_days)
            self._latest.forget(today, days_of, default_days)

        self._try("retention", retain)

    def _merge(self) -> None:
        for day in sorted({f.day for f in self.history.files() if not f.sorted}):
            self._compaction.merge(day)

    def _overdue(self, now: dt.datetime) -> bool:
        """Whether the process has just started and a finished day was left unsorted, for example because the machine is off at night."""
        return self._night is None and bool(self._compaction.unfinished(china_day(now - OVERDUE)))

    def _try(self, chore: str, work: Callable[[], object]) -> None:
        try:
            work()
        except (Unavailable, FileDamaged) as error:
            if chore not in self._complained:
                self._complained.add(chore)
                log.error("history.chore_failed", chore=chore, why=str(error))
            return
        if chore in self._complained:
            self._complained.discard(chore)
            log.info("history.chore_recovered", chore=chore)
