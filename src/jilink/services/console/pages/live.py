"""The event stream of the console, who is here, and drafts."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_POST

from jilink.core.cases import reads as cases
from jilink.core.cases.reads import Whose
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.services.console import live as streams
from jilink.services.console.actions import drafts, presence
from jilink.services.console.live import Viewer, said
from jilink.services.console.reads import saved, views
from jilink.services.console.reads.drafts import draft
from jilink.services.console.reads.notices import unread
from jilink.services.console.reads.presence import Present, present
from jilink.services.console.reads.views import View
from jilink.services.console.rules.presence import HEARTBEAT_S
from jilink.webkit.door import hidden, signed_in

log = structlog.get_logger(__name__)
GATHER_S = 0.5
"""What happens within this time is told together."""
COUNT_EVERY_S = 2.0
RECOUNT_S = 30.0
"""Counts move with the clock too: cases become overdue."""
OVERLAP = timedelta(seconds=5)
REMEMBERED = timedelta(hours=1)
"""A page that was away longer reads its list anew."""
_PAGE = re.compile(r"[a-z0-9-]{8,40}\Z")


async def live(request: HttpRequest) -> HttpResponseBase:
    """Stream what concerns this viewer: counts, changed cases, and who is at the case shown. 401 when signed out.

    Parameters: `query`, that of the inbox shown (for its counts); `case`, the id of the case shown (for presence); `since`, the id of
    the last message heard, where the page opens a new stream after one that was lost.
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    actor = await _actor(request)
    if actor.user is None:
        return HttpResponse(status=401)
    if not access.reach(actor, Permission.VIEW_CASES):
        return await hidden(request, actor, Permission.VIEW_CASES)
    response = StreamingHttpResponse(Stream(request, actor).messages(), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


class Stream:
    """One open stream."""

    def __init__(self, request: HttpRequest, actor: Actor) -> None:
        self.request, self.actor = request, actor
        given = request.GET.get("case", "")
        self.case = int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else None
        self.view = views.read(request.GET.get("query", ""))
        self.viewer = Viewer(frozenset(int(each) for each in actor.organisations), self.case, actor.user)
        self.counted = 0.0
        self.last: dict[str, bytes] = {}

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield until the viewer leaves, signs out, or may see other things than when it began."""
        yield b"retry: 2000\n\n"
        try:
            async with streams.hub(settings.JILINK).viewing(self.viewer):
                async for message in self._told():
                    yield message
        except (Unavailable, TimeoutError) as error:
            log.info("console.stream_ended", reason=repr(error))  # the page comes back by itself

    async def _told(self) -> AsyncIterator[bytes]:
        for message in await self._first():
            yield message
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await self.viewer.news.wait()
                await asyncio.sleep(GATHER_S)
            except TimeoutError:
                yield said("here", {}, utc_now().isoformat())
            now_is = await _actor(self.request)
            if now_is != self.actor:
                yield said("end", {"why": "signed_out" if now_is.user is None else "changed"})
                return
            for message in await self._news():
                yield message

    @sync_to_async
    def _first(self) -> list[bytes]:
        """What a page has to know that has just come, or come back."""
        access.actor_of_session(self.request.session.session_key)
        now = utc_now()
        found = self._counts(now) + self._presence(now) + self._notices()
        since = _moment(self.request.headers.get("Last-Event-ID") or self.request.GET.get("since", ""))
        if since is not None:
            lost = now - since > REMEMBERED
            missed = () if lost else cases.changed_since(self.actor, since - OVERLAP, limit=streams.MOST_WAITING)
            if lost or missed:
                opened = [row.id for row in cases.rows_of(self.actor, missed, now=now) if row.opened_at >= since - OVERLAP]
                found.append(said("cases", {"changed": list(missed), "opened": opened, "many": lost}, now.isoformat()))
        return [*found, said("ready", {}, now.isoformat())]

    @sync_to_async
    def _news(self) -> list[bytes]:
        access.actor_of_session(self.request.session.session_key)  # lets in what this thread's queries may see
        changed, opened, many, _presence = self.viewer.take()
        now = utc_now()
        found = self._presence(now) + self._notices()
        if changed or many:
            seen = {row.id for row in cases.rows_of(self.actor, changed, now=now)}
            if seen or many:
                news = {"changed": sorted(seen), "opened": sorted(opened & seen), "many": many}
                found.append(said("cases", news, now.isoformat()))
        due = RECOUNT_S if not changed and not many else COUNT_EVERY_S
        if time.monotonic() - self.counted >= due:
            found += self._counts(now)
        elif changed or many:
            self.counted = 0.0  # too soon: with the next heartbeat
        return found

    def _counts(self, now: datetime) -> list[bytes]:
        self.counted = time.monotonic()
        kept = saved.saved_views(self.actor)
        view = self.view
        wanted = [View(whose, view.standing, view.due, view.order, view.values).filter(now) for whose in Whose]
        numbers = cases.count_views(self.actor, [*wanted, *(each.view.filter(now) for each in kept)], now=now)
        inboxes = dict(zip((whose.value for whose in Whose), numbers, strict=False))
        return self._if_new("counts", {"inboxes": inboxes, "views": dict(zip((str(each.id) for each in kept), numbers[4:], strict=True))})

    def _presence(self, now: datetime) -> list[bytes]:
        if self.case is None:
            return []
        try:
            here = present(self.actor, self.case, now=now)
        except NotFound:
            here = []
        return self._if_new("presence", {"case": self.case, "people": _people(here)})

    def _notices(self) -> list[bytes]:
        return self._if_new("notices", {"unread": unread(self.actor.user)})

    def _if_new(self, event: str, data: object) -> list[bytes]:
        message = said(event, data)
        if self.last.get(event) == message:
            return []
        self.last[event] = message
        return [message]


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _people(here: list[Present]) -> list[dict[str, object]]:
    return [{"name": each.name, "edits": each.edits} for each in here]


@sync_to_async
def _actor(request: HttpRequest) -> Actor:
    """Read session and memberships anew."""
    return access.actor_of_session(request.session.session_key)


@require_POST
@signed_in
def presence_at(request: HttpRequest, actor: Actor, case: int) -> HttpResponse:
    """Take a heartbeat of an open page (`page`, `edits`, or `left` when it closes), and answer with who else is here."""
    page = request.POST.get("page", "")
    if not _PAGE.match(page):
        return HttpResponse(status=400)
    if request.POST.get("left"):
        presence.leave(case=case, page=page, by=actor)
        return HttpResponse(status=204)
    presence.look_at(case=case, page=page, edits=request.POST.get("edits") == "1", by=actor)
    return JsonResponse({"people": _people(present(actor, case, now=utc_now()))}, headers={"Cache-Control": "no-store"})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def draft_at(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Return what was left unsent at `place`, or keep what is typed there; nothing typed is nothing kept."""
    if request.method != "POST":
        return JsonResponse({"text": draft(actor, request.GET.get("place", ""))}, headers={"Cache-Control": "no-store"})
    drafts.keep_draft(place=request.POST.get("place", ""), text=request.POST.get("text", ""), by=actor)
    return HttpResponse(status=204)


patterns: list[URLPattern] = [
    path("live", live, name="live"),
    path("live/<int:case>", presence_at, name="presence"),
    path("drafts", draft_at, name="drafts"),
]
