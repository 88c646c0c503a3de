"""What became of many cases that were dealt with at once: done, refused and why, for whoever did it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import msgspec

from jilink.core.cases.models import BulkRun, Case
from jilink.core.cases.reads.ground import HIDDEN
from jilink.core.cases.rules.allowed import TAKEN_BACK, Many
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.errors import Refused


class Before(msgspec.Struct, frozen=True):
    """One case as it was; `version` is that after the change: a case that somebody touched since is left alone."""

    case: int
    version: int
    priority: int
    unit: int
    team: int | None
    assignee: int | None

    @classmethod
    def of(cls, row: Case, version: int) -> Self:
        """Return what undoes a change of this row."""
        return cls(row.pk, version, row.priority, row.unit_id, row.team_id, row.assignee_id)


class Why(msgspec.Struct, frozen=True):
    """Why one case was refused: the words a translator knows, and the values in them."""

    message: str
    values: dict[str, str] = {}

    @property
    def plain(self) -> str:
        """Return it in English."""
        return self.message % self.values if self.values else self.message

    def error(self) -> Refused:
        """Return it as the refusal that it was."""
        return Refused(self.message, **self.values)


def why_of(error: Refused) -> Why:
    """Return a refusal as it is kept. Values that are no words stand in it as they are in English."""
    plain = all(isinstance(value, str) for value in error.values.values())
    return Why(error.message, {name: str(value) for name, value in error.values.items()}) if plain else Why(str(error))


@dataclass(frozen=True, slots=True)
class BulkView:
    """One run. `undone` where it was taken back, `lasting` where it could not be."""

    id: int
    what: Many
    at: datetime
    done: tuple[int, ...]
    refused: Mapping[int, Why]
    undone: bool
    lasting: bool


def bulk_run(actor: Actor, run: int) -> BulkView:
    """Return what became of many cases, for a week, to whoever did it. Raises NotFound. What may be seen of the cases, ask `rows_of`."""
    row = BulkRun.objects.filter(pk=run).first()
    if row is None or actor.user is None or row.user != actor.user:
        raise NotFound(HIDDEN)
    return BulkView(
        row.pk,
        Many(row.what),
        row.at,
        msgspec.json.decode(row.done, type=tuple[int, ...]),
        msgspec.json.decode(row.refused, type=dict[int, Why]),
        row.undone_at is not None,
        row.what not in TAKEN_BACK,
    )
