"""A small world for tests of the core and of services: two walls, people on either side, and a relay."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp

from jilink.core.outbox.main import serve
from jilink.core.parties import access, actions, reads
from jilink.core.parties.access import Actor
from jilink.core.parties.members import actions as members
from jilink.core.parties.models import User
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.ids import OrganisationId, TeamId
from jilink.spine.client import Spine

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
PASSWORD = "lantern-over-songhua-7"


@dataclass(frozen=True, slots=True)
class World:
    """`north` and `south` are strangers; `depot` lies below `north`."""

    north: OrganisationId
    depot: OrganisationId
    south: OrganisationId

    def actor(
        self, role: Role, organisation: OrganisationId, scope: Scope | None = None, team: TeamId | None = None, also: str = ""
    ) -> Actor:
        """Return a person with one role in one organisation, who can also sign in with PASSWORD.

        No `scope` means the role's usual one (an agent's is the team: give one, or a wider scope). `also` makes a second such person.
        """
        return access.actor_of(self.person(role, organisation, scope, team, also))

    def person(
        self, role: Role, organisation: OrganisationId, scope: Scope | None = None, team: TeamId | None = None, also: str = ""
    ) -> User:
        """Return the account of `actor`."""
        name = "-".join(part for part in (role, str(organisation), (scope or "")[:3], str(team or ""), also) if part)
        maker = access.system("test")
        number = reads.user_id(name)
        if number is None:
            number = actions.add_user(username=name, password=PASSWORD, by=maker)
            actions.set_role(user=number, organisation=organisation, role=role, scope=scope, by=maker)
            if team is not None:
                members.put_in_team(team=team, user=number, by=maker)
        return User.objects.get(pk=number)

    def second_factor(self, person: User) -> str:
        """Give a person an authenticator app, as those must have who may decide much, and return its secret."""
        secret = totp.generate_totp_secret()
        if not Authenticator.objects.filter(user=person).exists():
            totp.TOTP.activate(person, secret)
        return secret

    def team(self, organisation: OrganisationId, name: str = "Team") -> TeamId:
        """Return a new team of the organisation."""
        return members.add_team(organisation=organisation, name=name, by=access.system("test"), now=NOW)


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
