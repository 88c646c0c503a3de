"""The best week's plan by constraint programming (CP-SAT of OR-Tools, the extra `planning` of the package). Pure but for its time limit.

Agents of the same queues are one group; in each half-hour whoever of a group is there is shared among its queues. What is asked for is
weighed: an agent who lacks in a half-hour 1000, somebody short of their least hours 60 an hour, a wish 15, a paid half-hour 1. So a plan
is always found, and what lacks in it cannot be met, or only in the time that was given.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from itertools import product
from typing import Any

from jilink.kernel.errors import Unavailable
from jilink.services.contact.rules.rostering import SLOT, WEEK_SLOTS, Demand, Duty, Problem, Roster, may_follow, may_work, slots_of

try:
    cp_model: Any = import_module("ortools.sat.python.cp_model")
except ImportError:
    cp_model = None

LACKING, HOUR, WISH = 1000, 60, 15
Progress = Callable[[float, float], None]
"""Told of each better plan: its gap, and the seconds it took."""


class SolverMissing(Unavailable):
    """OR-Tools is not installed: `pip install jilink[planning]`."""


def is_installed() -> bool:
    """Return whether plans can be looked for here."""
    return cp_model is not None


def solve(problem: Problem, progress: Progress = lambda _gap, _seconds: None, *, workers: int = 2) -> Roster:
    """Return the best plan found within the rule's time. Raises SolverMissing."""
    if cp_model is None:
        raise SolverMissing("OR-Tools is not installed.")
    begun = time.monotonic()
    made = _Model(problem)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = float(problem.rule.limit_s)
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = 7
    solver.parameters.relative_gap_limit = 0.001

    class Watch(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]  # -- a class of the untyped extra
        def on_solution_callback(self) -> None:
            progress(_gap(self.ObjectiveValue(), self.BestObjectiveBound()), time.monotonic() - begun)

    status = solver.Solve(made.model, Watch())
    seconds = round(time.monotonic() - begun, 1)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Roster(duties=(), short=problem.demand, gap=1.0, seconds=seconds)
    duties = tuple(Duty(user=key[0], day=key[1], pattern=key[2]) for key, chosen in made.chosen.items() if solver.Value(chosen))
    short = [
        Demand(slot=one.slot, queue=one.queue, agents=solver.Value(lacks))
        for one, lacks in zip(problem.demand, made.lacks, strict=True)
        if solver.Value(lacks)
    ]
    gap = 0.0 if status == cp_model.OPTIMAL else _gap(solver.ObjectiveValue(), solver.BestObjectiveBound())
    wishes = {worker.user: worker.wishes for worker in problem.workers}
    unkept = sum(1 for duty in duties if wishes[duty.user] and duty.pattern not in wishes[duty.user])
    return Roster(duties=duties, short=tuple(short), gap=round(gap, 4), seconds=seconds, unkept=unkept)


def _gap(value: float, bound: float) -> float:
    return max(0.0, (value - bound) / value) if value > 0 else 0.0


@dataclass(slots=True)
class _Model:
    """The model of a problem, and its variables."""

    problem: Problem
    model: Any = field(init=False)
    chosen: dict[tuple[int, int, int], Any] = field(init=False, default_factory=dict)
    lacks: list[Any] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.model = cp_model.CpModel()
        costs = self._shifts()
        costs += self._demand()
        self.model.Minimize(sum(costs))

    def _shifts(self) -> list[Any]:
        """Add who may have which shift, with what binds each, and return what they cost."""
        patterns, rest_h, costs = self.problem.patterns, self.problem.rule.rest_h, []
        for worker in self.problem.workers:
            for day, key in product(range(7), patterns):
                if may_work(worker, day, patterns[key], rest_h):
                    self.chosen[worker.user, day, key] = chosen = self.model.NewBoolVar("")
                    unkept = WISH if worker.wishes and key not in worker.wishes else 0
                    costs.append(chosen * (patterns[key].worked // SLOT + unkept))
            self._rests(worker.user)
            mine = [
                (self.chosen[worker.user, day, key], key)
                for day, key in product(range(7), patterns)
                if (worker.user, day, key) in self.chosen
            ]
            worked = sum(chosen * patterns[key].worked for chosen, key in mine)
            self.model.Add(worked <= worker.hours_most * 60)
            self.model.Add(sum(chosen for chosen, _key in mine) <= worker.days_most)
            if worker.hours_least:
                under = self.model.NewIntVar(0, worker.hours_least, "")
                self.model.Add(worked + under * 60 >= worker.hours_least * 60)
                costs.append(under * HOUR)
        return costs

    def _rests(self, user: int) -> None:
        patterns, rest_h = self.problem.patterns, self.problem.rule.rest_h
        for day in range(7):
            today = [self.chosen[user, day, key] for key in patterns if (user, day, key) in self.chosen]
            if len(today) > 1:
                self.model.AddAtMostOne(today)
            for one, other in product(patterns, patterns):
                both = (user, day, one) in self.chosen and (user, day + 1, other) in self.chosen
                if both and not may_follow((day, patterns[one]), (day + 1, patterns[other]), rest_h):
                    self.model.AddAtMostOne([self.chosen[user, day, one], self.chosen[user, day + 1, other]])

    def _demand(self) -> list[Any]:
        """Add who lacks where, and return what that costs."""
        there = self._there()
        sent: dict[tuple[int, int], list[Any]] = {}
        wanted = {(one.slot, one.queue) for one in self.problem.demand}
        for (slot, group), present in there.items():
            shared = [queue for queue in group if (slot, queue) in wanted]
            if not shared:
                continue
            parts = [present[0] if len(present) == 1 else sum(present)]
            if len(shared) > 1:
                parts = [self.model.NewIntVar(0, len(present), "") for _queue in shared]
                self.model.Add(sum(parts) <= sum(present))
            for queue, part in zip(shared, parts, strict=True):
                sent.setdefault((slot, queue), []).append(part)
        for one in self.problem.demand:
            lacks = self.model.NewIntVar(0, one.agents, "")
            self.model.Add(sum(sent.get((one.slot, one.queue), [])) + lacks >= one.agents)
            self.lacks.append(lacks)
        return [lacks * LACKING for lacks in self.lacks]

    def _there(self) -> dict[tuple[int, tuple[int, ...]], list[Any]]:
        """Return who may be there, by half-hour and group."""
        groups = {worker.user: worker.queues for worker in self.problem.workers}
        found: dict[tuple[int, tuple[int, ...]], list[Any]] = {}
        for (user, day, key), chosen in self.chosen.items():
            for slot in slots_of(day, self.problem.patterns[key]):
                if slot < WEEK_SLOTS:
                    found.setdefault((slot, groups[user]), []).append(chosen)
        return found
