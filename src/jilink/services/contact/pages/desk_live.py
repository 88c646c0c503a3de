"""The event stream of a desk: it says that something is new, and the page asks for it."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path

from jilink.core.parties import access
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Unavailable
from jilink.services.contact import live as streams
from jilink.services.contact.live import Viewer
from jilink.webkit.door import hidden

log = structlog.get_logger(__name__)
HEARTBEAT_S = 8.0


async def live(request: HttpRequest) -> HttpResponseBase:
    """Stream `news` whenever the desk of whoever asks is otherwise than before. 401 when signed out."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    actor = await _actor(request)
    if actor.user is None:
        return HttpResponse(status=401)
    if not access.organisations_of(actor, Permission.SERVE_QUEUES):
        return await hidden(request, actor, Permission.SERVE_QUEUES)
    response = StreamingHttpResponse(_messages(request, actor, Viewer(actor.user)), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _messages(request: HttpRequest, actor: Actor, viewer: Viewer) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    try:
        async with streams.hub(settings.JILINK).viewing(viewer):
            yield b"event: ready\ndata: {}\n\n"
            while await _actor(request) == actor:
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        await viewer.news.wait()
                    viewer.news.clear()
                    for conversation in sorted(viewer.typing):
                        yield f"event: typing\ndata: {conversation}\n\n".encode()
                    viewer.typing.clear()
                    if viewer.changed:
                        viewer.changed = False
                        yield b"event: news\ndata: {}\n\n"
                except TimeoutError:
                    yield b"event: here\ndata: {}\n\n"
            yield b"event: end\ndata: {}\n\n"
    except (Unavailable, TimeoutError) as error:
        log.info("desk.stream_ended", reason=repr(error))  # the page comes back by itself


@sync_to_async
def _actor(request: HttpRequest) -> Actor:
    """Read session and memberships anew."""
    return access.actor_of_session(request.session.session_key)


patterns: list[URLPattern] = [path("desk/live", live, name="desk-live")]
