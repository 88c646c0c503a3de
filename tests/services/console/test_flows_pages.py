"""Designing a flow by hand, without JSON and without a script: from an empty one to a published and tried one."""

import pytest
from django.test import Client

from jilink.core.flows import reads
from jilink.core.flows.models import FlowVersion
from jilink.core.parties import access
from jilink.core.parties.rules import Role
from tests.core.cases.office import office_of
from tests.core.world import World

pytestmark = pytest.mark.once


def signed(world: World, role: Role = Role.SUPERVISOR, south: bool = False) -> Client:
    person = world.person(role, world.south if south else world.north)
    world.second_factor(person)
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    return client


def view(number: int) -> reads.FlowView:
    return reads.flow(access.system("test"), number)


def test_a_flow_is_designed_tried_tested_and_published_by_forms_alone(world: World) -> None:
    office_of(world)
    boss = signed(world)
    page = boss.post("/console/flows/", {"organisation": world.north, "key": "line", "source": "empty"})["Location"]
    number = FlowVersion.objects.get().pk
    boss.post(
        f"{page}basics",
        {"label.zh": "热线", "label.en": "Line", "languages": ["zh", "en"], "longest_minutes": 20, "shortcuts": "", "inputs": ""},
    )
    ask = {
        "label": "Menu",
        "key": "menu",
        "prompt.zh": "请按一。",
        "prompt.en": "Press 1.",
        "save": "choice",
        "allowed": "1, 2",
        "words": "1 = price",
    }
    numbers = {"least": 1, "most": 1, "terminator": "#", "timeout_s": 6, "between_s": 4, "tries": 2}
    made = boss.post(f"{page}steps/ask_digits", ask | numbers | {"next": "end", "none": "end", "invalid": "end"})
    assert made.status_code == 302, made.content.decode()
    boss.post(f"{page}steps/say", {"label": "Price", "key": "price", "prompt.zh": "两元三角", "prompt.en": "", "next": "end"})
    arm = {"arm0.on": "choice", "arm0.test": "is", "arm0.value": "1", "arm0.to": "price", "otherwise": "end"}
    boss.post(f"{page}steps/branch", {"label": "Which", "key": "which"} | arm)
    shown = boss.get(page).content.decode()
    assert "There is nothing to say in en." in shown and "No way leads to this step." in shown
    assert "There is nothing to say in en." in boss.get(f"{page}steps/1").content.decode()
    boss.post(f"{page}steps/0", ask | numbers | {"next": "which", "none": "end", "invalid": "end"})
    boss.post(f"{page}steps/1", {"label": "Price", "key": "tell", "prompt.zh": "两元三角", "prompt.en": "Two thirty.", "next": "end"})
    assert [(step.key, dict(step.ways())) for step in view(number).definition.steps] == [
        ("menu", {"next": "which", "none": "end", "invalid": "end"}),
        ("tell", {"next": "end"}),
        ("which", {"1": "tell", "otherwise": "end"}),
    ]
    boss.post(f"{page}order", {"deed": "down:1"})
    assert view(number).problems == () and [step.key for step in view(number).definition.steps] == ["menu", "which", "tell"]
    heard = boss.get(f"{page}try", {"language": "en", "channel": "call", "answer": "1"}).content.decode()
    assert "Press 1." in heard and "Two thirty." in heard and "The end: done" in heard
    boss.post(f"{page}try/keep", {"language": "en", "channel": "call", "line": ["a:1"], "name": "price"})
    assert view(number).definition.tests[0].expects.passed == ("menu", "which", "tell")
    boss.post(f"{page}do/publish")
    assert view(number).state == "published"
    assert boss.post(f"{page}order", {"deed": "remove:0"}).status_code == 404
    boss.post(f"{page}do/edit")
    draft = FlowVersion.objects.get(state="draft").pk
    boss.post(f"/console/flows/{draft}/steps/2", {"label": "Price", "key": "tell", "prompt.zh": "x", "prompt.en": "x", "next": "menu"})
    refused = boss.post(f"/console/flows/{draft}/do/publish", follow=True).content.decode()
    assert "The test price should end with done" in refused and view(draft).state == "draft"


def test_the_example_opens_on_every_page_and_strangers_find_nothing(world: World) -> None:
    office_of(world)
    boss = signed(world)
    page = boss.post("/console/flows/", {"organisation": world.north, "key": "line", "source": "hotline"})["Location"]
    for address in ("/console/flows/", page, f"{page}basics", f"{page}try", *(f"{page}steps/{place}" for place in (0, 3, 4, 9, 19, 24))):
        assert boss.get(address).status_code == 200, address
    steps = view(int(page.split("/")[-2])).definition.steps
    for place, _step in enumerate(steps):  # what was not touched stays as it was
        form = boss.get(f"{page}steps/{place}").context["form"]
        boss.post(
            f"{page}steps/{place}",
            {name: one.value() if one.value() is not None else "" for name, one in ((each.html_name, each) for each in form)},
        )
    assert view(int(page.split("/")[-2])).definition.steps == steps
    for client in (signed(world, Role.OWNER, south=True), signed(world, Role.AGENT)):
        for address in (page, f"{page}try", f"{page}steps/0", f"{page}basics"):
            assert client.get(address).status_code == 404
        assert client.post(f"{page}do/publish").status_code == 404


def test_an_address_that_flows_ask_is_added_with_a_secret_shown_once_and_removed(world: World) -> None:
    boss = signed(world)
    made = boss.post(
        "/console/flows/hooks/", {"organisation": world.north, "key": "prices", "url": "https://example.com/p"}
    ).content.decode()
    assert "whsec_" in made and "whsec_" not in boss.get("/console/flows/hooks/").content.decode()
    twice = boss.post("/console/flows/hooks/", {"organisation": world.north, "key": "prices", "url": "https://example.com/p"})
    assert "each is there once" in twice.content.decode()
    number = reads.hooks(access.system("test"))[0].id
    assert signed(world, Role.OWNER, south=True).post(f"/console/flows/hooks/{number}/remove").status_code == 404
    boss.post(f"/console/flows/hooks/{number}/remove")
    assert reads.hooks(access.system("test")) == []
