"""What is new for somebody who writes: asked again and again, and answered when there is something, or after a while without."""

import asyncio

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from jilink.core.parties.access import NotFound
from jilink.kernel.errors import Unavailable
from jilink.services.contact import live
from jilink.services.contact.actions import writing
from jilink.services.contact.live import Writer
from jilink.services.contact.pages import visitors
from jilink.services.contact.pages.visitors import Asked
from jilink.services.contact.reads import writing as reads
from jilink.services.contact.reads.writing import Door, Seen
from jilink.services.contact.rules.written import ConversationState

WAIT_S = 20.0
WAIT_IN_LINE_S = 4.0
"""So often somebody learns their place, which changes by what becomes of others."""
MOST_WAITING = 3000
AGAIN_S = 3


@csrf_exempt
async def news(request: HttpRequest, key: str) -> HttpResponse:
    """Answer when the conversation is otherwise than the page knows, or after a while. Each answer is whole: no answer is missed."""
    known: list[tuple[Asked, Seen]] = []

    def first(door: Door) -> HttpResponse:
        asked = visitors.asked_in(request, door)
        if reads.site_of(asked.secret) != door.key:
            raise NotFound(reads.HIDDEN)
        writing.note_polled(secret=asked.secret, has=asked.has, read=asked.read)
        seen = reads.seen(asked.secret, after=asked.has)
        known.append((asked, seen))
        return JsonResponse(visitors.told(seen))

    response = await sync_to_async(visitors.answered)(request, key, first)
    if not known or _is_news(*known[0]):
        return response
    asked, seen = known[0]
    later, typing = await _later(asked, seen)
    body = visitors.told(later or seen)
    fresh = JsonResponse({**body, "typing": typing, "again_s": 0 if later else AGAIN_S})
    for name in ("Access-Control-Allow-Origin", "Cache-Control", "Cross-Origin-Resource-Policy", "Vary"):
        if name in response:
            fresh[name] = response[name]
    return fresh


def _is_news(asked: Asked, seen: Seen) -> bool:
    return bool(seen.lines) or visitors.mark_of(seen) != asked.mark


async def _later(asked: Asked, seen: Seen) -> tuple[Seen | None, bool]:
    """Return the conversation when it is otherwise, or after a while as it is; None where nobody can tell."""
    viewer, hub = Writer(seen.id), live.writers(settings.JILINK)
    if len(hub.viewers) >= MOST_WAITING or seen.state is ConversationState.CLOSED:
        return None, False
    read = sync_to_async(lambda: reads.seen(asked.secret, after=asked.has))
    try:
        async with hub.viewing(viewer):
            found = await read()  # what happened before the hub listened
            if _is_news(asked, found):
                return found, False
            try:
                async with asyncio.timeout(WAIT_IN_LINE_S if seen.place else WAIT_S):
                    await viewer.news.wait()
            except TimeoutError:
                pass
            return await read(), viewer.typing
    except (Unavailable, TimeoutError):
        return None, False


patterns: list[URLPattern] = [path("chat/<str:key>/news", news, name="chat-news")]
