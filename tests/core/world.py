"""A small world for tests of the core and of services: two walls, people on either side, and a relay."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from jilink.core.outbox.main import serve
from jilink.core.parties import access, actions, reads
from jilink.core.parties.access import Actor
from jilink.core.parties.models import User
from jilink.core.parties.rules import Role
from jilink.kernel.ids import OrganisationId
from jilink.spine.client import Spine

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
PASSWORD = "lantern-over-songhua-7"


@dataclass(frozen=True, slots=True)
class World:
    """`north` and `south` are strangers; `depot` lies below `north`."""

    north: OrganisationId
    depot: OrganisationId
    south: OrganisationId

    def actor(self, role: Role, organisation: OrganisationId) -> Actor:
        """Return a person with one role in one organisation, who can also sign in with PASSWORD."""
        return access.actor_of(self.person(role, organisation))

    def person(self, role: Role, organisation: OrganisationId) -> User:
        """Return the account of `actor`."""
        name = f"{role}-{organisation}"
        maker = access.system("test")
        number = reads.user_id(name)
        if number is None:
            number = actions.add_user(username=name, password=PASSWORD, by=maker)
            actions.set_role(user=number, organisation=organisation, role=role, by=maker)
        return User.objects.get(pk=number)


def build() -> World:
    """Make the world in the test's database."""
    maker = access.system("test")
    north = actions.add_organisation(name="North Fleet", by=maker, now=NOW)
    south = actions.add_organisation(name="South Fleet", by=maker, now=NOW)
    depot = actions.add_organisation(name="Depot", parent=north, by=access.system("test"), now=NOW)
    return World(north, depot, south)


@contextlib.asynccontextmanager
async def relay(spine: Spine) -> AsyncIterator[None]:
    """Run the relay and every room's reactions beside the test."""
    task = asyncio.create_task(serve(spine))
    try:
        yield
        if task.done():
            await task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    """Wait until the condition holds. Fails the test after the time given."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)
