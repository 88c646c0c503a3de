"""What cases do when something happened: answer bells, end suspensions, set clocks anew. Twice or late changes nothing."""

from jilink.core.cases import finding
from jilink.core.cases.actions import escalating
from jilink.core.cases.actions.requesting import end_suspension
from jilink.core.cases.events import (
    CaseAssigned,
    CaseCalendarLoaded,
    CaseClockRang,
    CaseEdited,
    CaseEvent,
    CaseMerged,
    CaseMoved,
    CaseOpened,
    CaseRated,
    CaseRequestDecided,
    CaseSuspensionEnded,
)
from jilink.core.cases.models import Case
from jilink.core.cases.reports.counting import count_case
from jilink.core.outbox.registry import Context, reacts_to
from jilink.core.parties.people.events import PersonChanged
from jilink.kernel.clock import utc_now


@reacts_to(CaseClockRang)
def answer_bell(event: CaseClockRang, context: Context) -> None:
    """Climb the ladder where the clock still runs and is so far."""
    escalating.ring(case=event.case, clock=event.clock, rung=event.rung, generation=event.generation, at_ms=event.at_ms, now=utc_now())


@reacts_to(CaseSuspensionEnded)
def go_on(event: CaseSuspensionEnded, context: Context) -> None:
    """Let the clocks go on where the case still is suspended by that request."""
    end_suspension(case=event.case, request=event.request, now=utc_now())


@reacts_to(CaseCalendarLoaded)
def renew(event: CaseCalendarLoaded, context: Context) -> None:
    """Set anew what counts by the calendar."""
    after = 0
    while found := escalating.cases_on(event.key, context.envelope.organisation, after):
        for case in found:
            escalating.renew_clocks(case=case, calendar_key=event.key, now=utc_now())
        after = found[-1]


@reacts_to(PersonChanged)
def find_by_name(event: PersonChanged, context: Context) -> None:
    """Let the cases of a person be found by what the person is called now."""
    finding.put(list(Case.objects.filter(person=event.person).order_by("pk").values_list("pk", flat=True)))


def count(event: CaseEvent, context: Context) -> None:
    """Let the case count in reports as what it is now."""
    count_case(event.case)


_COUNTED: tuple[type[CaseEvent], ...] = (CaseOpened, CaseMoved, CaseAssigned, CaseEdited, CaseMerged, CaseRated, CaseRequestDecided)
for _kind in _COUNTED:
    reacts_to(_kind)(count)
