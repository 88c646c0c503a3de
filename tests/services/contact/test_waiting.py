"""Those who wait are told what becomes true: measured on a simulated floor run by the matcher itself."""

import heapq
import random
from statistics import mean

import pytest

from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules import waiting as w
from jilink.services.contact.rules.happenings import QueuePlan, Reserve, Seat, Work
from jilink.services.contact.rules.matcher import Matcher
from jilink.services.contact.rules.waiting import Entry, Rule, Serving


def announced_and_true(agents: int, between_s: float, patience_s: float, contacts: int) -> list[tuple[float, float]]:
    """Return (announced, true) waits of those who had to wait; contacts of 180 s, exponential.

    Every tenth never hangs up and is measured: of the others only those are answered whose wait was short.
    """
    dice = random.Random(5)
    matcher = Matcher([QueuePlan(queue=1)])
    happenings: list[tuple[float, int, h.Happening]] = []
    for agent in range(agents):
        matcher.handle(h.Seated(Seat(agent=agent, queues=(1,))), 0)
        matcher.handle(h.Ready(agent), 0)
    at = 0.0
    for contact in range(contacts):
        at += dice.expovariate(1 / between_s)
        heapq.heappush(happenings, (at, contact, h.Offered(Work(contact=contact, queue=1, channel="call", since_ms=int(at * 1000)))))
        if patience_s and contact % 10:
            heapq.heappush(happenings, (at + dice.expovariate(1 / patience_s), contact, h.Withdrawn(contact)))
    told: dict[int, float] = {}
    begun: dict[int, float] = {}
    found = []
    serving = Serving(agents=agents, handling_s=180, patience_s=patience_s)
    while happenings:
        at, number, happening = heapq.heappop(happenings)
        for decision in matcher.handle(happening, int(at * 1000)):
            if isinstance(decision, Reserve):
                matcher.handle(h.Answered(decision.contact), int(at * 1000))
                heapq.heappush(happenings, (at + dice.expovariate(1 / 180), decision.contact, h.Released(decision.contact)))
                if decision.contact in told and decision.contact % 10 == 0:
                    found.append((told[decision.contact], at - begun[decision.contact]))
        if isinstance(happening, h.Offered) and (position := matcher.position(number)):
            wait = w.expected_wait_s(position, serving)
            assert wait is not None
            told[number], begun[number] = wait, at
    return found


@pytest.mark.parametrize(("agents", "between_s", "patience_s"), [(20, 9.6, 0.0), (20, 8.0, 240.0), (5, 40.0, 120.0)])
def test_the_announced_wait_is_on_average_what_it_becomes(agents: int, between_s: float, patience_s: float) -> None:
    found = announced_and_true(agents, between_s, patience_s, 12_000)
    assert len(found) > 200
    told, true = mean(a for a, _b in found), mean(b for _a, b in found)
    assert told == pytest.approx(true, rel=0.15)
    off = mean(abs(a - b) for a, b in found) / true
    assert off < 0.75, off  # the wait of one is a sum of few exponential times: it scatters by its nature


def test_the_wait_grows_by_the_place_and_nobody_who_serves_means_no_answer() -> None:
    serving = Serving(agents=10, handling_s=200, share=0.5)
    assert w.expected_wait_s(3, serving) == pytest.approx(3 * 200 / 5)
    assert w.expected_wait_s(3, Serving(agents=10, handling_s=200, free=3)) == 0
    assert w.expected_wait_s(1, Serving(agents=0)) is None
    impatient = w.expected_wait_s(30, Serving(agents=10, handling_s=200, patience_s=60))
    assert impatient is not None and impatient < 30 * 20
    assert w.expected_wait_s(10_000, Serving(agents=1, handling_s=3600)) == w.LONGEST_WAIT_S
    assert [w.told_minutes(s) for s in (0, 59, 61, 640, 9000)] == [1, 1, 2, 15, 60]


def test_a_queue_refuses_by_its_rules_but_never_an_emergency() -> None:
    rule = Rule(most_waiting=2, most_wait_s=300, most_expected_s=600)

    def come(**change: object) -> Entry:
        said = {"is_open": True, "waiting": 0, "staffed": True, "expected_s": 10.0, "emergency": False} | change
        return w.entry(rule, **said)  # type: ignore[arg-type] -- names are those of the struct

    assert come() is Entry.WAITS
    assert come(is_open=False) is Entry.CLOSED
    assert come(staffed=False, expected_s=None) is Entry.UNSTAFFED
    assert come(waiting=2) is Entry.FULL
    assert come(expected_s=601.0) is Entry.TOO_LONG
    assert come(is_open=False, waiting=5, emergency=True) is Entry.WAITS
    assert w.overflows_at_s(rule, 100) == 400 and w.overflows_at_s(Rule(), 100) is None


def test_never_more_callbacks_are_dialled_than_agents_are_free() -> None:
    assert w.callbacks_to_dial(waiting=9, free=3, dialling=1) == 2
    assert w.callbacks_to_dial(waiting=1, free=3, dialling=0) == 1
    assert w.callbacks_to_dial(waiting=9, free=1, dialling=3) == 0


def test_announcements_come_first_soon_and_then_regularly() -> None:
    telling = w.Telling(first_s=20, every_s=60)
    assert [w.next_telling_s(telling, waited) for waited in (0, 20, 79, 80)] == [20, 80, 80, 140]
    assert w.next_telling_s(w.Telling(first_s=0), 0) is None and w.next_telling_s(w.Telling(every_s=0), 30) is None
