"""The typed client that is generated from the description, used as a program would."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import settings as bounds
from hypothesis.stateful import run_state_machine_as_test

from jilink.core.parties.rules import Role
from tests.core.world import World
from tests.services.console.programs import generated_client, lift_limits, token_of
from tests.services.console.states import Programs

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The client, generated anew and ready to be imported."""
    with generated_client(tmp_path_factory.mktemp("client")) as package:
        yield package


@pytest.fixture
def same_connection() -> Iterator[None]:
    """Let the end of a request close no connection: the test's transaction goes on."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


def client_of(token: str) -> Any:
    """Return a client that asks this process's own application."""
    made = import_module("jilink_client").AuthenticatedClient(base_url="http://localhost", token=token)
    transport = httpx.WSGITransport(app=get_wsgi_application())
    headers = {"Authorization": f"Bearer {token}"}
    return made.set_httpx_client(httpx.Client(transport=transport, base_url="http://localhost", headers=headers))


def test_the_generated_client_opens_and_reads(package: Path, world: World, same_connection: None) -> None:
    client = client_of(token_of(world, Role.OWNER, world.north))
    models = import_module("jilink_client.models")
    add = import_module("jilink_client.api.people.add_person").sync
    read = import_module("jilink_client.api.people.read_person").sync
    made = add(client=client, body=models.PersonIn(organisation=world.north, name="王小明"), idempotency_key="one")
    again = add(client=client, body=models.PersonIn(organisation=world.north, name="王小明"), idempotency_key="one")
    assert made.id == again.id
    person = read(client=client, person=made.id)
    assert (person.name, person.version) == ("王小明", 1)
    missing = read(client=client, person=999)
    assert isinstance(missing, models.Problem) and missing.code == "not_found"


def test_the_generated_client_has_every_type_in_order(package: Path) -> None:
    config = package.parent / "mypy.ini"
    config.write_text("[mypy]\nstrict = true\n")
    program = [sys.executable, "-m", "mypy", "--config-file", str(config), f"--cache-dir={package.parent / 'cache'}", str(package)]
    done = subprocess.run(program, capture_output=True, text=True, cwd=package.parent)
    assert done.returncode == 0, done.stdout[-2000:]


def test_whatever_programs_do_in_whatever_order_is_answered_as_it_stands(
    package: Path, world: World, same_connection: None, settings: Any
) -> None:
    lift_limits(settings)
    Programs.mine, Programs.strange = (client_of(token_of(world, Role.OWNER, place)) for place in (world.north, world.south))
    Programs.place = world.north
    bounded = bounds(max_examples=25, stateful_step_count=15, deadline=None, database=None, derandomize=True)
    run_state_machine_as_test(Programs, settings=bounded)
