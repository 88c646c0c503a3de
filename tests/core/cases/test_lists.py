"""Lists: what a filter shows, page by page, and how many in one query."""

from datetime import timedelta
from typing import Any

import pytest

from jilink.core.cases import actions, reads
from jilink.core.cases.models import Case
from jilink.core.cases.reads import Filter, Order, Whose
from jilink.core.cases.reads.cutting import CursorMisread
from jilink.core.cases.rules import numbers
from jilink.core.parties.rules import Role, Scope
from tests.core.cases.office import GOOD, MONDAY, Office


def ids(office: Office, wanted: Filter, order: Order = Order.OLDEST, by: Any = None) -> list[int]:
    return [row.id for row in reads.cases(by or office.boss, wanted, now=MONDAY, order=order, limit=200).rows]


def test_each_part_of_a_filter_narrows(office: Office) -> None:
    team = office.world.team(office.world.depot)
    plain = office.open("city_fault", title="Lid gone")
    area = office.open("hotline", area="/22/2201/220102/", priority=9, channel="call")
    sent = office.sent("breakdown")
    actions.assign_case(case=sent, team=team, assignee=office.worker.user, by=office.boss, now=MONDAY)
    closed = office.closed("rural_question")
    every = [plain, area, sent, closed]
    assert ids(office, Filter()) == [plain, area, sent]
    assert ids(office, Filter(states=())) == every
    for wanted, found in (
        (Filter(types=("hotline", "breakdown")), [area, sent]),
        (Filter(stages=("rescue",)), [sent]),
        (Filter(priorities=(9,)), [area]),
        (Filter(units=(office.world.depot,)), [sent]),
        (Filter(organisations=(office.world.depot,)), []),
        (Filter(teams=(team,)), [sent]),
        (Filter(assignees=(office.worker.user or 0,)), [sent]),
        (Filter(area="/22/2201/"), [area]),
        (Filter(area="/22/2202/"), []),
        (Filter(channels=("call",)), [area]),
        (Filter(text="GONE"), [plain]),
        (Filter(text=numbers.spoken(office.row(sent).number)), [sent]),
        (Filter(whose=Whose.UNASSIGNED), [plain, area]),
        (Filter(states=("closed",)), [closed]),
        (Filter(opened_from=MONDAY + timedelta(seconds=1)), []),
        (Filter(opened_before=MONDAY + timedelta(seconds=1)), [plain, area, sent]),
    ):
        assert ids(office, wanted) == found, wanted
    assert ids(office, Filter(whose=Whose.MINE), by=office.worker) == [sent]
    mate = office.world.actor(Role.FIELD_WORKER, office.world.depot, Scope.TEAM, team)
    assert ids(office, Filter(whose=Whose.TEAM), by=mate) == ids(office, Filter(), by=mate) == [sent]
    assert ids(office, Filter(states=()), by=office.worker) == [sent, closed]
    assert ids(office, Filter(states=()), by=office.stranger) == []


def test_overdue_suspended_and_asked_for_are_found(office: Office) -> None:
    late, waiting, asking = office.sent(), office.sent(), office.sent()
    made = actions.request_suspension(case=waiting, until=MONDAY + timedelta(days=9), reason="frost", by=office.worker, now=MONDAY)
    actions.decide_request(request=made.request, approve=True, by=office.boss, now=MONDAY)
    actions.request_return(case=asking, reason="not ours", by=office.worker, now=MONDAY)
    after = MONDAY + timedelta(days=4)
    page = reads.cases(office.boss, Filter(overdue=True), now=after, order=Order.OLDEST)
    assert [row.id for row in page.rows] == [late, asking] and page.rows[0].overdue
    assert ids(office, Filter(suspended=True)) == [waiting]
    assert ids(office, Filter(requested=True)) == [asking]


@pytest.mark.parametrize("order", list(Order))
def test_pages_follow_each_other_without_gap_or_double_while_cases_come_and_go(office: Office, order: Order) -> None:
    made = [office.open("hotline", MONDAY + timedelta(minutes=n % 3), priority=[1, 3, 5, 9][n % 4]) for n in range(17)]
    Case.objects.filter(pk__in=made[::5]).update(due_at=None)
    whole = [row.id for row in reads.cases(office.boss, Filter(), now=MONDAY, order=order).rows]
    assert sorted(whole) == made
    found: list[int] = []
    cursor = ""
    for number in range(99):
        page = reads.cases(office.boss, Filter(), now=MONDAY, order=order, cursor=cursor, limit=4)
        found += [row.id for row in page.rows]
        cursor = page.next
        if not cursor:
            break
        if number == 1:
            office.open(
                "hotline", MONDAY - timedelta(days=1) if order in {Order.DUE, Order.OLDEST} else MONDAY + timedelta(days=1), priority=9
            )
    assert [one for one in found if one in whole] == whole and len(set(found)) == len(found)


def test_a_cursor_of_another_list_or_none_at_all_is_refused(office: Office) -> None:
    for _number in range(3):
        office.open()
    cursor = reads.cases(office.boss, Filter(), now=MONDAY, limit=1).next
    for order, words in ((Order.DUE, cursor), (Order.NEWEST, "rubbish"), (Order.NEWEST, "e30"), (Order.PRIORITY, "é")):
        with pytest.raises(CursorMisread):
            reads.cases(office.boss, Filter(), now=MONDAY, order=order, cursor=words)


def test_saved_views_of_open_cases_are_counted_in_one_query(office: Office, django_assert_num_queries: Any) -> None:
    for kind in GOOD:
        office.sent(kind)
    office.closed()
    views = [
        Filter(),
        Filter(whose=Whose.MINE),
        Filter(types=("hotline",)),
        Filter(states=()),
        Filter(overdue=True),
        Filter(requested=True),
    ]
    with django_assert_num_queries(2):  # one for all views of open cases, one for the view of all
        counted = reads.count_views(office.boss, views, now=MONDAY + timedelta(hours=3))
    assert counted == [4, 0, 1, 5, 1, 0]
    assert reads.count_views(office.stranger, views, now=MONDAY) == [0] * 6
    assert reads.count_views(office.boss, [], now=MONDAY) == []


def test_a_list_costs_the_same_whatever_it_shows(office: Office, django_assert_num_queries: Any) -> None:
    for _number in range(12):
        office.open()
    with django_assert_num_queries(1):
        assert len(reads.cases(office.boss, Filter(), now=MONDAY).rows) == 12
