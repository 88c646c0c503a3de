"""No campaign passes the cap of abandoned calls, whatever its numbers do: proven on simulated campaigns before anything dials."""

import heapq
import random

import pytest

from jilink.services.contact.rules import pacing
from jilink.services.contact.rules.pacing import CAP, Campaign, Mode, to_dial


class Day:
    """A campaign of 20 agents who work through numbers; times in seconds."""

    def __init__(self, mode: Mode, answer_rate: float, believed: float, seed: int) -> None:
        self.mode, self.rate, self.believed, self.dice = mode, answer_rate, believed, random.Random(seed)
        self.free, self.ringing, self.talked = 20, 0, 0.0
        self.live: list[float] = []
        self.lost: list[float] = []
        self.queued: list[float] = []
        self.coming: list[tuple[float, int, str]] = []
        self.worst = 0.0

    def run(self, seconds: float) -> None:
        number, at = 0, 0.0
        heapq.heappush(self.coming, (0.0, 0, "look"))
        while at < seconds:
            at, _number, what = heapq.heappop(self.coming)
            getattr(self, f"_{what}")(at)
            self._serve(at)
            for _ in range(to_dial(self.mode, self._state(at))):
                number += 1
                self.ringing += 1
                answered = self.dice.random() < self.rate
                heapq.heappush(self.coming, (at + self.dice.uniform(3, 25), number, "answer" if answered else "silence"))

    def _state(self, at: float) -> Campaign:
        window = at - pacing.WINDOW_S
        return Campaign(
            free=self.free, busy=20 - self.free, ringing=self.ringing, queued=len(self.queued), answer_rate=self.believed,
            answered_live=sum(one > window for one in self.live), abandoned=sum(one > window for one in self.lost),
        )  # fmt: skip

    def _look(self, at: float) -> None:
        heapq.heappush(self.coming, (at + 1.0, 0, "look"))

    def _silence(self, at: float) -> None:
        self.ringing -= 1

    def _answer(self, at: float) -> None:
        self.ringing -= 1
        self.live.append(at)
        self.queued.append(at)
        self._serve(at)
        heapq.heappush(self.coming, (at + pacing.AGENT_WITHIN_S, len(self.live), "patience"))

    def _patience(self, at: float) -> None:
        for since in [one for one in self.queued if at - one >= pacing.AGENT_WITHIN_S]:
            self.queued.remove(since)
            self.lost.append(at)
            self.worst = max(self.worst, len(self.lost) / len(self.live))

    def _serve(self, at: float) -> None:
        while self.free and self.queued:
            self.queued.pop(0)
            self.free -= 1
            talk = self.dice.expovariate(1 / 120)
            self.talked += talk
            heapq.heappush(self.coming, (at + talk, -1, "end"))

    def _end(self, at: float) -> None:
        self.free += 1


@pytest.mark.parametrize(("rate", "believed"), [(0.3, 0.3), (0.7, 0.2)])
def test_the_cap_holds_at_every_moment_even_where_the_answer_rate_is_misjudged(rate: float, believed: float) -> None:
    day = Day(Mode.PREDICTIVE, rate, believed, seed=3)
    day.run(2 * 3600)
    assert len(day.live) > 500
    assert day.worst <= CAP


def test_predictive_keeps_agents_busier_than_progressive() -> None:
    one, other = Day(Mode.PROGRESSIVE, 0.3, 0.3, seed=4), Day(Mode.PREDICTIVE, 0.3, 0.3, seed=4)
    for day in (one, other):
        day.run(2 * 3600)
    assert not one.lost
    assert other.talked > 1.05 * one.talked


def test_a_new_campaign_begins_progressive_and_preview_dials_nothing() -> None:
    new = Campaign(free=4, busy=16, ringing=1)
    assert to_dial(Mode.PREDICTIVE, new) == to_dial(Mode.PROGRESSIVE, new) == 3
    assert to_dial(Mode.PREVIEW, new) == 0


def test_a_used_up_budget_makes_it_progressive_again() -> None:
    spent = Campaign(free=0, busy=20, ringing=0, answered_live=1000, abandoned=30)
    assert pacing.allowance(spent) == 0 and to_dial(Mode.PREDICTIVE, spent) == 0
