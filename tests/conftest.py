"""What holds for all tests, and the one switch between the databases.

Without JILINK_DATABASE_URL every test runs, on SQLite. With it (`tools/postgresql` sets it) those run that touch Django's database, on
PostgreSQL. `--half database` and `--half other` part the whole in two, for two cores: those that touch the database, and the others.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from jilink.core.parties import walls
from jilink.spine.client import Spine, connect, ensure
from tests.spine.server import Server, running_server

DATABASE = {"db", "transactional_db"}
ON_POSTGRESQL = bool(os.environ.get("JILINK_DATABASE_URL"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--half", choices=("database", "other"), help="run only the tests that touch Django's database, or only the others")


def pytest_configure(config: pytest.Config) -> None:
    """Let tests look over all walls, as the command line does, and keep their files apart from an installation's."""
    config.addinivalue_line("markers", "postgresql: of PostgreSQL itself; runs beside a private server (tools/postgresql)")
    config.addinivalue_line("markers", "once: long, and about nothing that a database could change; does not run again on PostgreSQL")
    walls.open_process()
    folder = tempfile.TemporaryDirectory(prefix="jilink-tests-")
    config.add_cleanup(folder.cleanup)
    settings.JILINK = replace(settings.JILINK, data=Path(folder.name))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose what runs on this database, and put the journeys last: the browser's driver keeps an event loop in the main thread."""
    half = config.getoption("--half")
    kept = [item for item in items if _runs_here(item) and half in (None, "database" if _touches(item) else "other")]
    config.hook.pytest_deselected(items=list(set(items) - set(kept)))
    items[:] = sorted(kept, key=lambda item: "journeys" in item.path.parts)


def _touches(item: pytest.Item) -> bool:
    return bool(DATABASE & set(getattr(item, "fixturenames", ()))) or item.get_closest_marker("django_db") is not None


def _runs_here(item: pytest.Item) -> bool:
    of_postgresql = item.get_closest_marker("postgresql") is not None
    again = _touches(item) and item.get_closest_marker("once") is None
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
