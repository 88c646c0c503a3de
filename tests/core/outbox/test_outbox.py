"""Facts leave a transaction once it commits, in order, and reach reactions however often things break."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.test import AsyncClient

from jilink.core.outbox import letters, outbox, reads, relay
from jilink.core.outbox.consumers import Consumer
from jilink.core.outbox.letters import NoSuchLetter
from jilink.core.outbox.models import OutboxEvent
from jilink.core.outbox.outbox import NotInTransaction
from jilink.core.outbox.registry import Context, Reaction, reacts_to
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused, Unavailable
from jilink.spine import subjects
from jilink.spine.client import Spine
from jilink.spine.events import Event, decode_envelope
from tests.core.world import NOW, World, until
from tests.core.world import relay as running_relay


class BellRang(Event, frozen=True, kw_only=True):
    """A bell rang."""

    NOUN: ClassVar[str] = "bells"
    number: int


@transaction.atomic
def ring(numbers: range, aggregate: str = "bell:1") -> None:
    for number in numbers:
        outbox.add(BellRang(number=number), organisation=1, aggregate=aggregate)


async def rung(spine: Spine) -> list[int]:
    messages = await spine.read_last(subjects.EVENTS.name, subjects.event(BellRang.NOUN, BellRang.NAME), 1000)
    return [msgspec.json.decode(decode_envelope(message.data).payload)["number"] for message in reversed(messages)]


def test_an_event_outside_a_transaction_is_refused(transactional_db: None) -> None:
    with pytest.raises(NotInTransaction):
        outbox.add(BellRang(number=1), organisation=1, aggregate="bell:1")


def test_an_event_of_a_transaction_that_fails_never_happened(transactional_db: None) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        outbox.add(BellRang(number=1 // 0), organisation=1, aggregate="bell:1")
    assert OutboxEvent.objects.count() == 0


async def test_events_of_an_aggregate_are_published_in_order_and_once(transactional_db: None, spine: Spine) -> None:
    await sync_to_async(ring)(range(40))
    assert await relay.publish_due(spine, utc_now()) == (40, "")
    await OutboxEvent.objects.filter(pk__isnull=False).aupdate(published_at=None)  # as after a crash before marking
    await relay.publish_due(spine, utc_now())
    assert await rung(spine) == list(range(40))
    assert (await sync_to_async(reads.backlog)(utc_now())).waiting == 0


async def test_a_timer_waits_for_its_time_and_holds_up_no_other(transactional_db: None, spine: Spine) -> None:
    @sync_to_async
    @transaction.atomic
    def add() -> None:
        outbox.add(BellRang(number=2), organisation=1, aggregate="bell:1", now=NOW, not_before=NOW + timedelta(hours=1))
        outbox.add(BellRang(number=1), organisation=1, aggregate="bell:1", now=NOW)

    await add()
    await relay.publish_due(spine, NOW)
    assert await rung(spine) == [1]
    await relay.publish_due(spine, NOW + timedelta(hours=2))
    assert await rung(spine) == [1, 2]


async def test_what_cannot_be_published_waits_with_its_reason(transactional_db: None, spine: Spine) -> None:
    await sync_to_async(ring)(range(3))
    await spine.jetstream.delete_stream(subjects.EVENTS.name)
    count, reason = await relay.publish_due(spine, utc_now())
    assert count == 0 and reason
    row = await OutboxEvent.objects.order_by("id").afirst()
    assert row is not None and row.attempts == 1 and row.failure


@dataclass
class Bellman:
    """A reaction that behaves as told."""

    failures: list[Exception] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)

    async def __call__(self, event: BellRang, context: Context) -> None:
        await self.hear(event, context)

    async def hear(self, event: BellRang, context: Context) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.heard.append(event.number)


async def deliver(spine: Spine, bellman: Bellman, wanted: int, also: Callable[[], Awaitable[bool]] | None = None) -> None:
    reaction = Reaction("tests", BellRang, bellman.hear)
    task = asyncio.create_task(Consumer(spine, "tests", {(BellRang.NOUN, BellRang.NAME): reaction}).run())

    async def done() -> bool:
        return len(bellman.heard) >= wanted

    try:
        await until(done)
        if also is not None:
            await until(also)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_reaction_is_tried_again_while_something_is_unavailable(transactional_db: None, spine: Spine) -> None:
    await sync_to_async(ring)(range(1))
    await relay.publish_due(spine, utc_now())
    bellman = Bellman([Unavailable("down"), Unavailable("down")])
    await deliver(spine, bellman, 1)
    assert bellman.heard == [0]


async def test_what_a_reaction_refuses_is_kept_as_a_letter_and_holds_up_no_other(transactional_db: None, spine: Spine) -> None:
    await sync_to_async(ring)(range(3))
    await relay.publish_due(spine, utc_now())
    bellman = Bellman([Refused("not on Sundays")])

    async def kept() -> bool:
        return [letter.reason for letter in await sync_to_async(reads.dead_letters)()] == ["Refused: not on Sundays"]

    await deliver(spine, bellman, 2, kept)


async def test_what_was_not_acknowledged_is_delivered_again_to_the_next_consumer(transactional_db: None, spine: Spine) -> None:
    await sync_to_async(ring)(range(1))
    await relay.publish_due(spine, utc_now())
    stuck = asyncio.Event()

    class Stuck(Bellman):
        async def hear(self, event: BellRang, context: Context) -> None:
            stuck.set()
            await asyncio.Event().wait()

    reaction = Reaction("tests", BellRang, Stuck().hear)
    task = asyncio.create_task(Consumer(spine, "tests", {(BellRang.NOUN, BellRang.NAME): reaction}).run())
    await asyncio.wait_for(stuck.wait(), 15)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    bellman = Bellman()
    await deliver(spine, bellman, 1)
    assert bellman.heard == [0]


tolled: list[int] = []
deaf = [True]


class BellTolled(Event, frozen=True, kw_only=True):
    """A bell tolled."""

    NOUN: ClassVar[str] = "bells"
    number: int


@reacts_to(BellTolled)
def listen(event: BellTolled, context: Context) -> None:
    if deaf[0]:
        raise Refused("not on Sundays")
    tolled.append(event.number)


async def test_a_dead_letter_is_told_again_on_request_and_goes_once_its_room_takes_it(lasting_world: World, spine: Spine) -> None:
    deaf[0] = True
    tolled.clear()
    operator = await sync_to_async(lasting_world.person)(Role.OPERATOR, lasting_world.north)
    owner = await sync_to_async(lasting_world.person)(Role.OWNER, lasting_world.north)
    for person in (operator, owner):
        await sync_to_async(lasting_world.second_factor)(person)
    browser, other = AsyncClient(), AsyncClient()
    await browser.aforce_login(operator, backend="allauth.account.auth_backends.AuthenticationBackend")
    await other.aforce_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")

    @sync_to_async
    @transaction.atomic
    def toll() -> None:
        outbox.add(BellTolled(number=7), organisation=1, aggregate="bell:1")

    async def letters_with(attempts: int) -> bool:
        found = await sync_to_async(reads.dead_letters)()
        return [(letter.attempts, letter.replaying) for letter in found] == ([(attempts, False)] if attempts else [])

    async with running_relay(spine):
        await toll()
        await until(lambda: letters_with(1))
        (letter,) = await sync_to_async(reads.dead_letters)()
        address = f"/operations/letters/{letter.id}/replay"
        assert (await other.post(address)).status_code == 404
        assert (await browser.post(address)).status_code == 302
        await until(lambda: letters_with(2))
        assert tolled == []
        deaf[0] = False
        for _ in range(2):
            assert (await browser.post(address)).status_code == 302
        await until(lambda: letters_with(0))
    assert tolled == [7]
    with pytest.raises(NoSuchLetter):
        await sync_to_async(letters.replay)(letter.id, now=utc_now())
