"""The page of a case: what it shows, what may be done from it, and that nothing typed is lost."""

import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from jilink.core.assets import actions as assets
from jilink.core.cases import actions, reads
from jilink.core.cases.models import Case
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Role, Scope
from jilink.core.webhooks import actions as webhooks
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId
from jilink.services.console.reads.channels import CARRIED
from tests.core.cases.office import Office, office_of
from tests.core.world import World
from tests.services.conftest import signed_in

PHONE = "13904310001"


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


def browser_of(office: Office, role: Role = Role.SUPERVISOR) -> Client:
    return signed_in(office.world, role, office.world.north)


def worker_of(office: Office) -> Client:
    client = Client()
    person = office.world.person(Role.FIELD_WORKER, office.world.depot, Scope.ORGANISATION)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def caller(office: Office) -> int:
    contacts = (Contact(ContactKind.PHONE, PHONE),)
    return people.add_person(organisation=office.world.north, data=PersonData(name="王芳"), contacts=contacts, by=office.boss)


def number_of(case: int) -> str:
    return Case.objects.get(pk=case).number


def address(case: int, rest: str = "") -> str:
    return f"/console/cases/{number_of(case)}{rest}"


def photo() -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.new("RGB", (640, 480), "green").save(data, "JPEG")
    return SimpleUploadedFile("lid.jpg", data.getvalue(), "image/jpeg")


def test_a_case_shows_its_number_in_groups_its_stage_and_its_clocks(office: Office) -> None:
    case = office.sent(now=utc_now())
    text = browser_of(office).get(address(case)).content.decode()
    number = number_of(case)
    assert f"{number[:3]} {number[3:6]} {number[6:]}" in text
    assert "Lid of a manhole broken" in text and text.count('<progress class="clock-bar"') == 2


def test_a_number_written_in_groups_leads_to_the_case_and_rubbish_to_nothing(office: Office) -> None:
    number = number_of(office.open())
    browser = browser_of(office)
    assert browser.get(f"/console/cases/{number[:3]}-{number[3:6]}-{number[6:]}")["Location"] == f"/console/cases/{number}"
    for odd in ("0", "1234567890", "x", "９９９", "%00"):
        assert browser.get(f"/console/cases/{odd}").status_code == 404, odd


def test_exactly_what_definition_and_permissions_allow_is_offered(office: Office) -> None:
    case = office.sent(now=utc_now())
    theirs = worker_of(office).get(address(case)).content.decode()
    offered = set(re.findall(r"/do/([a-z_:]+)", theirs))
    assert {"step:finish", "ask:extension", "ask:return", "ask:suspension", "take"} <= offered
    assert not {"step:confirm", "step:void", "step:dispatch"} & offered


def test_a_case_is_dispatched_done_checked_and_rated_from_its_page(office: Office) -> None:
    case, boss, worker = office.open(now=utc_now()), browser_of(office), worker_of(office)
    assert boss.post(address(case, "/do/step:dispatch"), {"unit": office.world.depot}).status_code == 302
    assert worker.post(address(case, "/do/step:finish"), {"reason": "put right"}).status_code == 302
    assert 'id="own-work"' in worker.get(address(case)).content.decode()
    assert 'id="own-work"' not in boss.get(address(case)).content.decode()
    code = office.view(case).definition.closing_codes[0].key
    assert boss.post(address(case, "/do/step:confirm"), {"code": code}).status_code == 302
    assert office.row(case).state == "closed"
    rated = boss.post(address(case, "/do/rate"), {"level": "2", "comment": "slow"})
    assert rated.status_code == 302 and office.view(case).ratings[0].level == 2
    assert boss.post(address(case, "/do/call_back"), {"outcome": "said sorry"}).status_code == 302
    assert office.view(case).ratings[0].outcome == "said sorry"


def test_what_is_refused_keeps_every_word_that_was_typed(office: Office) -> None:
    case = office.sent(now=utc_now())
    worker = worker_of(office)
    refused = worker.post(address(case, "/do/ask:extension"), {"amount": "9999", "reason": "the frost lasts"})
    assert refused.status_code == 400 and "the frost lasts" in refused.content.decode()
    moved = worker.post(address(case, "/do/step:confirm"), {"reason": "I had checked it"})
    assert moved.status_code == 400 and "I had checked it" in moved.content.decode()


def test_a_unit_asks_and_another_decides(office: Office) -> None:
    case = office.sent(now=utc_now())
    assert worker_of(office).post(address(case, "/do/ask:extension"), {"amount": "1", "reason": "frost"}).status_code == 302
    request = office.view(case).requests[0].id
    assert browser_of(office).post(address(case, f"/do/decide:{request}"), {"answer": "approve"}).status_code == 302
    assert office.view(case).requests[0].state == "approved"


def carried(office: Office, organisation: OrganisationId, kinds: str = CARRIED) -> int:
    """A program outside that is told of these kinds of events of an organisation."""
    owner = office.world.actor(Role.OWNER, organisation)
    return webhooks.add_endpoint(organisation=organisation, url="https://carrier.example.cn/", kinds=kinds, by=owner).endpoint


