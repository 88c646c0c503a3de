"""Fixtures of the spine's tests. Elsewhere use `from tests.spine.server import running_server`."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jilink.spine.client import Spine, connect, ensure
from tests.spine.server import Server, running_server


@pytest.fixture
def spine_server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as server:
        yield server


@pytest.fixture
async def spine(spine_server: Server) -> AsyncIterator[Spine]:
    async with connect(spine_server.settings, name="test") as client:
        await ensure(client)
        yield client
