"""Terminals: those that wait for admission, frames nobody could read, and the raw frames of one vehicle."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.assets import actions as assets
from jilink.core.assets import reads as asset_reads
from jilink.core.parties import actions as parties
from jilink.core.parties import reads as party_reads
from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.rules import Permission, masked
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.services.vehicles import actions
from jilink.services.vehicles.pages.door import signed_in
from jilink.services.vehicles.reads import fleet, frames

ADMIT = Permission.ADMIT_TERMINALS
RECORD_FOR = timedelta(hours=1)


def number(request: HttpRequest, name: str) -> int:
    """Return a number that a form posted. Raises NotFound for anything else."""
    text = request.POST.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotFound("There is no such thing.")
    return int(text)


@require_safe
@signed_in
def waiting(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the terminals that called and that nobody has entered."""
    seen = [
        {"id": each.id, "phone": masked(each.phone), "tail": each.phone[-4:], "terminal_id": each.terminal_id, "maker": each.maker}
        | {"model": each.model, "plate": each.plate, "times": each.times}
        | {"first_seen_at": each.first_seen_at, "last_seen_at": each.last_seen_at}
        for each in asset_reads.seen_terminals(actor)
    ]
    organisations = party_reads.choices(actor, ADMIT)
    context = {"terminals": seen, "organisations": organisations, "open": party_reads.quarantine_open(actor)}
    return render(request, "vehicles/waiting.html", context)


@require_POST
@signed_in
def admit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Make a vehicle of a waiting terminal."""
    require_anywhere(actor, ADMIT)
    organisation = OrganisationId(number(request, "organisation"))
    try:
        asset = actions.admit_vehicle(
            seen=number(request, "terminal"), organisation=organisation, plate=request.POST.get("plate", ""), by=actor
        )
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, _(str(error)))
        return redirect("vehicles:waiting")
    messages.success(request, _("The terminal was admitted; it is let in when it calls again."))
    return redirect("vehicles:vehicle", asset)


@require_POST
@signed_in
def dismiss(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take a terminal off the list."""
    assets.dismiss_seen(seen=number(request, "terminal"), by=actor)
    return redirect("vehicles:waiting")


@require_POST
@signed_in
def admission_policy(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Let unknown terminals wait, or turn them away."""
    require_anywhere(actor, ADMIT)
    try:
        parties.set_quarantine(organisation=OrganisationId(number(request, "organisation")), on=request.POST.get("on") == "1", by=actor)
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, _(str(error)))
    return redirect("vehicles:waiting")


@require_safe
@signed_in
def quarantine(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show frames that could not be decoded or admitted, with the reason."""
    return render(request, "vehicles/quarantine.html", {"frames": frames.quarantined(actor, utc_now())})


@require_safe
@signed_in
def vehicle_frames(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show the recorded raw frames of one vehicle; asked by htmx, their table alone."""
    found = frames.recorded(actor, AssetId(asset), utc_now())
    template = "vehicles/_frames.html" if request.headers.get("HX-Request") else "vehicles/frames.html"
    return render(request, template, {"row": fleet.detail(actor, AssetId(asset)), "frames": found, "now": utc_now()})


@require_POST
@signed_in
def record(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Switch the recording of raw frames on for an hour, or off."""
    until = utc_now() + RECORD_FOR if request.POST.get("on") == "1" else None
    assets.record_frames(asset=AssetId(asset), until=until, by=actor)
    return redirect("vehicles:frames", asset)
