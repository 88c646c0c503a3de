"""One case on the desk: locked, with its type and its calendar, until the transaction ends. Every action works through it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from jilink.core.cases import finding
from jilink.core.cases.events import CaseEdited, CaseEvent, CaseNoted, CaseOpened, CaseReplyWritten
from jilink.core.cases.models import Case, CaseType, Entry, Request
from jilink.core.cases.reads.ground import HIDDEN, Ground, beyond, ground_of, require
from jilink.core.cases.rules import timeline
from jilink.core.cases.rules.timeline import Detail
from jilink.core.cases.rules.workflow import RequestState, Standing
from jilink.core.outbox import outbox
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.models import Organisation
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.spine.events import Event

_WORDED: frozenset[type[CaseEvent]] = frozenset({CaseOpened, CaseEdited, CaseNoted, CaseReplyWritten})


@dataclass(slots=True)
class Desk(Ground):
    """A locked case and what is needed to work on it."""

    _dirty: set[str] = field(default_factory=set)

    def stand(self, standing: Standing) -> None:
        """Put the case where the rules say."""
        self.set(
            stage=standing.stage,
            state=standing.state.value,
            round=standing.round,
            returns=standing.returns,
            final=standing.final,
            doers=msgspec.json.encode(sorted(standing.doers)).decode(),
        )

    def set(self, **values: object) -> None:
        """Change columns; they are written by `save`."""
        for name, value in values.items():
            setattr(self.row, name, value)
            self._dirty.add(name)

    def write(self, detail: Detail) -> None:
        """Add a line to the timeline."""
        write_entry(self.row, detail, self.by, self.now)

    def tell(self, kind: type[CaseEvent], **values: object) -> None:
        """Add an event of this case to the outbox, and where it brought new words, let the case be found by them."""
        if kind in _WORDED:
            finding.put([self.row.pk])
        event = kind(case=self.row.pk, number=self.row.number, unit=self.row.unit_id, by=self.by.user, **values)
        with beyond(self.row):
            outbox.add(event, organisation=self.row.organisation_id, aggregate=f"case:{self.row.pk}", now=self.now)

    def remind(self, event: Event, at: datetime) -> None:
        """Set a timer: the event is published then."""
        with beyond(self.row):
            outbox.add(event, organisation=self.row.organisation_id, aggregate=f"case:{self.row.pk}", now=self.now, not_before=at)

    def withdraw(self, states: Sequence[str] = (RequestState.ASKED.value,)) -> None:
        """Let what the unit asked for, and nobody has decided, come to nothing: the case goes on in another way."""
        Request.objects.filter(case=self.row, state__in=states, decided_at=None).update(
            state=RequestState.WITHDRAWN.value, decided_at=self.now, decided_by=self.by.name
        )

    def save(self) -> None:
        """Write what changed, with a new version."""
        self.set(version=self.row.version + 1, updated_at=self.now)
        self.row.save(update_fields=sorted(self._dirty))
        self._dirty.clear()


def write_entry(row: Case, detail: Detail, by: Actor, now: datetime) -> None:
    """Add a line to the timeline of a case."""
    kind = str(detail.__struct_config__.tag)
    Entry.objects.create(case=row, at=now, actor=by.name, kind=kind, detail=timeline.write(detail), public=kind in timeline.PUBLIC)


def lay(case: int, permission: Permission, by: Actor, now: datetime | None) -> Desk:
    """Lock one case and lay it on the desk. Raises NotFound where there is none that the actor may touch so."""
    return lay_many([case], permission, by, now)[0]


def lay_many(cases: Sequence[int], permission: Permission, by: Actor, now: datetime | None) -> list[Desk]:
    """Lock several cases, in the order of their ids so that nobody waits in a circle, and return them as they were asked for."""
    rows = {row.pk: row for row in locked(cases)}
    moment = now or utc_now()
    return [desk_of(require(by, permission, rows.get(case)), by, moment) for case in cases]


def locked(cases: Sequence[int]) -> list[Case]:
    """Return the rows of cases locked for this transaction, no wall asked: for timers of the installation itself."""
    return list(
        Case.objects.select_for_update(of=("self",)).filter(pk__in=list(cases)).order_by("pk").select_related("type", "organisation")
    )


def desk_of(row: Case, by: Actor, now: datetime) -> Desk:
    """Lay a locked row on the desk."""
    ground = ground_of(row, by, now)
    return Desk(row, by, now, ground.definition, ground.calendar)


def type_in_use(organisation: Organisation, key: str) -> CaseType:
    """Return the published version of a case type that counts for an organisation, its own or the nearest above. Raises NotFound."""
    line = [int(part) for part in organisation.path.split("/") if part]
    rows = {row.organisation_id: row for row in CaseType.objects.filter(organisation_id__in=line, key=key, state="published")}
    for one in reversed(line):
        if one in rows:
            return rows[one]
    raise NotFound(HIDDEN)
