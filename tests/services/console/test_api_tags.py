"""Entity tags: a change based on what somebody else changed meanwhile is refused, and the refusal says what changed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from jilink.core.cases.models import CaseType
from jilink.core.knowledge.models import Article
from jilink.core.parties.rules import Role
from tests.core.cases.office import office_of
from tests.core.world import World
from tests.services.console.programs import Ask, asking, lift_limits, token_of

WORDS = {"zh": "霜冻", "en": "Frost"}


@dataclass(frozen=True)
class Noun:
    """How one of a noun is made and read, what somebody else then does, and everything that must not happen after that."""

    make: Callable[[Ask, int], int | str]
    read: str
    others: tuple[str, str, dict[str, Any]]
    changed: set[str]
    mine: tuple[tuple[str, str, dict[str, Any] | None], ...]
    good: int = 204


def _article(ask: Ask, place: int) -> int:
    made = ask("POST", "/articles", {"organisation": place, "title": WORDS, "body": WORDS}).json()["id"]
    return int(made)


def _kind(ask: Ask, place: int) -> str:
    ask("PUT", "/asset-kinds/pole", {"organisation": place, "kind": {"title": {"zh": "杆", "en": "Pole"}}})
    return "pole"


def _webhook(ask: Ask, place: int) -> int:
    made = ask("POST", "/webhooks", {"organisation": place, "url": "https://example.com/a", "kinds": ["*"]}).json()["endpoint"]
    return int(made)


def _type(ask: Ask, place: int) -> int:
    definition = json.loads(CaseType.objects.filter(key="hotline")[0].definition)
    return int(ask("POST", "/case-types", {"organisation": place, "key": "lamps", "definition": definition}).json()["id"])


def _definition(**changed: object) -> dict[str, Any]:
    return {"label": WORDS, "priorities": [], "usual_priority": 1, "stages": [], "transitions": [], "closing_codes": [], **changed}


_VERSION = {"title": WORDS, "body": WORDS}
_DESCRIBED = {"audience": "public", "topics": ["frost"], "review_at": "2027-01-01"}
_ENDPOINT = {"url": "https://example.com/b", "kinds": ["case.*"], "active": True}
NOUNS = {
    "article": Noun(
        _article,
        "/articles/{it}/draft",
        ("PUT", "/articles/{it}/description", _DESCRIBED),
        {"/audience", "/topics", "/review_at"},
        (
            ("POST", "/articles/{it}/versions", _VERSION),
            ("PUT", "/articles/{it}/description", {**_DESCRIBED, "topics": []}),
            ("POST", "/articles/{it}/steps/submit", None),
        ),
        201,
    ),
    "kind of asset": Noun(
        _kind,
        "/asset-kinds/{it}?organisation={place}",
        ("PUT", "/asset-kinds/{it}", {"kind": {"title": {"zh": "杆", "en": "Pole"}, "code": "P[0-9]+"}}),
        {"/kind/code"},
        (("PUT", "/asset-kinds/{it}", {"kind": {"title": WORDS}}), ("DELETE", "/asset-kinds/{it}?organisation={place}", None)),
    ),
    "webhook": Noun(
        _webhook,
        "/webhooks/{it}",
        ("PUT", "/webhooks/{it}", _ENDPOINT),
        {"/url", "/kinds"},
        (("PUT", "/webhooks/{it}", {**_ENDPOINT, "active": False}), ("DELETE", "/webhooks/{it}", None)),
    ),
    "case type": Noun(
        _type,
        "/case-types/{it}",
        ("POST", "/case-types", {"key": "lamps", "definition": _definition(label={"zh": "灯", "en": "Lamps"})}),
        {"/definition/label"},
        (
            ("POST", "/case-types", {"key": "lamps", "definition": _definition()}),
            ("POST", "/case-types/{it}/publish", None),
            ("DELETE", "/case-types/{it}", None),
        ),
        201,
    ),
}


@pytest.fixture
def ask(world: World, settings: Any) -> Ask:
    lift_limits(settings)
    office_of(world)
    return asking(token_of(world, Role.OWNER, world.north))


@pytest.mark.parametrize("name", NOUNS)
def test_what_somebody_else_changed_is_not_overwritten_and_what_changed_is_said(world: World, ask: Ask, name: str) -> None:
    noun = NOUNS[name]
    it = noun.make(ask, world.north)

    def told(request: tuple[str, str, dict[str, Any] | None], mark: str = "") -> Any:
        method, place, body = request
        body = {"organisation": world.north, **body} if body is not None and name in ("kind of asset", "case type") else body
        return ask(method, place.format(it=it, place=world.north), body, **({"if_match": mark} if mark else {}))

    def read() -> Any:
        return ask("GET", noun.read.format(it=it, place=world.north))

    mark = read()["ETag"]
    assert ask("GET", noun.read.format(it=it, place=world.north), if_none_match=mark).status_code == 304
    assert told(noun.others).status_code in (200, 201, 204)
    stands = read()
    assert stands["ETag"] != mark
    for request in noun.mine:
        late = told(request, mark)
        assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile"), request
        found = {fault["pointer"] for fault in late.json()["errors"]}
        assert noun.changed <= found and (name == "case type" or found == noun.changed)
        for wrong in ('"rubbish"', f"W/{stands['ETag']}", '"7-4f0c4f0c4f0c4f0c4f0c4f0c"'):
            assert told(request, wrong).status_code == 412
        assert read().content == stands.content
    assert told(noun.mine[0], f'"rubbish", {stands["ETag"]}').status_code == noun.good
    assert told(noun.mine[1], read()["ETag"] if name != "case type" else "*").status_code in (200, 204, 422)


def test_a_version_names_what_it_is_based_on_one_way_or_the_other(world: World, ask: Ask) -> None:
    article = _article(ask, world.north)
    lacking = ask("POST", f"/articles/{article}/versions", _VERSION)
    assert lacking.status_code == 422 and lacking.json()["errors"][0]["pointer"] == "/based_on"
    mark = ask("GET", f"/articles/{article}/draft")["ETag"]
    assert ask("POST", f"/articles/{article}/versions", _VERSION, if_match=mark).json() == {"version": 2}
    assert ask("POST", f"/articles/{article}/versions", {**_VERSION, "based_on": 1}).status_code == 409
    late = ask("POST", f"/articles/{article}/versions", {**_VERSION, "based_on": 2}, if_match=mark)
    assert late.status_code == 412 and [fault["pointer"] for fault in late.json()["errors"]] == ["/latest"]
    assert Article.objects.get(pk=article).latest == 2


def test_a_tag_of_what_is_gone_makes_nothing_anew(world: World, ask: Ask) -> None:
    _kind(ask, world.north)
    mark = ask("GET", f"/asset-kinds/pole?organisation={world.north}")["ETag"]
    assert ask("DELETE", f"/asset-kinds/pole?organisation={world.north}").status_code == 204
    again = {"organisation": world.north, "kind": {"title": {"zh": "杆", "en": "Pole"}}}
    assert ask("PUT", "/asset-kinds/pole", again, if_match=mark).status_code == 412
    assert ask("PUT", "/asset-kinds/pole", again, if_match="*").status_code == 412, "nothing is there (RFC 9110, 13.1.1)"
    assert ask("GET", f"/asset-kinds/pole?organisation={world.north}").status_code == 404


def test_deliveries_that_wait_do_not_change_what_if_match_guards(world: World, ask: Ask) -> None:
    endpoint = _webhook(ask, world.north)
    mark = ask("GET", f"/webhooks/{endpoint}")["ETag"]
    assert ask("POST", f"/webhooks/{endpoint}/test").status_code == 202
    assert ask("GET", f"/webhooks/{endpoint}", if_none_match=mark).status_code == 200
    assert ask("PUT", f"/webhooks/{endpoint}", _ENDPOINT, if_match=mark).status_code == 204
