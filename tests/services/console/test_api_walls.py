"""Every operation of the API asked signed out, by too low a role, and by the owner of another organisation."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pydantic import BaseModel

from jilink.core.areas import actions as areas
from jilink.core.areas.geojson import read
from jilink.core.areas.models import Area
from jilink.core.cases import actions as cases
from jilink.core.cases.assignment import actions as rules
from jilink.core.cases.assignment.rules import RuleBook, write_rules
from jilink.core.cases.models import CaseType
from jilink.core.flows import actions as flows
from jilink.core.flows.models import FlowHook
from jilink.core.imports import actions as imports
from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.rules import Channel, Side
from jilink.core.knowledge import actions as knowledge
from jilink.core.observations import actions as alarms
from jilink.core.observations.actions import RuleData
from jilink.core.observations.conditions import Silence
from jilink.core.parties import access
from jilink.core.parties.models import ContactPoint
from jilink.core.parties.people import actions as people
from jilink.core.parties.people import merging
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Permission, Role
from jilink.core.parties.tokens import actions as tokens
from jilink.core.webhooks import actions as webhooks
from jilink.kernel.clock import utc_now
from jilink.kernel.texts import Text
from jilink.services.console.actions import saved
from jilink.services.contact.actions import designing
from jilink.services.contact.actions.trunks import add_trunk
from jilink.services.contact.models import Phone
from jilink.services.contact.rules.design import QueueDesign
from jilink.services.contact.rules.trunks import TrunkDesign
from jilink.site.api import api
from jilink.webkit.api.assembly import operations
from jilink.webkit.api.shapes import In, Out
from tests.core.cases.office import MONDAY, office_of
from tests.core.world import NOW, World
from tests.services.console.programs import lift_limits, token_of

SECRET = "王小明测试"
PHONE = "13912345678"
DESCRIPTION = json.loads(json.dumps(api.get_openapi_schema(), default=str))
OPEN_TO_ALL = {"list_webhook_kinds"}
"""Operations that tell the same to everybody who is signed in."""
EACH_BY_ITSELF = {"take_steps"}
"""Operations whose address names a deed and no thing: each thing in the body is refused by itself, and the answer is 200."""
MISSING = 987_654_321


def each() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


@pytest.fixture
def things(world: World, settings: Any) -> dict[str, int]:
    """One of each noun in the north, by the name of the path parameter that names it."""
    lift_limits(settings)
    by = access.system("test")
    north = world.north
    person = people.add_person(
        organisation=north, data=PersonData(name=SECRET), contacts=(people.Contact(ContactKind.PHONE, PHONE),), by=by, now=NOW
    )
    consent = people.give_consent(person=person, purpose="news", evidence=SECRET, by=by, now=NOW)
    contact = Contact(channel=Channel.CALL, contact=PHONE, subject=SECRET, person=person)
    interaction = interactions.add_interaction(organisation=north, contact=contact, by=by, now=NOW)
    interactions.add_part(interaction=interaction, side=Side.THEIRS, text=SECRET, by=by, at=NOW)
    title = Text(SECRET, "")
    article = knowledge.add_article(organisation=north, title=title, body=title, by=by, now=NOW)
    ring = [[126.0, 43.0], [126.1, 43.0], [126.1, 43.1], [126.0, 43.0]]
    feature = {
        "type": "Feature",
        "properties": {"code": "g1", "name": SECRET},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    sheet = read(json.dumps({"type": "FeatureCollection", "features": [feature]}).encode())
    layer = areas.load_layer(organisation=north, key="grid", title=title, sheet=sheet, source="test", valid_from=NOW.date(), by=by, now=NOW)
    rule = alarms.add_rule(organisation=north, data=RuleData(name=SECRET, condition=Silence(for_s=600)), by=by)
    endpoint = webhooks.add_endpoint(organisation=north, url="https://example.com/x", kinds="*", description=SECRET, by=by, now=NOW)
    office = office_of(world)
    other = office.open(title=SECRET)
    case = office.sent(title=SECRET, description=SECRET)
    asked = cases.request_extension(case=case, amount=1, reason=SECRET, by=office.worker, now=MONDAY)
    note = cases.send_reply(case=case, text=SECRET, recipient=SECRET, channel="text", by=office.worker, now=MONDAY)
    account = tokens.add_service_account(organisation=north, name=SECRET, by=by)
    token = tokens.issue_token(
        account=account, name=SECRET, permissions=frozenset({Permission.VIEW_CASES}), expires_at=utc_now() + timedelta(days=1), by=by
    )
    double = people.add_person(organisation=north, data=PersonData(name=SECRET), by=by, now=NOW)
    return {
        "run": cases.claim_many(cases=[other], by=office.boss).run or 0,
        "book": rules.save_rules(organisation=north, rules=write_rules(RuleBook()), by=by, now=NOW),
        "merge": merging.merge_people(keep=person, merge=double, by=by),
        "case": case,
        "other": other,
        "into": other,
        "keep": person,
        "asked": asked.request,
        "reply": note,
        "type": CaseType.objects.filter(organisation=north)[0].pk,
        "account": account,
        "token": token.id,
        "organisation": north,
        "person": person,
        "contact": ContactPoint.objects.get().pk,
        "consent": consent,
        "interaction": interaction,
        "number": 1,
        "article": article,
        "layer": layer,
        "area": Area.objects.get().pk,
        "rule": rule,
        "endpoint": endpoint.endpoint,
        "job": imports.begin_import(organisation=north, noun="people", size=9, name=SECRET, by=by, now=NOW),
        "team": world.team(north, SECRET),
        "view": saved.save_view(name=SECRET, query="", by=office.boss, now=NOW),
        "user": world.person(Role.AGENT, north, also="x").pk,
        "flow": flows.save_flow(organisation=north, key="wall", definition=json.dumps({"label": {"zh": SECRET}}), by=by, now=NOW),
        "hook": _hook(north),
        **_centre(north),
    }


def _centre(north: int) -> dict[str, int]:
    by = access.system("test")
    queue = designing.add_queue(organisation=north, key="wall", design=QueueDesign(name=Text(SECRET, "")), by=by, now=NOW)
    line = designing.set_number(organisation=north, dialled=PHONE, queue=queue, by=by, now=NOW)
    designing.add_phone(organisation=north, extension="3001", by=by, now=NOW)
    trunk = add_trunk(organisation=north, name=SECRET, design=TrunkDesign(addresses=("10.0.0.1",)), by=by, now=NOW)
    return {"queue": queue, "line": line, "phone": Phone.objects.get().pk, "trunk": trunk}


def _hook(north: int) -> int:
    flows.add_hook(organisation=north, key="wall", url="https://example.com/x", by=access.system("test"), now=NOW)
    return FlowHook.objects.get(organisation=north).pk


def example(schema: dict[str, Any], things: dict[str, int], name: str = "") -> Any:
    """Return a value that fits a schema, with the ids of the north wherever an id is named after its noun."""
    if "$ref" in schema:
        return example(DESCRIPTION["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], things, name)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], things, name)
    if "enum" in schema:
        return schema["enum"][0]
    if "examples" in schema:
        return schema["examples"][0]
    kind = schema.get("type")
    if kind == "object":
        return {key: example(part, things, key) for key, part in schema.get("properties", {}).items() if key in schema.get("required", ())}
    if kind == "array":
        return [example(schema["items"], things, name)]
    if kind == "integer":
        return things.get(name, schema.get("minimum", 1))
    if kind == "string":
        return {"date-time": "2026-05-01T08:00:00Z", "date": "2026-05-01", "binary": ""}.get(schema.get("format", ""), "abc")
    return {"number": 1.0, "boolean": True}.get(kind or "", {})


def ask(method: str, path: str, operation: dict[str, Any], things: dict[str, int], token: str = "") -> HttpResponse:
    address, query = path, {}
    for parameter in operation["parameters"]:
        value = example(parameter["schema"], things, parameter["name"])
        if parameter["in"] == "path":
            address = address.replace("{" + parameter["name"] + "}", str(things.get(parameter["name"], value)))
        elif parameter["in"] == "query" and parameter["required"]:
            query[parameter["name"]] = value
    headers = {"x-request-id": "wall"} | ({"authorization": f"Bearer {token}"} if token else {})
    headers |= {
        each["name"]: str(example(each["schema"], things))
        for each in operation["parameters"]
        if each["in"] == "header" and each["required"]
    }
    content = operation.get("requestBody", {}).get("content", {})
    kind = next(iter(content), "application/json")
    body: Any = example(content[kind]["schema"], things) if content else ""
    if kind == "application/json":
        body = json.dumps(body) if content else b""
        return Client().generic(method, address, body, kind, headers=headers, query_params=query)  # type: ignore[return-value]  # -- the client adds to HttpResponse
    if isinstance(body, str):
        return Client().generic(method, address, body.encode() or b"x", kind, headers=headers, query_params=query)  # type: ignore[return-value]  # -- likewise
    return Client().post(address, body, headers=headers, query_params=query)  # type: ignore[return-value]  # -- likewise


def test_every_operation_refuses_whoever_is_signed_out(things: dict[str, int]) -> None:
    for method, path, operation in each():
        response = ask(method, path, operation, things)
        assert response.status_code == 401 and response["WWW-Authenticate"].startswith("Bearer"), operation["operationId"]
        assert SECRET not in response.content.decode()


def test_every_operation_hides_the_north_from_an_owner_of_the_south(world: World, things: dict[str, int]) -> None:
    token = token_of(world, Role.OWNER, world.south)
    for method, path, operation in each():
        response = ask(method, path, operation, things, token)
        told = b"".join(response) if response.streaming else response.content  # type: ignore[arg-type]  # -- a streaming answer iterates bytes
        name = operation["operationId"]
        assert SECRET not in told.decode() and "5678" not in told.decode(), name
        if "{" in path and operation["operationId"] not in EACH_BY_ITSELF:
            assert response.status_code in (404, 422), (name, response.status_code, told)


def test_what_a_wall_hides_is_answered_like_what_does_not_exist(world: World, things: dict[str, int]) -> None:
    token = token_of(world, Role.OWNER, world.south)
    nothing = {name: MISSING + place for place, name in enumerate(things)}
    for method, path, operation in each():
        if "{" not in path or operation["operationId"] in OPEN_TO_ALL:
            continue
        hidden, missing = ask(method, path, operation, things, token), ask(method, path, operation, nothing, token)
        assert hidden.status_code == missing.status_code, operation["operationId"]
        if hidden.status_code >= 400:
            assert hidden.content == missing.content, operation["operationId"]


def test_every_operation_refuses_a_token_that_may_do_nothing_of_it(world: World, things: dict[str, int]) -> None:
    token = token_of(world, Role.OWNER, world.north, frozenset({Permission.VIEW_OPERATIONS, Permission.REPORT_CASES}))
    for method, path, operation in each():
        response = ask(method, path, operation, things, token)
        told = b"".join(response) if response.streaming else response.content  # type: ignore[arg-type]  # -- as above
        assert SECRET not in told.decode(), operation["operationId"]
        if "{" in path and operation["operationId"] not in EACH_BY_ITSELF:
            assert response.status_code in (404, 422), (operation["operationId"], response.status_code, told)


def test_no_two_shapes_share_a_name() -> None:
    found: dict[str, type[BaseModel]] = {}
    ahead: list[type[BaseModel]] = [In, Out]
    while ahead:
        for kind in ahead.pop().__subclasses__():
            assert found.setdefault(kind.__name__, kind) is kind, f"{kind.__name__} stands in {kind.__module__} and elsewhere"
            ahead.append(kind)
    assert len(found) > 50


def test_every_operation_says_who_it_is_and_what_it_does() -> None:
    names = [operation["operationId"] for _method, operation in operations(DESCRIPTION)]
    assert len(names) == len(set(names)) > 100
    for _method, operation in operations(DESCRIPTION):
        assert operation["summary"] and operation["description"].endswith("."), operation["operationId"]
        assert operation["tags"], operation["operationId"]
