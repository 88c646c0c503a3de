"""Further legs: consultation, conference, putting through, taking over, and what a killed router makes of them."""

import asyncio

import msgspec
from asgiref.sync import sync_to_async

from jilink.core.parties import access
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import Contact as PersonContact
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId
from jilink.services.contact.actions import designing, trunks
from jilink.services.contact.models import Contact, Phone, Side
from jilink.services.contact.router import asks
from jilink.services.contact.router.main import run
from jilink.services.contact.router.phones import AWAY
from jilink.services.contact.rules.sides import Deed
from jilink.services.contact.rules.states import AgentState
from jilink.services.contact.rules.trunks import TrunkDesign
from jilink.spine import calls
from tests.core.world import until
from tests.services.contact.engine import NODE, stopped
from tests.services.contact.test_router import QUEUE, Floor, contact, floor, is_, true

__all__ = ["floor"]
OUTSIDE = "13904319999"


async def in_a_call(floor: Floor, leg: str = "leg-1") -> Contact:
    """Let the first agent talk with a caller, while the second is there at a phone that answers."""
    node = floor.engine
    node.answers.add(floor.endpoints[0])
    await floor.ready(0)
    await node.call(leg, "12345")
    await until(is_(leg, "talking"))
    row = await contact(leg)
    await until(true(lambda: node.together(leg, row.agent_leg)))
    await floor.ready(1)
    return row


def stage(what: str) -> object:
    async def check() -> bool:
        return await Side.objects.filter(stage=what, ended_at=None).aexists()

    return check


async def test_an_agent_asks_a_colleague_goes_back_talks_with_both_and_connects_them(floor: Floor) -> None:
    node, me = floor.engine, floor.agents[0]
    row = await in_a_call(floor)
    consult = asks.Consult(account=me, contact=row.pk, agent=floor.agents[1])
    await floor.ask(consult)
    await until(true(lambda: node.ringing(floor.endpoints[1])))
    assert node.legs["leg-1"].parked
    assert not (await asks.ask(floor.spine, asks.SideDeed(account=me, contact=row.pk, deed=Deed.CONNECT))).done
    await node.hang_up(node.ringing(floor.endpoints[1]), 21)  # they do not want to: back by itself
    await until(true(lambda: node.together("leg-1", row.agent_leg)))
    node.answers.add(floor.endpoints[1])
    await floor.ask(consult)
    await until(stage("private"))
    side = f"s{(await Side.objects.aget(ended_at=None)).pk}"
    await until(true(lambda: node.together(row.agent_leg, side) and node.legs["leg-1"].parked))
    await node.call("leg-2", "12345")
    await until(is_("leg-2", "waiting"))  # a colleague who is asked is offered nothing

    async def meanwhile() -> None:
        """Nothing happens."""

    await floor.restart(meanwhile)
    await floor.ask(asks.SideDeed(account=me, contact=row.pk, deed=Deed.CONFERENCE))
    await until(true(lambda: node.together("leg-1", row.agent_leg, side)))
    await floor.ask(asks.SideDeed(account=me, contact=row.pk, deed=Deed.CONNECT))
    await until(is_("leg-1", "wrapping"))
    second = await contact("leg-1", 1)
    assert (second.state, second.agent_id, second.agent_leg) == ("talking", floor.agents[1], side)
    await until(true(lambda: node.together("leg-1", side) and row.agent_leg not in node.legs))
    await node.hang_up("leg-1")
    await until(is_("leg-1", "wrapping", 1))
    await until(true(lambda: side not in node.legs))
    assert not await Side.objects.filter(ended_at=None).aexists()


async def test_a_caller_given_to_a_colleague_waits_for_that_one_and_a_supervisor_takes_them_over(floor: Floor) -> None:
    node = floor.engine
    row = await in_a_call(floor)
    await floor.ask(asks.PutOn(account=floor.agents[0], contact=row.pk, agent=floor.agents[1]))
    await until(true(lambda: node.ringing(floor.endpoints[1])))
    await until(true(lambda: row.agent_leg not in node.legs))
    await node.pick_up(node.ringing(floor.endpoints[1]))
    await until(is_("leg-1", "talking", 1))
    second = await contact("leg-1", 1)
    assert second.agent_id == floor.agents[1]
    await sync_to_async(Phone.objects.filter(extension="3000").update)(user=floor.supervisor)
    phone = await Phone.objects.aget(extension="3000")
    await floor.ask(asks.BeginWork(account=floor.supervisor, organisation=floor.organisation, phone=phone.pk, state=AgentState.PAUSED))
    assert not (await asks.ask(floor.spine, asks.TakeOver(account=floor.agents[0], contact=second.pk))).done
    await floor.ask(asks.TakeOver(account=floor.supervisor, contact=second.pk))
    await until(is_("leg-1", "talking", 2))
    third = await contact("leg-1", 2)
    assert third.agent_id == floor.supervisor
    await until(true(lambda: node.together("leg-1", third.agent_leg) and second.agent_leg not in node.legs))
    assert (await contact("leg-1", 1)).state == "wrapping"


