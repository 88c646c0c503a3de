"""Clocks as rows: from dispatch on, through returns, waits, extensions and rework, and the bells of the ladder."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest

from jilink.core.cases import actions
from jilink.core.cases.actions import RequestRefused, StepData
from jilink.core.cases.actions.escalating import ring
from jilink.core.cases.actions.requesting import end_suspension
from jilink.core.cases.events import CaseCalendarLoaded, CaseClockRang
from jilink.core.cases.models import Clock, Escalation, Request
from jilink.core.cases.reactions import answer_bell, go_on, renew
from jilink.core.cases.rules.calendar import CalendarMissing, decode_calendar
from jilink.core.cases.rules.workflow import OwnWork, StepRefused
from jilink.core.cases.shipped import china
from jilink.core.outbox.models import OutboxEvent
from jilink.core.outbox.registry import rooms
from jilink.core.parties.access import NotFound
from jilink.core.parties.rules import Role
from jilink.kernel.clock import CHINA
from tests.core.cases.office import MONDAY, Office, clock, hours, kinds, told


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 5, day, hour, minute, tzinfo=CHINA)


def bells(case: int) -> list[tuple[CaseClockRang, datetime]]:
    rows = OutboxEvent.objects.filter(name="clock_rang", aggregate=f"case:{case}").order_by("id")
    return [(msgspec.json.decode(bytes(row.payload), type=CaseClockRang), row.not_before) for row in rows]


def ring_all(case: int, now: datetime) -> int:
    """Deliver every bell that is due by then, and return how many did something."""
    done = 0
    for event, due in bells(case):
        if due <= now:
            done += ring(case=event.case, clock=event.clock, rung=event.rung, generation=event.generation, at_ms=event.at_ms, now=now)
    return done


def test_before_dispatch_nothing_of_the_units_runs_and_at_dispatch_it_begins(office: Office) -> None:
    case = office.open()
    assert set(Clock.objects.filter(case=case).values_list("key", flat=True)) == {"intake"}
    office.dispatch(case, at(11, 10))
    assert (clock(case, "work").due_at, clock(case, "whole").due_at) == (at(14, 17), at(18, 17))
    assert office.row(case).due_at == at(14, 17)
    assert clock(case, "intake").ended_at == at(11, 10)


def test_a_return_stops_no_clock_and_the_next_unit_has_what_is_left(office: Office) -> None:
    case = office.sent()
    made = actions.request_return(case=case, reason="not our street", by=office.worker, now=at(12, 9))
    assert not made.arbitration and office.row(case).stage == "work"
    with pytest.raises(NotFound):
        actions.decide_request(request=made.request, approve=True, by=office.worker, now=at(12, 10))
    actions.decide_request(request=made.request, approve=True, by=office.boss, now=at(12, 10))
    row = office.row(case)
    assert (row.stage, row.returns, clock(case, "work").ended_at, clock(case, "work").due_at) == ("dispatch", 1, None, at(14, 17))
    office.dispatch(case, at(13, 9))
    assert Clock.objects.filter(case=case, key="work").count() == 1 and clock(case, "work").due_at == at(14, 17)


def test_the_second_return_goes_to_arbitration_at_once_and_is_final(office: Office) -> None:
    case = office.sent()
    first = actions.request_return(case=case, reason="not ours", by=office.worker, now=MONDAY)
    actions.decide_request(request=first.request, approve=False, reason="it is", by=office.boss, now=MONDAY)
    second = actions.request_return(case=case, reason="it is not", by=office.worker, now=MONDAY)
    assert second.arbitration and office.row(case).stage == "arbitration"
    assert clock(case, "work").ended_at is None
    office.dispatch(case, MONDAY, key="award")
    assert office.row(case).final
    assert Request.objects.get(pk=second.request).decided_at == MONDAY
    with pytest.raises(StepRefused):
        actions.request_return(case=case, reason="still not", by=office.worker, now=MONDAY)


def test_an_extension_is_asked_for_in_time_decided_by_another_and_moves_unit_and_whole(office: Office) -> None:
    case = office.sent()
    made = actions.request_extension(case=case, amount=2, reason="parts are on the way", by=office.worker, now=at(12, 9))
    with pytest.raises(RequestRefused):
        actions.request_extension(case=case, amount=2, reason="again", by=office.worker, now=at(12, 9))
    actions.decide_request(request=made.request, approve=True, by=office.boss, now=at(12, 10))
    assert (clock(case, "work").due_at, clock(case, "whole").due_at) == (at(18, 17), at(20, 17))
    with pytest.raises(StepRefused):
        actions.request_extension(case=case, amount=1, reason="once more", by=office.worker, now=at(12, 11))
    with pytest.raises(RequestRefused):
        actions.decide_request(request=made.request, approve=True, by=office.second, now=at(12, 11))
    assert kinds(case)[-2:] == ["asked", "decided"]


def test_too_late_without_reason_or_out_of_measure_nothing_is_asked_for(office: Office) -> None:
    case = office.sent()
    for amount, reason, now in ((1, " ", at(12, 9)), (0, "why", at(12, 9)), (99, "why", at(12, 9)), (1, "why", at(20, 9))):
        with pytest.raises(RequestRefused):
            actions.request_extension(case=case, amount=amount, reason=reason, by=office.worker, now=now)
    for until in (at(11, 8), at(11, 9) + timedelta(days=91)):
        with pytest.raises(RequestRefused):
            actions.request_suspension(case=case, until=until, reason="frost", by=office.worker, now=MONDAY)


def test_whoever_asks_does_not_decide(office: Office) -> None:
    case = office.sent()
    made = actions.request_extension(case=case, amount=1, reason="why", by=office.boss, now=MONDAY)
    with pytest.raises(OwnWork):
        actions.decide_request(request=made.request, approve=True, by=office.boss, now=MONDAY)
    assert not office.view(case).requests[0].mine_to_decide and office.view(case, by=office.second).requests[0].mine_to_decide


def test_while_suspended_the_clocks_stand_and_nothing_is_done(office: Office) -> None:
    case = office.sent()
    made = actions.request_suspension(case=case, until=at(20, 9), reason="frost", by=office.worker, now=at(12, 9))
    actions.decide_request(request=made.request, approve=True, by=office.boss, now=at(12, 17))
    assert office.row(case).due_at is None and office.view(case).row.suspended and office.view(case).ways == ()
    with pytest.raises(StepRefused):
        office.finish(case, at(13, 9))
    actions.resume_case(case=case, by=office.worker, now=at(15, 8, 30))
    assert clock(case, "work").due_at == at(18, 17)  # Tuesday had run; Friday, Saturday and Sunday off, Monday
    assert not end_suspension(case=case, request=made.request, now=at(20, 9))


def test_a_suspension_ends_by_itself_once_however_often_it_is_told(office: Office) -> None:
    case = office.sent()
    made = actions.request_suspension(case=case, until=at(14, 8, 30), reason="frost", by=office.worker, now=at(12, 9))
    actions.decide_request(request=made.request, approve=True, by=office.boss, now=at(12, 17))
    assert [end_suspension(case=case, request=made.request, now=at(14, 9)) for _twice in range(2)] == [True, False]
    assert not office.view(case).row.suspended and kinds(case).count("resumed") == 1


def test_rework_goes_on_with_what_was_left(office: Office) -> None:
    case = office.sent()  # three working days: Tuesday, Wednesday, Thursday
    office.finish(case, at(12, 17))
    actions.take_step(case=case, key="rework", data=StepData(reason="still broken"), by=office.boss, now=at(15, 8, 30))
    assert clock(case, "work").due_at == at(18, 17)  # two of the three are left: Friday and Monday
    assert clock(case, "check").ended_at == at(15, 8, 30)
    assert Clock.objects.filter(case=case, key="work").count() == 1


def test_the_ladder_tells_raises_and_hands_up_each_once(office: Office) -> None:
    case = office.sent()
    assert ring_all(case, at(13, 9)) == 0
    assert ring_all(case, at(14, 12)) == 1  # 80 % of the unit's three days
    assert ring_all(case, at(14, 17)) == 1  # due
    assert (office.row(case).priority, told("escalated", case)) == (5, 2)
    assert ring_all(case, at(14, 17)) == 0
    done = ring_all(case, at(19, 17))  # the whole: 80 %, due, one day over
    assert done == 3 and office.row(case).unit_id == office.world.north
    assert Escalation.objects.count() == 5


def test_bells_that_are_late_double_or_of_before_do_nothing(office: Office) -> None:
    case = office.sent()
    old = bells(case)
    made = actions.request_extension(case=case, amount=2, reason="why", by=office.worker, now=at(12, 9))
    actions.decide_request(request=made.request, approve=True, by=office.boss, now=at(12, 10))
    for event, _due in old:
        if event.rung != "soon" or clock(case, "intake").pk != event.clock:
            answered = ring(case=case, clock=event.clock, rung=event.rung, generation=event.generation, at_ms=event.at_ms, now=at(30, 9))
            assert not answered
    office.finish(case, at(13, 9))
    office.confirm(case, at(13, 10))
    assert ring_all(case, at(30, 9)) == 0 and Escalation.objects.count() == 0


def test_a_bell_that_comes_by_a_clock_behind_ours_still_rings(office: Office) -> None:
    case = office.sent()
    event, due = next((event, due) for event, due in bells(case) if event.rung == "due")
    early = due - timedelta(seconds=2)
    assert ring(case=case, clock=event.clock, rung=event.rung, generation=event.generation, at_ms=event.at_ms, now=early)


def test_a_limit_past_the_calendar_is_refused_aloud_until_the_next_year_is_loaded(office: Office) -> None:
    late = datetime(2026, 12, 30, 9, tzinfo=CHINA)
    case = office.open("city_fault", late)
    with pytest.raises(CalendarMissing):
        office.dispatch(case, late)
    assert office.row(case).stage == "intake" and set(Clock.objects.values_list("key", flat=True)) == {"intake"}
    text = msgspec.json.encode(msgspec.structs.replace(china(), last=datetime(2027, 12, 31, tzinfo=CHINA).date()))
    owner = office.world.actor(Role.OWNER, office.world.north)
    actions.load_calendar(organisation=office.world.north, key="china", data=text, by=owner, now=late)
    office.dispatch(case, late)
    assert clock(case, "work").due_at == datetime(2027, 1, 4, 17, tzinfo=CHINA)


def test_a_calendar_that_is_loaded_sets_running_clocks_anew(office: Office) -> None:
    case = office.sent()
    extra = msgspec.structs.replace(
        china(), holidays=(*china().holidays, msgspec.structs.replace(china().holidays[0], first=at(13, 0).date(), last=at(13, 0).date()))
    )
    owner = office.world.actor(Role.OWNER, office.world.north)
    actions.load_calendar(organisation=office.world.north, key="china", data=msgspec.json.encode(extra), by=owner, now=MONDAY)
    context = SimpleNamespace(envelope=SimpleNamespace(organisation=office.world.north))
    for _twice in range(2):
        renew(CaseCalendarLoaded(key="china"), context)  # type: ignore[arg-type] # -- all that the reaction looks at
    assert clock(case, "work").due_at == at(15, 17) == office.row(case).due_at
    assert decode_calendar(msgspec.json.encode(extra)) == extra


def test_the_timers_have_their_reactions() -> None:
    found = rooms()["core_cases"]
    assert {found["case", "clock_rang"].handler, found["case", "suspension_ended"].handler} == {answer_bell, go_on}


def test_a_clock_that_was_kept_says_how_much_of_it_ran(office: Office) -> None:
    case = office.sent("breakdown")
    view = {one.key: one for one in office.view(case, MONDAY + hours(1)).clocks}
    assert (view["rescue"].percent, view["rescue"].late, view["whole"].percent) == (50, False, 33)
    office.finish(case, MONDAY + hours(2.5))
    view = {one.key: one for one in office.view(case, MONDAY + hours(9)).clocks}
    assert (view["rescue"].percent, view["rescue"].late) == (125, True)
