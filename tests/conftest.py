"""What holds for all tests, and the one switch between the databases.

Without JILINK_DATABASE_URL every test runs, on SQLite. With it (`tools/postgresql` sets it) those run that touch Django's database, on
PostgreSQL. `make test` runs all of it in parts (tests/parts.py); a test of the database in a part that has no second run is refused.
"""

import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from jilink.core.parties import walls
from jilink.spine.client import Spine, connect, ensure
from tests import parts
from tests.spine.server import Server, running_server

DATABASE = {"db", "transactional_db"}
ON_POSTGRESQL = bool(os.environ.get("JILINK_DATABASE_URL"))


def pytest_configure(config: pytest.Config) -> None:
    """Let tests look over all walls, as the command line does, and keep their files apart from an installation's."""
    config.addinivalue_line("markers", "postgresql: of PostgreSQL itself; runs beside a private server (tools/postgresql)")
    config.addinivalue_line("markers", "once: long, and about nothing that a database could change; does not run again on PostgreSQL")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that fixtures end what they started
    walls.open_process()
    folder = tempfile.TemporaryDirectory(prefix="jilink-tests-")
    config.add_cleanup(folder.cleanup)
    settings.JILINK = replace(settings.JILINK, data=Path(folder.name))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose what runs on this database, and put the journeys last: the browser's driver keeps an event loop in the main thread."""
    once = {item.path for item in items if _runs_again(item) and not parts.on_postgresql(item.path)}
    if once:
        files = ", ".join(str(path) for path in sorted(once))
        raise pytest.UsageError(f"tests/parts.py runs these on SQLite only, though they touch the database: {files}")
    kept = [item for item in items if _runs_here(item)]
    config.hook.pytest_deselected(items=list(set(items) - set(kept)))
    items[:] = sorted(kept, key=lambda item: "journeys" in item.path.parts)


def _touches(item: pytest.Item) -> bool:
    return bool(DATABASE & set(getattr(item, "fixturenames", ()))) or item.get_closest_marker("django_db") is not None


def _runs_here(item: pytest.Item) -> bool:
    of_postgresql = item.get_closest_marker("postgresql") is not None
    return of_postgresql or _runs_again(item) if ON_POSTGRESQL else not of_postgresql


def _runs_again(item: pytest.Item) -> bool:
    return _touches(item) and item.get_closest_marker("once") is None


@pytest.fixture
def spine_server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as server:
        yield server


@pytest.fixture
async def spine(spine_server: Server) -> AsyncIterator[Spine]:
    async with connect(spine_server.settings, name="test") as client:
        await ensure(client)
        yield client
