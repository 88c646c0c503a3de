"""What members are told of: kinds of notices, and who is told by which event of a case. Nobody is told of what they did themselves."""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from jilink.core.cases.rules.workflow import RequestState

KEPT_READ, KEPT = timedelta(days=30), timedelta(days=180)
"""How long a notice is kept once it was read, and at all."""
MAIL_AFTER = timedelta(minutes=2)
"""A notice that was read by then needs no letter."""


class Kind(StrEnum):
    """Why a member is told."""

    ASSIGNED = "assigned"
    TEAM = "team"
    ESCALATED = "escalated"
    OVERDUE = "overdue"
    HELP = "help"
    """A colleague escalated it by hand."""
    APPROVED = "approved"
    REFUSED = "refused"
    RESUMED = "resumed"
    MENTIONED = "mentioned"


def told(people: Iterable[int | None], by: int | None) -> list[int]:
    """Return who is told: each once, and never whoever did it."""
    return sorted({each for each in people if each is not None} - {by})


def of_assignment(assignee: int | None, team: int | None) -> Kind | None:
    """Return why somebody is told that a case was given: as a person, as a member of a team; None where it went to a unit at large."""
    return Kind.ASSIGNED if assignee is not None else Kind.TEAM if team is not None else None


def of_escalation(rung: str, overdue: bool) -> Kind:
    """Return why somebody is told of an escalation."""
    if not rung:
        return Kind.HELP
    return Kind.OVERDUE if overdue else Kind.ESCALATED


def of_decision(outcome: str) -> Kind | None:
    """Return why whoever asked is told what was decided; None where nothing was."""
    return {RequestState.APPROVED.value: Kind.APPROVED, RequestState.REFUSED.value: Kind.REFUSED, "resumed": Kind.RESUMED}.get(outcome)
