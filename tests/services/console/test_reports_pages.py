"""Reports, the designer of case types and the editor of rules, through their pages."""

import io
import zipfile

import pytest
from django.test import Client

from jilink.core.cases.models import AssignmentRules, CaseType
from jilink.core.cases.reports import counting
from jilink.core.parties.rules import Role
from tests.core.cases.office import Office, office_of
from tests.core.world import World
from tests.services.conftest import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
MAY = {"first": "2026-05-01", "last": "2026-05-31"}


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


@pytest.fixture
def boss(office: Office) -> Client:
    return signed_in(office.world, Role.SUPERVISOR, office.world.north)


@pytest.fixture
def stranger(office: Office) -> Client:
    return signed_in(office.world, Role.SUPERVISOR, office.world.south)


def text(client: Client, address: str, **given: str) -> str:
    answer = client.get(address, given)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def test_a_report_counts_what_its_address_asks_for(office: Office, boss: Client, stranger: Client) -> None:
    for case in (office.closed(), office.sent("hotline")):
        counting.count_case(case)
    page = text(boss, "/console/reports/", **MAY)
    assert [word for word in ("Depot", "50.0%", "2026-05-11") if word not in page] == []
    assert "Depot" not in text(stranger, "/console/reports/", **MAY)
    assert boss.get("/console/reports/", {"first": "2026-05-31", "last": "2026-05-01"}).status_code == 400
    assert signed_in(office.world, Role.FIELD_WORKER, office.world.depot).get("/console/reports/").status_code == 404


def test_a_report_is_taken_away_as_csv_and_excel(office: Office, boss: Client) -> None:
    counting.count_case(office.closed())
    sheet = boss.get("/console/reports/export", {"as": "csv", **MAY}).content.decode("utf-8-sig")
    assert "Depot,1,1,0,1.0,1.0" in sheet
    book = boss.get("/console/reports/export", {"as": "xlsx", **MAY})
    assert "xl/worksheets/sheet2.xml" in zipfile.ZipFile(io.BytesIO(book.content)).namelist()


def test_a_type_is_made_changed_checked_and_published_without_scripts(office: Office, boss: Client) -> None:
    made = boss.post("/console/case-types/", {"organisation": office.world.north, "key": "lamp", "source": "city_fault"})
    page = made["Location"]
    shown = text(boss, page)
    assert "<svg" in shown and "No problems found" in shown
    boss.post(f"{page}closing_codes/", {"deed": "remove:0"})
    draft = CaseType.objects.get(key="lamp")
    before = len(draft.definition)
    answer = boss.post(
        f"{page}form/new",
        {"key": "height", "label.zh": "高度", "label.en": "Height", "kind": "number", "show_when.question": "missing", "public": "on"},
    )
    assert answer.status_code == 200
    boss.post(
        f"{page}form/new", {"key": "height", "label.zh": "高度", "label.en": "Height", "kind": "text", "at_most": "0", "public": "on"}
    )
    draft.refresh_from_db()
    assert len(draft.definition) > before
    shown = text(boss, page)
    assert "Fix this before" in shown and "Height" in shown
    boss.post(f"{page}do/publish")
    draft.refresh_from_db()
    assert draft.state == "draft"
    last = shown.split("/form/")[1].split('"')[0]
    boss.post(
        f"{page}form/{last}", {"key": "height", "label.zh": "高度", "label.en": "Height", "kind": "text", "at_most": "20", "public": "on"}
    )
    boss.post(f"{page}do/publish")
    draft.refresh_from_db()
    assert draft.state == "published"
    assert "Height" in text(boss, f"{page}preview")
    assert boss.post(f"{page}form/0").status_code == 404
    again = boss.post(f"{page}do/edit")["Location"]
    assert CaseType.objects.get(key="lamp", state="draft").version == 2 and again != page


@pytest.mark.parametrize("kind", ["city_fault", "hotline", "rural_question", "breakdown"])
def test_every_part_of_every_shipped_type_survives_being_saved_as_it_is(office: Office, boss: Client, kind: str) -> None:
    page = boss.post("/console/case-types/", {"organisation": office.world.north, "key": "copy", "source": kind})["Location"]
    before = CaseType.objects.get(key="copy").definition
    for part in ("basics", "form", "stages", "transitions", "priorities", "ladder", "closing_codes", "questions"):
        address = f"{page}{part}/" if part == "basics" else f"{page}{part}/0"
        shown = boss.get(address)
        if shown.status_code == 404 or "form" not in shown.context:
            continue
        form = shown.context["form"]
        given = {name: bound.value() for name in form.fields if (bound := form[name]).value() not in (None, False)}
        answer = boss.post(address, given)
        if part == "questions" and answer.status_code == 200:
            continue
        assert answer.status_code == 302, (part, form.errors)
    assert CaseType.objects.get(key="copy").definition == before


def test_the_designer_is_closed_to_strangers_and_agents(office: Office, boss: Client, stranger: Client) -> None:
    number = CaseType.objects.filter(organisation=office.world.north)[0].pk
    for address in (f"/console/case-types/{number}/", f"/console/case-types/{number}/preview", f"/console/case-types/{number}/form/"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"/console/case-types/{number}/do/retire").status_code == 404
    agent = signed_in(office.world, Role.DISPATCHER, office.world.north)
    for address in ("/console/case-types/", "/console/assignment/", "/console/case-types/calendars/"):
        assert agent.get(address).status_code == 404
        assert boss.get(address).status_code == 200


def test_rules_are_written_tried_and_published_without_scripts(office: Office, boss: Client, stranger: Client) -> None:
    office.sent("hotline")
    page = boss.post("/console/assignment/", {"organisation": office.world.north, "type_key": ""})["Location"]
    rule = {
        "label.zh": "都给本级",
        "label.en": "All stay",
        "to": "unit",
        "place": str(office.world.north),
        "hours": "any",
        "order": "territory",
    }
    given = {"key": "all", "lowest_priority": "1", "highest_priority": "9", "answers.question": "", **rule}
    assert boss.post(f"{page}new", given).status_code == 302
    boss.post(f"{page}new", given | {"key": "keeper", "to": "keeper", "label.en": "Keeper"})
    boss.post(page, {"deed": "up:1"})
    shown = text(boss, page, **{"try": "1"})
    assert shown.index("Keeper") < shown.index("All stay")
    assert "1 would go elsewhere" in shown and "it goes to the unit named" in shown
    boss.post(f"{page}do/publish")
    assert AssignmentRules.objects.get().state == "published"
    assert stranger.get(page).status_code == 404
    assert stranger.post(f"{page}do/publish").status_code == 404
