"""Fixtures of the services' tests: a world, a real spine, and pages that use them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jilink.services.vehicles import link as histories
from jilink.webkit import link
from tests.core.conftest import lasting_world, quick_passwords, spine, world  # noqa: F401 -- fixtures for the tests below this folder
from tests.core.world import World
from tests.spine.server import Server, running_server


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One spine for a whole module, for tests that leave nothing in it."""
    with running_server(Path(tmp_path_factory.mktemp("spine"))) as server:
        yield server
        link.close()
        histories.close()


@pytest.fixture
def site(module_server: Server, settings: Any) -> None:
    """Pages that ask the module's spine."""
    settings.JILINK = module_server.settings


def signed_in(world: World, role: Any, organisation: Any) -> Client:  # noqa: F811 -- the value of the fixture of that name
    """Return a browser in which somebody with this role is signed in."""
    client = Client()
    person = world.person(role, organisation)
    world.second_factor(person)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client
