"""The inbox: whose cases, filters and counts in the address, many at once with a way back, views, and every wall."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client

from jilink.core.cases import actions as deeds
from jilink.core.cases.models import BulkRun, Case
from jilink.core.parties import access
from jilink.core.parties.access import actor_of
from jilink.core.parties.models import User
from jilink.core.parties.people import actions as people
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.clock import utc_now
from jilink.services.console.actions import saved
from jilink.services.console.models import SavedView
from jilink.services.console.reads import saved as kept
from jilink.services.console.reads import views
from jilink.services.vehicles import actions as vehicles
from jilink.services.vehicles.actions import VehicleData
from tests.core.cases.office import Office, office_of
from tests.core.world import World
from tests.services.conftest import signed_in

pytestmark = pytest.mark.django_db
INBOX = "/console/"


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


def browser_of(office: Office, role: Role = Role.SUPERVISOR) -> Client:
    browser = signed_in(office.world, role, office.world.north)
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return browser


def shown(browser: Client, **query: object) -> str:
    answer = browser.get(f"{INBOX}?{urlencode(query)}", headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer.content.decode()


def title_of(office: Office, words: str, **values: object) -> int:
    case = office.open(now=utc_now() - timedelta(minutes=5), title=words, **values)
    return case


def test_own_team_unassigned_and_all_are_told_apart_and_counted(office: Office) -> None:
    mine, free = title_of(office, "Lid on Renmin Street"), title_of(office, "Lamp on Jiefang Road")
    deeds.assign_case(case=mine, assignee=office.boss.user, by=office.boss)
    browser = browser_of(office)
    own = shown(browser)
    assert "Lid on Renmin Street" in own and "Lamp on Jiefang Road" not in own
    assert "Lamp on Jiefang Road" in shown(browser, view="unassigned") and "Lid on" not in shown(browser, view="unassigned")
    everything = shown(browser, view="all")
    assert "Lid on Renmin Street" in everything and "Lamp on Jiefang Road" in everything
    assert '<b class="num">2</b>' in everything and office.row(free).number[:3] in everything


def test_every_filter_stands_in_the_address(office: Office) -> None:
    title_of(office, "Lid on Renmin Street", priority=5)
    title_of(office, "A question about maize", type="rural_question", answers={"crop": "maize", "sign": "spots", "field": "12.5"})
    browser = browser_of(office)
    for query, there, gone in (
        ({"type": "rural_question"}, "maize", "Renmin"),
        ({"q": "renmin"}, "Renmin", "maize"),
        ({"priority": "5"}, "Renmin", "maize"),
        ({"state": "closed"}, "No cases match", "Renmin"),
        ({"unit": str(office.world.depot)}, "No cases match", "Renmin"),
    ):
        page = shown(browser, view="all", **query)
        assert there in page and gone not in page, query
    number = Case.objects.get(title="Lid on Renmin Street").number
    assert "Renmin" in shown(browser, view="all", q=f"{number[:3]} {number[3:6]}-{number[6:]}")


def test_an_address_that_says_nonsense_shows_a_list(office: Office) -> None:
    title_of(office, "Lid on Renmin Street")
    browser = browser_of(office)
    page = shown(browser, view="all", type="\0", unit="x", priority="9" * 30, sort="drop table", due="never", cursor="zzz")
    assert "No cases match" in page or "Renmin" in page


def test_pages_follow_each_other_without_losing_a_case(office: Office) -> None:
    for number in range(53):
        title_of(office, f"Case number {number:02}.")
    browser, seen, address = browser_of(office), [], f"{INBOX}?view=all&sort=oldest"
    while address:
        page = browser.get(address, headers={"accept-language": "en"}).content.decode()
        seen += [number for number in range(53) if f"Case number {number:02}." in page]
        _before, found, after = page.partition('href="?view=all&amp;sort=oldest&amp;cursor=')
        address = f"{INBOX}?view=all&sort=oldest&cursor={after.partition(chr(34))[0]}" if found and 'rel="next"' in page else ""
    assert seen == list(range(53))


def test_an_overdue_case_says_so_in_words(office: Office) -> None:
    case = office.sent(now=utc_now() - timedelta(days=20))
    Case.objects.filter(pk=case).update(due_at=utc_now() - timedelta(days=3))
    page = shown(browser_of(office), view="all", due="overdue")
    assert "Overdue by 3 days" in page and "due-bad" in page


def test_many_are_taken_over_at_once_and_given_back_within_ten_seconds(office: Office) -> None:
    cases = [title_of(office, f"Lid {number}") for number in range(3)]
    browser = browser_of(office)
    answer = browser.post(f"{INBOX}many", {"case": cases, "deed": "mine", "back": "view=unassigned"}, headers={"accept-language": "en"})
    assert answer.status_code == 302 and answer.url == f"{INBOX}?view=unassigned"
    assert set(Case.objects.values_list("assignee", flat=True)) == {office.boss.user}
    page = shown(browser, view="all")
    assert "3 cases changed." in page
    _before, _form, after = page.partition('action="/console/many/')
    browser.post(f"/console/many/{after.partition('/')[0]}/undo")
    assert set(Case.objects.values_list("assignee", flat=True)) == {None}


def test_many_get_a_priority_and_those_that_cannot_are_named(office: Office) -> None:
    opened, done = title_of(office, "Lid"), office.closed(now=utc_now() - timedelta(days=2))
    browser = browser_of(office)
    browser.post(f"{INBOX}many", {"case": [opened, done], "deed": "prioritise", "priority": "5"})
    assert Case.objects.get(pk=opened).priority == 5 and Case.objects.get(pk=done).priority != 5
    result = browser.get(f"{INBOX}many/{BulkRun.objects.get().pk}", headers={"accept-language": "en"}).content.decode()
    assert "1 case changed." in result and "The case is closed; reopen it first." in result


def test_many_are_closed_after_saying_how_they_ended_and_each_refusal_says_why(office: Office) -> None:
    now = utc_now()
    ready, early = [office.sent(now=now) for _number in range(2)], office.sent(now=now)
    for case in ready:
        office.finish(case, now)
    browser = browser_of(office)
    asked = browser.post(f"{INBOX}many", {"case": [*ready, early], "deed": "more", "more": "step:confirm", "back": "view=all"})
    assert asked.status_code == 200 and asked.content.decode().count('type="hidden" name="case"') == 3
    said = {"case": [*ready, early], "more": "step:confirm", "back": "view=all"}
    assert browser.post(f"{INBOX}many/carry-out", said).status_code == 400 and office.row(ready[0]).state == "open"
    answer = browser.post(f"{INBOX}many/carry-out", {**said, "code": office.view(early).definition.closing_codes[0].key})
    page = browser.get(answer["Location"], headers={"accept-language": "en"}).content.decode()
    assert {office.row(case).state for case in ready} == {"closed"} and office.row(early).state == "open"
    assert "Not done" in page and "in the stage the case is in" in page and "/undo" not in page
    other = signed_in(office.world, Role.SUPERVISOR, office.world.south)
    assert other.get(answer["Location"]).status_code == 404
    assert browser.post(f"{INBOX}many", {"case": ready, "deed": "more", "more": "step:nonsense"}).status_code == 404


def test_many_move_to_another_unit_for_one_reason_and_come_back(office: Office) -> None:
    cases = [office.sent(now=utc_now()) for _number in range(2)]
    browser = browser_of(office)
    said = {"case": cases, "more": "move", "unit": office.world.north, "back": "view=all"}
    assert browser.post(f"{INBOX}many/carry-out", said).status_code == 400
    assert browser.post(f"{INBOX}many/carry-out", {**said, "reason": "a storm"}).status_code == 302
    assert {office.row(case).unit_id for case in cases} == {office.world.north}
    run = BulkRun.objects.get().pk
    browser.post(f"{INBOX}many/{run}/undo")
    assert {office.row(case).unit_id for case in cases} == {office.world.depot}
    assert "Undone" in browser.get(f"{INBOX}many/{run}", headers={"accept-language": "en"}).content.decode()


def test_nothing_ticked_changes_nothing_and_says_what_to_do(office: Office) -> None:
    browser = browser_of(office)
    browser.post(f"{INBOX}many", {"deed": "mine"})
    assert "Select some cases" in shown(browser)


def test_cases_across_a_wall_are_neither_shown_nor_changed(office: Office) -> None:
    case = title_of(office, "Lid on Renmin Street")
    stranger = signed_in(office.world, Role.OWNER, office.world.south)
    assert "Renmin" not in shown(stranger, view="all") and '<b class="num">1</b>' not in shown(stranger, view="all")
    stranger.post(f"{INBOX}many", {"case": [case], "deed": "mine"})
    assert Case.objects.get(pk=case).assignee_id is None
    assert Client().get(INBOX).status_code == 302
    auditor = signed_in(office.world, Role.AUDITOR, office.world.south)
    assert auditor.get(INBOX).status_code in (200, 404)


def test_a_person_is_shown_masked(office: Office) -> None:
    data = people.PersonData(name="欧阳晓明")
    caller = people.add_person(organisation=office.world.north, data=data, by=access.system("test"))
    title_of(office, "Lid on Renmin Street", person=caller)
    page = shown(browser_of(office), view="all")
    assert "Lid on Renmin Street" in page and "欧**" in page
    assert "阳" not in page and "晓明" not in page


def test_a_view_is_kept_counted_and_removed(office: Office) -> None:
    title_of(office, "Lid on Renmin Street", priority=5)
    browser = browser_of(office)
    browser.post("/console/views", {"name": "Urgent ones", "back": "view=all&priority=5"})
    page = shown(browser)
    assert "Urgent ones" in page and "?view=all&amp;priority=5" in page
    assert '<b class="num">1</b>' in page.partition("Urgent ones")[2].partition("</a>")[0]
    other = signed_in(office.world, Role.AGENT, office.world.north)
    assert "Urgent ones" not in shown(other)
    view = SavedView.objects.get().pk
    assert other.post(f"/console/views/{view}/remove").status_code == 404
    assert browser.post(f"/console/views/{view}/remove").status_code == 302 and not SavedView.objects.exists()


def test_a_teams_view_is_seen_by_its_team_alone(office: Office) -> None:
    world = office.world
    team = world.team(world.north, "Night shift")
    inside = world.actor(Role.AGENT, world.north, Scope.TEAM, team)
    outside = world.actor(Role.AGENT, world.north, also="outside")
    saved.save_view(name="Ours", query="view=team", team=team, by=inside)
    assert [view.name for view in kept.saved_views(inside)] == ["Ours"] and kept.saved_views(outside) == []
    stranger = office.stranger
    with pytest.raises(Exception, match="no such thing"):
        saved.save_view(name="Theirs", query="", team=team, by=stranger)


def test_a_name_is_needed_and_taken_once(office: Office) -> None:
    browser = browser_of(office)
    for name in ("", "   ", "Mine", "Mine"):
        browser.post("/console/views", {"name": name, "back": ""})
    assert SavedView.objects.count() == 1
    page = shown(browser)
    assert "Please give the view a name." in page and "There is a view of this name already." in page


def test_a_view_written_back_is_the_view_read() -> None:
    query = "view=all&state=suspended&due=soon&area=%2F22%2F&q=lid+on+%E8%B7%AF&type=hotline&type=city_fault&unit=7&sort=due"
    view = views.read(query)
    assert views.read(view.query()) == view and view.values["type"] == ("hotline", "city_fault")
    assert views.read("").query() == "" and views.read("unit=-1&view=x").query() == ""


def test_the_home_of_a_dispatcher_is_the_map_and_of_an_agent_the_inbox(office: Office) -> None:
    world = office.world
    dispatcher = signed_in(world, Role.DISPATCHER, world.north)
    assert dispatcher.get("/").url == "/console/"  # without vehicles there is no map to go to
    assert signed_in(world, Role.ANALYST, world.north).get("/").url == "/console/reports/"
    assert signed_in(world, Role.AGENT, world.north).get("/").url == "/console/"
    boss = browser_of(office)
    assert boss.get("/").url == "/vehicles/"
    case = title_of(office, "Lid")
    assert boss.get("/").url == "/console/"
    vehicles.add_vehicle(data=VehicleData(plate="吉A12345", organisation=world.north), by=world.actor(Role.OWNER, world.north))
    assert boss.get("/").url == dispatcher.get("/").url == "/vehicles/"
    deeds.assign_case(case=case, assignee=office.boss.user, by=office.boss)
    assert boss.get("/").url == "/console/"


def test_search_finds_cases_by_number_and_pages_by_name_and_nothing_behind_a_wall(office: Office) -> None:
    case = title_of(office, "Lid on Renmin Street")
    number = Case.objects.get(pk=case).number
    browser = browser_of(office)

    def found(client: Client, text: str) -> list[str]:
        answer = client.get("/console/search", {"q": text}, headers={"accept": "application/json", "accept-language": "en"})
        return [item["title"] for group in answer.json()["groups"] for item in group["items"]]

    assert "Lid on Renmin Street" in found(browser, number) and "Lid on Renmin Street" in found(browser, "renmin")
    assert "Inbox" in found(browser, "inb")
    stranger = signed_in(office.world, Role.OWNER, office.world.south)
    assert "Lid on Renmin Street" not in found(stranger, number)
    assert "Lid on Renmin Street" in browser.get("/console/search", {"q": "renmin"}).content.decode()


def test_the_navigation_shows_groups_of_what_the_person_may_do(office: Office) -> None:
    page = shown(browser_of(office))
    assert 'id="rail-work"' in page and 'id="rail-vehicles"' in page
    agent = shown(signed_in(office.world, Role.AGENT, office.world.north))
    assert 'id="rail-work"' in agent and 'id="rail-vehicles"' not in agent


def test_the_menu_of_vehicles_is_shown_to_who_has_one_or_may_add_one(office: Office) -> None:
    world = office.world
    dispatcher = signed_in(world, Role.DISPATCHER, world.north)
    assert 'id="rail-vehicles"' not in shown(dispatcher) and 'id="rail-vehicles"' in shown(browser_of(office))
    vehicles.add_vehicle(data=VehicleData(plate="吉A99999", organisation=world.south), by=world.actor(Role.OWNER, world.south))
    assert 'id="rail-vehicles"' not in shown(dispatcher)
    vehicles.add_vehicle(data=VehicleData(plate="吉A12345", organisation=world.depot), by=world.actor(Role.OWNER, world.north))
    assert 'id="rail-vehicles"' in shown(dispatcher)
    assert actor_of(User.objects.get(pk=office.boss.user)) == office.boss
