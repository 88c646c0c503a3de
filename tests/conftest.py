"""What holds for all tests, and the one switch between the databases.

Without JILINK_DATABASE_URL every test runs, on SQLite. With it (`tools/postgresql` sets it) those run that touch Django's database, on
PostgreSQL.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jilink.core.parties import walls
from jilink.spine.client import Spine, connect, ensure
from tests.spine.server import Server, running_server

DATABASE = {"db", "transactional_db"}
ON_POSTGRESQL = bool(os.environ.get("JILINK_DATABASE_URL"))


def pytest_configure(config: pytest.Config) -> None:
    """Let tests look over all walls, as the command line does; requests of their browsers begin behind them."""
    config.addinivalue_line("markers", "postgresql: of PostgreSQL itself; runs beside a private server (tools/postgresql)")
    config.addinivalue_line("markers", "once: long, and about nothing that a database could change; does not run again on PostgreSQL")
    walls.open_process()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose what runs on this database, and put the journeys last: the browser's driver keeps an event loop in the main thread."""
    kept = [item for item in items if _runs_here(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _runs_here(item)])
    items[:] = sorted(kept, key=lambda item: "journeys" in item.path.parts)


def _runs_here(item: pytest.Item) -> bool:
    of_postgresql = item.get_closest_marker("postgresql") is not None
    touches = bool(DATABASE & set(getattr(item, "fixturenames", ()))) or item.get_closest_marker("django_db") is not None
    again = touches and item.get_closest_marker("once") is None
    return of_postgresql or again if ON_POSTGRESQL else not of_postgresql


@pytest.fixture
def spine_server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as server:
        yield server


@pytest.fixture
async def spine(spine_server: Server) -> AsyncIterator[Spine]:
    async with connect(spine_server.settings, name="test") as client:
        await ensure(client)
        yield client
