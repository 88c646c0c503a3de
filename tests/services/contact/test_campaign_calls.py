"""Campaigns through the router, on a real spine and a real database: numbers dialled, agents kept free, a router killed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async

from jilink.core.interactions.models import Interaction
from jilink.core.parties import access
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import Contact as Told
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.kernel.clock import utc_now
from jilink.services.contact.actions import campaigns, previewing
from jilink.services.contact.actions.trunks import add_trunk
from jilink.services.contact.models import Attempt, Contact, DoNotCall, Target
from jilink.services.contact.router import asks
from jilink.services.contact.router.main import run
from jilink.services.contact.rules.pacing import Mode
from jilink.services.contact.rules.states import AgentState
from jilink.services.contact.rules.trunks import TrunkDesign
from jilink.spine import calls
from jilink.spine.client import Spine, ensure
from tests.core.world import World, until
from tests.services.contact.engine import NODE, engine, stopped
from tests.services.contact.test_campaigns import DESIGN
from tests.services.contact.test_router import Floor, furnish, true

START = utc_now()
MORNING = START.astimezone(UTC).replace(hour=2, minute=0)


def clock() -> datetime:
    """Ten o'clock in China when the test began."""
    return MORNING + (utc_now() - START)


class Campaigns(Floor):
    """A floor with a campaign."""

    async def restart(self, *_between: object) -> None:
        await stopped(self.router)
        self.router = asyncio.create_task(run(self.spine, clock=clock))
        await self.serves()


def launch(floor: Floor, mode: Mode, *numbers: str) -> int:
    by = access.system("test")
    campaign = campaigns.add_campaign(queue=floor.queue, design=msgspec.structs.replace(DESIGN, mode=mode), by=by, now=clock())
    for number in numbers:
        told = (Told(ContactKind.PHONE, number),)
        person = people.add_person(organisation=floor.organisation, data=PersonData(name="王"), contacts=told, by=by, now=clock())
        people.give_consent(person=person, purpose=DESIGN.purpose, evidence="form", by=by, now=clock())
        campaigns.add_target(campaign=campaign, person=person, by=by, now=clock())
    campaigns.start_campaign(campaign=campaign, by=by, now=clock())
    return campaign


def a_trunk(world: World) -> None:
    line = TrunkDesign(host="carrier.example", caller="043112345")
    add_trunk(organisation=world.north, name="carrier", design=line, by=access.system("test"))


def paused(campaign: int) -> None:
    campaigns.pause_campaign(campaign=campaign, by=access.system("test"), now=clock())


@pytest.fixture
async def floor(lasting_world: World, spine: Spine, settings: Any) -> AsyncIterator[Campaigns]:
    settings.JILINK = replace(settings.JILINK, voice_nodes=f"{NODE}=http://127.0.0.1:1")
    await ensure(spine)
    queue, other, agents, phones, endpoints, supervisor = await sync_to_async(furnish)(lasting_world)
    await sync_to_async(a_trunk)(lasting_world)
    async with engine(spine) as node:
        router = asyncio.create_task(run(spine, clock=clock))
        made = Campaigns(spine, node, queue, other, agents, phones, endpoints, lasting_world.north, supervisor, router)
        await made.serves()
        yield made
        await stopped(made.router)


def dialled(floor: Floor) -> list[calls.Dial]:
    return [order for order in floor.engine.orders if isinstance(order, calls.Dial) and order.number]


async def attempt(number: int = 0) -> Attempt:
    return [row async for row in Attempt.objects.order_by("pk")][number]


