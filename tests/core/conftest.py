"""Fixtures of the core's tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from jilink.spine.client import Spine, connect, ensure
from tests.core import world as worlds
from tests.core.world import World
from tests.spine.server import Server, running_server


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Hash passwords quickly: these tests make hundreds of accounts."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def world(db: None) -> World:
    return worlds.build()


@pytest.fixture
def lasting_world(transactional_db: None) -> World:
    """The world with real commits, for tests in which other threads look at the database."""
    return worlds.build()


@pytest.fixture
def spine_server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as server:
        yield server


@pytest.fixture
async def spine(spine_server: Server) -> AsyncIterator[Spine]:
    async with connect(spine_server.settings, name="test") as client:
        await ensure(client)
        yield client
    await sync_to_async(connections.close_all)()  # those of the thread in which asynchronous tests use the database
