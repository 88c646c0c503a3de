"""Flows by themselves: which queues there are is for a service to say, and here none says."""

from collections.abc import Iterator

import pytest

from jilink.core.flows import library


@pytest.fixture(autouse=True)
def no_service_knows_the_queues() -> Iterator[None]:
    before = list(library._queues)
    library._queues.clear()
    yield
    library._queues[:] = before
