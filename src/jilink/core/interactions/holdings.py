"""What this room holds about a person: the contacts, and what was said in them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from jilink.core.files import actions as files
from jilink.core.interactions.models import Interaction, Part
from jilink.core.parties.people.holdings import Holding, hold
from jilink.kernel.ids import PersonId


class _Said(msgspec.Struct, frozen=True):
    at: datetime
    side: str
    text: str


class _Contact(msgspec.Struct, frozen=True):
    channel: str
    direction: str
    contact: str
    subject: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    said: list[_Said]


def _export(person: PersonId) -> list[_Contact]:
    rows = Interaction.objects.filter(person=person).order_by("started_at", "pk").prefetch_related("said")
    return [
        _Contact(
            row.channel,
            row.direction,
            row.contact,
            row.subject,
            row.started_at,
            row.ended_at,
            row.outcome,
            [_Said(part.at, part.side, part.text) for part in sorted(row.said.all(), key=lambda part: part.number)],
        )
        for row in rows
    ]


def _erase(person: PersonId) -> int:
    """Keep when, how and with what outcome; take out who, from where, and every word and file."""
    rows = Interaction.objects.filter(person=person)
    said = Part.objects.filter(interaction__in=rows)
    files.forget_files([file for file in said.values_list("file", flat=True) if file is not None])
    said.delete()
    return rows.update(contact="", subject="", latitude=None, longitude=None, accuracy_m=None, reference="", person=None)


def _move(source: PersonId, target: PersonId) -> list[int]:
    moved = list(Interaction.objects.filter(person=source).values_list("pk", flat=True))
    Interaction.objects.filter(pk__in=moved).update(person=target)
    return moved


def _put_back(numbers: Sequence[int], person: PersonId) -> None:
    Interaction.objects.filter(pk__in=numbers).update(person=person)


hold(Holding("interactions", export=_export, erase=_erase, move=_move, put_back=_put_back))
