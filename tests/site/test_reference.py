"""The reference pages say what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from jilink.protocols.jt808.message import MESSAGES
from jilink.site.reference import PAGES

DOCS = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_every_message_and_year_is_on_the_page() -> None:
    page = PAGES["jt808.md"]()
    for number, _, year in MESSAGES:
        assert any(f"| 0x{number:04X} |" in line and str(year) in line for line in page.splitlines())
