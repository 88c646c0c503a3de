"""What is taken away from a report: sheets that Excel reads as what they are."""

import io
from datetime import datetime

import openpyxl
import pytest

from jilink.core.cases.reports import counting
from jilink.core.parties.rules import Role
from tests.core.cases.office import office_of
from tests.core.world import World
from tests.services.conftest import signed_in

pytestmark = pytest.mark.django_db
MAY = {"first": "2026-05-01", "last": "2026-05-31"}


def test_excel_has_chinese_heads_days_as_days_numbers_as_numbers_and_a_held_first_line(world: World) -> None:
    office = office_of(world)
    for case in (office.closed(), office.sent("hotline")):
        counting.count_case(case)
    boss = signed_in(world, Role.SUPERVISOR, world.north)
    body = boss.get("/console/reports/export", {"as": "xlsx", **MAY}, HTTP_ACCEPT_LANGUAGE="zh-hans").content
    book = openpyxl.load_workbook(io.BytesIO(body))
    comparison, series, ages = book.worksheets
    heads = [cell.value for cell in comparison[1]]
    assert len(heads) == 12 and all(not str(head).isascii() for head in heads)
    assert (comparison.freeze_panes, comparison.print_title_rows, comparison.page_setup.orientation) == ("B2", "$1:$1", "landscape")
    line = {str(row[0].value): row for row in comparison.iter_rows(min_row=2)}["Depot"]
    assert [cell.value for cell in line[1:4]] == [2, 1, 1] and (line[4].value, line[4].number_format) == (0.5, "0.0%")
    assert comparison.cell(comparison.max_row, 2).value == 2 and comparison.cell(comparison.max_row, 2).font.bold
    assert series["A2"].value == datetime(2026, 5, 1) and series["A2"].number_format == "yyyy-mm-dd"  # noqa: DTZ001 -- a day in a sheet
    assert ages.max_row == 7


def test_csv_begins_with_the_mark_that_excel_needs(world: World) -> None:
    boss = signed_in(world, Role.SUPERVISOR, world.north)
    body = boss.get("/console/reports/export", {"as": "csv", **MAY}, HTTP_ACCEPT_LANGUAGE="zh-hans").content
    assert body.startswith(b"\xef\xbb\xbf")
    assert "2026-05-01,0,0" in body.decode("utf-8-sig")