def line_out(organisation: int) -> None:
    design = TrunkDesign(host="127.0.0.9", calls_out=True)
    trunks.add_trunk(organisation=organisation, name="line", design=design, by=access.system("test"))


async def test_a_caller_put_through_outside_talks_there_and_comes_back_where_nobody_answers(floor: Floor) -> None:
    node, me = floor.engine, floor.agents[0]
    row = await in_a_call(floor)
    put = asks.PutOn(account=me, contact=row.pk, number=OUTSIDE)
    assert not (await asks.ask(floor.spine, put)).done  # no line goes out
    await sync_to_async(line_out)(floor.organisation)
    await floor.ask(put)
    await until(is_("leg-1", "wrapping"))
    leg = f"s{(await Side.objects.aget(ended_at=None)).pk}"
    await until(true(lambda: leg in node.legs))
    dialled = next(order for order in node.orders if isinstance(order, calls.Dial) and order.leg == leg)
    assert dialled.number == OUTSIDE
    await node.hang_up(leg, 19)
    node.answers.discard(floor.endpoints[1])
    node.answers.add(floor.endpoints[1])
    await floor.ask(asks.WrapUpDone(account=me, contact=row.pk))
    await until(is_("leg-1", "talking", 1))  # the agent they had, or another
    again = await contact("leg-1", 1)
    await floor.ask(asks.Consult(account=again.agent_id or 0, contact=again.pk, number=OUTSIDE))
    leg = f"s{(await Side.objects.aget(ended_at=None)).pk}"
    await until(true(lambda: leg in node.legs))
    await node.pick_up(leg)
    await until(stage("private"))
    await node.hang_up(again.agent_leg)  # hanging up connects
    await until(is_("leg-1", "wrapping", 1))
    await until(true(lambda: node.together("leg-1", leg)))

    async def meanwhile() -> None:
        await node.hang_up(leg)

    await floor.restart(meanwhile)
    await until(true(lambda: "leg-1" not in node.legs))
    assert not await Side.objects.filter(ended_at=None).aexists()


async def test_who_lost_their_agent_waits_for_another_although_the_router_was_killed_meanwhile(floor: Floor) -> None:
    node = floor.engine
    await Phone.objects.filter(pk=floor.phones[0]).aupdate(webrtc=True)
    row = await in_a_call(floor)
    await node.tell(calls.PhoneChanged(node=NODE, at=node.now, endpoint=floor.endpoints[0], online=False))
    await until(true(lambda: node.legs["leg-1"].parked))
    await stopped(floor.router)
    await node.hang_up(row.agent_leg)
    node.answers.add(floor.endpoints[1])
    floor.router = asyncio.create_task(run(floor.spine, clock=lambda: utc_now() + AWAY))
    await until(is_("leg-1", "talking", 1))
    assert (await contact("leg-1", 1)).agent_id == floor.agents[1]


def known_and_sticky(floor: Floor) -> None:
    by, design = access.system("test"), msgspec.structs.replace(QUEUE, sticky_s=60)
    designing.change_queue(queue=floor.queue, design=design, by=by, based_on=1)
    known = (PersonContact(ContactKind.PHONE, "13904310001"),)
    people.add_person(organisation=OrganisationId(floor.organisation), data=PersonData(name="Ma Li"), contacts=known, by=by)


async def test_a_person_is_served_by_the_agent_of_last_time_where_that_one_is_free_in_time(floor: Floor) -> None:
    node = floor.engine
    await floor.restart(lambda: sync_to_async(known_and_sticky)(floor))  # a router that begins reads the queues
    row = await in_a_call(floor)
    await node.hang_up("leg-1")
    await until(is_("leg-1", "wrapping"))
    await node.call("leg-2", "12345")  # the other agent is free, and answers
    await until(is_("leg-2", "waiting"))
    node.answers.add(floor.endpoints[1])
    await floor.ask(asks.WrapUpDone(account=floor.agents[0], contact=row.pk))
    await until(is_("leg-2", "talking"))
    assert (await contact("leg-2")).agent_id == floor.agents[0]
