"""The live map with its list, and the stream behind it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jilink.core.assets import reads as assets
from jilink.core.parties import access
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.services.vehicles import live as streams
from jilink.services.vehicles.reads import fleet
from jilink.services.vehicles.watching import STATES
from jilink.webkit.door import hidden, signed_in

MOST_NAMES = 200
STILL_ALLOWED_S = 30.0
"""How often an open stream asks again whether its viewer may see it."""


def page_of(rows: Sequence[object], total: int, size: int, number: int) -> Page:  # type: ignore[type-arg]  # -- not generic at run time
    """Return a page for templates from rows that were read already."""
    paginator = Paginator(range(total), size)
    return Page(rows, min(number, paginator.num_pages), paginator)


def page_number(request: HttpRequest) -> int:
    """Return the page asked for; anything that is no page is the first."""
    text = request.GET.get("page", "1")
    return max(1, min(int(text), 100_000)) if text.isascii() and text.isdecimal() else 1


@require_safe
@signed_in
def fleet_map(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the vehicles: counts, list and map; asked by htmx or the map's script, the list alone."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:40]
    state = request.GET.get("state", "")
    state = state if state in STATES[1:] else ""
    number = page_number(request)
    found = fleet.listing(actor, text=text, state=state, page=number)
    context = {
        "page": page_of(found.rows, found.total, fleet.PAGE, number),
        "counts": found.counts,
        "state": state,
        "q": text,
        "matches": found.matches,
        "watching": found.watching,
        "can_add": actor.may(Permission.MANAGE_VEHICLES),
    }
    return render(request, "vehicles/_list.html" if request.headers.get("HX-Request") else "vehicles/map.html", context)


@require_safe
@signed_in
def card(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show one vehicle beside the map."""
    return render(request, "vehicles/_card.html", {"row": fleet.one(actor, AssetId(asset))})


@require_safe
@signed_in
def names(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Tell the map's script the plates of vehicles by asset, at most 200; those behind a wall are left out."""
    access.require_anywhere(actor, Permission.VIEW_VEHICLES)
    given = request.GET.get("of", "").split(",")[:MOST_NAMES]
    ids = [AssetId(int(text)) for text in given if text.isascii() and text.isdecimal() and len(text) < 19]
    found = {str(view.id): view.label for view in assets.assets(actor, ids)}
    return JsonResponse(found, headers={"Cache-Control": "private, max-age=60"})


async def live(request: HttpRequest) -> HttpResponseBase:
    """Stream the map frames of every organisation the viewer may see; 401 when signed out, so that a script can tell."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    actor = await _actor(request)
    if actor.user is None:
        return HttpResponse(status=401)
    organisations = access.organisations_of(actor, Permission.VIEW_VEHICLES)
    if not organisations:
        return await hidden(request, actor, Permission.VIEW_VEHICLES)
    response = StreamingHttpResponse(_stream(request, organisations), content_type="application/octet-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _stream(request: HttpRequest, organisations: frozenset[OrganisationId]) -> AsyncIterator[bytes]:
    checked = time.monotonic()
    frames = streams.hub(settings.JILINK).frames(sorted(organisations))
    try:
        async for frame in frames:
            yield frame
            if time.monotonic() - checked > STILL_ALLOWED_S:
                checked = time.monotonic()
                if access.organisations_of(await _actor(request), Permission.VIEW_VEHICLES) != organisations:
                    return  # the next attempt is answered by what holds now
    finally:
        await asyncio.shield(frames.aclose())


@sync_to_async
def _actor(request: HttpRequest) -> Actor:
    """Read session and memberships anew."""
    return access.actor_of_session(request.session.session_key)
