"""Fixtures of the core's tests."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from jilink.spine.client import Spine
from tests.core import world as worlds
from tests.core.world import World


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
async def spine(spine: Spine) -> AsyncIterator[Spine]:
    """The spine of all tests; afterwards the connections of the thread in which asynchronous tests use the database are closed."""
    yield spine
    await sync_to_async(connections.close_all)()
