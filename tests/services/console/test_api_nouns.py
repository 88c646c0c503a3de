"""Nouns of the API that are more than a list and a row: reports, sheets of labels, and what a worker may send."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from jilink.core.cases import actions as cases
from jilink.core.cases.models import Case
from jilink.core.cases.reports import counting
from jilink.core.observations import actions as alarms
from jilink.core.observations.actions import Raised
from jilink.core.parties import access
from jilink.core.parties.rules import Role, Scope
from jilink.services.vehicles import actions as vehicles
from jilink.services.vehicles.actions import VehicleData
from tests.core.cases.office import MONDAY, office_of
from tests.core.world import World
from tests.services.console.programs import Ask, asking, token_of


@pytest.fixture
def ask(world: World) -> Ask:
    return asking(token_of(world, Role.OWNER, world.north))


def test_a_program_reads_the_report_that_the_page_shows(world: World, ask: Ask) -> None:
    office = office_of(world)
    office.open()
    done = office.sent()
    office.finish(done, MONDAY + timedelta(hours=2))
    office.confirm(done, MONDAY + timedelta(hours=3))
    for case in Case.objects.values_list("pk", flat=True):
        counting.count_case(case)
    days = f"first={MONDAY:%Y-%m-%d}&last={MONDAY:%Y-%m-%d}"
    report = ask("GET", f"/reports/cases?{days}&split=type").json()
    assert (report["total"]["sums"]["opened"], report["total"]["sums"]["open"], report["total"]["rates"]["closed_in_time"]) == (2, 1, 1.0)
    assert [(group["key"], group["name"]["en"] != "") for group in report["groups"]] == [("city_fault", True)]
    assert [(point["begins"], point["sums"]["ended"]) for point in report["series"]] == [(f"{MONDAY:%Y-%m-%d}", 1)]
    assert ask("GET", f"/reports/cases?{days}&type=hotline").json()["total"]["sums"]["opened"] == 0
    assert [kind["key"] for kind in ask("GET", "/reports/types").json()] == ["city_fault"]
    assert [(place["name"], place["depth"]) for place in ask("GET", "/reports/organisations").json()] == [("North Fleet", 0)]
    assert ask("GET", "/reports/cases?first=2026-02-01&last=2026-01-01").json()["code"] == "period_refused"
    stranger = asking(token_of(world, Role.OWNER, world.south))
    assert stranger("GET", f"/reports/cases?{days}").json()["total"]["sums"]["opened"] == 0


def test_faults_of_a_body_are_told_in_the_readers_language(world: World, ask: Ask) -> None:
    body = {"organisation": "1", "contacts": [{"kind": "smoke", "text": "x" * 5000}], "more": 1}
    english, chinese = (ask("POST", "/people", body, accept_language=tag).json() for tag in ("en", "zh-hans"))
    assert [fault["pointer"] for fault in english["errors"]] == [fault["pointer"] for fault in chinese["errors"]]
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in fault["detail"]) for fault in chinese["errors"]), chinese
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in str(english["errors"]))
    late = ask("GET", "/reports/cases?first=soon&last=2026-05-01&limit=x", accept_language="zh-hans").json()["errors"]
    assert [(fault["parameter"], "2026-11-22" in fault["detail"]) for fault in late] == [("first", True)]


def test_a_program_lays_down_kinds_prints_labels_and_ends_secrets(world: World, ask: Ask) -> None:
    kind = {
        "title": {"zh": "路灯", "en": "Lamp"},
        "attributes": [{"type": "number", "key": "height", "title": {"zh": "高", "en": "Height"}}],
    }
    assert ask("PUT", "/asset-kinds/lamp", {"organisation": world.north, "kind": kind}).status_code == 204
    (found,) = ask("GET", "/asset-kinds").json()
    assert (found["key"], found["kind"]["title"]["zh"], found["version"]) == ("lamp", "路灯", 1)
    wrong = ask("PUT", "/asset-kinds/lamp", {"organisation": world.north, "kind": {**kind, "title": {}}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "kind_refused")
    made = ask("POST", "/assets", {"organisation": world.north, "kind": "lamp", "label": "L1"}).json()["id"]
    mark = ask("GET", f"/assets/{made}")["ETag"]
    changes = [ask("PUT", f"/assets/{made}", {"label": label}, if_match=mark).status_code for label in ("L1 again", "L1 late")]
    assert changes == [200, 412] and ask("PUT", f"/assets/{made}", {"label": "L"}).json()["errors"][0]["pointer"] == "/based_on"
    assert ask("PUT", f"/assets/{made}", {"label": "L"}, if_match="*").json() == {"version": 3}
    sheet = ask("POST", "/assets/labels", {"assets": [made]})
    assert sheet["Content-Type"] == "application/pdf" and sheet.content.startswith(b"%PDF-")
    stranger = asking(token_of(world, Role.OWNER, world.south))
    assert stranger("POST", "/assets/labels", {"assets": [made]}).status_code == 404
    ask("POST", f"/assets/{made}/credentials", {"name": "box"})
    (secret,) = ask("GET", f"/assets/{made}/credentials").json()
    place = f"/assets/{made}/credentials/{secret['prefix']}"
    assert stranger("DELETE", place).status_code == 404
    assert [ask("DELETE", place).status_code for _time in range(2)] == [204, 204]
    assert ask("GET", f"/assets/{made}/credentials").json()[0]["revoked_at"]
    assert ask("DELETE", f"/asset-kinds/lamp?organisation={world.north}").json()["code"] == "kind_refused"
    ask("DELETE", f"/assets/{made}")
    assert ask("DELETE", f"/asset-kinds/lamp?organisation={world.north}").status_code == 204


def test_vehicles_and_alarms_come_by_cursor_and_none_twice(world: World, site: None) -> None:
    ask = asking(token_of(world, Role.OWNER, world.north))
    by = access.system("test")
    data = [VehicleData(plate=f"吉A1000{number}", organisation=world.north) for number in range(5)]
    made = vehicles.add_vehicles(organisation=world.north, data=data, by=by)
    alarms.raise_alarms([Raised(organisation=world.north, asset=asset, condition="overspeed", at=MONDAY) for asset in made])
    for place in ("/vehicles?limit=2", "/alarms?limit=2", "/vehicles?limit=2&state=offline"):
        assert [row["asset"] for row in all_of(ask, place)] == (made if "veh" in place else made[::-1]), place
    assert all_of(ask, "/vehicles?q=10003")[0]["asset"] == made[3] and all_of(ask, "/vehicles?state=moving") == []
    stranger = asking(token_of(world, Role.OWNER, world.south))
    assert all_of(stranger, "/vehicles") == all_of(stranger, "/alarms") == []


def all_of(ask: Ask, place: str) -> list[Any]:
    """Follow a list to its end."""
    rows, link = [], place
    while link:
        page = ask("GET", link).json()
        rows += page["items"]
        link = (page["next"] or "").removeprefix("/api/v1")
    return rows


def test_somebody_who_sees_only_their_own_cases_adds_a_photo_to_one(world: World, settings: Any, tmp_path: Path) -> None:
    settings.JILINK = replace(settings.JILINK, data=tmp_path)
    office = office_of(world)
    mine, other = office.sent(), office.sent()
    worker = world.person(Role.FIELD_WORKER, world.depot, Scope.OWN)
    cases.assign_case(case=mine, assignee=worker.pk, by=office.boss, now=MONDAY)
    browser = Client()
    browser.force_login(worker, backend="allauth.account.auth_backends.AuthenticationBackend")
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "JPEG")

    def send(case: int) -> HttpResponse:
        return browser.post(f"/api/v1/cases/{case}/uploads", {"file": SimpleUploadedFile("lamp.jpg", picture.getvalue(), "image/jpeg")})  # type: ignore[return-value]  # -- the client adds to HttpResponse

    done = send(mine)
    assert done.status_code == 201, done.content
    assert browser.get(f"/api/v1/cases/{mine}/files/{json.loads(done.content)['id']}").status_code == 200
    assert send(other).status_code == 404


def test_views_are_ones_own(world: World) -> None:
    agent = world.person(Role.SUPERVISOR, world.north)
    world.second_factor(agent)
    browser = Client()
    browser.force_login(agent, backend="allauth.account.auth_backends.AuthenticationBackend")
    body = json.dumps({"name": "Late", "query": "overdue=1&nonsense=2"})
    made = browser.post("/api/v1/views", body, content_type="application/json").json()["id"]
    assert [(view["id"], view["name"]) for view in browser.get("/api/v1/views").json()] == [(made, "Late")]
    other = asking(token_of(world, Role.OWNER, world.north))
    assert other("GET", "/views").json() == [] and other("DELETE", f"/views/{made}").status_code == 404
    assert browser.delete(f"/api/v1/views/{made}").status_code == 204
