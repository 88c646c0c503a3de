"""What members are told of: kinds of notices, and who is told by which event of a case. Nobody is told of what they did themselves."""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from jilink.core.cases.rules.workflow import RequestState

KEPT_READ, KEPT = timedelta(days=30), timedelta(days=180)
"""How long a notice is kept once it was read, and at all."""
MAIL_AFTER = timedelta(minutes=2)
"""A notice that was read by then needs no letter."""
TOGETHER = timedelta(hours=1)
"""What is told together is one notice until it was read or is so old."""
MAILING = timedelta(minutes=5)
"""Whoever sends a letter has so long before somebody else tries: more than a mail server is waited for."""


class Kind(StrEnum):
    """Why a member is told."""

    ASSIGNED = "assigned"
    TEAM = "team"
    UNIT = "unit"
    """A unit was given a case, and nobody in particular has it."""
    WAITING = "waiting"
    """A request waits for a decision."""
    ESCALATED = "escalated"
    OVERDUE = "overdue"
    HELP = "help"
    """A colleague escalated it by hand."""
    APPROVED = "approved"
    REFUSED = "refused"
    RESUMED = "resumed"
    MENTIONED = "mentioned"


class Way(StrEnum):
    """How somebody wants to hear of a kind of things."""

    NOT = "not"
    BELL = "bell"
    LETTER = "letter"
    """By the bell, and by letter once it is left unread."""


CHOSEN: tuple[Kind, ...] = (Kind.TEAM, Kind.UNIT, Kind.WAITING)
"""What concerns several people alike: told together, never a storm, and each says whether and how they want to hear of it."""


def usual(kind: Kind) -> Way:
    """Return how somebody who did not say hears of something: of new cases by the bell alone, of a request by letter too."""
    return Way.BELL if kind in {Kind.TEAM, Kind.UNIT} else Way.LETTER


def told(people: Iterable[int | None], by: int | None) -> list[int]:
    """Return who is told: each once, and never whoever did it."""
    return sorted({each for each in people if each is not None} - {by})


def of_assignment(assignee: int | None, team: int | None) -> Kind:
    """Return why somebody is told that a case was given: as a person, as a member of a team, or as who leads a unit."""
    return Kind.ASSIGNED if assignee is not None else Kind.TEAM if team is not None else Kind.UNIT


def of_escalation(rung: str, overdue: bool) -> Kind:
    """Return why somebody is told of an escalation."""
    if not rung:
        return Kind.HELP
    return Kind.OVERDUE if overdue else Kind.ESCALATED


def of_decision(outcome: str) -> Kind | None:
    """Return why whoever asked is told what was decided; None where nothing was."""
    return {RequestState.APPROVED.value: Kind.APPROVED, RequestState.REFUSED.value: Kind.REFUSED, "resumed": Kind.RESUMED}.get(outcome)
