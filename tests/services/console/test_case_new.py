"""A new case in three steps, from nothing, from a person, from a contact, and split off another."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from jilink.core.cases.models import Case, Link
from jilink.core.interactions import actions as interactions
from jilink.core.interactions import reads as talks
from jilink.core.interactions.actions import Contact as Talk
from jilink.core.interactions.rules import Channel
from jilink.core.parties.models import Person
from jilink.core.parties.people import actions as people
from jilink.core.parties.people import reads as people_reads
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from tests.core.cases.office import Office, office_of
from tests.core.world import World
from tests.services.conftest import signed_in

PHONE = "13904310001"
WHAT = {"title": "A lid is broken", "priority": "3", "q_sort": "part", "q_part": "road"}
WHERE = {"latitude": "43.9", "longitude": "125.3", "accuracy_m": "10", "address": "Bridge 3"}


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


@pytest.fixture
def browser(office: Office) -> Client:
    return signed_in(office.world, Role.SUPERVISOR, office.world.north)


def person_of(office: Office) -> int:
    contacts = (Contact(ContactKind.PHONE, PHONE),)
    return people.add_person(organisation=office.world.north, data=PersonData(name="王芳"), contacts=contacts, by=office.boss)


def begun(browser: Client, office: Office, **posted: object) -> str:
    """Take the first step and return the address of the second."""
    answer = browser.post("/console/cases/new", {"organisation": office.world.north, **(posted or {"nobody": "1"})})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return str(answer["Location"])


def opened(browser: Client, what: str, **posted: str) -> Case:
    """Go from the second step to the end, and return the case."""
    browser.get(f"{what}?type=city_fault")
    assert browser.post(what, WHAT)["Location"].endswith("/where")
    where = what.replace("/what", "/where")
    assert browser.post(where, WHERE)["Location"].endswith("/check")
    answer = browser.post(what.replace("/what", "/check"), posted)
    assert answer.status_code == 302, answer.content.decode()
    return Case.objects.get(number=answer["Location"].rsplit("/", 1)[-1])


def test_three_steps_and_a_look_open_a_case(office: Office, browser: Client) -> None:
    case = opened(browser, begun(browser, office))
    assert (case.title, case.address, case.latitude, case.person) == ("A lid is broken", "Bridge 3", 43.9, None)


def test_the_third_step_opens_the_case_where_nothing_is_in_doubt(office: Office, browser: Client) -> None:
    what = begun(browser, office)
    browser.get(f"{what}?type=city_fault")
    browser.post(what, WHAT)
    where = what.replace("/what", "/where")
    case = Case.objects.get(number=browser.post(where, {**WHERE, "open": "1"})["Location"].rsplit("/", 1)[-1])
    assert (case.title, case.address) == ("A lid is broken", "Bridge 3") and browser.get(what).status_code == 404
    what = begun(browser, office)
    browser.get(f"{what}?type=city_fault")
    browser.post(what, WHAT)
    looked = browser.post(what.replace("/what", "/where"), {**WHERE, "open": "1"})
    assert looked["Location"].endswith("/check") and Case.objects.count() == 1  # one like it lies there already: look first


def test_a_known_caller_is_found_by_number_and_their_open_cases_are_shown_first(office: Office, browser: Client) -> None:
    person = person_of(office)
    office.open(person=person, title="The lid again", now=utc_now())
    assert "王芳" in browser.get("/console/cases/new", {"q": "0001"}).content.decode()
    chosen = browser.get("/console/cases/new", {"person": person}).content.decode()
    assert "The lid again" in chosen and PHONE not in chosen
    assert opened(browser, begun(browser, office, person=person)).person == person


def test_a_new_person_is_added_on_the_way_and_a_wrong_number_is_said_beside_it(office: Office, browser: Client) -> None:
    wrong = browser.post("/console/cases/new", {"organisation": office.world.north, "add": "1", "name": "李", "phone": "12"})
    assert wrong.status_code == 400 and wrong.context["form"]["phone"].errors and 'value="李"' in wrong.content.decode()
    case = opened(browser, begun(browser, office, add="1", name="李雷", phone="13904310002"))
    assert Person.objects.get(pk=case.person or 0).name == "李雷"


def test_questions_follow_from_answers_without_a_script_and_nothing_typed_is_lost(office: Office, browser: Client) -> None:
    what = begun(browser, office)
    first = browser.get(f"{what}?type=city_fault").content.decode()
    assert 'name="q_sort"' in first and 'name="q_part"' not in first
    again = browser.post(what, {"title": "A lid", "priority": "9", "q_sort": "part", "again": "1"}).content.decode()
    assert 'name="q_part"' in again and 'value="A lid"' in again
    later = browser.get(what).content.decode()
    assert 'value="A lid"' in later and 'name="q_part"' in later


def test_what_is_missing_is_said_beside_its_field(office: Office, browser: Client) -> None:
    what = begun(browser, office)
    browser.get(f"{what}?type=city_fault")
    answer = browser.post(what, {"title": "", "priority": "3", "q_sort": "part"})
    form = answer.context["form"]
    assert answer.status_code == 400 and form["title"].errors and form["q_part"].errors
    browser.post(what, WHAT)
    nowhere = browser.post(what.replace("/what", "/where"), {"address": ""})
    assert nowhere.status_code == 400 and nowhere.context["form"]["address"].errors


def test_photos_are_kept_with_the_draft_and_come_with_the_case(office: Office, browser: Client) -> None:
    what = begun(browser, office)
    browser.get(f"{what}?type=city_fault")
    data = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(data, "JPEG")
    browser.post(what, {**WHAT, "q_before": [SimpleUploadedFile("a.jpg", data.getvalue())]})
    browser.post(what.replace("/what", "/where"), WHERE)
    browser.post(what.replace("/what", "/check"), {})
    assert Case.objects.get().attachments.get().question == "before"


def test_an_open_case_nearby_is_offered_and_linked(office: Office, browser: Client) -> None:
    first = opened(browser, begun(browser, office))
    what = begun(browser, office)
    browser.get(f"{what}?type=city_fault")
    browser.post(what, WHAT)
    browser.post(what.replace("/what", "/where"), WHERE)
    check = browser.get(what.replace("/what", "/check")).content.decode()
    assert f"duplicate_of:{first.number}" in check
    second = opened(browser, what, join=f"duplicate_of:{first.number}")
    assert Link.objects.get(case=second).other_id == first.pk


def test_a_case_made_of_a_contact_knows_its_channel_and_its_person(office: Office, browser: Client) -> None:
    person = person_of(office)
    talk = Talk(channel=Channel.CALL, contact=PHONE, subject="A lid")
    contact = interactions.add_interaction(organisation=office.world.north, contact=talk, by=office.boss)
    assert "王芳" in browser.get("/console/cases/new", {"interaction": contact}).content.decode()
    case = opened(browser, begun(browser, office, interaction=contact, person=person))
    assert (case.interaction, case.channel, case.person) == (contact, "call", person)


def test_whoever_called_for_the_first_time_is_added_with_the_number_of_the_call(office: Office, browser: Client) -> None:
    talk = Talk(channel=Channel.CALL, contact=PHONE, subject="A lid")
    contact = interactions.add_interaction(organisation=office.world.north, contact=talk, by=office.boss)
    page = browser.get("/console/cases/new", {"interaction": contact}).content.decode()
    assert talks.interaction(office.boss, contact).masked in page and PHONE not in page
    case = opened(browser, begun(browser, office, interaction=contact, add="1", name="李强", phone=""))
    (found,) = people_reads.find(office.boss, PHONE)
    assert (case.person, found.name) == (found.id, "李强")
    assert browser.get("/console/cases/new", {"interaction": contact}).context["start"].person == found.id


def test_another_matter_of_the_same_contact_is_split_off(office: Office, browser: Client) -> None:
    first = Case.objects.get(pk=office.open(now=utc_now()))
    case = opened(browser, begun(browser, office, split=first.number, nobody="1"))
    assert Link.objects.get(case=case).other_id == first.pk


def test_a_draft_belongs_to_its_browser_and_can_be_dropped(office: Office, browser: Client) -> None:
    what = begun(browser, office)
    browser.get(f"{what}?type=city_fault")
    other = signed_in(office.world, Role.OWNER, office.world.south)
    assert other.get(what).status_code == 404
    assert "/what" in browser.get("/console/cases/new").content.decode()
    browser.post(what.replace("/what", "/drop"))
    assert browser.get(what).status_code == 404


def test_strangers_low_roles_and_the_signed_out_do_not_begin_here(office: Office) -> None:
    first = Case.objects.get(pk=office.open(now=utc_now()))
    contact = interactions.add_interaction(organisation=office.world.north, contact=Talk(channel=Channel.CALL), by=office.boss)
    stranger = signed_in(office.world, Role.OWNER, office.world.south)
    for query in ({"split": first.number}, {"interaction": contact}, {"organisation": office.world.north}, {"person": person_of(office)}):
        assert stranger.get("/console/cases/new", query).status_code == 404, query
        assert stranger.post("/console/cases/new", {"nobody": "1", **query}).status_code in {302, 404}, query
    assert signed_in(office.world, Role.ANALYST, office.world.north).get("/console/cases/new").status_code == 404
    assert "/accounts/login/" in Client().get("/console/cases/new")["Location"]
