"""How many agents a forecast needs: Erlang C for the number, Erlang A for what impatient callers then meet. Pure."""

from dataclasses import dataclass

from jilink.services.contact.rules import erlang

HALF_HOUR_S = 1800.0


@dataclass(frozen=True, slots=True)
class Need:
    """What a half-hour of a queue needs. Shares 0 to 1."""

    erlangs: float
    agents: int
    """Who have to be there."""
    rostered: int
    """Who have to be on the plan, for so many to be there."""
    level: float
    """Answered within the target by so many, where nobody hangs up (Erlang C)."""
    mean_wait_s: float
    occupancy: float
    abandons: float
    """Share who hang up by their patience (Erlang A)."""


NOTHING = Need(0.0, 0, 0, 1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Target:
    """What a queue is to reach."""

    within_s: float
    level: float
    handling_s: float
    patience_s: float
    shrinkage: float
    most_occupied: float = 0.9


def need(expected: float, target: Target) -> Need:
    """Return what so many arrivals in a half-hour need; nothing where less than one in ten half-hours brings anybody. Raises NotEnough."""
    if expected < 0.1:
        return NOTHING
    erlangs = erlang.load(expected, HALF_HOUR_S, target.handling_s)
    agents = erlang.agents_for(erlangs, target.within_s, target.handling_s, target.level, most_occupied=target.most_occupied)
    met = erlang.impatient(expected / HALF_HOUR_S, target.handling_s, target.patience_s, agents)
    return Need(
        erlangs=erlangs,
        agents=agents,
        rostered=erlang.staffed(agents, target.shrinkage),
        level=erlang.service_level(erlangs, agents, target.within_s, target.handling_s),
        mean_wait_s=erlang.mean_wait_s(erlangs, agents, target.handling_s),
        occupancy=erlang.occupancy(erlangs, agents),
        abandons=met.abandons,
    )
