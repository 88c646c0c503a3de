"""Fixtures of the history's tests."""

from pathlib import Path

import pytest

from jilink.history.tables import History
from tests.history.fixes import new_history


@pytest.fixture
def history(tmp_path: Path) -> History:
    return new_history(tmp_path)
