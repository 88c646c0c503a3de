"""Requests that nobody's browser or program makes: addresses into our own network, ways out of the site, bodies without end."""

import json
import re
import socket
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core import signing
from django.test import Client

from jilink.core.parties import access
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.rules import Role
from jilink.core.webhooks import actions as webhooks
from jilink.core.webhooks.courier import Courier, Guard, Private
from jilink.core.webhooks.models import Delivery
from jilink.kernel.clock import utc_now
from tests.core.world import NOW, PASSWORD, World
from tests.services.conftest import signed_in
from tests.services.console.programs import Ask, asking, lift_limits, token_of
from tests.services.console.test_api_walls import DESCRIPTION, each, example
from tests.trust.planted import names_of, pages

pytestmark = [pytest.mark.usefixtures("site"), pytest.mark.once]


@pytest.fixture
def ask(world: World, settings: Any) -> Ask:
    lift_limits(settings)
    return asking(token_of(world, Role.OWNER, world.north))


# where a webhook leads

INSIDE = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.8",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::80ff:fffe",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "100::1",
    "2001:db8::1",
)
SPELT = ("127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "0177.0.0.1", "127.0.0.1.", "0")
"""How else 127.0.0.1 and 0.0.0.0 may be written (inet_aton)."""
NAMED = ("localhost", "LOCALHOST", "localhost.", "１２７.０.０.１", "ⓛocalhost", "127。0。0。1")
"""What turns out to be inside only once it is looked up."""


@pytest.mark.parametrize("host", [*INSIDE, *SPELT])
def test_no_webhook_is_told_to_an_address_inside(world: World, ask: Ask, host: str) -> None:
    place = f"[{host}]" if ":" in host else host
    for url in (f"https://{place}/", f"https://{place}:8443/x?y=1", f"https://example.com@{place}/", f"http://{place}/"):
        refused = ask("POST", "/webhooks", {"organisation": world.north, "url": url, "kinds": ["*"]})
        assert (refused.status_code, refused.json()["code"]) == (422, "address_refused"), url


@pytest.mark.parametrize("host", INSIDE)
def test_whatever_a_name_leads_to_no_socket_is_made_for_an_address_inside(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for plain in (False, True):
        with pytest.raises(Private):
            Guard((), plain=plain)((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, 443)))


async def test_a_name_that_turns_out_to_be_inside_is_not_connected_to(lasting_world: World) -> None:
    by = await sync_to_async(access.system)("test")
    for name in NAMED:
        url = f"https://{name}/"
        made = await sync_to_async(webhooks.add_endpoint)(organisation=lasting_world.north, url=url, kinds="*", by=by, now=utc_now())
        await sync_to_async(webhooks.send_test)(endpoint=made.endpoint, by=by, now=utc_now())
    async with Courier(()) as courier:
        await courier.deliver_due(utc_now())
    told = {row.endpoint.url: (row.status, row.failure) async for row in Delivery.objects.select_related("endpoint")}
    assert len(told) == len(NAMED)
    assert {url: why for url, why in told.items() if why[0] is not None or not why[1]} == {}


# ways out of the site

OUT = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "https:evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil.example\\@testserver/",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "/%0d%0aLocation: https://evil.example/",
    "/\r\nSet-Cookie: s=1",
    "http://[::1",
)


@pytest.mark.parametrize("way", OUT)
def test_nobody_is_sent_out_of_the_site(world: World, way: str) -> None:
    person, browser = world.person(Role.ANALYST, world.north), Client()
    answers = [
        browser.post("/accounts/login/", {"login": person.username, "password": PASSWORD, "next": way}),
        browser.get("/accounts/login/", {"next": way}),
        browser.post("/i18n/setlang/", {"language": "en", "next": way}),
        browser.post("/i18n/setlang/", {"language": "en"}, headers={"referer": way}),
        browser.post("/accounts/logout/", {"next": way}),
    ]
    owner = signed_in(world, Role.OWNER, world.north)
    answers += [
        owner.post("/vehicles/alarms/acknowledge", {"back": way}, headers={"referer": way}),
        owner.post("/vehicles/alarms/undo/1777622400000000", {"back": way}, headers={"referer": way}),
        owner.post("/console/many", {"back": way, "next": way}, headers={"referer": way}),
        owner.post("/console/notices/read", {"next": way}, headers={"referer": way}),
    ]
    for answer in answers:
        place = answer.headers.get("Location", "/")
        assert place.startswith("/") and place[1:2] not in ("/", "\\", "\t") and not set("\r\n") & set(place), (answer.status_code, place)
        assert "Set-Cookie: s=1" not in str(answer.headers)


