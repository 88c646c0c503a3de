"""People and contacts: found, changed, merged, erased; entered by hand, handed over, ended."""

import json

import pytest
from django.test import Client

from jilink.core.interactions.models import Interaction
from jilink.core.parties.models import AuditEntry, Person
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Role, Scope
from tests.core.world import World
from tests.services.conftest import signed_in

PHONE = "13904310001"
IDENTITY = "11010519491231002X"


@pytest.fixture
def browser(world: World) -> Client:
    return signed_in(world, Role.OWNER, world.north)


def add(world: World, name: str = "王芳", phone: str = PHONE) -> int:
    contacts = (Contact(ContactKind.PHONE, phone),)
    return people.add_person(
        organisation=world.north, data=PersonData(name=name), contacts=contacts, by=world.actor(Role.OWNER, world.north)
    )


def test_people_are_found_by_the_end_of_their_number_and_shown_masked(world: World, browser: Client) -> None:
    add(world)
    add(world, "李雷", "13904319999")
    text = browser.get("/console/people/", {"q": "0001"}).content.decode()
    assert "王芳" in text and "李雷" not in text and "139****0001" in text and PHONE not in text


def test_a_person_is_added_with_a_number_or_told_what_is_wrong(world: World, browser: Client) -> None:
    form = {"organisation": world.north, "name": "赵六", "languages": "zh, ko"}
    wrong = browser.post("/console/people/add", {**form, "phone": "12"})
    assert wrong.status_code == 400 and wrong.context["form"]["phone"].errors and 'value="赵六"' in wrong.content.decode()
    made = browser.post("/console/people/add", {**form, "phone": PHONE})
    assert made.status_code == 302 and browser.get(made["Location"]).status_code == 200
    assert Person.objects.get().languages == "zh,ko"


def test_two_who_edit_a_person_keep_what_each_changed_and_see_both_where_they_meet(world: World, browser: Client) -> None:
    person = add(world)
    address = f"/console/people/{person}/edit"
    form = browser.get(address).context["form"]
    posted = {name: form[name].value() or "" for name in form.fields}
    people.edit_person(person=person, data=PersonData(notes="calls at night"), by=world.actor(Role.OWNER, world.north))
    assert browser.post(address, {**posted, "name": "王芳芳"}).status_code == 302
    row = Person.objects.get(pk=person)
    assert (row.name, row.notes) == ("王芳芳", "calls at night")
    met = browser.post(address, {**posted, "notes": "deaf"})
    text = met.content.decode()
    assert met.status_code == 400 and "calls at night" in text and "deaf" in text
    again = {name: met.context["form"][name].value() or "" for name in met.context["form"].fields}
    assert browser.post(address, again).status_code == 302
    assert Person.objects.get(pk=person).notes == "deaf" and Person.objects.get(pk=person).name == "王芳芳"


def test_contacts_are_added_revealed_preferred_and_removed(world: World, browser: Client) -> None:
    person = add(world)
    home = f"/console/people/{person}/"
    assert browser.post(f"{home}contacts", {"kind": "email", "text": "nonsense"}).status_code == 400
    assert browser.post(f"{home}contacts", {"kind": "email", "text": "a@example.cn"}).status_code == 302
    first, second = Person.objects.get(pk=person).contacts.order_by("pk")
    assert PHONE in browser.post(f"{home}contacts/{first.pk}/reveal").content.decode()
    assert AuditEntry.objects.filter(action="person.contact_revealed").count() == 1
    for deed in ("prefer", "verify"):
        assert browser.post(f"{home}contacts/{second.pk}/{deed}").status_code == 302
    browser.post(f"{home}contacts/{first.pk}/remove")
    left = Person.objects.get(pk=person).contacts.get()
    assert left.preferred and left.verified_at


def test_consents_are_recorded_and_withdrawn(world: World, browser: Client) -> None:
    home = f"/console/people/{add(world)}/"
    assert browser.post(f"{home}consents", {"purpose": "Not A Word", "evidence": "said so"}).status_code == 400
    assert browser.post(f"{home}consents", {"purpose": "recording", "evidence": "said on the line"}).status_code == 302
    consent = browser.get(home).context["person"].consents[0]
    assert consent.stands
    browser.post(f"{home}consents/{consent.id}/withdraw")
    assert not browser.get(home).context["person"].consents[0].stands


def test_an_identity_number_is_checked_masked_and_revealed_with_an_entry(world: World, browser: Client) -> None:
    home = f"/console/people/{add(world)}/"
    wrong = browser.post(f"{home}identity", {"number": "110105194912310021"})
    assert wrong.status_code == 400 and "110105194912310021" in wrong.content.decode()
    assert browser.post(f"{home}identity", {"number": IDENTITY}).status_code == 302
    assert IDENTITY not in browser.get(home).content.decode()
    assert IDENTITY in browser.post(f"{home}identity", {"deed": "reveal"}).content.decode()
    assert AuditEntry.objects.filter(action="person.identity_revealed").count() == 1


