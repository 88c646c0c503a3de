"""The rows of the inbox in the reader's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jilink.core.cases.reads import CaseRow
from jilink.core.cases.rules import numbers
from jilink.core.parties.access import Actor
from jilink.core.parties.members.reads import people_named, team_names
from jilink.core.parties.people import reads as people
from jilink.services.console.pages.case_words import CHANNELS, due_in_words, in_words
from jilink.webkit.parts import Words

SOON = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Row:
    """One case as the inbox shows it. `tone` of the due time; `person` masked."""

    id: int
    number: str
    grouped: str
    title: str
    person: str
    type: str
    stage: str
    stage_tone: str
    channel: Words
    priority: str
    urgent: bool
    due: str
    due_at: datetime | None
    tone: str
    unit: str
    assignee: str
    team: str
    address: str
    updated_at: datetime


def masked(name: str) -> str:
    """Return a person's name as lists show it: enough to know whom one has just spoken to, too little for a passer-by."""
    return f"{name[0]}{'*' * min(2, len(name) - 1)}" if name else ""


def rows_of(actor: Actor, cases: Sequence[CaseRow], now: datetime) -> list[Row]:
    """Return cases with the names that belong to them."""
    persons = people.names(actor, {case.person for case in cases if case.person is not None})
    assignees = people_named({case.assignee for case in cases if case.assignee is not None})
    teams = team_names({case.team for case in cases if case.team is not None})
    called = {int(number): name for number, name in persons.items()}
    return [_row(case, called, assignees, teams, now) for case in cases]


def _row(case: CaseRow, persons: dict[int, str], assignees: dict[int, str], teams: dict[int, str], now: datetime) -> Row:
    return Row(
        id=case.id,
        number=case.number,
        grouped=numbers.grouped(case.number),
        title=case.title,
        person=masked(persons.get(case.person or 0, "")),
        type=in_words(case.type_label),
        stage=in_words(case.stage_label),
        stage_tone=_stage_tone(case),
        channel=CHANNELS.get(case.channel, case.channel),
        priority=in_words(case.priority_label),
        urgent=case.priority >= URGENT,
        due=due_in_words(case.due_at, now) if case.open and case.due_at is not None else "",
        due_at=case.due_at,
        tone="bad" if case.overdue else "warn" if case.due_at is not None and case.due_at - now < SOON else "",
        unit=case.unit_name,
        assignee=assignees.get(case.assignee or 0, ""),
        team=teams.get(case.team or 0, ""),
        address=case.address,
        updated_at=case.updated_at,
    )


URGENT = 5
"""From this rank on a row stands out."""


def _stage_tone(case: CaseRow) -> str:
    if not case.open:
        return "neutral"
    return "warn" if case.suspended else "info"
