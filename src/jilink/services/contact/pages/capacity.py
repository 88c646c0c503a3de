"""How many of each channel agents have at once, and which new cases wait in which queue."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.cases import reads as cases
from jilink.core.parties import access
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.services.contact.actions import sites as actions
from jilink.services.contact.pages.places import place_names
from jilink.services.contact.reads import sites as reads
from jilink.services.contact.rules import written as rules
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_QUEUES


@dataclass(frozen=True, slots=True)
class Fed:
    """A queue, with the case types that may wait in it, and whether they do."""

    queue: int
    name: str
    place: str
    kinds: list[tuple[str, str, bool]]


@require_safe
@signed_in
def capacity(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show how many of each channel everybody has at once, who has another number, and which cases wait where."""
    allowed = sorted(access.require_anywhere(actor, MANAGE))
    places = place_names(actor, MANAGE)
    chosen = request.GET.get("organisation", "")
    place = int(chosen) if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19 and int(chosen) in allowed else allowed[0]
    rows = reads.capacities(actor, place)
    names = parties.usernames({each.user for each in rows if each.user is not None})
    context = {
        "place": place,
        "places": places,
        "rows": [(each, names.get(each.user or 0, "")) for each in rows],
        "most": rules.MOST,
        "fed": _fed(actor, places, place),
    }
    return render(request, "contact/capacity.html", context)


def _fed(actor: Actor, places: dict[int, str], place: int) -> list[Fed]:
    language, said_of = get_language() or "zh-hans", reads.fed_queues(actor)
    if place not in access.organisations_of(actor, Permission.ADD_CASES):
        return []
    kinds = cases.types_in_use(actor, place)
    return [
        Fed(
            key,
            zh if language.startswith("zh") else en,
            places.get(home, ""),
            [(kind, definition.label.in_(language), kind in said_of.get(key, ())) for kind, definition in kinds.items()],
        )
        for key, (home, zh, en) in reads.queue_names(actor).items()
        if home == place
    ]


@require_POST
@signed_in
def set_capacity(request: HttpRequest, actor: Actor, organisation: int) -> HttpResponse:
    """Set how many somebody has at once, or everybody; without a number, what holds for everybody holds again."""
    access.require(actor, MANAGE, organisation)
    user = request.POST.get("user", "")
    most = {channel: request.POST.get(channel, "").strip() for channel in rules.USUAL}
    if not all(value == "" or (value.isascii() and value.isdecimal() and len(value) < 4) for value in most.values()):
        messages.error(request, _("An agent has 0 to %(most)s of each channel at once.") % {"most": rules.MOST})
        return redirect(_back(organisation))
    try:
        actions.set_capacity(
            organisation=organisation,
            user=int(user) if user.isascii() and user.isdecimal() and len(user) < 19 else None,
            most={channel: int(value) for channel, value in most.items() if value},
            by=actor,
        )
        messages.success(request, _("Saved. It counts from the agents' next state on."))
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
    return redirect(_back(organisation))


@require_POST
@signed_in
def set_cases(request: HttpRequest, actor: Actor, queue: int) -> HttpResponse:
    """Set which new cases wait in a queue."""
    try:
        actions.feed_queue(queue=queue, types=tuple(request.POST.getlist("type")), by=actor)
        messages.success(request, _("Saved. Cases that are opened from now on wait there until somebody takes them."))
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
    return redirect(_back(reads.queue_names(actor)[queue][0]))


def _back(place: int) -> str:
    return f"{reverse('contact:capacity')}?organisation={place}"


patterns: list[URLPattern] = [
    path("capacity/", capacity, name="capacity"),
    path("capacity/<int:organisation>/set", set_capacity, name="set-capacity"),
    path("capacity/cases/<int:queue>", set_cases, name="set-case-queue"),
]
