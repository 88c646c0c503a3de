"""What this room holds about a person: their cases, what was answered to them, and how they rated it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from jilink.core.cases import finding
from jilink.core.cases.models import Case, Entry, Rating, Reply
from jilink.core.cases.reads.ground import answers_of, definition_of
from jilink.core.cases.rules.form import PersonQuestion, PlaceQuestion, TextQuestion
from jilink.core.cases.rules.workflow import State
from jilink.core.parties.people.holdings import Holding, hold
from jilink.kernel.errors import Refused
from jilink.kernel.ids import PersonId


class CaseOpen(Refused):
    """A case of the person is still open, and somebody answers for it."""


class _Reply(msgspec.Struct, frozen=True):
    at: datetime
    channel: str
    recipient: str
    text: str


class _Rating(msgspec.Struct, frozen=True):
    at: datetime
    level: int
    comment: str


class _Case(msgspec.Struct, frozen=True):
    number: str
    type: str
    title: str
    description: str
    address: str
    state: str
    opened_at: datetime
    closed_at: datetime | None
    replies: list[_Reply]
    ratings: list[_Rating]


def _export(person: PersonId) -> list[_Case]:
    rows = Case.objects.filter(person=person).order_by("pk").prefetch_related("replies", "ratings")
    return [
        _Case(
            row.number,
            row.type_key,
            row.title,
            row.description,
            row.address,
            row.state,
            row.opened_at,
            row.closed_at,
            [_Reply(one.at, one.channel, one.recipient, one.text) for one in sorted(row.replies.all(), key=lambda one: one.pk)],
            [_Rating(one.at, one.level, one.comment) for one in sorted(row.ratings.all(), key=lambda one: one.pk)],
        )
        for row in rows
    ]


def _erase(person: PersonId) -> int:
    """Keep number, type, stages, times and level; take out who, where exactly, and every free word. An open case stops it."""
    rows = Case.objects.filter(person=person).select_related("type")
    if rows.filter(state=State.OPEN.value).exists():
        raise CaseOpen("A case of this person is still open. Close it first.")
    for row in rows:
        asked = definition_of(row.type.definition).form
        told = {one.key for one in asked if one.sensitive or isinstance(one, TextQuestion | PersonQuestion | PlaceQuestion)}
        kept = {key: value for key, value in answers_of(row).items() if key not in told}
        Case.objects.filter(pk=row.pk).update(answers=msgspec.json.encode(kept).decode())
    Rating.objects.filter(case__in=rows).update(comment="", answers="{}", outcome="")
    known = {row.pk for row in rows} | set(Reply.objects.filter(person=person).values_list("case_id", flat=True))
    Reply.objects.filter(person=person).update(recipient="", address="", text="", person=None)
    Entry.objects.filter(case__in=rows, kind="edited").update(detail='{"kind":"edited","changes":[]}')
    blank = {"title": "-", "description": "", "address": "", "latitude": None, "longitude": None, "accuracy_m": None, "person": None}
    erased = Case.objects.filter(person=person).update(**blank)
    finding.put(sorted(known))
    return erased


def _move(source: PersonId, target: PersonId) -> list[int]:
    moved = list(Case.objects.filter(person=source).values_list("pk", flat=True))
    Case.objects.filter(pk__in=moved).update(person=target)
    Reply.objects.filter(person=source, case__in=moved).update(person=target)
    finding.put(moved)
    return moved


def _put_back(numbers: Sequence[int], person: PersonId) -> None:
    Case.objects.filter(pk__in=numbers).update(person=person)
    finding.put(numbers)


hold(Holding("cases", export=_export, erase=_erase, move=_move, put_back=_put_back))
