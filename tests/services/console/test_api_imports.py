"""Much at once through the API: pieces that are resumed, rows that are refused with their reason, and nothing taken twice."""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, TestCase

from jilink.core.assets.inventory import actions as inventory
from jilink.core.assets.kinds import Kind, NumberAttribute
from jilink.core.assets.models import Asset
from jilink.core.cases.models import Case
from jilink.core.cases.reports import counting
from jilink.core.cases.reports import reads as reports
from jilink.core.imports import actions, storage, taking
from jilink.core.imports.models import ImportJob
from jilink.core.knowledge.models import Article
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties import access
from jilink.core.parties.models import AuditEntry, Person
from jilink.core.parties.rules import Permission, Role
from jilink.core.parties.tokens import actions as tokens
from jilink.kernel.clock import utc_now
from jilink.kernel.texts import Text
from jilink.services.contact.actions import designing
from jilink.services.contact.actions.campaigns import add_campaign
from jilink.services.contact.rules.campaigns import CampaignDesign
from jilink.services.contact.rules.design import QueueDesign
from tests.core.cases.office import office_of
from tests.core.world import World
from tests.services.console.programs import asking, lift_limits, token_of

BYTES = "application/offset+octet-stream"


class Sender:
    """A program that imports, and the relay that carries its imports on."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.ask = asking(token)

    def begin(self, noun: str, organisation: int, size: int, more: str = "") -> HttpResponse:
        return self.ask("POST", f"/imports?noun={noun}&organisation={organisation}{more}", upload_length=str(size), tus_resumable="1.0.0")

    def patch(self, place: str, offset: int, data: bytes) -> HttpResponse:
        headers = {"authorization": f"Bearer {self.token}", "upload-offset": str(offset), "tus-resumable": "1.0.0"}
        return Client().generic("PATCH", place, data, BYTES, headers=headers)  # type: ignore[return-value]  # -- the client adds to HttpResponse

    def send(self, noun: str, organisation: int, data: bytes, more: str = "") -> dict[str, Any]:
        begun = self.begin(noun, organisation, len(data), more)
        assert begun.status_code == 201, begun.content
        assert self.patch(begun["Location"], 0, data).status_code == 204
        return self.after(begun["Location"])

    def after(self, place: str) -> dict[str, Any]:
        carry_on()
        return self.read(place)

    def read(self, place: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", place.removeprefix("/api/v1").removesuffix("/bytes")).json()
        return found

    def refusals(self, job: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"/imports/{job}/refusals", accept_language="en").json()["items"]
        return found


def carry_on() -> None:
    """Tell imports to go on as the relay does, each event twice, until none is left."""
    while events := list(OutboxEvent.objects.filter(noun="import", name="carried_on", published_at=None)):
        for event in events:
            OutboxEvent.objects.filter(pk=event.pk).update(published_at=utc_now())
            told = json.loads(bytes(event.payload))
            for _time in range(2):
                with TestCase.captureOnCommitCallbacks(execute=True):
                    taking.carry_out(job=told["job"], lap=told["lap"], clock=utc_now)


def table(*rows: tuple[object, ...]) -> bytes:
    return "\r\n".join(",".join(str(cell) for cell in row) for row in rows).encode()


def counts(job: dict[str, Any]) -> tuple[int, int, int, int]:
    return job["created"], job["changed"], job["same"], job["refused"]


@pytest.fixture
def sender(world: World, settings: Any, tmp_path: Path) -> Iterator[Sender]:
    lift_limits(settings)
    settings.JILINK = replace(settings.JILINK, data=tmp_path)
    yield Sender(token_of(world, Role.OWNER, world.north))


def test_an_upload_is_resumed_where_it_stood_and_its_rows_are_taken(world: World, sender: Sender) -> None:
    data = table(("姓名", "电话", "key"), ("王小明", "13912345678;0431-88990000", "a"), ("李雷", "12", "b"), ("韩梅梅", "", "c"))
    begun = sender.begin("people", world.north, len(data))
    place = begun["Location"]
    assert (begun.status_code, begun["Upload-Offset"], begun["Tus-Resumable"]) == (201, "0", "1.0.0")
    assert sender.patch(place, 0, data[:30])["Upload-Offset"] == "30"
    again = sender.patch(place, 0, data[:30])
    assert (again.status_code, again.json()["code"]) == (409, "offset_refused")
    asked = sender.ask("HEAD", place.removeprefix("/api/v1"))
    assert (asked["Upload-Offset"], asked["Upload-Length"], asked["Cache-Control"]) == ("30", str(len(data)), "no-store")
    assert (sender.read(place)["state"], sender.read(place)["received"]) == ("uploading", 30)
    assert sender.patch(place, 30, data[30:] + b"x").status_code == 413
    assert sender.patch(place, 30, data[30:]).status_code == 204
    job = sender.after(place)
    assert (job["state"], job["rows"], counts(job)) == ("done", 3, (2, 0, 0, 1))
    assert [(row["row"], row["key"], row["field"], "telephone" in row["reason"]) for row in sender.refusals(job["id"])] == [
        (3, "b", "phones", True)
    ]
    chinese = sender.ask("GET", f"/imports/{job['id']}/refusals", accept_language="zh-hans").json()["items"][0]["reason"]
    assert chinese != sender.refusals(job["id"])[0]["reason"]
    lines = b"".join(sender.ask("GET", f"/imports/{job['id']}/refusals.csv")).decode()  # type: ignore[arg-type]  # -- a streaming answer iterates bytes
    assert [row["row"] for row in csv.DictReader(lines.splitlines())] == ["3"]
    assert sorted(Person.objects.values_list("name", flat=True)) == sorted(["王小明", "韩梅梅"])
    assert set(AuditEntry.objects.filter(action__startswith="import.").values_list("action", flat=True)) == {"import.begun", "import.done"}
    assert not list((storage.path_of(job["id"], storage.ROWS).parent).iterdir())


def test_a_row_sent_again_changes_what_was_made_and_the_same_row_nothing(world: World, sender: Sender) -> None:
    first = [{"key": "a", "name": "A", "phones": ["13912345678"]}, {"key": "b", "name": "B"}]
    later = [{"key": "a", "name": "A"}, {"key": "b", "name": "B"}, {"name": "C"}, {"key": 3}, {"key": "d", "age": 4}]
    packed = [gzip.compress("\n".join(json.dumps(row) for row in rows).encode()) for rows in (first, later)]
    assert counts(sender.send("people", world.north, packed[0])) == (2, 0, 0, 0)
    job = sender.send("people", world.north, packed[1])
    assert counts(job) == (1, 1, 1, 2)
    assert [(row["row"], row["field"], row["reason"]) for row in sender.refusals(job["id"])] == [
        (4, "key", "This is not text."),
        (5, "age", "There is no such field."),
    ]
    assert Person.objects.count() == 3


def test_a_dry_run_changes_nothing_and_can_be_done_in_earnest(world: World, sender: Sender) -> None:
    data = table(("name", "key"), ("A", "1"), ("B", "2"), ("A again", "1"))
    job = sender.send("people", world.north, data, "&dry_run=true")
    assert (job["dry_run"], counts(job), Person.objects.count()) == (True, (2, 1, 0, 0), 0)
    assert not AuditEntry.objects.filter(action="person.added").exists()
    assert sender.ask("POST", f"/imports/{job['id']}/apply").status_code == 202
    job = sender.after(f"/imports/{job['id']}")
    assert (job["dry_run"], counts(job), Person.objects.count()) == (False, (2, 1, 0, 0), 2)
    assert sender.ask("POST", f"/imports/{job['id']}/apply").json()["code"] == "import_refused"


def test_a_kill_takes_no_row_twice_and_loses_none(world: World, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    data = table(("name",), *((f"P{number}",) for number in range(30)))
    begun = sender.begin("people", world.north, len(data))
    sender.patch(begun["Location"], 0, data)
    monkeypatch.setattr(taking, "TOGETHER", 7)
    told = json.loads(bytes(OutboxEvent.objects.get(noun="import").payload))
    seen: list[int] = []

    def killed(number: int, given: object) -> None:
        seen.append(number)
        if len(seen) == 17:
            raise KeyboardInterrupt

    take = taking._Batch.take
    monkeypatch.setattr(taking._Batch, "take", lambda self, read: (killed(*read), take(self, read))[1])
    with pytest.raises(KeyboardInterrupt):
        taking.carry_out(job=told["job"], lap=told["lap"], clock=utc_now)
    assert Person.objects.count() == ImportJob.objects.get().done == 14
    job = sender.after(begun["Location"])
    assert (job["state"], counts(job)) == ("done", (30, 0, 0, 0))
    assert sorted(Person.objects.values_list("name", flat=True)) == sorted(f"P{number}" for number in range(30))


def test_long_imports_let_others_have_their_turn(world: World, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "TOGETHER", 3)
    monkeypatch.setattr(taking, "LAP_S", 0.0)
    job = sender.send("people", world.north, table(("name",), *((f"P{number}",) for number in range(10))))
    assert (job["state"], counts(job)) == ("done", (10, 0, 0, 0))
    assert ImportJob.objects.get().lap == 4


def test_assets_are_known_by_their_code_or_label(world: World, sender: Sender) -> None:
    height = NumberAttribute(key="height", title=Text("高度", "Height"), unit="m", least=1)
    inventory.set_kind(
        organisation=world.north, key="lamp", kind=Kind(title=Text("灯", "Lamp"), attributes=(height,)), by=access.system("t")
    )
    heading = ("名称", "编码", "纬度", "经度", "attributes.height", "tags")
    data = table(heading, ("L1", "1", 43.9, 125.3, 8, "a;b"), ("L2", "", "", "", 0, ""), ("L3", "", "north", 1, 5, ""))
    job = sender.send("assets", world.north, data, "&kind=lamp")
    assert counts(job) == (1, 0, 0, 2)
    assert [(row["row"], row["field"]) for row in sender.refusals(job["id"])] == [(3, "attributes"), (4, "latitude")]
    assert Asset.objects.get().tags == "|a|b|" and json.loads(Asset.objects.get().attributes) == {"height": 8}
    moved = sender.send("assets", world.north, table(("label", "code"), ("L1 moved", "1"), ("L9", "9")), "&kind=lamp")
    assert counts(moved) == (1, 1, 0, 0) and {row.label for row in Asset.objects.all()} == {"L1 moved", "L9"}
    assert sender.begin("assets", world.north, 10).json()["code"] == "import_refused"


def test_articles_vehicles_and_responsibilities_are_taken_too(world: World, sender: Sender) -> None:
    articles = json.dumps({"key": "k", "title_zh": "标题", "body_zh": "正文", "topics": ["t"], "audience": "public"}).encode()
    assert counts(sender.send("articles", world.north, articles)) == (1, 0, 0, 0)
    assert Article.objects.get().audience == "public"
    fleet = table(("车牌号", "车牌颜色", "driver"), ("吉A12345", "蓝", "王"), ("", "", "nobody"), ("吉A12346", "紫", ""))
    job = sender.send("vehicles", world.north, fleet)
    assert counts(job) == (1, 0, 0, 2) and [row["field"] for row in sender.refusals(job["id"])] == ["plate", "plate_colour"]
    assert counts(sender.send("vehicles", world.north, table(("plate", "note"), ("吉A12345", "new")))) == (0, 1, 0, 0)
    job = sender.send(
        "responsibilities", world.north, table(("layer", "area", "unit"), ("divisions", "99", "Nobody"), ("divisions", "99", world.north))
    )
    assert [(row["field"]) for row in sender.refusals(job["id"])] == ["unit", "area"]


def test_past_cases_come_closed_and_count_in_reports(world: World, sender: Sender) -> None:
    office = office_of(world)
    code = office.view(office.open()).definition.closing_codes[0].key
    counting.rebuild()
    sender.send("people", world.north, table(("key", "name"), ("p1", "A")))
    row = {
        "key": "old-1",
        "type": "city_fault",
        "title": "Old lamp",
        "opened_at": "2025-03-03T09:00:00+08:00",
        "closed_at": "2025-03-04T09:00:00+08:00",
        "code": code,
        "person": "p1",
        "unit": str(world.north),
    }
    rows = [
        row,
        {**row, "key": "old-2", "code": "x"},
        {**row, "key": "3", "person": "?"},
        {**row, "key": "4", "closed_at": "2024-01-01T00:00:00Z"},
    ]
    data = "\n".join(json.dumps(each) for each in rows).encode()
    job = sender.send("cases", world.north, data)
    assert counts(job) == (1, 0, 0, 3), sender.refusals(job["id"])
    assert [each["field"] for each in sender.refusals(job["id"])] == ["code", "person", "closed_at"]
    case = Case.objects.get(title="Old lamp")
    assert (case.state, case.person, case.due_at) == ("closed", Person.objects.get().pk, None)
    assert office.view(case.pk).row.number == case.number
    counting.count_case(case.pk)
    day = case.opened_at.date()
    found = reports.report(office.boss, reports.Wanted(first=day, last=day + timedelta(days=2)), now=utc_now())
    assert (found.total.opened, found.total.closed) == (1, 1)
    assert counts(sender.send("cases", world.north, data)) == (0, 0, 1, 3)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04abc", "workbook"),
        (b"\x1f\x8bnot gzip at all", "unpacked"),
        (b"name,colour\nA,red\n", "colour"),
        (b"name,name\nA,B\n", "twice"),
        (b"name\n", "no rows"),
        (b"\x00\x01\x02", "not text"),
        (b'name\n"' + b"x" * 2_000_000, "longer"),
    ],
)
def test_a_file_that_cannot_be_read_ends_the_import_and_says_why(world: World, sender: Sender, data: bytes, says: str) -> None:
    job = sender.send("people", world.north, data)
    told = sender.ask("GET", f"/imports/{job['id']}", accept_language="en").json()
    assert job["state"] == "failed" and says in told["failure"] and not Person.objects.exists()
    assert sender.ask("GET", f"/imports/{job['id']}", accept_language="zh-hans").json()["failure"] != told["failure"]


def test_files_of_chinese_spreadsheets_are_read(world: World, sender: Sender) -> None:
    data = '姓名;备注\n"王小明";"第一行\n第二行"\n=危险;\'=1+1\n'.encode("gb18030")
    assert counts(sender.send("people", world.north, data)) == (2, 0, 0, 0)
    assert set(Person.objects.values_list("name", "notes")) == {("王小明", "第一行\n第二行"), ("=危险", "=1+1")}


def test_an_import_ends_when_it_is_cancelled_or_its_token_is_revoked(world: World, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    data = table(("name",), ("A",))
    begun = sender.begin("people", world.north, len(data))
    assert sender.ask("DELETE", begun["Location"].removeprefix("/api/v1")).status_code == 204
    assert sender.read(begun["Location"])["state"] == "cancelled" and sender.patch(begun["Location"], 0, data).status_code == 422
    owner = access.system("test")
    account = tokens.add_service_account(organisation=world.north, name="other", role=Role.OWNER, by=owner)
    until = utc_now() + timedelta(days=1)
    made = tokens.issue_token(account=account, name="t", permissions=frozenset({Permission.MANAGE_PEOPLE}), expires_at=until, by=owner)
    other = Sender(made.secret)
    begun = other.begin("people", world.north, len(data))
    other.patch(begun["Location"], 0, data)
    tokens.revoke_token(token=made.id, by=owner)
    carry_on()
    assert sender.read(begun["Location"])["state"] == "failed" and not Person.objects.exists()


def test_imports_of_others_are_not_there(world: World, sender: Sender) -> None:
    job = sender.send("people", world.north, table(("name",), ("A",)))["id"]
    stranger = Sender(token_of(world, Role.OWNER, world.south))
    for method, place in (
        ("GET", ""),
        ("HEAD", "/bytes"),
        ("DELETE", "/bytes"),
        ("POST", "/cancel"),
        ("POST", "/apply"),
        ("GET", "/refusals"),
        ("GET", "/refusals.csv"),
    ):
        assert stranger.ask(method, f"/imports/{job}{place}").status_code == 404, place
    assert stranger.patch(f"/api/v1/imports/{job}/bytes", 0, b"x").status_code == 404
    assert stranger.begin("people", world.north, 10).status_code == 404
    assert stranger.ask("GET", "/imports").json()["items"] == []
    assert [row["id"] for row in sender.ask("GET", "/imports?noun=people").json()["items"]] == [job]
    reader = Sender(token_of(world, Role.OWNER, world.north, frozenset({Permission.VIEW_PEOPLE})))
    assert reader.ask("GET", f"/imports/{job}").status_code == 404 and reader.ask("GET", "/imports/nouns").json() == []


def test_uploads_are_given_up_after_a_day_and_imports_forgotten_after_thirty(world: World, sender: Sender) -> None:
    begun = sender.begin("people", world.north, 10)
    sender.patch(begun["Location"], 0, b"abc")
    assert actions.forget_imports(utc_now() + timedelta(hours=23)) == 0
    assert actions.forget_imports(utc_now() + timedelta(hours=25)) == 1
    assert sender.read(begun["Location"])["state"] == "expired" and not storage.path_of(1, storage.UPLOAD).exists()
    assert actions.forget_imports(utc_now() + timedelta(days=40)) == 1 and not ImportJob.objects.exists()


def test_the_template_of_a_noun_can_be_sent_back(world: World, sender: Sender) -> None:
    by = access.system("test")
    queue = designing.add_queue(organisation=world.north, key="calls", design=QueueDesign(name=Text("外呼", "Calls")), by=by)
    campaign = add_campaign(queue=queue, design=CampaignDesign(name=Text("x", "x"), purpose="news", who=Text("x", "x")), by=by)
    options = {"assets": "&kind=lamp", "campaign_targets": f"&campaign={campaign}&dry_run=true"}
    for noun in sender.ask("GET", "/imports/nouns").json():
        template = sender.ask("GET", f"/imports/nouns/{noun['noun']}.csv").content
        names = next(csv.reader([template.decode("utf-8-sig").splitlines()[0]]))
        assert set(names) - {"key"} == {column["name"] for column in noun["columns"] if not column["nested"]}
        job = sender.send(noun["noun"], world.north, template, options.get(noun["noun"], "&dry_run=true"))
        assert job["state"] == "done", job
    assert sender.ask("GET", "/imports/nouns/secrets.csv").status_code == 422


def test_another_version_of_tus_is_refused(world: World, sender: Sender) -> None:
    assert sender.ask("POST", f"/imports?noun=people&organisation={world.north}", upload_length="3", tus_resumable="0.2").status_code == 412
