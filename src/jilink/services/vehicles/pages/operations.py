"""A small page about the installation's own health."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.vehicles import actions, installation
from jilink.webkit.door import said, signed_in


@require_safe
@signed_in
def operations(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show processes, streams, outbox and disk."""
    require_anywhere(actor, Permission.VIEW_OPERATIONS)
    return render(request, "vehicles/operations.html", {"health": installation.health(utc_now())})


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
