"""How many agents a load needs: the formulas of Erlang and Palm. A load of 1 erlang keeps one agent busy without end.

Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone exchanges" (1917): loss (B) and
delay (C). Palm (1957), as Mandelbaum and Zeltyn, "Service engineering in action: the Palm/Erlang-A queue" (2007): with impatience (A).
Arrivals are Poisson, times exponential; rates are of any one unit of time.
"""

import math
from dataclasses import dataclass

from jilink.kernel.errors import Refused

MOST_AGENTS = 20_000


class NotEnough(Refused):
    """No number of agents up to the most we plan for reaches the target, or the figures are none."""


def load(arrivals: float, interval_s: float, handling_s: float) -> float:
    """Return the load in erlangs of so many arrivals in an interval."""
    return arrivals * handling_s / interval_s


def loss(erlangs: float, lines: int) -> float:
    """Return the probability that all lines are taken and a caller is turned away (Erlang B)."""
    blocked = 1.0
    for line in range(1, lines + 1):
        blocked = erlangs * blocked / (line + erlangs * blocked)
    return blocked


def waits(erlangs: float, agents: int) -> float:
    """Return the probability that a caller has to wait at all (Erlang C); 1 where the load is more than the agents."""
    if erlangs <= 0:
        return 0.0
    if agents <= erlangs:
        return 1.0
    blocked = loss(erlangs, agents)
    return agents * blocked / (agents - erlangs * (1 - blocked))


def service_level(erlangs: float, agents: int, target_s: float, handling_s: float) -> float:
    """Return the share answered within the target, 0 to 1."""
    if agents <= erlangs:
        return 0.0
    return 1 - waits(erlangs, agents) * math.exp(-(agents - erlangs) * target_s / handling_s)


def mean_wait_s(erlangs: float, agents: int, handling_s: float) -> float:
    """Return the mean wait of all callers (average speed of answer); infinite where the load is more than the agents."""
    return math.inf if agents <= erlangs else waits(erlangs, agents) * handling_s / (agents - erlangs)


def wait_quantile_s(erlangs: float, agents: int, handling_s: float, share: float) -> float:
    """Return the wait that `share` of the callers do not exceed."""
    if agents <= erlangs:
        return math.inf
    waiting = waits(erlangs, agents)
    return 0.0 if 1 - share >= waiting else handling_s / (agents - erlangs) * math.log(waiting / (1 - share))


def queue_length(erlangs: float, agents: int) -> float:
    """Return how many wait on average."""
    return math.inf if agents <= erlangs else waits(erlangs, agents) * erlangs / (agents - erlangs)


def occupancy(erlangs: float, agents: int) -> float:
    """Return the share of their time that agents are busy, 0 to 1."""
    return min(1.0, erlangs / agents) if agents else 1.0


def agents_for(erlangs: float, target_s: float, handling_s: float, level: float, *, most_occupied: float = 1.0) -> int:
    """Return the least number of agents who answer `level` (0 to 1) within the target, busy at most `most_occupied`. Raises NotEnough."""
    _check(erlangs >= 0 and handling_s > 0 and target_s >= 0 and 0 <= level < 1 and 0 < most_occupied <= 1)
    agents = max(1, math.ceil(erlangs / most_occupied))
    while agents <= MOST_AGENTS:
        if service_level(erlangs, agents, target_s, handling_s) >= level and occupancy(erlangs, agents) <= most_occupied:
            return agents
        agents += 1
    raise NotEnough("No number of agents up to %(most)d reaches the target.", most=MOST_AGENTS)


def staffed(agents: int, shrinkage: float) -> int:
    """Return how many to roster so that so many are there, with a share `shrinkage` (0 to below 1) away: breaks, training, illness."""
    _check(agents >= 0 and 0 <= shrinkage < 1)
    return math.ceil(round(agents / (1 - shrinkage), 9))


@dataclass(frozen=True, slots=True)
class Impatient:
    """What callers meet who hang up when it takes them too long (Erlang A). Shares 0 to 1, seconds."""

    waits: float
    """Share who have to wait."""
    abandons: float
    """Share who hang up before they are answered."""
    mean_wait_s: float
    """Of all, those included who hang up."""
    queue_length: float
    occupancy: float


def impatient(arrivals_per_s: float, handling_s: float, patience_s: float, agents: int) -> Impatient:
    """Return what callers meet whose patience is `patience_s` on average.

    The chain of callers present is truncated where a further one changes nothing: birth rate the arrivals, death rate ``min(k, N)/handling
    + max(0, k - N)/patience``.
    """
    _check(arrivals_per_s > 0 and handling_s > 0 and patience_s > 0 and 0 < agents <= MOST_AGENTS)
    weight, total, busy, queued, delayed = 1.0, 1.0, 0.0, 0.0, 0.0
    present = 0
    while present < agents or weight > 1e-15 * total:
        present += 1
        weight *= arrivals_per_s / (min(present, agents) / handling_s + max(0, present - agents) / patience_s)
        if weight > 1e200:
            weight, total, busy, queued, delayed = weight / 1e200, total / 1e200, busy / 1e200, queued / 1e200, delayed / 1e200
        total += weight
        busy += weight * min(present, agents)
        if present >= agents:
            delayed += weight
            queued += weight * (present - agents)
    length = queued / total
    return Impatient(delayed / total, length / patience_s / arrivals_per_s, length / arrivals_per_s, length, busy / total / agents)


def _check(sensible: bool) -> None:
    if not sensible:
        raise NotEnough("These figures describe no group of agents.")
