"""Written conversations and cases on a real spine and a real database: taken in, offered at the desk, answered, moved, ended."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async

from jilink.core.cases import actions as cases
from jilink.core.cases.actions import NewCase
from jilink.core.cases.models import Case
from jilink.core.interactions.models import Interaction, Part
from jilink.core.parties import access
from jilink.kernel.clock import utc_now
from jilink.services.contact.actions import messages_left, sites, writing
from jilink.services.contact.actions.writing import Visitor
from jilink.services.contact.models import Agent, ChatSite, Contact, Conversation
from jilink.services.contact.reads import writing as reads
from jilink.services.contact.router import asks
from jilink.services.contact.router.written import WAKE
from jilink.services.contact.rules.states import AgentState
from jilink.services.contact.rules.written import SiteDesign
from tests.core.world import until
from tests.services.contact.test_router import Floor, floor

__all__ = ["floor"]
ORIGIN = "https://www.example.cn"
ANSWERS = (("sort", "help"), ("subject", "water"))


def site_of(queue: int, case_type: str = "") -> str:
    design = SiteDesign(name="Shop", origins=(ORIGIN,), case_type=case_type, answers=ANSWERS if case_type else ())
    return ChatSite.objects.get(pk=sites.add_site(queue=queue, design=design, by=access.system("test"))).key


async def as_installation(action: Callable[..., object], **arguments: object) -> None:
    await sync_to_async(lambda: action(by=access.system("test"), **arguments))()


class Writer:
    """Somebody who writes on a web page."""

    def __init__(self, floor: Floor, site: str) -> None:
        self.floor, self.secret = floor, secrets.token_urlsafe(32)
        self.visitor = Visitor(site=site, secret=self.secret, agreed=True)
        self.id = 0

    async def begin(self, words: str = "你好") -> "Writer":
        self.id = await sync_to_async(writing.begin_conversation)(visitor=self.visitor, words=words, client="1")
        await self.floor.spine.send(WAKE, b"")
        return self

    def is_(self, state: str, hop: int = 0) -> Callable[[], Awaitable[bool]]:
        async def check() -> bool:
            return await Contact.objects.filter(leg=f"w{self.id}", hop=hop, state=state).aexists()

        return check

    def stands(self, state: str) -> Callable[[], Awaitable[bool]]:
        async def check() -> bool:
            return await Conversation.objects.filter(pk=self.id, state=state).aexists()

        return check

    async def contact(self, hop: int = 0) -> Contact:
        return await Contact.objects.aget(leg=f"w{self.id}", hop=hop)


async def at_desk(floor: Floor, agent: int, *, ready: bool = True) -> None:
    state = AgentState.READY if ready else AgentState.PAUSED
    await floor.ask(asks.BeginWork(account=floor.agents[agent], organisation=floor.organisation, phone=None, state=state))


async def test_a_chat_is_answered_moved_and_ended_and_each_word_is_kept_once(floor: Floor) -> None:
    key = await sync_to_async(site_of)(floor.queue)
    await at_desk(floor, 0)
    writer = await Writer(floor, key).begin("第一句")
    await until(writer.is_("ringing"))
    first = await writer.contact()
    agent = await sync_to_async(access.actor_of_account)(floor.agents[0])
    with pytest.raises(access.NotFound):  # not answered yet
        await sync_to_async(writing.say_as_agent)(contact=first.pk, words="x", client="1", by=agent)
    await floor.ask(asks.Accept(account=floor.agents[0], contact=first.pk))
    await until(writer.is_("talking"))
    for _twice in range(2):
        await sync_to_async(writing.say_as_agent)(contact=first.pk, words="<b>您好</b>", client="1", by=agent)
        await sync_to_async(writing.say_as_visitor)(secret=writer.secret, words="第二句", client="2")
    seen = await sync_to_async(reads.seen)(writer.secret)
    assert [(line.theirs, line.text) for line in seen.lines] == [(True, "第一句"), (False, "<b>您好</b>"), (True, "第二句")]
    assert seen.answered and await Part.objects.acount() == 3
    await at_desk(floor, 1)
    await floor.ask(asks.TransferToQueue(account=floor.agents[0], contact=first.pk, queue=floor.other))
    await until(writer.is_("ringing", 1))
    second = await writer.contact(1)
    assert (second.channel, second.queue_id, second.agent_id) == ("chat", floor.other, floor.agents[1])
    assert not (await asks.ask(floor.spine, asks.Accept(account=floor.agents[0], contact=second.pk))).done
    await floor.ask(asks.Accept(account=floor.agents[1], contact=second.pk))
    await floor.ask(asks.EndCall(account=floor.agents[1], contact=second.pk))
    await until(writer.is_("wrapping", 1))
    await floor.ask(asks.WrapUpDone(account=floor.agents[1], contact=second.pk, code="done", note="said"))
    await until(writer.is_("ended", 1))
    assert await writer.stands("closed")()
    assert (await Interaction.objects.aget()).outcome == "answered"
    with pytest.raises(writing.ConversationRefused):
        await sync_to_async(writing.say_as_visitor)(secret=writer.secret, words="spät", client="3")


async def test_an_agent_has_as_many_chats_as_is_set_and_who_declines_is_not_ready(floor: Floor) -> None:
    key = await sync_to_async(site_of)(floor.queue)
    await as_installation(sites.set_capacity, organisation=floor.organisation, user=floor.agents[0], most={"chat": 2})
    await at_desk(floor, 0)
    writers = [await Writer(floor, key).begin() for _ in range(3)]
    for writer in writers[:2]:
        await until(writer.is_("ringing"))
        await floor.ask(asks.Accept(account=floor.agents[0], contact=(await writer.contact()).pk))
    await until(writers[2].is_("waiting"))
    assert (await sync_to_async(reads.seen)(writers[2].secret)).place == 1
    await at_desk(floor, 1)
    await until(writers[2].is_("ringing"))
    await floor.ask(asks.Decline(account=floor.agents[1], contact=(await writers[2].contact()).pk))
    await until(writers[2].is_("waiting"))
    assert (await Agent.objects.aget(pk=floor.agents[1])).state == "missed"
    await sync_to_async(writing.leave_conversation)(secret=writers[0].secret)
    await floor.spine.send(WAKE, b"")
    await until(writers[0].is_("wrapping"))
    await floor.ask(asks.WrapUpDone(account=floor.agents[0], contact=(await writers[0].contact()).pk))
    await until(writers[2].is_("ringing"))
    assert (await writers[2].contact()).agent_id == floor.agents[0]


async def test_a_killed_router_loses_no_chat_and_offers_none_twice(floor: Floor) -> None:
    key = await sync_to_async(site_of)(floor.queue)
    await at_desk(floor, 0)
    talks = await Writer(floor, key).begin()
    await until(talks.is_("ringing"))
    await floor.ask(asks.Accept(account=floor.agents[0], contact=(await talks.contact()).pk))
    rings = await Writer(floor, key).begin()
    await until(rings.is_("ringing"))
    made: list[Writer] = []

    async def meanwhile() -> None:
        made.append(await Writer(floor, key).begin("写给停着的路由"))

    await floor.restart(meanwhile)
    await until(made[0].is_("ringing"))
    await until(rings.is_("ringing"))
    assert (await talks.contact()).state == "talking" and await Contact.objects.acount() == 3
    await floor.ask(asks.EndCall(account=floor.agents[0], contact=(await talks.contact()).pk))
    await until(talks.is_("wrapping"))


async def test_where_nobody_is_there_a_message_becomes_one_case_and_who_is_gone_waits_no_more(floor: Floor) -> None:
    await as_installation(cases.load_examples, organisation=floor.organisation)
    key = await sync_to_async(site_of)(floor.queue, "hotline")
    writer = await Writer(floor, key).begin("路灯坏了")
    await until(writer.stands("unattended"))
    visitor = Visitor(site=key, secret=writer.secret, agreed=True, name="王五", address="13904310001")
    numbers = [await sync_to_async(messages_left.leave_message)(visitor=visitor, words="请回电", client="2") for _twice in range(2)]
    case = await Case.objects.aget()
    assert numbers == [case.number, case.number] and case.description == "路灯坏了\n\n请回电" and case.person
    assert (await Interaction.objects.aget()).outcome == "case"
    await at_desk(floor, 0, ready=False)
    other = await Writer(floor, key).begin()
    await until(other.is_("waiting"))
    await Conversation.objects.filter(pk=other.id).aupdate(seen_at=utc_now() - timedelta(minutes=6))
    await floor.spine.send(WAKE, b"")
    await until(other.is_("ended"))
    assert (await other.contact()).end == "abandoned" and await other.stands("closed")()


async def test_new_cases_wait_in_a_queue_and_whoever_takes_one_has_it(floor: Floor) -> None:
    def open_case(title: str) -> int:
        new = NewCase(type="hotline", title=title, answers=dict(ANSWERS))
        return cases.open_case(organisation=floor.organisation, new=new, by=access.system("test")).case

    await as_installation(cases.load_examples, organisation=floor.organisation)
    before = await sync_to_async(open_case)("before")
    await as_installation(sites.feed_queue, queue=floor.queue, types=("hotline",))
    one, two = [await sync_to_async(open_case)(title) for title in ("one", "two")]
    await at_desk(floor, 0)

    def is_(case: int, state: str) -> Callable[[], Awaitable[bool]]:
        async def check() -> bool:
            return await Contact.objects.filter(leg=f"k{case}", channel="case", state=state).aexists()

        return check

    await until(is_(one, "ringing"))
    await until(is_(two, "waiting"))
    await floor.ask(asks.Accept(account=floor.agents[0], contact=(await Contact.objects.aget(leg=f"k{one}")).pk))
    assert (await Case.objects.aget(pk=one)).assignee_id == floor.agents[0]
    other = await sync_to_async(access.actor_of_account)(floor.agents[1])
    await sync_to_async(cases.claim_case)(case=two, by=other)
    await until(is_(two, "ended"))
    await floor.ask(asks.EndCall(account=floor.agents[0], contact=(await Contact.objects.aget(leg=f"k{one}")).pk))
    await until(is_(one, "ended"))
    assert not await Contact.objects.filter(leg=f"k{before}").aexists()
