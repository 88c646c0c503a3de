"""What holds for all tests."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the journeys last: the browser's driver keeps an event loop in the main thread, beside which no other can run."""
    items.sort(key=lambda item: "journeys" in item.path.parts)
