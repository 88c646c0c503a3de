"""From the spine to the reactions: one durable consumer a room, retries with back-off, and letters for what is given up."""

import asyncio
import inspect
from collections.abc import Mapping

import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections

from jilink.core.outbox.models import DeadLetter
from jilink.core.outbox.registry import Context, Reaction
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Malformed, Refused, Unavailable
from jilink.spine import subjects
from jilink.spine.client import Message, Spine
from jilink.spine.events import ANY, Event, decode_envelope, decode_event
from jilink.spine.records import Envelope

log = structlog.get_logger(__name__)
TOGETHER = 256
ATTEMPTS = 6
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
ACK_WAIT_S = 300.0
"""Longer than any reaction takes; after a crash the spine delivers again at once, not after this."""


class Consumer:
    """Delivers the events of one room to its reactions, several at a time."""

    def __init__(self, spine: Spine, room: str, reactions: Mapping[tuple[str, str], Reaction]) -> None:
        self._spine, self._room, self._reactions = spine, room, reactions
        self._places = asyncio.Semaphore(TOGETHER)
        self._handling: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver for ever. Cancelling it cancels what is being handled; that is delivered again by the next run."""
        names = sorted(subjects.event(noun, name) for noun, name in self._reactions)
        try:
            async for messages in self._spine.consume(subjects.EVENTS.name, self._room, names, batch=TOGETHER, ack_wait_s=ACK_WAIT_S):
                for message in messages:
                    await self._start(message)
        finally:
            for task in self._handling.values():
                task.cancel()
            await asyncio.gather(*self._handling.values(), return_exceptions=True)

    async def _start(self, message: Message) -> None:
        try:
            envelope = decode_envelope(message.data)
            reaction = self._reactions.get(ANY) or self._reactions[envelope.noun, envelope.name]
            event = told(reaction, envelope)
        except (Malformed, KeyError) as error:
            await self._give_up(message, None, repr(error), message.delivered)
            return
        if envelope.id in self._handling:  # delivered again while the first delivery is still at work
            return
        await self._places.acquire()
        task = asyncio.create_task(self._handle(message, envelope, reaction, event))
        self._handling[envelope.id] = task
        task.add_done_callback(lambda _task: self._ended(envelope.id))

    def _ended(self, identity: str) -> None:
        self._handling.pop(identity, None)
        self._places.release()

    async def _handle(self, message: Message, envelope: Envelope, reaction: Reaction, event: Event | Envelope) -> None:
        pause, attempt = FIRST_PAUSE_S, 0
        context = Context(envelope, self._spine)
        while True:
            attempt += 1
            try:
                await tell(reaction, event, context)
                break
            except (Refused, Malformed) as error:
                await self._give_up(message, envelope, f"{type(error).__name__}: {error}", attempt)
                return
            except (Unavailable, DatabaseError) as error:
                if attempt == 1:
                    log.warning("reaction.waits", room=self._room, subject=message.subject, reason=repr(error))
            except Exception as error:  # a bug in one room's reaction must not end those of the others
                if attempt >= ATTEMPTS:
                    log.exception("reaction.given_up", room=self._room, subject=message.subject, identity=envelope.id)
                    await self._give_up(message, envelope, repr(error), attempt)
                    return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
        await self._acknowledge(message)

    async def _give_up(self, message: Message, envelope: Envelope | None, reason: str, attempts: int) -> None:
        log.error("reaction.dead_letter", room=self._room, subject=message.subject, reason=reason)
        await asyncio.to_thread(_keep_letter, self._room, message, envelope, reason, attempts)
        await self._acknowledge(message)

    async def _acknowledge(self, message: Message) -> None:
        try:
            await self._spine.ack([message])
        except Unavailable:
            log.info("reaction.ack_lost", room=self._room)  # it is delivered again, and changes nothing


def told(reaction: Reaction, envelope: Envelope) -> Event | Envelope:
    """Return what a reaction is told of an event. Raises NotAnEvent."""
    return envelope if reaction.event is Event else decode_event(envelope)


async def tell(reaction: Reaction, event: Event | Envelope, context: Context) -> None:
    """Run a reaction once: on this loop, or in a thread where it is a plain function. Raises what it raises."""
    if inspect.iscoroutinefunction(reaction.handler):
        await reaction.handler(event, context)
    else:
        await asyncio.to_thread(_call, reaction, event, context)


def _call(reaction: Reaction, event: Event | Envelope, context: Context) -> None:
    close_old_connections()
    try:
        reaction.handler(event, context)
    finally:
        close_old_connections()


def _keep_letter(room: str, message: Message, envelope: Envelope | None, reason: str, attempts: int) -> None:
    try:
        DeadLetter.objects.update_or_create(
            room=room,
            event=envelope.id if envelope else f"sequence-{message.sequence}",
            defaults={
                "subject": message.subject,
                "organisation": envelope.organisation if envelope else 0,
                "envelope": message.data,
                "reason": reason[:2000],
                "attempts": attempts,
                "at": utc_now(),
                "replay_at": None,
            },
        )
    finally:
        close_old_connections()