def test_a_reply_is_offered_only_where_it_leaves_the_house(office: Office) -> None:
    case = office.open(person=caller(office), now=utc_now())
    browser = browser_of(office)
    carried(office, office.world.south)
    carried(office, office.world.north, "*")
    page = browser.get(address(case)).content.decode()
    assert "button-reply" not in page and "?direction=out&amp;subject=Lid%20of%20a%20manhole%20broken" in page
    assert browser.post(address(case, "/reply"), {"text": "we are coming", "channel": "text"}).status_code == 400
    noted = browser.get("/console/contacts/add?direction=out&subject=Lid").content.decode()
    assert re.search(r'<option value="out" selected>', noted) and 'value="Lid"' in noted
    endpoint = carried(office, office.world.north)
    page = browser.get(address(case)).content.decode()
    assert "button-reply" in page and "write-none" not in page
    owner = office.world.actor(Role.OWNER, office.world.north)
    webhooks.change_endpoint(endpoint=endpoint, url="https://carrier.example.cn/", kinds=CARRIED, active=False, by=owner)
    assert "button-reply" not in browser.get(address(case)).content.decode()


def test_a_reply_by_mail_is_offered_where_a_mail_server_is_set(office: Office, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.cn"
    contacts = (Contact(ContactKind.PHONE, PHONE), Contact(ContactKind.EMAIL, "wang@example.cn"))
    person = people.add_person(organisation=office.world.north, data=PersonData(name="王芳"), contacts=contacts, by=office.boss)
    page = browser_of(office).get(address(office.open(person=person, now=utc_now()))).content.decode()
    assert re.findall(r'name="channel" value="(\w+)"', page) == ["mail"]


def test_notes_and_replies_are_told_apart_and_the_button_names_whom_it_reaches(office: Office) -> None:
    case = office.open(person=caller(office), now=utc_now())
    carried(office, office.world.north)
    browser = browser_of(office)
    browser.post(address(case, "/note"), {"text": "ask the water works"})
    page = browser.get(address(case)).content.decode()
    button = re.search(r'<button class="button button-reply"[^>]*>(.*?)</button>', page, re.DOTALL)
    assert button and "王芳" in button[1] and "139****0001" in button[1]
    assert browser.post(address(case, "/reply"), {"text": "we are coming", "channel": "text"}).status_code == 302
    page = browser.get(address(case)).content.decode()
    assert page.count('class="story-note"') == 1 and page.count('class="story-reply"') == 1
    nowhere = browser.post(address(case, "/reply"), {"text": "lost words", "channel": "mail"})
    assert nowhere.status_code == 400 and "lost words" in nowhere.content.decode()


def test_a_contact_is_masked_until_it_is_revealed_and_that_is_audited(office: Office) -> None:
    person = caller(office)
    case = office.open(person=person, now=utc_now())
    browser = browser_of(office)
    assert PHONE not in browser.get(address(case)).content.decode()
    contact = people.Person.objects.get(pk=person).contacts.get().pk
    assert PHONE in browser.post(address(case, "/reveal"), {"contact": contact}).content.decode()
    assert AuditEntry.objects.filter(action="person.contact_revealed").count() == 1
    assert browser.post(address(case, "/reveal"), {"contact": "999999"}).status_code == 404


def test_two_who_edit_the_same_field_are_both_told_and_nothing_is_lost(office: Office) -> None:
    case = office.open(now=utc_now())
    browser = browser_of(office)
    form = browser.get(address(case, "/edit")).context["form"]
    posted = {name: form[name].value() or "" for name in form.fields}
    actions.edit_case(case=case, wanted={"title": "Theirs"}, base={"title": "Lid of a manhole broken"}, by=office.second)
    conflict = browser.post(address(case, "/edit"), {**posted, "title": "Mine"})
    text = conflict.content.decode()
    assert conflict.status_code == 409 and "Theirs" in text and 'value="Mine"' in text and office.row(case).title == "Theirs"
    again = {**posted, "title": "Mine", "base": conflict.context["form"]["base"].value()}
    assert browser.post(address(case, "/edit"), again).status_code == 302 and office.row(case).title == "Mine"


def test_fields_that_two_changed_apart_are_both_kept(office: Office) -> None:
    case = office.open(now=utc_now())
    browser = browser_of(office)
    form = browser.get(address(case, "/edit")).context["form"]
    posted = {name: form[name].value() or "" for name in form.fields}
    actions.edit_case(case=case, wanted={"address": "Bridge 3"}, base={}, by=office.second)
    assert browser.post(address(case, "/edit"), {**posted, "title": "Mine"}).status_code == 302
    assert (office.row(case).title, office.row(case).address) == ("Mine", "Bridge 3")


def test_a_photo_is_attached_shown_small_and_large_and_cannot_run(office: Office) -> None:
    case = office.sent(now=utc_now())
    worker = worker_of(office)
    assert worker.post(address(case, "/files"), {"files": [photo()]}).status_code == 302
    file = office.view(case).files[0].file
    for each in (f"/files/{file}", f"/files/{file}/small"):
        answer = browser_of(office).get(address(case, each))
        assert answer.status_code == 200 and "sandbox" in answer["Content-Security-Policy"]
    refused = worker.post(address(case, "/files"), {"files": [SimpleUploadedFile("x.svg", b"<svg onload='1'/>")]})
    assert refused.status_code == 400 and len(office.view(case).files) == 1
    assert worker.post(address(case, f"/files/{file}/remove")).status_code == 302 and not office.view(case).files


def test_cases_are_linked_by_number_unlinked_and_merged(office: Office) -> None:
    first, second = office.open(now=utc_now()), office.open(now=utc_now(), title="Another lid")
    browser = browser_of(office)
    spaced = f"{number_of(second)[:3]} {number_of(second)[3:6]} {number_of(second)[6:]}"
    assert browser.post(address(first, "/do/link"), {"kind": "part_of", "number": spaced}).status_code == 302
    link = office.view(first).links[0]
    assert browser.post(address(first, "/unlink"), {"link": f"{link.kind}:{link.other}:0"}).status_code == 302
    wrong = browser.post(address(first, "/do/merge"), {"number": "123"})
    assert wrong.status_code == 400 and 'value="123"' in wrong.content.decode()
    assert browser.post(address(first, "/do/merge"), {"number": spaced}).status_code == 302
    assert office.row(first).state == "merged"
    assert number_of(second) in browser.get(address(first)).content.decode()


def test_a_case_is_taken_released_escalated_and_moved_from_its_page(office: Office) -> None:
    case, worker, boss = office.sent(now=utc_now()), worker_of(office), browser_of(office)
    assert worker.post(address(case, "/do/take")).status_code == 302 and office.row(case).assignee_id == office.worker.user
    assert worker.post(address(case, "/do/take")).status_code == 400
    assert worker.post(address(case, "/do/release")).status_code == 302 and office.row(case).assignee_id is None
    assert worker.post(address(case, "/do/escalate"), {"reason": ""}).status_code == 400
    assert worker.post(address(case, "/do/escalate"), {"reason": "The owner threatens us."}).status_code == 302
    assert "The owner threatens us." in boss.get(address(case)).content.decode()
    unsaid = boss.post(address(case, "/do/move"), {"unit": "", "reason": "a crane"})
    assert unsaid.status_code == 400 and "a crane" in unsaid.content.decode()
    assert boss.post(address(case, "/do/move"), {"unit": office.world.north, "reason": "a crane"}).status_code == 302
    assert office.row(case).unit_id == office.world.north
    assert worker.get(address(case)).status_code == 404 and "a crane" in boss.get(address(case)).content.decode()


def test_an_asset_linked_by_mistake_is_taken_off_from_the_page(office: Office) -> None:
    owner = office.world.actor(Role.OWNER, office.world.north)
    lamp = assets.add_asset(organisation=office.world.north, kind="lamp", label="Lamp 7", by=owner)
    case, browser = office.open(asset=lamp, now=utc_now()), browser_of(office)
    assert f'name="asset" value="{lamp}"' in browser.get(address(case)).content.decode()
    assert browser.post(address(case, "/unlink"), {"asset": lamp}).status_code == 302
    assert office.row(case).asset_id is None
    assert f'name="asset" value="{lamp}"' not in browser.get(address(case)).content.decode()


POSTS = (
    "/note",
    "/reply",
    "/reveal",
    "/area",
    "/unlink",
    "/edit",
    "/files",
    "/files/1/remove",
    "/do/step:dispatch",
    "/do/link",
    "/do/assign",
    "/do/move",
    "/do/escalate",
    "/rating-link",
)
GETS = ("", "/edit", "/files/1", "/files/1/small")


def test_a_member_of_another_organisation_meets_nothing(office: Office) -> None:
    case = office.open()
    stranger = signed_in(office.world, Role.OWNER, office.world.south)
    assert [rest for rest in GETS if stranger.get(address(case, rest)).status_code != 404] == []
    assert [rest for rest in POSTS if stranger.post(address(case, rest), {"text": "x"}).status_code != 404] == []


def test_too_low_a_role_meets_nothing_and_the_signed_out_a_door(office: Office) -> None:
    case = office.open()
    analyst = signed_in(office.world, Role.ANALYST, office.world.north)
    assert [rest for rest in GETS if analyst.get(address(case, rest)).status_code != 404] == []
    assert [rest for rest in POSTS if analyst.post(address(case, rest), {"text": "x"}).status_code != 404] == []
    for rest in (*GETS, "/note"):
        answer = Client().get(address(case, rest)) if rest in GETS else Client().post(address(case, rest))
        assert answer.status_code == 302 and "/accounts/login/" in answer["Location"], rest


def test_the_list_of_cases_knows_what_was_done(office: Office) -> None:
    case = office.open(now=utc_now())
    browser_of(office).post(address(case, "/do/take"))
    assert reads.case(office.boss, case, now=utc_now()).row.assignee is not None
