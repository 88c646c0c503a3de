"""Search: cases are found by any piece of their words, in the order of words, behind the walls."""

from copy import copy
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jilink.core.cases import actions, finding, reads
from jilink.core.cases.models import Case
from jilink.core.cases.reads import Filter, Order
from jilink.core.parties.access import Actor
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.rules import Role, Scope
from tests.core.cases.office import MONDAY, Office


def found(office: Office, text: str, by: Actor | None = None, order: Order = Order.OLDEST) -> list[int]:
    return [row.id for row in reads.cases(by or office.boss, Filter(states=(), text=text), now=MONDAY, order=order).rows]


@pytest.fixture
def heating(office: Office) -> int:
    case = office.sent("hotline", title="暖气不热", description="室内温度只有十五度，老人受不了。")
    Case.objects.filter(pk=case).update(address="人民大街 1288 号")
    actions.add_note(case=case, text="催办一次，供热公司答复正在抢修", by=office.boss, now=MONDAY)
    actions.send_reply(case=case, text="已派维修人员上门测温", recipient="来电人", channel="sms", by=office.boss, now=MONDAY)
    office.open("city_fault", title="井盖破损", description="Ｎ９５ 口罩")
    return case


@pytest.mark.parametrize(
    "text", ["暖", "暖气", "气不热", "十五", "老人受不了", "人民大街", "1288", "抢修", "供热公司答复", "测温", "暖气 抢修 大街"]
)
def test_any_piece_of_any_word_finds_a_case(office: Office, heating: int, text: str) -> None:
    assert found(office, text) == [heating] == found(office, text, order=Order.BEST)


@pytest.mark.parametrize(
    "text", ["热暖", "暖气 井盖", "不热室内", "大街十五", "鹦鹉", "！", "'", '"', "* OR *", "a:b", "\\", "NEAR(暖 气)", "1k暖", "1_暖"]
)
def test_what_is_not_there_is_not_found_and_nothing_typed_breaks_the_search(office: Office, heating: int, text: str) -> None:
    assert found(office, text) == [] == found(office, text, order=Order.BEST)


def test_a_number_is_found_whole_as_said_and_by_its_beginning(office: Office, heating: int) -> None:
    number = office.row(heating).number
    assert found(office, number) == [heating] == found(office, f"工单号 {number[:3]} {number[3:6]} {number[6:]}", order=Order.BEST)
    assert heating in found(office, number[:7])


def test_titles_and_whole_words_come_first_page_by_page(office: Office) -> None:
    told = office.open(title="居民诉求", description="家里有时暖气片漏水，" + "其他都好，" * 40)
    title = office.open(title="暖气不热")
    more = [office.open(title="咨询", description="楼里暖气") for _number in range(3)]
    first = reads.cases(office.boss, Filter(text="暖气"), now=MONDAY, order=Order.BEST, limit=2)
    rest = reads.cases(office.boss, Filter(text="暖气"), now=MONDAY, order=Order.BEST, limit=10, cursor=first.next)
    ids = [row.id for row in (*first.rows, *rest.rows)]
    assert ids[0] == title and sorted(ids) == sorted([told, title, *more]) and rest.next == ""
    newest = [row.id for row in reads.cases(office.boss, Filter(), now=MONDAY, order=Order.BEST).rows]
    assert newest == sorted(newest, reverse=True)


def test_words_that_change_are_found_anew_and_old_ones_no_more(office: Office, heating: int) -> None:
    actions.edit_case(case=heating, wanted={"title": "供水中断"}, base={"title": "暖气不热"}, by=office.boss, now=MONDAY)
    assert found(office, "供水中断") == [heating] and found(office, "暖气") == []
    assert finding.rebuild() == Case.objects.count()
    assert found(office, "供水中断 抢修") == [heating]


def test_a_case_is_found_by_its_persons_name_where_people_may_be_seen(office: Office) -> None:
    person = people.add_person(organisation=office.world.north, data=PersonData(name="欧阳春燕"), by=office.boss, now=MONDAY)
    case = office.sent("hotline", title="暖气不热", person=person)
    assert found(office, "欧阳") == found(office, "春燕 暖气") == found(office, "阳春", order=Order.BEST) == [case]
    unit = office.world.actor(Role.FIELD_WORKER, office.world.depot, Scope.ORGANISATION)
    assert found(office, "暖气", by=unit) == [case]
    assert found(office, "欧阳", by=unit) == [] == found(office, f"{office.world.north}_欧阳", by=unit)


def test_nobody_finds_what_lies_behind_a_wall_or_out_of_reach(office: Office, heating: int) -> None:
    own = office.world.actor(Role.FIELD_WORKER, office.world.depot, Scope.OWN, also="own")
    for order in (Order.NEWEST, Order.BEST):
        assert found(office, "暖气", by=office.stranger, order=order) == [] == found(office, "暖气", by=own, order=order)
    actions.assign_case(case=heating, assignee=own.user, by=office.boss, now=MONDAY)
    assert found(office, "暖气", by=own) == [heating] == found(office, "暖气", by=own, order=Order.BEST)


@pytest.mark.once
def test_cases_behind_a_thousand_others_are_found_by_keys_whatever_comes_and_goes_meanwhile(office: Office) -> None:
    held = [office.open(title="井盖破损", now=MONDAY) for _number in range(3)]
    first = Case.objects.get(pk=held[0])
    others = [copy(first) for _number in range(1010)]
    for number, other in enumerate(others):
        other.pk, other.number, other.title, other.due_at = None, f"{number:010}", "路灯不亮", None if number % 2 else first.due_at
        other.updated_at, other.priority = first.updated_at + timedelta(seconds=number // 2), first.priority + 1
    Case.objects.bulk_create(others)
    for order, whole in ((Order.NEWEST, held[::-1]), (Order.PRIORITY, held[::-1]), (Order.UPDATED, held[::-1]), (Order.DUE, held)):
        with CaptureQueriesContext(connection) as asked:
            assert found(office, "井盖破损", order=order) == whole, order
        assert not [query["sql"] for query in asked if "OFFSET" in query["sql"]]


def test_a_phrase_is_found_behind_many_newer_cases_that_hold_its_characters_elsewhere(office: Office) -> None:
    held = [office.open(title="井盖破损") for _number in range(3)]
    row = Case.objects.get(pk=held[0])
    for number in range(40):
        row.pk, row.number, row.title = None, f"{number:010}", "井盖，盖破，破损"
        row.save(force_insert=True)
    assert finding.rebuild() == 43
    for order, whole in ((Order.NEWEST, held[::-1]), (Order.OLDEST, held), (Order.PRIORITY, held[::-1]), (Order.BEST, held[::-1])):
        first = reads.cases(office.boss, Filter(text="井盖破损"), now=MONDAY, order=order, limit=2)
        rest = reads.cases(office.boss, Filter(text="井盖破损"), now=MONDAY, order=order, limit=2, cursor=first.next)
        assert [each.id for each in (*first.rows, *rest.rows)] == whole and rest.next == "", order
