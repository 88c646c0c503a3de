"""What the door for programs does for every operation: sign-in, keys, marks, pages, limits and problems."""

import csv
import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponse
from django.test import AsyncClient, Client

from jilink.core.parties.models import AuditEntry, Person, Team
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.services.console.api import exports
from jilink.webkit.api import limits, repeats
from jilink.webkit.models import KeptAnswer
from tests.core.world import World
from tests.services.conftest import signed_in
from tests.services.console.programs import Ask, asking, token_of


@pytest.fixture
def ask(world: World) -> Ask:
    return asking(token_of(world, Role.OWNER, world.north))


def test_a_program_without_a_token_is_told_how_to_sign_in(world: World) -> None:
    for header in ({}, {"authorization": "Bearer jlk_wrong"}, {"authorization": "Basic YTpi"}):
        refused = Client().get("/api/v1/teams", headers=header)
        assert refused.status_code == 401 and refused["WWW-Authenticate"].startswith('Bearer realm="jilink"')
        assert refused["Content-Type"] == "application/problem+json" and refused.json()["code"] == "unauthorized"


def test_a_token_in_an_address_opens_nothing(world: World) -> None:
    token = token_of(world, Role.OWNER, world.north)
    assert Client().get("/api/v1/teams", {"access_token": token, "token": token}).status_code == 401


def test_a_session_needs_the_csrf_token_for_changes(world: World) -> None:
    browser = signed_in(world, Role.OWNER, world.north)
    browser.handler.enforce_csrf_checks = True
    assert browser.get("/api/v1/teams").status_code == 200
    refused = browser.post("/api/v1/teams", {"organisation": world.north, "name": "A"}, content_type="application/json")
    assert refused.status_code == 403 and refused["Content-Type"] == "application/problem+json" and not Team.objects.exists()


def test_every_fault_of_a_body_is_named_at_its_place(world: World, ask: Ask) -> None:
    body = {"organisation": "1", "contacts": [{"kind": "phone"}], "more": 1}
    refused = ask("POST", "/people", body)
    assert refused.status_code == 422 and refused.json()["code"] == "invalid"
    assert {fault["pointer"] for fault in refused.json()["errors"]} == {"/organisation", "/contacts/0/text", "/more"}
    assert [fault["parameter"] for fault in ask("GET", "/teams?limit=0").json()["errors"]] == ["limit"]


def test_a_refusal_is_told_in_the_readers_language(world: World, ask: Ask) -> None:
    body = {"organisation": world.north, "contacts": [{"kind": "phone", "text": "12"}]}
    english, chinese = (ask("POST", "/people", body, accept_language=tag).json() for tag in ("en", "zh-hans"))
    assert english["code"] == chinese["code"] == "contact_refused" and "telephone" in english["detail"]
    assert english["detail"] != chinese["detail"] and not Person.objects.exists()


def test_unknown_addresses_and_methods_are_problems_too(ask: Ask) -> None:
    assert (ask("GET", "/nowhere").status_code, ask("GET", "/nowhere")["Content-Type"]) == (404, "application/problem+json")
    wrong = ask("DELETE", "/teams")
    assert wrong.status_code == 405 and set(wrong["Allow"].split(", ")) == {"GET", "POST"} and wrong.json()["status"] == 405


def test_a_body_of_another_kind_or_none_is_refused(world: World) -> None:
    token = token_of(world, Role.OWNER, world.north)
    refused = Client().post("/api/v1/teams", {"name": "A"}, headers={"authorization": f"Bearer {token}"})
    assert refused.status_code == 415
    headers = {"authorization": f"Bearer {token}"}
    broken = Client().generic("POST", "/api/v1/teams", b'{"name"', "application/json", headers=headers)
    assert (broken.status_code, broken["Content-Type"]) == (400, "application/problem+json")


def test_requests_carry_a_number(ask: Ask) -> None:
    assert ask("GET", "/teams", x_request_id="abc-1")["X-Request-Id"] == "abc-1"
    assert len(ask("GET", "/teams", x_request_id="not good!")["X-Request-Id"]) == 36
    assert ask("GET", "/teams/999", x_request_id="abc-2").json()["request"] == "abc-2"


