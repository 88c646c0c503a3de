"""What a member was told: the list behind the bell, how many wait, and where letters go."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.parties.access import Actor
from jilink.core.parties.members.reads import people_named
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.console.actions import notices as actions
from jilink.services.console.notice_words import SYMBOLS, TONES, sentence
from jilink.services.console.reads import notices as reads
from jilink.webkit.door import said, signed_in


@require_safe
@signed_in
def notices(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show one's own notices, the newest first."""
    found = reads.notices(actor, now=utc_now())
    names = people_named({each.by for each in found if each.by is not None})
    rows = [
        (each, sentence(each.kind, names.get(each.by or 0, "")), SYMBOLS.get(each.kind, "person"), TONES.get(each.kind, ""))
        for each in found
    ]
    context = {
        "rows": rows,
        "waiting": sum(not each.read for each in found),
        "newest": found[0].id if found else 0,
        "posts": bool(settings.EMAIL_HOST),
        "letterbox": reads.letterbox(actor),
    }
    response = render(request, "console/notices.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@signed_in
def unread(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Say how many notices wait, for the bell."""
    return JsonResponse({"unread": reads.unread(actor.user)}, headers={"Cache-Control": "no-store"})


@require_POST
@signed_in
def read(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Mark as read what the page showed."""
    upto = request.POST.get("upto", "")
    if upto.isascii() and upto.isdecimal() and len(upto) < 19:
        actions.read_notices(by=actor, upto=int(upto))
    return redirect("console:notices")


@require_POST
@signed_in
def letterbox(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Say where letters go, or that none shall."""
    try:
        actions.set_letterbox(address=request.POST.get("address", "")[:300], by=actor)
    except actions.AddressRefused as error:
        messages.error(request, said(error))
    except Refused:
        raise
    else:
        messages.success(request, _("Saved."))
    return redirect("console:notices")


patterns: list[URLPattern] = [
    path("notices", notices, name="notices"),
    path("notices/unread", unread, name="notices-unread"),
    path("notices/read", read, name="notices-read"),
    path("notices/letterbox", letterbox, name="notices-letterbox"),
]
