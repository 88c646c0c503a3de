"""A cell of a spreadsheet is never a formula of somebody's, and says again what it was made of."""

import pytest

from jilink.kernel import sheets


@pytest.mark.parametrize("text", ["", "road", "=1+1", "＝1", "'=1", "''-2", "'quoted'", "it's", "@you", "\tx"])
def test_a_cell_is_no_formula_and_says_what_was_put_there(text: str) -> None:
    cell = sheets.cell(text)
    assert not cell.startswith(("=", "＝", "-", "@", "\t"))
    assert sheets.text(cell) == text
