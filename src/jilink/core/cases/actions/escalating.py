"""What a bell of the ladder does. Bells ring twice, late, and after what they were set for has passed: each is looked at anew."""

from datetime import UTC, datetime

from django.db import transaction

from jilink.core.cases.actions import timing
from jilink.core.cases.actions.assigning import ReasonNeeded, Recipient, hand
from jilink.core.cases.actions.desk import Desk, desk_of, lay, locked
from jilink.core.cases.events import CaseEscalated
from jilink.core.cases.models import Case, Clock, Escalation
from jilink.core.cases.rules import allowed, escalation, timeline
from jilink.core.cases.rules.allowed import Act
from jilink.core.cases.rules.definition import Rung
from jilink.core.cases.rules.workflow import State
from jilink.core.parties.access import Actor, system
from jilink.core.parties.models import Organisation
from jilink.core.parties.rules import Permission

TOGETHER = 200


@transaction.atomic
def ring(*, case: int, clock: int, rung: str, generation: int, at_ms: int, now: datetime) -> bool:
    """Answer a bell, and return whether anything was done: nothing where the clock ended, stands, was changed, or it rang before."""
    rows = locked([case])
    row = Clock.objects.filter(pk=clock, case_id=case).first()
    if not rows or row is None or not allowed.rings(rows[0].state, row.key):
        return False
    desk = desk_of(rows[0], system("clocks"), max(now, datetime.fromtimestamp(at_ms / 1000, UTC)))
    found = next((one for one in desk.definition.ladder if one.key == rung), None)
    if found is None or not escalation.still_rings(found, timing.as_running(row), generation, desk.now, desk.calendar):
        return False
    _made, new = Escalation.objects.get_or_create(clock=row, rung=rung, generation=generation, defaults={"at": desk.now})
    if new:
        _climb(desk, row, found)
    return new


@transaction.atomic
def escalate_case(*, case: int, reason: str, by: Actor, raise_priority: bool = False, now: datetime | None = None) -> None:
    """Call the supervisors of the unit and of the organisation that answers for an open case, and say why.

    Nothing else changes but the priority, where that is asked for; who has the case keeps it. Raises NotFound, ReasonNeeded, StepRefused.
    """
    desk = lay(case, Permission.WORK_CASES, by, now)
    allowed.require(desk.row.state, Act.ESCALATE)
    words = reason.strip()
    if not words:
        raise ReasonNeeded("Say why, so that whoever reads it later understands.")
    priority = _next_priority(desk) if raise_priority else None
    if priority is not None:
        desk.set(priority=priority)
    desk.write(timeline.Escalated(reason=words[:2000], notify=escalation.CALLED_BY_HAND, priority=priority))
    desk.save()
    late = desk.row.due_at is not None and desk.row.due_at <= desk.now
    desk.tell(CaseEscalated, clock="", rung="", notify=escalation.CALLED_BY_HAND, overdue=late)


def _climb(desk: Desk, clock: Clock, rung: Rung) -> None:
    priority = _next_priority(desk) if rung.raise_priority else None
    if priority is not None:
        desk.set(priority=priority)
    above = Organisation.objects.filter(pk=desk.row.unit.parent_id or 0).first() if rung.hand_up else None
    desk.write(
        timeline.Escalated(
            clock=clock.key, rung=rung.key, notify=rung.notify, priority=priority, unit=above.pk if above is not None else None
        )
    )
    if above is not None:
        hand(desk, Recipient(unit=above.pk, why=(f"ladder:{rung.key}",)))
    desk.save()
    overdue = clock.due_at is not None and clock.due_at <= desk.now
    desk.tell(CaseEscalated, clock=clock.key, rung=rung.key, notify=rung.notify, overdue=overdue)


def _next_priority(desk: Desk) -> int | None:
    higher = [level.rank for level in desk.definition.priorities if level.rank > desk.row.priority]
    return min(higher, default=None)


def cases_on(calendar_key: str, organisation: int, after: int) -> list[int]:
    """Return open cases, beyond one, of an organisation and all below it whose clocks may count by a calendar."""
    path = Organisation.objects.filter(pk=organisation).values_list("path", flat=True).first()
    rows = Case.objects.filter(organisation__path__startswith=path or "-", state=State.OPEN.value, pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:TOGETHER])


@transaction.atomic
def renew_clocks(*, case: int, calendar_key: str, now: datetime) -> None:
    """Set the due times of a case anew, because its calendar was loaded. Twice changes nothing but the generation."""
    rows = locked([case])
    if not rows:
        return
    desk = desk_of(rows[0], system("clocks"), now)
    if desk.definition.calendar != calendar_key:
        return
    for clock in timing.running(desk):
        if clock.paused_at is None:
            timing.renew(desk, clock)
    timing.set_due(desk)
    desk.row.save(update_fields=["due_at"])
