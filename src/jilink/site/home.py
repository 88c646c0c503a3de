"""Where the brand leads: what a person does most."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from jilink.core.assets import reads as assets
from jilink.core.cases import reads as cases
from jilink.core.cases.reads import Filter, Whose
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.vehicles.reads.use import has_vehicles
from jilink.webkit.door import signed_in

WITHOUT_VEHICLES = (("console:inbox", Permission.VIEW_CASES), ("console:reports", Permission.REPORT_CASES))
"""Where somebody works who has no vehicle, in the order of what they do most."""


@require_safe
@signed_in
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Lead dispatchers to the map and those who work cases to the inbox.

    Whoever may do both goes where their own work waits, or any work where they have no vehicle. Without vehicles there is no map to go to.
    """
    if _works_cases(actor):
        return redirect("console:inbox")
    if has_vehicles(request.user):
        return redirect("vehicles:map")
    return redirect(next((page for page, needed in WITHOUT_VEHICLES if actor.may(needed)), "vehicles:map"))


def _works_cases(actor: Actor) -> bool:
    if not actor.may(Permission.VIEW_CASES):
        return False
    if not actor.may(Permission.VIEW_VEHICLES):
        return True
    if not actor.may(Permission.MANAGE_PEOPLE):  # a dispatcher: the road comes first
        return False
    waiting = [Filter(whose=Whose.MINE), Filter(whose=Whose.TEAM)]
    if not assets.following(actor, kind="vehicle", limit=1):
        waiting.append(Filter(whose=Whose.ALL))
    return any(cases.count_views(actor, waiting, now=utc_now()))
