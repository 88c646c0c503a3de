"""What is foreseen for a queue, from its history, and how many agents that needs."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from jilink.core.cases.reads.types import calendar
from jilink.core.cases.rules.calendar import CalendarMissing, WorkingCalendar, compiled
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text
from jilink.services.contact.models import Contact, Correction, Queue
from jilink.services.contact.rules import forecasting, staffing
from jilink.services.contact.rules.design import QueueDesign, read_design
from jilink.services.contact.rules.erlang import NotEnough
from jilink.services.contact.rules.forecasting import SLOTS, Day, Errors, Expected
from jilink.services.contact.rules.staffing import Need, Target

HIDDEN = "There is no such thing, or you may not see it."
TAUGHT_BY = timedelta(weeks=26)
"""How much of the history a forecast looks at."""
FARTHEST = timedelta(days=60)
USUAL_HANDLING_S = 180.0
HANDLED_IN = timedelta(weeks=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfHour:
    """What is expected of a half-hour. `need` is None where no number of agents would do."""

    slot: int
    begin: datetime
    expected: Expected
    corrected: str
    """Why somebody expects something else than the history says; "" where nobody does."""
    need: Need | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A day of a queue. `half_hours` is empty where the history is shorter than two weeks."""

    queue: int
    name: Text
    day: date
    holiday: bool
    worked: bool
    """A weekend day that is worked to make up for a holiday."""
    half_hours: tuple[HalfHour, ...]
    errors: Errors | None
    days: int
    left_out: int
    handling_s: float
    target: Target
    may_correct: bool


def forecast(actor: Actor, queue: int, day: date, *, now: datetime, shrinkage: float = 0.3, patience_s: float = 120.0) -> Forecast:
    """Return what is foreseen for a day of a queue. Raises NotFound, also for a day that is past or too far."""
    row = Queue.objects.filter(pk=queue, retired_at=None).first()
    access.require(actor, Permission.VIEW_QUEUES, row.organisation_id if row else None)
    today = now.astimezone(CHINA).date()
    if row is None or not today <= day <= today + FARTHEST or not 0 <= shrinkage < 1 or patience_s <= 0:
        raise NotFound(HIDDEN)
    design, working = read_design(row.design), _working(row)
    known = history(actor, queue, now=now)
    model, kind = forecasting.learn(known), _kind(working, day)
    handling = _handling_s(row, design, now)
    target = Target(
        within_s=design.target_s, level=min(design.level, 0.99), handling_s=handling, patience_s=patience_s, shrinkage=shrinkage
    )
    said = {one.slot: one for one in Correction.objects.filter(queue=row, day=day)}
    half_hours = []
    for slot, expected in enumerate(forecasting.foresee(model, day, kind) if model else ()):
        other = said.get(slot)
        count = Expected(other.expected, other.expected, other.expected) if other else expected
        begin = datetime.combine(day, time(slot // 2, slot % 2 * 30), CHINA)
        half_hours.append(
            HalfHour(slot=slot, begin=begin, expected=count, corrected=other.reason if other else "", need=_need(count.count, target))
        )
    return Forecast(
        queue=queue,
        name=design.name,
        day=day,
        holiday=kind == forecasting.HOLIDAY,
        worked=kind == forecasting.WORKED,
        half_hours=tuple(half_hours),
        errors=forecasting.back_test(known),
        days=model.taught if model else sum(1 for one in known if one.total),
        left_out=len(model.left_out) if model else 0,
        handling_s=handling,
        target=target,
        may_correct=row.organisation_id in access.organisations_of(actor, Permission.MANAGE_QUEUES),
    )


def history(actor: Actor, queue: int, *, now: datetime) -> list[Day]:
    """Return what was offered in each half-hour of the last half-year, whole days alone, from the first on which anything was."""
    row = Queue.objects.filter(pk=queue).first()
    access.require(actor, Permission.VIEW_QUEUES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    midnight = datetime.combine(now.astimezone(CHINA).date(), time(), CHINA)
    counts: dict[date, list[int]] = {}
    offered = Contact.objects.filter(queue=row, offered_at__gte=midnight - TAUGHT_BY, offered_at__lt=midnight)
    for moment in offered.values_list("offered_at", flat=True).iterator():
        here = moment.astimezone(CHINA)
        counts.setdefault(here.date(), [0] * SLOTS)[here.hour * 2 + here.minute // 30] += 1
    if not counts:
        return []
    working, first = _working(row), min(counts)
    days = [first + timedelta(days=number) for number in range((midnight.date() - first).days)]
    return [Day(day, _kind(working, day), tuple(counts.get(day, [0] * SLOTS))) for day in days]


def _need(expected: float, target: Target) -> Need | None:
    try:
        return staffing.need(expected, target)
    except NotEnough:
        return None


def _handling_s(row: Queue, design: QueueDesign, now: datetime) -> float:
    """Return the mean of talk and wrap-up of the last eight weeks; of a queue that answered nothing yet, three minutes and its wrap-up."""
    answered = Contact.objects.filter(queue=row, offered_at__gte=now - HANDLED_IN, answered_at__isnull=False, ended_at__isnull=False)
    pairs = answered.values_list("answered_at", "ended_at").iterator()
    times = [(ended - began).total_seconds() for began, ended in pairs if ended is not None and began is not None]
    return max(1.0, sum(times) / len(times)) if times else USUAL_HANDLING_S + design.wrap_up_s


def _working(row: Queue) -> WorkingCalendar | None:
    """Return the calendar of holidays that counts for a queue, None where there is none of that name."""
    try:
        return compiled(calendar(access.system("contact"), row.organisation_id))
    except Refused:
        return None


def _kind(working: WorkingCalendar | None, day: date) -> int:
    try:
        return forecasting.kind_of(day, working.is_worked(day) if working else None)
    except CalendarMissing:
        return forecasting.kind_of(day, None)
