"""What a member was told: the list behind the bell, how many wait, and where letters go."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.parties.access import Actor
from jilink.core.parties.members.reads import people_named
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.console.actions import notices as actions
from jilink.services.console.notice_words import CHOICES, LISTS, SYMBOLS, TONES, WAYS, sentence
from jilink.services.console.reads import notices as reads
from jilink.services.console.rules.notices import CHOSEN, Kind, Way
from jilink.webkit.door import said, signed_in


@require_safe
@signed_in
def notices(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show one's own notices, the newest first."""
    found = reads.notices(actor, now=utc_now())
    names = people_named({each.by for each in found if each.by is not None})
    rows = [
        (
            each,
            sentence(each.kind, names.get(each.by or 0, ""), each.count),
            SYMBOLS.get(each.kind, "person"),
            TONES.get(each.kind, ""),
            f"{reverse('console:inbox')}?{LISTS[each.kind]}" if each.count > 1 and each.kind in LISTS else "",
        )
        for each in found
    ]
    kept = reads.wishes(actor)
    context = {
        "rows": rows,
        "waiting": sum(not each.read for each in found),
        "newest": found[0].id if found else 0,
        "posts": bool(settings.EMAIL_HOST),
        "letterbox": reads.letterbox(actor),
        "wishes": [(kind.value, CHOICES[kind], kept[kind].value) for kind in CHOSEN if _concerns(actor, kind)],
        "ways": [(way.value, word) for way, word in WAYS.items()],
    }
    response = render(request, "console/notices.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _concerns(actor: Actor, kind: Kind) -> bool:
    """Return whether somebody is ever told of a kind of things."""
    if kind == Kind.TEAM:
        return bool(actor.teams)
    return actor.may(Permission.ASSIGN_CASES if kind == Kind.UNIT else Permission.APPROVE_CASES)


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


@require_POST
@signed_in
def wishes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Say how one wants to hear of what concerns several people; what the form does not say stays."""
    given = {kind: request.POST.get(kind.value, "") for kind in CHOSEN}
    actions.set_wishes(wishes={kind: Way(way) for kind, way in given.items() if way in set(Way)}, by=actor)
    messages.success(request, _("Saved."))
    return redirect("console:notices")


patterns: list[URLPattern] = [
    path("notices", notices, name="notices"),
    path("notices/unread", unread, name="notices-unread"),
    path("notices/read", read, name="notices-read"),
    path("notices/wishes", wishes, name="notices-wishes"),
    path("notices/letterbox", letterbox, name="notices-letterbox"),
]
