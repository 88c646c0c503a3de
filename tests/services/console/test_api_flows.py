"""Flows for programs: drafted, tried, refused with everything that is wrong, published."""

import json
from typing import Any

import pytest

from jilink.core.flows.actions.demonstration import example
from jilink.core.flows.rules.definition import write_flow
from jilink.core.parties import access
from jilink.core.parties.rules import Role
from jilink.services.contact import demonstration
from tests.core.cases.office import office_of
from tests.core.world import NOW, World
from tests.services.console.programs import asking, lift_limits, token_of

pytestmark = pytest.mark.once


def test_a_flow_is_saved_tried_refused_and_published(world: World, settings: Any) -> None:
    lift_limits(settings)
    office_of(world)
    demonstration.load(world.north, by=access.system("test"), now=NOW)  # the queue that the example names
    ask = asking(token_of(world, Role.OWNER, world.north))
    given = json.loads(write_flow(example()))
    bad = {**given, "steps": [*given["steps"], {"kind": "say", "key": "lost"}]}
    made = ask("POST", "/flows", {"organisation": world.north, "key": "line", "definition": bad}).json()["id"]
    refused = ask("POST", f"/flows/{made}/publish")
    assert refused.status_code == 422 and any("lost" in str(each) or "No way" in str(each) for each in refused.json()["errors"])
    assert ask("POST", "/flows", {"organisation": world.north, "key": "line", "definition": given}).json()["id"] == made
    assert ask("GET", f"/flows/{made}").json()["problems"] == []
    tried = ask("POST", f"/flows/{made}/try", {"test": {"open": ["china"], "lines": [{"answer": "2"}, {"answer": "2"}]}}).json()
    assert tried["outcome"] == "" and tried["steps"][-1] == "hold_on"
    assert any(line["text"].startswith("Please hold") and line["language"] == "en" for line in tried["heard"])
    assert ask("POST", f"/flows/{made}/publish").status_code == 204
    assert [(row["key"], row["state"]) for row in ask("GET", "/flows").json()["items"]] == [("line", "published")]
    hook = ask("POST", "/flow-hooks", {"organisation": world.north, "key": "prices", "url": "https://example.com/prices"})
    assert hook.status_code == 201 and hook.json()["secret"].startswith("whsec_")
    assert ask("DELETE", f"/flow-hooks/{ask('GET', '/flow-hooks').json()['items'][0]['id']}").status_code == 204
