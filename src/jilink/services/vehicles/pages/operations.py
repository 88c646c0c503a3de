"""A small page about the installation's own health."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.vehicles import actions, installation
from jilink.webkit.door import said, signed_in

PROCESSES = {
    "spine": gettext_lazy("Message spine"),
    "terminals": gettext_lazy("Terminal gateway"),
    "history": gettext_lazy("History"),
    "watch": gettext_lazy("Watch over latest values"),
    "relay": gettext_lazy("Relay of events"),
    "web": gettext_lazy("Web pages"),
    "engine": gettext_lazy("Telephone engine"),
    "voice": gettext_lazy("Calls to and from the engine"),
    "router": gettext_lazy("Router of the contact centre"),
    "simulator": gettext_lazy("Simulator"),
}
STREAMS = {
    "MEASUREMENTS": gettext_lazy("Measurements"),
    "EVENTS": gettext_lazy("Events"),
    "FRAMES": gettext_lazy("Raw frames"),
    "CALLS": gettext_lazy("Calls"),
}
"""What people call them; beside it stands the name that logs and commands use."""


@require_safe
@signed_in
def operations(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show processes, streams, outbox and disk."""
    require_anywhere(actor, Permission.VIEW_OPERATIONS)
    health = installation.health(utc_now())
    context = {
        "health": health,
        "processes": [(PROCESSES.get(each.name, ""), each) for each in health.processes],
        "streams": [(STREAMS.get(each.name, ""), each) for each in health.streams],
    }
    return render(request, "vehicles/operations.html", context)


@require_POST
@signed_in
def replay(request: HttpRequest, actor: Actor, letter: int) -> HttpResponse:
    """Have a room told again of an event that it gave up on."""
    require_anywhere(actor, Permission.VIEW_OPERATIONS)
    try:
        actions.replay_letter(letter=letter, by=actor)
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
    else:
        messages.success(request, _("It is being told again; the letter goes once that succeeds."))
    return redirect("operations")