HEADERS = (
    {"x-request-id": "a\r\nSet-Cookie: s=1"},
    {"x-request-id": "a" * 5000},
    {"accept-language": "zh\r\nSet-Cookie: s=1," * 50},
    {"accept-language": "../../etc/passwd"},
    {"x-forwarded-host": "evil.example", "x-forwarded-proto": "javascript"},
    {"x-forwarded-for": "127.0.0.1, ::1, <script>"},
    {"idempotency-key": "a\r\nSet-Cookie: s=1"},
    {"if-none-match": '"' * 5000},
    {"if-match": "W/" * 5000},
    {"authorization": "Bearer " + "x" * 50_000},
    {"authorization": "Bearer jlk_\0\r\n"},
    {"cookie": "sessionid=../../x; csrftoken=" + "x" * 5000},
    {"hx-request": "true", "hx-current-url": "https://evil.example/\r\nx"},
)


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: next(iter(headers)))
def test_no_header_comes_back_as_another_or_breaks_anything(world: World, ask: Ask, headers: dict[str, str]) -> None:
    token = token_of(world, Role.OWNER, world.north)
    given = {"authorization": f"Bearer {token}"} | headers
    for path in ("/api/v1/people", "/api/v1/cases?limit=1", "/accounts/login/", "/console/"):
        for method in ("get", "post"):
            answer = getattr(Client(), method)(path, headers=given, **({"content_type": "application/json"} if method == "post" else {}))
            text = str(answer.headers) + answer.headers.get("Location", "")
            assert answer.status_code < 500 and "s=1" not in str(answer.cookies) and "evil.example" not in text
            assert all(not set("\r\n") & set(value) for value in answer.headers.values())


