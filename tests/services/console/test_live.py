"""The stream of the console: counts at once, changes as they happen, who is here, and nothing across a wall."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client

from jilink.core.parties import access
from jilink.core.parties import actions as parties
from jilink.core.parties.access import NotFound
from jilink.core.parties.models import User
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.services.console import live as streams
from jilink.services.console.actions import drafts, presence
from jilink.services.console.live import MOST_WAITING, Viewer
from jilink.services.console.models import Draft, Looking
from jilink.services.console.reads.drafts import draft
from jilink.services.console.reads.presence import present
from jilink.services.console.rules.presence import GONE_AFTER, Heart, together
from jilink.spine.client import Spine
from tests.core.cases.office import Office, office_of
from tests.core.world import World, relay
from tests.services.conftest import signed_in
from tests.spine.server import Server

PAGE, OTHER = "page-0001", "page-0002"


@pytest.fixture
def office(lasting_world: World, spine_server: Server, settings: Any) -> Office:
    settings.JILINK = spine_server.settings
    return office_of(lasting_world)


def browser_of(world: World, user: int) -> AsyncClient:
    client, person = AsyncClient(), User.objects.get(pk=user)
    world.second_factor(person)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


class Listener:
    """Reads a stream message by message."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.parts = answer, aiter(answer.streaming_content)

    async def next(self, event: str, seconds: float = 20.0) -> Any:
        """Return the data of the next message of a kind."""
        async with asyncio.timeout(seconds):
            while True:
                text = (await anext(self.parts)).decode()
                lines = dict(line.split(": ", 1) for line in text.strip().splitlines() if not line.startswith(":"))
                if lines.get("event") == event:
                    return msgspec.json.decode(lines["data"])

    async def following(self, seconds: float = 20.0) -> str:
        """Return the kind of the next message."""
        async with asyncio.timeout(seconds):
            return (await anext(self.parts)).decode().rpartition("event: ")[2].partition("\n")[0]

    async def close(self) -> None:
        await self.parts.aclose()


async def listen(office: Office, user: int, address: str = "/console/live", **headers: str) -> Listener:
    client = await sync_to_async(browser_of)(office.world, user)
    answer = await client.get(address, headers=headers or None)
    assert answer.status_code == 200 and answer["Content-Type"] == "text/event-stream"
    return Listener(answer)


@pytest.fixture
async def relayed(spine: Spine, spine_server: Server, office: Office) -> AsyncIterator[Office]:
    async with relay(spine):
        yield office
    await streams.hub(spine_server.settings).spine.close()


def open_now(office: Office) -> int:
    return office.open(now=utc_now())


@pytest.mark.django_db(transaction=True)
async def test_a_page_learns_of_a_new_case_and_its_counts_at_once(relayed: Office) -> None:
    heard = await listen(relayed, relayed.boss.user or 0)
    assert (await heard.next("counts"))["inboxes"]["all"] == 0
    await heard.next("ready")
    case = await sync_to_async(open_now)(relayed)
    news = await heard.next("cases")
    assert news == {"changed": [case], "opened": [case], "many": False}
    assert (await heard.next("counts"))["inboxes"]["unassigned"] == 1
    await heard.close()


@pytest.mark.django_db(transaction=True)
async def test_a_member_of_another_organisation_hears_nothing_of_it_but_that_the_stream_lives(relayed: Office) -> None:
    ours, theirs = await listen(relayed, relayed.boss.user or 0), await listen(relayed, relayed.stranger.user or 0)
    await ours.next("ready")
    await theirs.next("ready")
    await sync_to_async(open_now)(relayed)
    await ours.next("cases")
    assert await theirs.following() == "here"  # an event and no comment: scripts hear nothing of comments, and would come back for ever
    await ours.close()


@pytest.mark.django_db(transaction=True)
async def test_a_page_that_comes_back_learns_what_it_missed(relayed: Office) -> None:
    before = utc_now()
    case = await sync_to_async(open_now)(relayed)
    heard = await listen(relayed, relayed.boss.user or 0, **{"Last-Event-ID": before.isoformat()})
    assert (await heard.next("cases")) == {"changed": [case], "opened": [case], "many": False}
    await heard.close()
    anew = await listen(relayed, relayed.boss.user or 0, f"/console/live?since={quote(before.isoformat())}")
    assert case in (await anew.next("cases"))["changed"]
    await anew.close()
    long_away = await listen(relayed, relayed.boss.user or 0, **{"Last-Event-ID": (before - timedelta(days=1)).isoformat()})
    assert (await long_away.next("cases"))["many"] is True
    await long_away.close()
    stranger = await listen(relayed, relayed.stranger.user or 0, **{"Last-Event-ID": before.isoformat()})
    with pytest.raises(TimeoutError):
        await stranger.next("cases", 2)


@pytest.mark.django_db(transaction=True)
async def test_colleagues_see_who_comes_writes_and_leaves(relayed: Office) -> None:
    case = await sync_to_async(open_now)(relayed)
    heard = await listen(relayed, relayed.boss.user or 0, f"/console/live?case={case}")
    assert (await heard.next("presence"))["people"] == []
    second = relayed.second
    await sync_to_async(presence.look_at)(case=case, page=PAGE, edits=False, by=second)
    assert [person["edits"] for person in (await heard.next("presence"))["people"]] == [False]
    await sync_to_async(presence.look_at)(case=case, page=PAGE, edits=True, by=second)
    assert [person["edits"] for person in (await heard.next("presence"))["people"]] == [True]
    await sync_to_async(presence.leave)(case=case, page=PAGE, by=second)
    assert (await heard.next("presence"))["people"] == []
    await heard.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("role", "why"), [(Role.SUPERVISOR, "changed"), (Role.ANALYST, "signed_out")])
