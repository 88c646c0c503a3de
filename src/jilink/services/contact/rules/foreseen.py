"""What would happen: a campaign run in simulated time with its own answer rate and handling, before it dials anybody.

Who answers, when, and how long an agent is busy are drawn; what is dialled is decided by the very rules that dial (`pacing`, `mode_now`).
"""

import heapq
import random
from collections import deque
from dataclasses import dataclass

from jilink.services.contact.rules.campaigns import abandoned_share, mode_now
from jilink.services.contact.rules.pacing import AGENT_WITHIN_S, CAP, Campaign, Mode, to_dial

LOOK_S = 1.0
SEEDS = (1, 2, 3)
MOST_AGENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a campaign, or supposed."""

    mode: Mode
    agents: int
    answer_rate: float = 0.3
    """Share of calls that somebody answers."""
    believed_rate: float | None = None
    """What the pacing takes it for; None: the same."""
    handling_s: float = 180.0
    ring_s: int = 25
    lines: int = 20
    live: int = 0
    """Live answers of the last 30 days."""
    abandoned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What came of it."""

    dialled: int
    answered: int
    abandoned: int
    share: float
    """Of all live answers abandoned, those of before included, at the end."""
    worst: float
    """The highest that share ever was after the first that was abandoned here."""
    busy: float
    """Share of their time that agents talked."""

    @property
    def keeps_cap(self) -> bool:
        """Return whether the cap held all the time."""
        return self.abandoned == 0 or self.worst <= CAP


def foresee(known: Known, *, hours: float = 2.0, seed: int = 1) -> Foreseen:
    """Return what happens within so many hours."""
    return _Run(known, seed).run(hours * 3600)


def proves(known: Known, *, hours: float = 1.0) -> Foreseen:
    """Return the worst of several runs: what has to keep the cap before a predictive campaign dials."""
    return max((foresee(known, hours=hours, seed=seed) for seed in SEEDS), key=lambda run: (run.abandoned > 0, run.worst))


class _Run:
    def __init__(self, known: Known, seed: int) -> None:
        self.known, self.dice = known, random.Random(seed)  # noqa: S311 -- a simulation, repeated by its seed
        self.free = self.agents = min(known.agents, MOST_AGENTS)
        self.ringing = self.dialled = self.answered = self.abandoned = 0
        self.talked = self.worst = 0.0
        self.queued: deque[float] = deque()
        self.coming: list[tuple[float, int, str]] = []
        self.count = 0

    def run(self, seconds: float) -> Foreseen:
        self._later(0.0, "look")
        while self.coming and self.coming[0][0] < seconds:
            at, _count, what = heapq.heappop(self.coming)
            getattr(self, f"_{what}")(at)
            self._serve(at, seconds)
        live, lost = self.known.live + self.answered, self.known.abandoned + self.abandoned
        return Foreseen(
            dialled=self.dialled, answered=self.answered, abandoned=self.abandoned, share=abandoned_share(live, lost), worst=self.worst,
            busy=self.talked / (self.agents * seconds) if self.agents else 0.0,
        )  # fmt: skip

    def _later(self, at: float, what: str) -> None:
        self.count += 1
        heapq.heappush(self.coming, (at, self.count, what))

    def _look(self, at: float) -> None:
        self._later(at + LOOK_S, "look")
        known = self.known
        live, lost = known.live + self.answered, known.abandoned + self.abandoned
        rate = known.answer_rate if known.believed_rate is None else known.believed_rate
        state = Campaign(
            free=self.free, busy=self.agents - self.free, ringing=self.ringing, queued=len(self.queued), answer_rate=rate,
            handling_s=known.handling_s, ring_s=known.ring_s, answered_live=live, abandoned=lost,
        )  # fmt: skip
        mode = Mode.PROGRESSIVE if known.mode is Mode.PREVIEW else known.mode
        for _ in range(min(to_dial(mode_now(mode, live, lost), state), known.lines - self.ringing)):
            self.dialled += 1
            self.ringing += 1
            answers = self.dice.random() < known.answer_rate
            self._later(at + (self.dice.uniform(3, known.ring_s) if answers else known.ring_s), "answer" if answers else "silence")

    def _silence(self, at: float) -> None:
        self.ringing -= 1

    def _answer(self, at: float) -> None:
        self.ringing -= 1
        self.answered += 1
        self.queued.append(at)
        self._later(at + AGENT_WITHIN_S, "patience")

    def _patience(self, at: float) -> None:
        while self.queued and at - self.queued[0] >= AGENT_WITHIN_S and not self.free:
            self.queued.popleft()
            self.abandoned += 1
            self.worst = max(self.worst, abandoned_share(self.known.live + self.answered, self.known.abandoned + self.abandoned))

    def _serve(self, at: float, until: float) -> None:
        while self.free and self.queued:
            self.queued.popleft()
            self.free -= 1
            talk = self.dice.expovariate(1 / self.known.handling_s)
            self.talked += min(talk, until - at)
            self._later(at + talk, "end")

    def _end(self, at: float) -> None:
        self.free += 1