def test_another_name_of_the_host_is_not_believed(world: World, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["jilink.example"]
    for host in ("evil.example", "jilink.example:80@evil.example", "jilink.example.evil.example", "jilink.example/", "[::1", ""):
        assert Client().get("/accounts/login/", headers={"host": host}).status_code == 400, host


# bodies without end

BODIES: dict[str, bytes] = {
    "more than is taken": b'{"name": "' + b"x" * (9 << 20) + b'"}',
    "deep lists": b'{"name": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a number of a million digits": b'{"organisation": ' + b"9" * 1_000_000 + b"}",
    "a number with a million as exponent": b'{"organisation": 1e1000000}',
    "no number": b'{"organisation": NaN}',
    "the same name twice": b'{"organisation": 1, "organisation": 2}',
    "half a pair": b'{"name": "\\ud800"}',
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "NUL": b'{"name": "\\u0000"}',
    "a list": b"[1,2,3]",
    "nothing": b"",
    "null": b"null",
}


@pytest.mark.parametrize("kind", BODIES)
def test_no_body_breaks_an_operation(world: World, ask: Ask, kind: str) -> None:
    token = token_of(world, Role.OWNER, world.north)
    for method, path in (
        ("POST", "/people"),
        ("PATCH", "/people/1"),
        ("POST", "/cases"),
        ("PUT", "/asset-kinds/pole"),
        ("POST", "/case-types"),
    ):
        headers = {"authorization": f"Bearer {token}"}
        answer = Client().generic(method, f"/api/v1{path}", BODIES[kind], "application/json", headers=headers)
        assert answer.status_code in (400, 404, 413, 415, 422), (path, answer.status_code)
        assert answer["Content-Type"] == "application/problem+json" and len(answer.content) < 20_000


@pytest.mark.parametrize("path", ["/accounts/login/", "/console/drafts", "/console/people/add", "/console/cases/new", "/vehicles/add"])
def test_no_form_has_parts_without_end(world: World, path: str) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    assert owner.post(path, {f"a{place}": "x" for place in range(3000)}).status_code in (400, 405, 413)
    assert owner.post(path, {"text": "x" * (9 << 20)}).status_code in (400, 405, 413)
    assert owner.post(path, b"x" * (9 << 20), content_type="application/x-www-form-urlencoded").status_code in (400, 405, 413)


# cursors and other places in lists

NONSENSE = ("x", "0", "-1", "9" * 40, "1e9", "' OR 1=1 --", "\0", "../..", "None", "[]", "１", "%00", "a" * 1999)
PLACES = ("cursor", "before", "after", "page", "offset", "limit", "order", "sort", "view", "organisation", "unit", "area", "first", "last")


def lists() -> list[str]:
    found = [(path, operation) for method, path, operation in each() if method == "get" and "{" not in path]
    return [path for path, operation in found if any(parameter["name"] == "cursor" for parameter in operation["parameters"])]


def test_a_cursor_that_was_tampered_with_is_refused_by_every_list(world: World, ask: Ask) -> None:
    for place in range(3):
        people.add_person(organisation=world.north, data=PersonData(name=f"p{place}"), by=access.system("test"), now=NOW)
    real = ask("GET", "/people?limit=1").json()["next"].partition("cursor=")[2].replace("%3A", ":")
    assert len(lists()) > 10
    for path in lists():
        signed = [signing.dumps(value, salt=f"cursor:{path}") for value in ("x", "'; --", "[]", "[null]", "-1", '[{"a":1}]', 7, None)]
        elsewhere = signing.dumps("5", salt="cursor:/api/v1/elsewhere")
        for cursor in (*NONSENSE, *signed, elsewhere, real[:-1] + ("A" if real[-1] != "A" else "B"), real.replace(":", "", 1)):
            answer = ask("GET", f"{path.removeprefix('/api/v1')}?limit=1&cursor={cursor}".replace(" ", "+").replace("\0", "%00"))
            assert answer.status_code in (200, 404, 422), (path, cursor, answer.status_code)
            assert answer.status_code != 200 or cursor in signed, (path, cursor)
    stranger = asking(token_of(world, Role.OWNER, world.south))
    assert stranger("GET", f"/people?limit=1&cursor={real}").json()["items"] == []


def test_no_page_breaks_over_a_place_in_its_list(world: World) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    for route in pages():
        if not names_of(route) and not route.endswith("live"):
            for nonsense in NONSENSE:
                answer = owner.get(f"/{route}", dict.fromkeys(PLACES, nonsense))
                assert answer.status_code < 500 or answer.status_code == 503, (route, nonsense)


# fields that a body does not have

MORE = {
    "id": 1,
    "pk": 1,
    "organisation_id": 2,
    "is_superuser": True,
    "is_staff": True,
    "role": "operator",
    "permissions": ["audit.read"],
    "password": "x",
    "by": "system:x",
    "actor": "system:x",
    "version": 99,
    "state": "closed",
    "created_at": "2020-01-01T00:00:00Z",
    "written_by": "user:1",
    "__class__": "x",
    "__proto__": {"x": 1},
    "constructor": {"x": 1},
}


def test_no_body_sets_what_it_does_not_declare(world: World, ask: Ask) -> None:
    asked = 0
    for method, path, operation in each():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        shape = content["schema"]
        known = DESCRIPTION["components"]["schemas"][shape["$ref"].rsplit("/", 1)[-1]]["properties"] if "$ref" in shape else {}
        more = {name: value for name, value in MORE.items() if name not in known}
        place = re.sub(r"\{\w+\}", "1", path.removeprefix("/api/v1"))
        answer = ask(method.upper(), place, {**example(shape, {}), **more})
        told = {fault.get("pointer", "").lstrip("/") for fault in json.loads(answer.content).get("errors", [])}
        assert answer.status_code == 422 and set(more) <= told, (operation["operationId"], answer.status_code, set(more) - told)
        asked += 1
    assert asked > 40