async def test_one_number_for_each_free_agent_who_talks_at_once_and_decides_what_follows(floor: Campaigns) -> None:
    node = floor.engine
    node.answers.add(floor.endpoints[0])
    campaign = await sync_to_async(launch)(floor, Mode.PROGRESSIVE, "13900001111", "13900002222")
    await floor.ready(0)
    await until(true(lambda: dialled(floor)))
    order = dialled(floor)[0]
    assert (order.number, order.caller) == ("+8613900001111", "043112345") and len(dialled(floor)) == 1
    await node.call("somebody", "12345")  # the agent is kept free for the campaign's call
    await node.pick_up(order.leg)
    await until(true(lambda: any(node.together(order.leg, leg) for leg in node.legs if leg.startswith("c"))))
    row = await Contact.objects.aget(leg=order.leg)
    ring = next(one for one in node.orders if isinstance(one, calls.Dial) and one.leg == row.agent_leg)
    assert ring.headers["X-Answer"] == "now" and (await Contact.objects.aget(leg="somebody")).state == "waiting"
    await node.hang_up(order.leg)

    async def wraps() -> bool:
        return await Contact.objects.filter(leg=order.leg, state="wrapping").aexists()

    await until(wraps)
    await floor.ask(asks.WrapUpDone(account=floor.agents[0], contact=row.pk, code="stop"))
    done = await attempt()
    assert (done.outcome, done.code, done.live, done.abandoned) == ("reached", "stop", True, False)
    target = await Target.objects.aget(pk=done.target_id)
    assert (target.state, target.reason) == ("left_out", "do_not_call") and await DoNotCall.objects.acount() == 1
    assert (await Interaction.objects.aget(pk=row.interaction)).direction == "out"
    assert await Target.objects.filter(campaign=campaign, state="waiting").acount() == 1


async def test_whoever_finds_no_agent_within_two_seconds_hears_who_called_and_counts(floor: Campaigns) -> None:
    node = floor.engine
    await sync_to_async(launch)(floor, Mode.PROGRESSIVE, "13900001111")
    await floor.ready(0)  # a phone that nobody picks up
    await until(true(lambda: dialled(floor)))
    leg = dialled(floor)[0].leg
    node.long.add("您好，这里是北方车队的来电，现在没有坐席可以与您通话，非常抱歉。如果不希望再接到我们的来电，请按 9。")
    await node.pick_up(leg)
    await until(true(lambda: "北方车队" in "".join(node.said(leg))))
    assert (await attempt()).abandoned and (await Contact.objects.aget(leg=leg)).end == "abandoned"
    await node.press(leg, "9")
    await until(true(lambda: leg not in node.legs))

    async def over() -> bool:
        return (await attempt()).outcome == "abandoned"

    await until(over)
    assert (await DoNotCall.objects.aget()).source == "key"


async def test_a_killed_router_dials_nobody_twice_and_goes_on_with_who_rings(floor: Campaigns) -> None:
    node = floor.engine
    node.answers.add(floor.endpoints[0])
    campaign = await sync_to_async(launch)(floor, Mode.PROGRESSIVE, "13900001111", "13900002222")
    await floor.ready(0)
    await until(true(lambda: dialled(floor)))
    leg = dialled(floor)[0].leg
    await stopped(floor.router)
    await node.pick_up(leg)
    await floor.restart()
    await until(true(lambda: any(node.together(leg, other) for other in node.legs if other != leg)))
    assert len(dialled(floor)) == 1
    await sync_to_async(paused)(campaign)
    await node.hang_up(leg)
    row = await Contact.objects.aget(leg=leg)
    await until(true(lambda: row.agent_leg not in node.legs))
    await floor.ask(asks.SetState(account=floor.agents[0], agent=floor.agents[0], state=AgentState.READY))
    assert len(dialled(floor)) == 1


async def test_in_a_preview_the_agent_sees_the_record_and_dials_or_skips(floor: Campaigns) -> None:
    node = floor.engine
    node.answers.add(floor.endpoints[0])
    campaign = await sync_to_async(launch)(floor, Mode.PREVIEW, "13900001111", "13900002222")
    await floor.ready(0)
    agent = await sync_to_async(access.actor_of_account)(floor.agents[0])
    shown = await sync_to_async(previewing.take_record)(campaign=campaign, by=agent, now=clock())
    assert shown is not None
    await sync_to_async(previewing.skip_record)(target=shown, reason="打过了", by=agent, now=clock())
    other = await sync_to_async(previewing.take_record)(campaign=campaign, by=agent, now=clock())
    assert other not in (None, shown)
    await floor.ask(asks.DialShown(account=floor.agents[0], target=other or 0))
    await until(true(lambda: dialled(floor)))
    assert not (await asks.ask(floor.spine, asks.DialShown(account=floor.agents[0], target=other or 0))).done
    leg = dialled(floor)[0].leg
    await node.hang_up(leg, 17)

    async def busy() -> bool:
        return (await attempt()).outcome == "busy"

    await until(busy)
    target = await Target.objects.aget(pk=other)
    assert target.state == "waiting" and target.next_at is not None and target.agent_id is None
