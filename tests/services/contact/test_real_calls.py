"""Calls as they are: a real engine, a caller and an agent with tones of their own, the router between them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest
from asgiref.sync import sync_to_async

from jilink.core.parties import access
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.errors import Unavailable
from jilink.services.contact import reactions
from jilink.services.contact.actions import designing
from jilink.services.contact.models import Contact
from jilink.services.contact.models import Phone as PhoneRow
from jilink.services.contact.router import asks
from jilink.services.contact.router.main import run
from jilink.services.contact.rules.states import AgentState
from jilink.spine.client import Spine
from tests.core.world import World, until
from tests.edges.voice.conftest import Floor as Telephones
from tests.edges.voice.conftest import exchange  # noqa: F401 -- a fixture that `telephones` asks for
from tests.edges.voice.conftest import floor as telephones  # noqa: F401 -- a fixture
from tests.edges.voice.phone import Phone
from tests.services.contact.engine import stopped
from tests.services.contact.test_router import QUEUE

pytestmark = pytest.mark.once
CALLER, AGENT = 440.0, 1000.0


def furnish(world: World) -> tuple[int, str, int]:
    by = access.system("test")
    queue = designing.add_queue(organisation=world.north, key="hotline", design=QUEUE, by=by)
    designing.set_number(organisation=world.north, dialled="95001", queue=queue, by=by)
    agent = world.person(Role.AGENT, world.north, Scope.SUBTREE).pk
    password = designing.add_phone(organisation=world.north, extension="3001", user=agent, by=by)
    return agent, password, PhoneRow.objects.get().pk


async def registered(phone: Phone) -> bool:
    with contextlib.suppress(TimeoutError):
        return await phone.register() == 200
    return False


def stands(state: str) -> Callable[[], Awaitable[bool]]:
    """Whether a contact is in that state."""

    async def check() -> bool:
        return await Contact.objects.filter(state=state).aexists()

    return check


def done(spine: Spine, what: asks.Ask) -> Callable[[], Awaitable[bool]]:
    """Whether the router, which may only be beginning, has done it."""

    async def check() -> bool:
        try:
            return (await asks.ask(spine, what)).done
        except Unavailable:
            return False

    return check


async def test_a_call_over_a_trunk_waits_through_a_killed_router_and_talks_with_an_agent_at_a_desk_phone(
    lasting_world: World,
    telephones: Telephones,  # noqa: F811 -- the fixture
) -> None:
    spine, here = telephones.spine, telephones
    agent, password, row = await sync_to_async(furnish)(lasting_world)
    await reactions.project_phones(spine)
    carrier = await here.carrier("t1", "127.0.0.2")
    carrier.hz = CALLER
    user = f"o{lasting_world.north}-3001"
    phone = await Phone("127.0.0.1", here.exchange.sip, user=user, password=password, hz=AGENT).open()
    here.phones.append(phone)
    await here.eventually(lambda: registered(phone), "registered")
    router = asyncio.create_task(run(spine))
    try:
        begin = asks.BeginWork(account=agent, organisation=lasting_world.north, phone=row, state=AgentState.PAUSED)
        await until(done(spine, begin))
        call = await carrier.call("95001", "13904310001")
        await until(stands("waiting"))
        await here.eventually(lambda: call.state == "up", "the caller is in the queue")
        await stopped(router)
        router = asyncio.create_task(run(spine))
        ready = asks.SetState(account=agent, agent=agent, state=AgentState.READY)
        await until(done(spine, ready))
        at_desk = await phone.rung()
        await here.heard(call, AGENT)
        await here.heard(at_desk, CALLER)
        await at_desk.hang_up()
        await here.eventually(lambda: call.state not in ("up", "ringing"), "the caller is hung up on")
        await until(stands("wrapping"))
    finally:
        await stopped(router)
