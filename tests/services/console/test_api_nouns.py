"""Nouns of the API that are more than a list and a row: reports, sheets of labels, and what a worker may send."""

from datetime import timedelta

import pytest

from jilink.core.cases.models import Case
from jilink.core.cases.reports import counting
from jilink.core.parties.rules import Role
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
