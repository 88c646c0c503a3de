"""Fixtures of the tests of cases."""

import pytest

from tests.core.cases.office import Office, office_of
from tests.core.world import World


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


@pytest.fixture
def lasting_office(lasting_world: World) -> Office:
    """The office with real commits, for tests with threads."""
    return office_of(lasting_world)
