"""What people read is theirs: no names of code in Chinese pages, no refusal that cannot be translated, nothing sent half filled in."""

import ast
import html
import re
from pathlib import Path

import pytest
from django.utils import translation

from jilink.core.observations import rules, safety
from jilink.core.parties.rules import Role
from jilink.protocols.jt808.vendors import PROFILES
from jilink.services.vehicles import actions, orders
from jilink.services.vehicles.actions import VehicleData
from jilink.services.vehicles.command_forms import Wishes, form_for
from jilink.services.vehicles.models import Command
from jilink.services.vehicles.rules import Year
from jilink.services.vehicles.words import WORDS, word
from tests.core.world import World
from tests.services.conftest import signed_in

SOURCES = Path(actions.__file__).parents[2]
FOR_PROGRAMS = {
    "WrongMove",
    "NotInTransaction",
    "TypeError",
    "ValueError",
    "BadQuestion",
    "Malformed",
    "Unavailable",
    "FieldNeeded",
    "NotARecording",
}
"""Faults of ours or of peers, whose words no page shows; FieldNeeded is told the field's name so."""


def add(world: World) -> int:
    data = VehicleData(plate="吉A12345", organisation=world.north, terminal_phone="13912345678")
    return actions.add_vehicle(data=data, by=world.actor(Role.OWNER, world.north))


def refusals() -> list[tuple[str, str]]:
    """Return file and class of every exception that is raised with an f-string in the rooms that people meet."""
    found = []
    for path in sorted([*(SOURCES / "core").rglob("*.py"), *(SOURCES / "services").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            call = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(call, ast.Call) and any(isinstance(argument, ast.JoinedStr) for argument in call.args):
                found.append((path.name, getattr(call.func, "id", "")))
    return found


def test_every_refusal_that_people_may_read_can_be_translated() -> None:
    assert [each for each in refusals() if each[1] not in FOR_PROGRAMS] == []


def test_alarms_profiles_and_reasons_have_chinese_words() -> None:
    names = [*rules.CONDITIONS.values(), *safety.CONDITIONS, *(f"profile.{name}" for name in PROFILES), *WORDS]
    with translation.override("zh-hans"):
        raw = [name for name in names if not re.search(r"[^\x00-\x7f]", word(name))]
    assert raw == [], "no Chinese"


@pytest.mark.usefixtures("site")
def test_no_choice_of_a_chinese_page_is_a_name_of_code(world: World) -> None:
    asset = add(world)
    browser = signed_in(world, Role.OWNER, world.north)
    for page in (f"/vehicles/{asset}/edit", f"/vehicles/{asset}/?year=2013", f"/vehicles/{asset}/?year=2019"):
        text = html.unescape(browser.get(page).content.decode())
        labels = {label.strip() for label in re.findall(r"<option[^>]*>([^<]*)</option>", text)}
        labels |= {label.strip() for label in re.findall(r"<label[^>]*>([^<]*)", text)}
        assert not {label for label in labels if re.fullmatch(r"[a-z][a-z_ ]+", label)}, page
        assert not re.search(r">\s*(standard|bus|car)\s*<", text)


@pytest.mark.parametrize("year", [2011, 2013, 2019])
@pytest.mark.parametrize("offer", orders.OFFERS, ids=lambda offer: offer.slug)
def test_a_form_sent_as_it_stands_is_an_order_that_can_be_given_or_says_what_lacks(offer: orders.Offer, year: Year) -> None:
    form = form_for(orders.declaration(offer.message, year), wishes=Wishes(offer.initial, offer.required))
    given = {name: field.initial for name, field in form.fields.items() if field.initial is not None}
    first = {
        name: field.choices[0][0] for name, field in form.fields.items() if name not in given and field.__class__.__name__ == "ChoiceField"
    }
    bound = form_for(orders.declaration(offer.message, year), {**first, **given}, {}, Wishes(offer.initial, offer.required))
    lacking = {"text": {"text"}, "call": {"phone"}, "upgrade": {"maker", "version", "data"}}
    lacking |= {"some-parameters": {"ids"}, "delete-circles": {"ids"}, "set-parameters": {"parameters.value"}}
    lacking["circle"] = {"areas.latitude", "areas.longitude"}
    assert set(bound.errors) == lacking.get(offer.slug, set())
    if bound.is_valid():
        orders.check(offer.message, bound.fields_given(), year)


@pytest.mark.usefixtures("site")
def test_an_order_whose_parts_do_not_fit_together_is_not_given(world: World) -> None:
    asset = add(world)
    browser = signed_in(world, Role.OWNER, world.north)
    wrong = [
        ("text", {"flag": ["2"], "text": ""}),
        ("control", {"command": "1", "parameters": ""}),
        ("set-parameters", {"parameters.item": "heartbeat_interval", "parameters.value": "soon"}),
    ]
    for name, fields in wrong:
        response = browser.post(f"/vehicles/{asset}/commands/{name}?year=2013", fields)
        assert response.status_code == 400 and 'class="error' in response.content.decode(), name
    assert Command.objects.count() == 0


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_of_a_terminal_has_a_word(name: str) -> None:
    assert f"profile.{name}" in WORDS


@pytest.mark.parametrize("year", [2011, 2013, 2019])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_two_fields_of_an_order_share_a_label(world: World, language: str, year: int) -> None:
    asset = add(world)
    browser = signed_in(world, Role.OWNER, world.north)
    browser.cookies["django_language"] = language
    for each in browser.get(f"/vehicles/{asset}/?year={year}").context["command_forms"]:
        labels = [str(field.label) for field in each["form"].fields.values()]
        assert len(set(labels)) == len(labels) and all(labels), each["name"]
