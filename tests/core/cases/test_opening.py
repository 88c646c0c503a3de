"""Opening cases: one number, what the contact knows, and nothing from behind a wall."""

import pytest

from jilink.core.assets import actions as assets
from jilink.core.cases import actions, reads
from jilink.core.cases.actions import NewCase, PriorityRefused, TitleNeeded
from jilink.core.cases.models import Case
from jilink.core.cases.rules import numbers
from jilink.core.cases.rules.form import AnswersRefused
from jilink.core.interactions import actions as interactions
from jilink.core.interactions.rules import Channel, Direction
from jilink.core.parties.access import NotFound
from jilink.core.parties.people import actions as people
from jilink.core.parties.rules import Role
from tests.core.cases.office import GOOD, MONDAY, Office, kinds, told


def test_a_case_has_a_number_that_can_be_said_and_a_place_from_its_answers(office: Office) -> None:
    case = office.open()
    row = office.row(case)
    assert numbers.parse(numbers.spoken(row.number)) == row.number
    assert (row.latitude, row.longitude, row.stage, row.state) == (43.9, 125.3, "intake", "open")
    assert kinds(case) == ["opened"] and told("opened", case) == 1
    assert reads.case_numbered(office.boss, numbers.grouped(row.number), now=MONDAY).row.id == case


def test_two_hundred_cases_have_two_hundred_numbers(office: Office) -> None:
    made = {office.row(office.open("hotline")).number for _number in range(200)}
    assert len(made) == 200


def test_what_does_not_fit_is_refused_and_nothing_is_kept(office: Office) -> None:
    with pytest.raises(AnswersRefused) as caught:
        office.open(answers={"sort": "part"})
    assert set(caught.value.problems) == {"part", "place"}
    with pytest.raises(TitleNeeded):
        office.open(title=" ")
    with pytest.raises(PriorityRefused):
        office.open(priority=4)
    assert Case.objects.count() == 0


def test_types_of_above_are_used_below_and_nearer_ones_count(office: Office) -> None:
    below = office.world.actor(Role.SUPERVISOR, office.world.depot)
    assert "city_fault" in reads.types_in_use(below, office.world.depot)
    actions.load_examples(organisation=office.world.depot, by=office.world.actor(Role.OWNER, office.world.depot))
    new = NewCase(type="city_fault", title="x", answers=GOOD["city_fault"])
    made = actions.open_case(organisation=office.world.depot, new=new, by=below, now=MONDAY)
    assert office.row(made.case).type.organisation_id == office.world.depot
    with pytest.raises(NotFound):
        actions.open_case(organisation=office.world.south, new=new, by=office.stranger, now=MONDAY)


def test_a_case_takes_person_asset_and_channel_from_its_contact(office: Office) -> None:
    person = people.add_person(organisation=office.world.north, data=people.PersonData(name="Li"), by=office.boss)
    contact = interactions.Contact(channel=Channel.CALL, direction=Direction.IN, person=person)
    came = interactions.add_interaction(organisation=office.world.north, contact=contact, by=office.boss, now=MONDAY)
    row = office.row(office.open("hotline", interaction=came))
    assert (row.person, row.channel, row.interaction) == (person, Channel.CALL.value, came)


def test_one_contact_becomes_several_cases(office: Office) -> None:
    first = office.open("hotline", channel="call")
    part = NewCase(type="city_fault", title="And the lamp", answers=GOOD["city_fault"])
    made = actions.split_case(case=first, parts=[part, part], by=office.boss, now=MONDAY)
    view = office.view(first)
    assert [link.kind for link in view.links] == ["part_of", "part_of"] and all(link.back for link in view.links)
    assert {office.row(one.case).channel for one in made} == {"call"}
    assert kinds(first)[-1] == "split_into"


def test_what_lies_behind_a_wall_is_refused_like_what_is_not_there(office: Office) -> None:
    theirs = assets.add_asset(organisation=office.world.south, kind="vehicle", label="S", by=office.stranger)
    person = people.add_person(organisation=office.world.south, data=people.PersonData(name="Wang"), by=office.stranger)
    for values in ({"asset": theirs}, {"asset": 999}, {"person": person}, {"person": 999}, {"interaction": 999}, {"type": "nothing"}):
        with pytest.raises(NotFound):
            office.open(**({"kind": "city_fault"} | values) if "type" not in values else values)