def test_pages_follow_each_other_and_lose_nothing(world: World, ask: Ask) -> None:
    made = [ask("POST", "/teams", {"organisation": world.north, "name": f"Team {number}"}).json()["id"] for number in range(5)]
    first = ask("GET", "/teams?limit=2")
    ask("DELETE", f"/teams/{made[0]}")  # what goes meanwhile moves nothing
    seen, page = [row["id"] for row in first.json()["items"]], first
    while link := page.json()["next"]:
        assert page["Link"] == f'<{link}>; rel="next"'
        page = ask("GET", link.removeprefix("/api/v1"))
        seen += [row["id"] for row in page.json()["items"]]
    assert seen == made and "Link" not in page


def test_a_cursor_of_another_list_or_a_changed_one_is_refused(world: World, ask: Ask) -> None:
    for number in range(3):
        ask("POST", "/people", {"organisation": world.north, "name": f"P{number}"})
    cursor = ask("GET", "/people?limit=1").json()["next"].partition("cursor=")[2]
    assert ask("GET", f"/people?limit=1&cursor={cursor}").status_code == 200
    for wrong in (f"/teams?cursor={cursor}", f"/people?cursor={cursor}x", "/people?cursor=1"):
        assert ask("GET", wrong).json()["errors"][0]["parameter"] == "cursor"


