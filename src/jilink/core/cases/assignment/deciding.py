"""What is known of a case when it is sent out, and the answer: a unit with the reasons that counted."""

from dataclasses import dataclass, field
from datetime import datetime

from jilink.core.cases.rules.form import Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What may count when a unit is chosen. `area` is a path of codes; `asset` the thing it is about."""

    organisation: int
    case: int | None
    type: str
    answers: Answers
    priority: int
    at: datetime
    area: str = ""
    latitude: float | None = None
    longitude: float | None = None
    asset: int | None = None
    person: int | None = None
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who gets it. `why` are readable reasons in the order they counted, `rule` the key of the rule that decided."""

    unit: int
    team: int | None = None
    assignee: int | None = None
    why: tuple[str, ...] = field(default=())
    rule: str = ""


def decide(situation: Situation) -> Decision:
    """Return who gets a case. Where no rule is known it stays with the organisation that answers for it."""
    return Decision(unit=situation.organisation, why=("No rule names a unit: it stays with the organisation that answers for it.",))