def test_doubles_are_offered_merged_and_parted_again(world: World, browser: Client) -> None:
    kept, double = add(world), add(world, "王 芳")
    assert f'value="{double}"' in browser.get(f"/console/people/{kept}/").content.decode()
    merged = browser.post(f"/console/people/{kept}/merge", {"other": double}, follow=True)
    assert "undo" in merged.content.decode()
    assert browser.get(f"/console/people/{double}/")["Location"] == f"/console/people/{kept}/"
    merge = browser.get(f"/console/people/{kept}/").context["person"].merges[0].id
    assert browser.post(f"/console/people/{kept}/merges/{merge}/undo").status_code == 302
    assert Person.objects.get(pk=double).merged_into_id is None


def test_a_person_gets_their_data_and_is_erased_only_when_somebody_is_sure(world: World, browser: Client) -> None:
    person = add(world)
    answer = browser.post(f"/console/people/{person}/export")
    assert json.loads(answer.content)["people"][0]["name"] == "王芳" and "attachment" in answer["Content-Disposition"]
    assert browser.post(f"/console/people/{person}/erase").status_code == 400
    assert browser.post(f"/console/people/{person}/erase", {"sure": "yes"}).status_code == 302
    assert Person.objects.get(pk=person).name == "" and browser.get(f"/console/people/{person}/").status_code == 200


def test_a_contact_entered_by_hand_is_one_page_and_leads_to_its_case(world: World, browser: Client) -> None:
    person = add(world)
    form = {
        "organisation": world.north,
        "channel": "call",
        "direction": "in",
        "contact": "139 0431 0001",
        "subject": "No water",
        "words": "since noon",
    }
    answer = browser.post("/console/contacts/add", {**form, "case": "1"})
    row = Interaction.objects.get()
    assert answer["Location"] == f"/console/cases/new?interaction={row.pk}" and row.person == person and row.parts == 1
    wrong = browser.post("/console/contacts/add", {**form, "contact": "12"})
    assert wrong.status_code == 400 and "since noon" in wrong.content.decode() and Interaction.objects.count() == 1


def talk(world: World, browser: Client) -> str:
    form = {"organisation": world.north, "channel": "counter", "direction": "in", "subject": "A lid", "contact": ""}
    return str(browser.post("/console/contacts/add", form)["Location"])


def test_a_contact_is_written_down_named_handed_over_and_ended(world: World, browser: Client) -> None:
    person, home = add(world), talk(world, browser)
    assert browser.post(f"{home}parts", {"text": "it rattles", "side": "theirs"}).status_code == 302
    assert browser.post(f"{home}person", {"text": "nobody like this"}).status_code == 400
    assert browser.post(f"{home}person", {"text": "王芳"}).status_code == 302
    agent = world.person(Role.AGENT, world.north, Scope.ORGANISATION)
    assert browser.post(f"{home}hand", {"to": f"u:{agent.pk}"}).status_code == 302
    row = Interaction.objects.get()
    assert (row.person, row.assignee_id) == (person, agent.pk)
    assert browser.post(f"{home}end", {"outcome": "nonsense"}).status_code == 400
    assert browser.post(f"{home}end", {"outcome": "answered"}).status_code == 302
    late = browser.post(f"{home}parts", {"text": "one more thing"})
    assert (late.status_code == 400 and "one more thing" in late.content.decode()) or "one more thing" in late.context["typed"]
    assert "A lid" in browser.get("/console/contacts/").content.decode()
    assert "A lid" not in browser.get("/console/contacts/?state=open").content.decode()


GETS = ("people/{person}/", "people/{person}/edit", "people/{person}/erase", "contacts/{talk}/", "contacts/{talk}/parts/1")
ABOUT_PEOPLE = (
    "edit",
    "contacts",
    "contacts/{point}/reveal",
    "contacts/{point}/remove",
    "identity",
    "consents",
    "merge",
    "export",
    "erase",
)
ABOUT_CONTACTS = ("reveal", "parts", "end", "hand", "person")
POSTS = (*(f"people/{{person}}/{each}" for each in ABOUT_PEOPLE), *(f"contacts/{{talk}}/{each}" for each in ABOUT_CONTACTS))


@pytest.fixture
def filled(world: World, browser: Client) -> dict[str, int]:
    person = add(world)
    talk(world, browser)
    return {"person": person, "talk": Interaction.objects.get().pk, "point": Person.objects.get(pk=person).contacts.get().pk}


@pytest.mark.parametrize(("role", "place"), [(Role.OWNER, "south"), (Role.ANALYST, "north")])
def test_strangers_and_too_low_a_role_meet_nothing(world: World, filled: dict[str, int], role: Role, place: str) -> None:
    other = signed_in(world, role, getattr(world, place))
    assert [each for each in GETS if other.get(f"/console/{each.format(**filled)}").status_code != 404] == []
    answers = {each: other.post(f"/console/{each.format(**filled)}", {"sure": "yes", "outcome": "answered", "text": "x"}) for each in POSTS}
    assert {each: answer.status_code for each, answer in answers.items() if answer.status_code != 404} == {}


def test_the_signed_out_are_sent_to_the_door(filled: dict[str, int]) -> None:
    for each in ("people/", "people/add", "contacts/", "contacts/add", *GETS):
        assert "/accounts/login/" in Client().get(f"/console/{each.format(**filled)}")["Location"], each
