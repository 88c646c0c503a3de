"""What owners decide for their organisations: how long positions are kept, and whether unknown terminals are listed."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.parties import actions, reads
from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.services.vehicles import actions as vehicles
from jilink.services.vehicles.pages.terminals import number
from jilink.services.vehicles.reads import media
from jilink.webkit.door import said, signed_in


@require_safe
@signed_in
def settings(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the settings of every organisation that the viewer owns."""
    require_anywhere(actor, Permission.MANAGE_MEMBERS)
    found = reads.organisation_settings(actor)
    own, kept = media.own_days(), media.kept_days([each.id for each in found])
    rows = [{"settings": each, "media_days": own.get(each.id), "media_kept": kept[each.id]} for each in found]
    return render(request, "vehicles/settings.html", {"organisations": found, "recordings": rows})


@require_safe
@signed_in
def moved(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Lead whoever kept the old address of this page to where it is now."""
    require_anywhere(actor, Permission.MANAGE_MEMBERS)
    return redirect("vehicles:settings", permanent=True)


@require_POST
@signed_in
def retention(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Keep positions for so many days; an empty field leaves it to the organisation above."""
    require_anywhere(actor, Permission.MANAGE_MEMBERS)
    try:
        actions.set_retention(organisation=OrganisationId(number(request, "organisation")), days=_days(request), by=actor)
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
        return redirect("vehicles:settings")
    messages.success(request, _("Saved."))
    return redirect("vehicles:settings")


@require_POST
@signed_in
def media_retention(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Keep photos, sound, video and attachments for so many days; an empty field leaves it to the organisation above."""
    require_anywhere(actor, Permission.MANAGE_MEMBERS)
    try:
        vehicles.set_media_retention(organisation=OrganisationId(number(request, "organisation")), days=_days(request), by=actor)
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
        return redirect("vehicles:settings")
    messages.success(request, _("Saved."))
    return redirect("vehicles:settings")


def _days(request: HttpRequest) -> int | None:
    text = request.POST.get("days", "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None if not text else -1


@require_POST
@signed_in
def admission(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List unknown terminals for an organisation, or not."""
    require_anywhere(actor, Permission.MANAGE_MEMBERS)
    try:
        actions.set_quarantine(organisation=OrganisationId(number(request, "organisation")), on=request.POST.get("on") == "1", by=actor)
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
    return redirect("vehicles:settings")
