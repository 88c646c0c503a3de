"""Which contacts of a week are scored: so many, or a share, of each agent's, by chance that can be repeated."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text

MOST_AN_AGENT = 200


class PlanRefused(Refused):
    """A plan cannot be so."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is drawn of each agent's contacts of a week. Without `number` the share counts, at least one contact."""

    name: Text
    number: int = 0
    share: float = 0.0
    queues: tuple[int, ...] = ()
    """None named: all of the organisation."""
    least_s: int = 0
    most_s: int = 0
    """0: however long."""
    codes: tuple[str, ...] = ()
    rated_at_most: int = 0
    """Only contacts that were rated, and with no more than this; 0: all."""
    recorded: bool = True
    """Only contacts with a recording."""
    seed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A contact that was served."""

    contact: int
    agent: int
    queue: int
    seconds: float
    code: str = ""
    rating: int | None = None
    recorded: bool = False


def read_plan(text: str | bytes) -> Plan:
    """Return a plan. Raises PlanRefused."""
    try:
        plan = msgspec.json.decode(text, type=Plan)
    except msgspec.DecodeError as error:
        raise PlanRefused("This is no plan: %(reason)s", reason=str(error)) from error
    check(plan)
    return plan


def check(plan: Plan) -> None:
    """Return where a plan can be used. Raises PlanRefused."""
    if not plan.name:
        raise PlanRefused("A plan needs a name.")
    if not 0 <= plan.number <= MOST_AN_AGENT or not 0 <= plan.share <= 1 or bool(plan.number) == bool(plan.share):
        raise PlanRefused("Say how many contacts of an agent and week are drawn (at most %(most)d), or which share of them.", most=200)
    if plan.least_s < 0 or plan.most_s < 0 or (plan.most_s and plan.most_s < plan.least_s) or not 0 <= plan.rated_at_most <= 5:
        raise PlanRefused("The shortest contact is no longer than the longest, and ratings are 1 to 5.")


def fits(plan: Plan, one: Candidate) -> bool:
    """Return whether the plan may draw a contact."""
    return (
        (not plan.queues or one.queue in plan.queues)
        and one.seconds >= plan.least_s
        and (not plan.most_s or one.seconds <= plan.most_s)
        and (not plan.codes or one.code in plan.codes)
        and (not plan.rated_at_most or (one.rating is not None and one.rating <= plan.rated_at_most))
        and (one.recorded or not plan.recorded)
    )


def draw(plan: Plan, candidates: Iterable[Candidate], week: date) -> tuple[int, ...]:
    """Return the contacts that are drawn of a week: those with the smallest digests of seed, week and contact, agent by agent.

    The same plan over the same contacts draws the same again, and nobody can foresee which without the seed.
    """
    of_agent: dict[int, list[int]] = {}
    for one in candidates:
        if fits(plan, one):
            of_agent.setdefault(one.agent, []).append(one.contact)
    drawn = []
    for contacts in of_agent.values():
        count = plan.number or max(1, round(plan.share * len(contacts)))
        drawn += sorted(set(contacts), key=lambda contact: _lot(plan.seed, week, contact))[:count]
    return tuple(sorted(drawn))


def monday(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def _lot(seed: str, week: date, contact: int) -> bytes:
    return hashlib.sha256(f"{seed}\n{week.isoformat()}\n{contact}".encode()).digest()
