"""A phone in the browser to try the installation's own numbers with."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.parties import access
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.services.contact.actions.trying import lend_phone
from jilink.services.contact.pages.desk_phone import address_of, allow
from jilink.services.contact.pages.places import engine_note
from jilink.services.contact.reads import floor
from jilink.webkit.door import signed_in

MANAGE = Permission.MANAGE_QUEUES


@require_safe
@signed_in
def call(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the phone, with a number to call filled in."""
    access.require_anywhere(actor, MANAGE)
    server = address_of(request)
    number = request.GET.get("number", "")[:25]
    context = {"number": number, "numbers": floor.numbers(actor), "server": server, "note": engine_note(actor)}
    response = render(request, "contact/call.html", context)
    response["Cache-Control"] = "no-store"
    allow(response, server)
    return response


@require_POST
@signed_in
def lend(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Lend this window a phone: its password is told once."""
    places = access.require_anywhere(actor, MANAGE)
    server = address_of(request)
    if not server:
        return JsonResponse({"refusal": _("No phone can be opened from here; choose a desk phone.")}, status=400)
    lent = lend_phone(organisation=min(places), by=actor)
    return JsonResponse({"user": lent.user, "password": lent.password, "server": server}, headers={"Cache-Control": "no-store"})


patterns: list[URLPattern] = [path("call/", call, name="call"), path("call/phone", lend, name="lend-phone")]