async def test_whoever_may_see_other_things_now_is_sent_away(relayed: Office, role: Role, why: str) -> None:
    heard = await listen(relayed, relayed.worker.user or 0)
    await heard.next("ready")

    def move() -> None:
        parties.set_role(user=relayed.worker.user or 0, organisation=relayed.world.depot, role=role, by=access.system("test"))

    await sync_to_async(move)()
    assert (await heard.next("end"))["why"] == why


@pytest.mark.django_db(transaction=True)
async def test_signing_out_ends_the_stream(relayed: Office) -> None:
    client = await sync_to_async(browser_of)(relayed.world, relayed.boss.user or 0)
    heard = Listener(await client.get("/console/live"))
    await heard.next("ready")
    await sync_to_async(client.logout)()
    assert (await heard.next("end"))["why"] == "signed_out"
    assert (await AsyncClient().get("/console/live")).status_code == 401


def test_a_slow_page_keeps_a_bounded_number_of_cases_in_memory() -> None:
    async def fill() -> Viewer:
        viewer = Viewer(frozenset({1}))
        for case in range(MOST_WAITING * 3):
            viewer.note(case, opened=True)
        return viewer

    changed, opened, many, _presence = asyncio.run(fill()).take()
    assert len(changed) == len(opened) == MOST_WAITING and many


@pytest.mark.django_db
def test_a_page_that_died_is_gone_within_thirty_seconds(world: World) -> None:
    office, now = office_of(world), utc_now()
    case = office.open(now=now)
    presence.look_at(case=case, page=PAGE, edits=True, by=office.second, now=now)
    presence.look_at(case=case, page=OTHER, edits=False, by=office.second, now=now)
    assert [(one.user, one.edits) for one in present(office.boss, case, now=now)] == [(office.second.user, True)]
    assert present(office.second, case, now=now) == []
    assert present(office.boss, case, now=now + timedelta(seconds=21)) == []
    assert GONE_AFTER + timedelta(seconds=8) < timedelta(seconds=30)


@pytest.mark.django_db
def test_presence_stops_at_the_wall(world: World) -> None:
    office = office_of(world)
    case = office.open(now=utc_now())
    with pytest.raises(NotFound):
        presence.look_at(case=case, page=PAGE, edits=False, by=office.stranger)
    with pytest.raises(NotFound):
        present(office.stranger, case, now=utc_now())
    stranger = signed_in(world, Role.OWNER, world.south)
    assert stranger.post(f"/console/live/{case}", {"page": PAGE}).status_code == 404
    assert not Looking.objects.exists()
    boss = signed_in(world, Role.SUPERVISOR, world.north)
    assert boss.post(f"/console/live/{case}", {"page": PAGE}).json() == {"people": []}
    assert boss.post(f"/console/live/{case}", {"page": "<script>"}).status_code == 400
    assert boss.post(f"/console/live/{case}", {"page": PAGE, "left": "1"}).status_code == 204 and not Looking.objects.exists()


@pytest.mark.django_db
def test_a_draft_is_there_again_for_its_writer_alone_until_it_is_sent(world: World) -> None:
    writer, other = signed_in(world, Role.AGENT, world.north), signed_in(world, Role.SUPERVISOR, world.north)
    place = "case:12:note"
    assert writer.post("/console/drafts", {"place": place, "text": "Half a sentence"}).status_code == 204
    assert writer.get("/console/drafts", {"place": place}).json() == {"text": "Half a sentence"}
    assert other.get("/console/drafts", {"place": place}).json() == {"text": ""}
    assert Client().get("/console/drafts", {"place": place}).status_code == 302
    agent = world.actor(Role.AGENT, world.north)
    drafts.drop_draft(place=place, by=agent)
    assert draft(agent, place) == "" and not Draft.objects.exists()


@pytest.mark.django_db
def test_drafts_are_bounded_and_forgotten_after_thirty_days(world: World) -> None:
    agent, now = world.actor(Role.AGENT, world.north), utc_now()
    drafts.keep_draft(place="old", text="words", by=agent, now=now - timedelta(days=31))
    drafts.keep_draft(place="new", text="words", by=agent, now=now)
    assert list(Draft.objects.values_list("place", flat=True)) == ["new"]
    for place, text in (("case:12:note", "x" * 20_001), ("../../etc", "words"), ("", "words")):
        with pytest.raises(drafts.DraftRefused):
            drafts.keep_draft(place=place, text=text, by=agent, now=now)
    drafts.keep_draft(place="new", text="  ", by=agent, now=now)
    assert not Draft.objects.exists()


def test_two_pages_of_one_person_are_one_person() -> None:
    now = utc_now()
    hearts = [Heart(1, False, now), Heart(1, True, now), Heart(2, True, now - GONE_AFTER - timedelta(seconds=1))]
    assert together(hearts, now) == {1: True}
