"""A small page about the installation's own health."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jilink.core.parties.access import Actor, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.vehicles import installation
from jilink.services.vehicles.pages.door import signed_in


@require_safe
@signed_in
def operations(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show processes, streams, outbox and disk."""
    require_anywhere(actor, Permission.VIEW_OPERATIONS)
    return render(request, "vehicles/operations.html", {"health": installation.health(utc_now())})