def test_a_change_under_one_key_happens_once(world: World, ask: Ask) -> None:
    body = {"organisation": world.north, "name": "王小明"}
    first, again = ask("POST", "/people", body, idempotency_key="k1"), ask("POST", "/people", body, idempotency_key="k1")
    assert (first.status_code, first.json()) == (again.status_code, again.json()) and again["Idempotent-Replayed"] == "true"
    assert Person.objects.count() == 1
    assert "王小明".encode() not in bytes(KeptAnswer.objects.get().body)
    other = ask("POST", "/people", {**body, "name": "B"}, idempotency_key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused") and Person.objects.count() == 1
    stranger = asking(token_of(world, Role.OWNER, world.south))
    assert stranger("POST", "/people", {**body, "organisation": world.south}, idempotency_key="k1").status_code == 201
    assert ask("POST", "/people", body, idempotency_key="with space").status_code == 400


def test_a_refused_change_keeps_no_answer(world: World, ask: Ask) -> None:
    body = {"organisation": world.north, "name": ""}
    assert ask("POST", "/teams", body, idempotency_key="k").status_code == 422
    assert not KeptAnswer.objects.exists()
    assert ask("POST", "/teams", {**body, "name": "A"}, idempotency_key="k").status_code == 201


def test_answers_are_forgotten_after_a_day(world: World, ask: Ask) -> None:
    ask("POST", "/teams", {"organisation": world.north, "name": "A"}, idempotency_key="k")
    assert repeats.forget(utc_now() + timedelta(hours=23)) == 0
    assert repeats.forget(utc_now() + timedelta(hours=25)) == 1


def test_the_same_change_asked_by_many_at_once_happens_once(lasting_world: World) -> None:
    ask = asking(token_of(lasting_world, Role.OWNER, lasting_world.north))
    answers: list[HttpResponse] = []

    def work() -> None:
        try:
            answers.append(ask("POST", "/people", {"organisation": lasting_world.north, "name": "A"}, idempotency_key="same"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Person.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert all(answer["Retry-After"] for answer in answers if answer.status_code == 409)


def test_what_the_reader_has_is_not_sent_again(world: World, ask: Ask) -> None:
    person = ask("POST", "/people", {"organisation": world.north, "name": "A"}).json()["id"]
    read = ask("GET", f"/people/{person}")
    same = ask("GET", f"/people/{person}", if_none_match=read["ETag"])
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", read["ETag"])
    ask("POST", f"/people/{person}/contacts", {"kind": "phone", "text": "13912345678"})
    assert ask("GET", f"/people/{person}", if_none_match=read["ETag"]).status_code == 200


def test_a_change_made_meanwhile_is_not_overwritten(world: World, ask: Ask) -> None:
    person = ask("POST", "/people", {"organisation": world.north, "name": "A"}).json()["id"]
    mark = ask("GET", f"/people/{person}")["ETag"]
    assert ask("PATCH", f"/people/{person}", {"name": "B"}, if_match=mark).status_code == 200
    late = ask("PATCH", f"/people/{person}", {"name": "C"}, if_match=mark)
    assert late.status_code == 412 and Person.objects.get().name == "B"
    assert ask("PATCH", f"/people/{person}", {"name": "C"}, if_match='"rubbish"').status_code == 412


def test_a_caller_that_asks_too_often_waits(world: World, settings: Any) -> None:
    ask = asking(token_of(world, Role.OWNER, world.north))
    settings.JILINK = replace(settings.JILINK, api_per_minute=3)
    answers = [ask("GET", "/teams") for _number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"callers";q=3;w=60' and answers[0]["RateLimit"].startswith('"callers";r=2;')
    assert int(answers[3]["Retry-After"]) in range(1, 21)
    other = asking(token_of(world, Role.OWNER, world.south))
    assert other("GET", "/teams").status_code == 200


def test_strangers_are_limited_by_address(world: World, settings: Any) -> None:
    settings.JILINK = replace(settings.JILINK, api_strangers_per_minute=2)
    assert [Client().get("/api/v1/teams").status_code for _number in range(3)] == [401, 401, 429]


@pytest.mark.django_db
def test_a_bucket_gives_its_quota_at_once_and_then_one_by_one() -> None:
    now = 1_000.0
    assert [limits.count("p", "c", 60, now).wait_s for _number in range(61)] == [0] * 60 + [1]
    assert limits.count("p", "c", 60, now + 1).wait_s == 0
    assert limits.count("p", "c", 60, now + 1).wait_s == 1
    assert limits.count("p", "c", 60, now + 100).left == 59


def test_the_description_is_open_and_names_every_problem() -> None:
    described = Client().get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    opened = described["paths"]["/api/v1/cases"]["post"]
    assert {"201", "401", "404", "409", "422", "429", "503"} <= set(opened["responses"])
    assert "Idempotency-Key" in {parameter["name"] for parameter in opened["parameters"]}


def test_everything_of_a_noun_is_exported_page_by_page(world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"=P{number}" for number in range(5)]
    for name in names:
        ask("POST", "/people", {"organisation": world.north, "name": name})
    monkeypatch.setattr(exports, "TOGETHER", 2)
    lines = ask("GET", f"/exports/people.ndjson?organisation={world.north}")
    assert lines.streaming and lines["Content-Type"] == "application/x-ndjson"
    told = [json.loads(line) for line in b"".join(lines).splitlines()]  # type: ignore[arg-type]  # -- a streaming answer iterates bytes
    assert [row["name"] for row in reversed(told)] == names
    table = b"".join(ask("GET", f"/exports/people.csv?organisation={world.north}")).decode()  # type: ignore[arg-type]  # -- likewise
    rows = list(csv.DictReader(table.splitlines()))
    assert [row["name"] for row in reversed(rows)] == [f"'{name}" for name in names]
    assert AuditEntry.objects.filter(action="export.made").count() == 2
    assert ask("GET", f"/exports/people.csv?organisation={world.south}").status_code == 404


async def test_an_export_streams_to_asynchronous_servers_too(lasting_world: World) -> None:
    token = await sync_to_async(token_of)(lasting_world, Role.OWNER, lasting_world.north)
    headers = {"authorization": f"Bearer {token}"}
    answer = await AsyncClient().get("/api/v1/exports/audit.ndjson", {"organisation": lasting_world.north}, headers=headers)
    assert answer.status_code == 200 and [part async for part in answer] and answer.is_async  # type: ignore[attr-defined]  # -- of a streaming answer


def test_people_read_the_description_as_a_page(world: World) -> None:
    page = Client().get("/api/", headers={"accept-language": "en"})
    assert page.status_code == 200 and page["Content-Type"].startswith("text/html")
    assert all(word in page.content.decode() for word in ("/api/v1/people/{person}", "read_person", "Idempotency-Key", "other_names"))
    chinese = Client().get("/api/", headers={"accept-language": "zh-hans"}).content.decode()
    assert all(word in chinese for word in ("程序接口", "服务对象", "请求体字段", 'lang="en">Read person</span>'))
