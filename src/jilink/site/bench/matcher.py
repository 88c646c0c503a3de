"""The matcher of the contact service: decisions a second on one core with 10,000 waiting and 2,000 agents, and the time each takes.

Charged is the thread's own CPU time of `Matcher.handle` and of making the happenings: arrivals, answers, endings, abandonments, agents who
come and go, ringing that times out, at the rate of a floor that is full. One decision is one happening handled (whatever follows from it).
Not charged: the database and the spine.
"""

import random
import time
from collections.abc import Callable

import numpy as np

from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules.happenings import Decision, QueuePlan, Reserve, Seat, Work
from jilink.services.contact.rules.matcher import Matcher
from jilink.services.contact.rules.needs import Need, Softening
from jilink.site.bench.figures import Figure, Target

Say = Callable[[str], None]
WAITING = 10_000
AGENTS = 2_000
QUEUES = 60
GROUPS = 80
HAPPENINGS = 60_000
SUBJECT = f"Matcher: {WAITING:,} waiting, {AGENTS:,} agents in {GROUPS} groups, {QUEUES} queues"
_SKILLS = ("bills", "faults", "sales", "trips", "law", "farm")
_SOFTER = (Softening(after_s=60, lower=1), Softening(after_s=180, without=("law",), any_language=True))


class Floor:
    """A floor that stays full: for each contact that ends another comes."""

    def __init__(self, waiting: int, agents: int) -> None:
        self.dice = random.Random(7)  # noqa: S311 -- made-up traffic, no secret
        self.matcher = Matcher(
            QueuePlan(queue=queue, share=1 + queue % 4, target_s=20 + queue % 3 * 20, softenings=_SOFTER) for queue in range(QUEUES)
        )
        self.now, self.last = 10_000_000, 0
        self.ringing: list[int] = []
        self.serving: list[int] = []
        kinds = [self._kind() for _ in range(GROUPS)]
        for agent in range(1, agents + 1):
            queues, skills, languages = kinds[agent % GROUPS]
            self.tell(h.Seated(Seat(agent=agent, queues=queues, skills=skills, languages=languages, capacity=(("call", 1), ("chat", 3)))))
            self.tell(h.Ready(agent))
        while sum(len(self.matcher.order(queue)) for queue in range(QUEUES)) < waiting:
            for _ in range(100):
                self.arrive()
        for contact in self.ringing:
            self.tell(h.Answered(contact))
        self.serving, self.ringing = self.ringing, []

    def _kind(self) -> tuple[tuple[int, ...], tuple[tuple[str, int], ...], tuple[str, ...]]:
        skills = tuple(sorted((name, self.dice.randint(1, 5)) for name in self.dice.sample(_SKILLS, 3)))
        return tuple(sorted(self.dice.sample(range(QUEUES), 6))), skills, ("zh", *self.dice.sample(("en", "ko", "ru"), 1))

    def arrive(self) -> None:
        """Let somebody come."""
        self.last += 1
        dice = self.dice
        need = Need(((dice.choice(_SKILLS), dice.randint(1, 4)),), ("zh",)) if dice.random() < 0.6 else Need((), ("zh",))
        self.tell(
            h.Offered(
                Work(
                    contact=self.last,
                    queue=dice.randrange(QUEUES),
                    channel="chat" if dice.random() < 0.2 else "call",
                    since_ms=self.now - dice.randrange(60_000),
                    need=need,
                    priority=dice.randrange(3),
                    emergency=dice.random() < 0.001,
                )
            )
        )

    def tell(self, happening: h.Happening) -> None:
        """Tell the matcher one thing and do what it decides."""
        self.obey(self.matcher.handle(happening, self.now))

    def obey(self, decisions: list[Decision]) -> None:
        """Let phones ring and stop ringing."""
        for decision in decisions:
            if isinstance(decision, Reserve):
                self.ringing.append(decision.contact)
            elif decision.contact in self.ringing:
                self.ringing.remove(decision.contact)

    def step(self) -> None:
        """Let the next thing happen."""
        dice = self.dice
        self.now += dice.randrange(20)
        chance = dice.random()
        if chance < 0.34:
            self.arrive()
        elif chance < 0.64 and self.ringing:
            contact = self.ringing.pop(dice.randrange(len(self.ringing)))
            self.serving.append(contact)
            self.tell(h.Answered(contact) if dice.random() < 0.97 else h.RingFailed(contact))
        elif chance < 0.94 and self.serving:
            index = dice.randrange(len(self.serving))
            self.serving[index], self.serving[-1] = self.serving[-1], self.serving[index]
            self.tell(h.Released(self.serving.pop()))
        elif chance < 0.98:
            self.tell(h.Withdrawn(dice.randint(max(1, self.last - WAITING), self.last)))
        else:
            self.tell(h.Ready(dice.randint(1, AGENTS)) if dice.random() < 0.9 else h.NotReady(dice.randint(1, AGENTS)))


def measure(runs: int, say: Say, *, waiting: int = WAITING, agents: int = AGENTS, happenings: int = HAPPENINGS) -> list[Figure]:
    """Return decisions a second and the 99th percentile of one; `say` is told what is being measured."""
    speeds, tails, longest = [], [], []
    for run in range(runs):
        say(f"matcher: filling the floor, run {run + 1}")
        floor = Floor(waiting, agents)
        say(f"matcher: {happenings:,} happenings, run {run + 1}")
        took = np.empty(happenings)
        began = time.thread_time()
        for number in range(happenings):
            before = time.thread_time_ns()
            floor.step()
            took[number] = time.thread_time_ns() - before
        speeds.append(happenings / (time.thread_time() - began))
        tails.append(float(np.percentile(took, 99)) / 1e6)
        longest.append(float(took.max()) / 1e6)
    return [
        Figure(SUBJECT, "decisions", "/s a core", tuple(speeds), Target("at least", 20_000)),
        Figure(SUBJECT, "one decision, 99th percentile", "ms", tuple(tails), Target("at most", 5)),
        Figure(SUBJECT, "the longest decision", "ms", tuple(longest)),
    ]
