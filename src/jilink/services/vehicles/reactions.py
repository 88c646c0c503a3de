"""What the vehicles service does when something happened: it carries a command to whoever holds the terminal."""

import asyncio

import msgspec
from django.db import close_old_connections

from jilink.core.outbox.registry import Context, reacts_to, works_beside
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.kernel.ids import AssetId
from jilink.services.vehicles import actions, rules, trimming
from jilink.services.vehicles.events import CommandGiven
from jilink.spine import subjects
from jilink.spine.client import Spine
from jilink.spine.connection import NoResponder, SpineTimeout
from jilink.spine.records import CommandReply, CommandRequest
from jilink.spine.terminals import MediaStored

OFFLINE_AFTER_S = 2.0
"""Nobody speaking up within this time holds the terminal (docs/decisions/0003)."""
MARGIN_S = 5.0


@reacts_to(CommandGiven)
async def send_command(event: CommandGiven, context: Context) -> None:
    """Ask for the command to be sent, once; note each reply. What cannot be known is said to be unknown."""
    begun = await asyncio.to_thread(_begin, event.command)
    if begun is None:
        return
    asset, request = begun
    try:
        await _ask(context, subjects.command(asset), request)
    except (NoResponder, SpineTimeout):
        await asyncio.to_thread(_note, CommandReply(command=event.command, state="failed", reason="timed_out"))
    except Unavailable:
        await asyncio.to_thread(_note, CommandReply(command=event.command, state="failed", reason="outcome_unknown"))


async def _ask(context: Context, subject: str, request: CommandRequest) -> None:
    replies = context.spine.request_each(subject, msgspec.json.encode(request), request.timeout_s + MARGIN_S)
    try:
        try:
            async with asyncio.timeout(OFFLINE_AFTER_S):
                first = await anext(replies)
        except (TimeoutError, NoResponder):
            await asyncio.to_thread(_note, CommandReply(command=request.command, state="failed", reason="offline"))
            return
        data = first
        while True:
            reply = msgspec.json.decode(data, type=CommandReply)
            if await asyncio.to_thread(_note, reply) in rules.FINAL:
                return
            data = await anext(replies)
    finally:
        await replies.aclose()


@reacts_to(MediaStored)
def note_media(event: MediaStored, context: Context) -> None:
    """Keep the row of a photo, sound, video or attachment."""
    actions.note_media(stored=event, received_at=context.envelope.received_at)


def _begin(command: str) -> tuple[AssetId, CommandRequest] | None:
    close_old_connections()
    try:
        return actions.begin_sending(command=command, now=utc_now())
    finally:
        close_old_connections()


def _note(reply: CommandReply) -> rules.CommandState:
    close_old_connections()
    try:
        return actions.note_reply(reply=reply, now=utc_now())
    finally:
        close_old_connections()


@works_beside
async def trim_media(spine: Spine) -> None:
    """Delete recordings past their retention, for ever."""
    await trimming.run(spine)
