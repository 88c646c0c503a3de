"""Fixtures of the console's tests."""

from typing import Any

import pytest


@pytest.fixture
def english(settings: Any) -> None:
    """Pages in English, for tests that look for their words."""
    settings.LANGUAGE_CODE = "en"
