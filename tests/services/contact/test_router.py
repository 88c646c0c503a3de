"""The router on a real spine and a real database: from the first ring to the wrap-up, and through its own death."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from asgiref.sync import sync_to_async

from jilink.core.flows import actions as flows
from jilink.core.flows.models import FlowSession
from jilink.core.interactions.models import Interaction
from jilink.core.parties import access
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.texts import Text
from jilink.services.contact.actions import designing
from jilink.services.contact.models import Agent, Contact, Phone
from jilink.services.contact.router import asks
from jilink.services.contact.router.main import run
from jilink.services.contact.rules.design import QueueDesign
from jilink.services.contact.rules.states import AgentState
from jilink.services.contact.rules.waiting import Telling
from jilink.spine import calls
from jilink.spine.client import Spine, ensure
from tests.core.world import World, until
from tests.services.contact.engine import Engine, engine, stopped

QUEUE = QueueDesign(name=Text("热线", "Hotline"), ring_s=5, wrap_up_s=3600, telling=Telling(first_s=0))


@dataclass
class Floor:
    """A queue with a number, two agents with phones, an engine, a router."""

    spine: Spine
    engine: Engine
    queue: int
    other: int
    agents: list[int]
    phones: list[int]
    endpoints: list[str]
    organisation: int
    supervisor: int
    router: asyncio.Task[None]

    async def ask(self, what: asks.Ask) -> None:
        answer = await asks.ask(self.spine, what)
        assert answer.done, answer.refusal

    async def ready(self, agent: int) -> None:
        await self.ask(
            asks.BeginWork(account=self.agents[agent], organisation=self.organisation, phone=self.phones[agent], state=AgentState.READY)
        )

    async def restart(self, between: Callable[[], Awaitable[None]]) -> None:
        await stopped(self.router)
        await between()
        self.router = asyncio.create_task(run(self.spine))
        await self.serves()

    async def serves(self) -> None:
        async def answers() -> bool:
            with contextlib.suppress(Exception):
                await asks.ask(self.spine, asks.EndCall(account=0, contact=0), 0.5)
                return True
            return False

        await until(answers)


def furnish(world: World) -> tuple[int, int, list[int], list[int], list[str], int]:
    by = access.system("test")
    queue = designing.add_queue(organisation=world.north, key="hotline", design=QUEUE, by=by)
    other = designing.add_queue(organisation=world.north, key="faults", design=QUEUE, by=by)
    designing.set_number(organisation=world.north, dialled="12345", queue=queue, by=by)
    agents = [world.person(Role.AGENT, world.north, Scope.SUBTREE, also=str(n)).pk for n in (1, 2)]
    for number, agent in enumerate(agents):
        designing.add_phone(organisation=world.north, extension=f"300{number}", user=agent, by=by)
    phones = [phone.pk for phone in Phone.objects.order_by("extension")]
    endpoints = [f"o{world.north}-300{number}" for number in range(2)]
    return queue, other, agents, phones, endpoints, world.person(Role.SUPERVISOR, world.north).pk


@pytest.fixture
async def floor(lasting_world: World, spine: Spine) -> AsyncIterator[Floor]:
    await ensure(spine)
    queue, other, agents, phones, endpoints, supervisor = await sync_to_async(furnish)(lasting_world)
    async with engine(spine) as node:
        router = asyncio.create_task(run(spine))
        made = Floor(spine, node, queue, other, agents, phones, endpoints, lasting_world.north, supervisor, router)
        await made.serves()
        yield made
        await stopped(made.router)


async def contact(leg: str, hop: int = 0) -> Contact:
    return await Contact.objects.aget(leg=leg, hop=hop)


def is_(leg: str, state: str, hop: int = 0) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return await Contact.objects.filter(leg=leg, hop=hop, state=state).aexists()

    return check


def true(condition: Callable[[], object]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return bool(condition())

    return check


async def test_a_call_waits_rings_is_answered_wrapped_up_and_the_next_one_follows(floor: Floor) -> None:
    node = floor.engine
    await node.call("leg-1", "12345")
    await until(is_("leg-1", "ended"))  # nobody is there: told so, and hung up on
    await until(true(lambda: "leg-1" not in node.legs))
    node.answers.add(floor.endpoints[0])
    await floor.ready(0)
    await node.call("leg-2", "12345")
    await until(is_("leg-2", "talking"))
    row = await contact("leg-2")
    await until(true(lambda: node.together("leg-2", row.agent_leg)))
    await node.call("leg-3", "12345")
    await until(is_("leg-3", "waiting"))
    await until(true(lambda: node.legs["leg-3"].parked))
    await node.hang_up("leg-2")
    await until(is_("leg-2", "wrapping"))
    await until(true(lambda: row.agent_leg not in node.legs))
    assert (await contact("leg-3")).state == "waiting"
    await floor.ask(asks.WrapUpDone(account=floor.agents[0], contact=row.pk, code="done", note="all said"))
    await until(is_("leg-3", "talking"))
    row = await contact("leg-2")
    assert (row.end, row.code, row.rings) == ("served", "done", 1)
    kept = await Interaction.objects.aget(pk=row.interaction)
    assert (kept.outcome, kept.assignee_id, kept.contact) == ("answered", floor.agents[0], "+8613904310001")


async def test_whoever_does_not_answer_is_not_ready_and_the_caller_rings_elsewhere(floor: Floor) -> None:
    node = floor.engine
    await floor.ready(0)
    await node.call("leg-1", "12345")
    await until(true(lambda: node.ringing(floor.endpoints[0])))
    await floor.ready(1)
    node.answers.add(floor.endpoints[1])
    await node.hang_up(node.ringing(floor.endpoints[0]), 21)  # refused at the phone
    await until(is_("leg-1", "talking"))
    row = await contact("leg-1")
    assert (row.agent_id, row.rings) == (floor.agents[1], 2)
    assert (await Agent.objects.aget(pk=floor.agents[0])).state == "missed"
    await node.hang_up("leg-1")
    await until(is_("leg-1", "wrapping"))


async def test_who_hangs_up_while_it_rings_is_abandoned_and_the_agent_stays_ready(floor: Floor) -> None:
    node = floor.engine
    await floor.ready(0)
    await node.call("leg-1", "12345")
    await until(true(lambda: node.ringing(floor.endpoints[0])))
    await node.hang_up("leg-1")
    await until(is_("leg-1", "ended"))
    await until(true(lambda: not node.ringing(floor.endpoints[0])))
    assert (await contact("leg-1")).end == "abandoned"
    node.answers.add(floor.endpoints[0])
    await node.call("leg-2", "12345")
    await until(is_("leg-2", "talking"))


async def test_a_killed_router_loses_nobody_and_nobody_loses_their_place(floor: Floor) -> None:
    node = floor.engine
    node.answers.add(floor.endpoints[0])
    await floor.ready(0)
    await node.call("talks", "12345")
    await until(is_("talks", "talking"))
    for leg in ("first", "second", "third"):
        await node.call(leg, "12345")
        await until(is_(leg, "waiting"))

    async def meanwhile() -> None:
        await node.hang_up("second")
        await node.call("fourth", "12345")

    await floor.restart(meanwhile)
    await until(is_("second", "ended"))
    await until(is_("fourth", "waiting"))
    assert (await contact("talks")).state == "talking"
    for before, after in (("talks", "first"), ("first", "third"), ("third", "fourth")):
        await node.hang_up(before)
        await until(is_(before, "wrapping"))
        await floor.ask(asks.WrapUpDone(account=floor.agents[0], contact=(await contact(before)).pk))
        await until(is_(after, "talking"))
    ends = {row.leg: row.end async for row in Contact.objects.all()}
    assert ends == {"talks": "served", "first": "served", "second": "abandoned", "third": "served", "fourth": ""}


async def test_a_call_moves_to_another_queue_and_a_supervisor_listens(floor: Floor) -> None:
    node = floor.engine
    node.answers.add(floor.endpoints[0])
    await floor.ready(0)
    await node.call("leg-1", "12345")
    await until(is_("leg-1", "talking"))
    row = await contact("leg-1")
    listen = asks.ListenIn(account=floor.supervisor, contact=row.pk, mode="listen")
    assert (await asks.ask(floor.spine, listen)).refusal.startswith("Begin work")
    begin = asks.BeginWork(account=floor.supervisor, organisation=floor.organisation, phone=None, state=AgentState.PAUSED)
    await floor.ask(begin)
    stranger = asks.TransferToQueue(account=floor.agents[1], contact=row.pk, queue=floor.other)
    assert not (await asks.ask(floor.spine, stranger)).done
    await floor.ask(asks.HoldCall(account=floor.agents[0], contact=row.pk, on=True))
    await until(true(lambda: any(isinstance(order, calls.Hold) for order in node.orders)))
    await floor.ready(1)
    node.answers.add(floor.endpoints[1])
    await floor.ask(asks.TransferToQueue(account=floor.agents[0], contact=row.pk, queue=floor.other))
    await until(is_("leg-1", "talking", 1))
    second = await contact("leg-1", 1)
    assert (second.queue_id, second.agent_id) == (floor.other, floor.agents[1])
    await until(true(lambda: node.together("leg-1", second.agent_leg)))
    assert (await contact("leg-1")).state == "wrapping"


FLOW = {
    "label": {"zh": "热线", "en": "Hotline"},
    "steps": [
        {"kind": "say", "key": "hello", "prompt": {"words": {"zh": "您好"}}, "next": "menu"},
        {"kind": "ask_digits", "key": "menu", "prompt": {"words": {"zh": "人工请按二"}}, "allowed": ["1", "2"],
         "next": "which", "none": "bye", "invalid": "bye"},
        {"kind": "branch", "key": "which", "arms": [{"on": "choice", "test": {"type": "is", "values": ["2"]}, "to": "queue"}],
         "otherwise": "bye"},
        {"kind": "queue", "key": "queue", "queue": "hotline", "leave_on": "*", "served": "thanks", "waited": "bye", "full": "bye",
         "closed": "bye", "left": "bye"},
        {"kind": "say", "key": "thanks", "prompt": {"words": {"zh": "谢谢"}}, "next": "end"},
        {"kind": "say", "key": "bye", "prompt": {"words": {"zh": "再见"}}, "next": "end"},
    ],
}  # fmt: skip


def in_a_flow(organisation: int) -> None:
    by = access.system("test")
    flow = flows.save_flow(organisation=organisation, key="hotline", definition=json.dumps(FLOW), by=by)
    flows.publish_flow(flow=flow, by=by)
    designing.set_number(organisation=organisation, dialled="96000", flow="hotline", by=by)


async def test_a_flow_asks_queues_and_goes_on_after_the_agent_through_a_killed_router(floor: Floor) -> None:
    node = floor.engine
    await sync_to_async(in_a_flow)(floor.organisation)
    node.long.add("人工请按二")
    await floor.ready(0)
    node.answers.add(floor.endpoints[0])
    await node.call("leg-1", "96000")
    await until(true(lambda: "人工请按二" in node.said("leg-1")))

    async def meanwhile() -> None:
        await node.press("leg-1", "2")

    await floor.restart(meanwhile)
    await until(is_("leg-1", "talking"))
    row = await contact("leg-1")
    await until(true(lambda: node.together("leg-1", row.agent_leg)))
    await node.hang_up(row.agent_leg)
    await until(true(lambda: "leg-1" not in node.legs))
    assert node.said("leg-1")[-1] == "谢谢" and "再见" not in node.said("leg-1")
    assert (await contact("leg-1")).state == "wrapping"


async def test_a_caller_leaves_the_queue_by_a_key_and_one_who_hangs_up_leaves_the_flow(floor: Floor) -> None:
    node = floor.engine
    await sync_to_async(in_a_flow)(floor.organisation)
    node.long.add("人工请按二")
    begin = asks.BeginWork(account=floor.agents[0], organisation=floor.organisation, phone=floor.phones[0], state=AgentState.PAUSED)
    await floor.ask(begin)
    for leg in ("leg-1", "leg-2"):
        await node.call(leg, "96000")
        await until(true(lambda leg=leg: "人工请按二" in node.said(leg)))
        await node.press(leg, "2")
        await until(is_(leg, "waiting"))
    await node.press("leg-1", "*")
    await until(true(lambda: "leg-1" not in node.legs))
    assert (await contact("leg-1")).end == "moved" and node.said("leg-1")[-1] == "再见"
    await node.hang_up("leg-2")
    await until(is_("leg-2", "ended"))
    row = await contact("leg-2")
    assert row.end == "abandoned"

    async def over() -> bool:
        return (await Interaction.objects.aget(pk=row.interaction)).outcome == "abandoned"

    await until(over)
    assert await FlowSession.objects.filter(ended_at=None).acount() == 0
