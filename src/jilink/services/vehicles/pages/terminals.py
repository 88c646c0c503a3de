"""Terminals: those that wait for admission, frames nobody could read, and the raw frames of one vehicle."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from django.contrib import messages
from django.core import signing
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
from jilink.services.vehicles import actions, reasons
from jilink.services.vehicles.reads import fleet, frames
from jilink.webkit.door import said, signed_in

ADMIT = Permission.ADMIT_TERMINALS
RECORD_FOR = timedelta(hours=1)
STAYS_OPEN = timedelta(hours=24)
OPENING = "vehicles.frames"
NOTHING_REVEALED: Mapping[int, str] = MappingProxyType({})


def number(request: HttpRequest, name: str) -> int:
    """Return a number that a form posted. Raises NotFound for anything else."""
    text = request.POST.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotFound("There is no such thing.")
    return int(text)


@dataclass(frozen=True, slots=True)
class Wrong:
    """An admission that was refused: of which terminal, what was entered and why not."""

    terminal: int
    plate: str
    organisation: int
    error: str


def _waiting(
    request: HttpRequest, actor: Actor, *, revealed: Mapping[int, str] = NOTHING_REVEALED, wrong: Wrong | None = None
) -> HttpResponse:
    listed = {each.id: each.name for each in party_reads.listing_unknown(actor)}
    context = {
        "terminals": [(each, revealed.get(each.id, masked(each.phone))) for each in asset_reads.seen_terminals(actor)],
        "organisations": party_reads.choices(actor, ADMIT),
        "listed": listed,
        "chosen": wrong.organisation if wrong else next(iter(listed), 0),
        "can_settle": actor.may(Permission.MANAGE_MEMBERS),
        "can_reveal": actor.may(Permission.REVEAL_CONTACTS),
        "revealed": revealed,
        "wrong": wrong,
    }
    template = "vehicles/_waiting.html" if request.headers.get("HX-Request") else "vehicles/waiting.html"
    return render(request, template, context, status=400 if wrong else 200)


@require_safe
@signed_in
def waiting(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the terminals that called and that nobody has entered; asked by htmx, their list alone."""
    return _waiting(request, actor)


@require_POST
@signed_in
def reveal_waiting(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the list with one phone whole; that is audited."""
    terminal = number(request, "terminal")
    return _waiting(request, actor, revealed={terminal: actions.reveal_waiting(seen=terminal, by=actor)})


@require_POST
@signed_in
def admit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Make a vehicle of a waiting terminal, or show the list again with what is wrong."""
    require_anywhere(actor, ADMIT)
    organisation, terminal, plate = number(request, "organisation"), number(request, "terminal"), request.POST.get("plate", "")
    try:
        asset = actions.admit_vehicle(seen=terminal, organisation=OrganisationId(organisation), plate=plate, by=actor)
    except NotFound:
        raise
    except Refused as error:
        return _waiting(request, actor, wrong=Wrong(terminal, plate, organisation, said(error)))
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
        messages.error(request, said(error))
    return redirect("vehicles:waiting")


@require_safe
@signed_in
def quarantine(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show frames that could not be decoded or admitted, with the reason."""
    found = [(frame, reasons.of_frame(frame.reason)) for frame in frames.quarantined(actor, utc_now())]
    return render(request, "vehicles/quarantine.html", {"frames": found})


def _opening(actor: Actor, asset: int) -> str:
    return f"{actor.user}:{asset}"


def _was_opened(request: HttpRequest, actor: Actor, asset: int) -> bool:
    """Return whether a refresh comes from a page that this person opened, which was audited, not long ago."""
    try:
        return bool(signing.loads(request.GET.get("opening", ""), salt=OPENING, max_age=STAYS_OPEN) == _opening(actor, asset))
    except signing.BadSignature:
        return False


@require_safe
@signed_in
def vehicle_frames(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show the recorded raw frames of one vehicle; asked by htmx, what changes of the page alone.

    Opening the page is audited; its refreshes while recording are the same reading. They end with the recording (286 stops htmx).
    """
    now = utc_now()
    refresh = bool(request.headers.get("HX-Request"))
    found = frames.recorded(actor, AssetId(asset), now, opened=refresh and _was_opened(request, actor, asset))
    row = fleet.detail(actor, AssetId(asset))
    left = (row.recording_until - now) if row.recording_until and row.recording_until > now else None
    shown = [(frame, reasons.of_frame(frame.reason)) for frame in found]
    context = {"row": row, "frames": shown, "minutes_left": -(-left // timedelta(minutes=1)) if left else None}
    if refresh:
        return render(request, "vehicles/_recording.html", context, status=200 if left else 286)
    return render(request, "vehicles/frames.html", {**context, "opening": signing.dumps(_opening(actor, asset), salt=OPENING)})


@require_POST
@signed_in
def record(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Switch the recording of raw frames on for an hour, or off."""
    until = utc_now() + RECORD_FOR if request.POST.get("on") == "1" else None
    assets.record_frames(asset=AssetId(asset), until=until, by=actor)
    return redirect("vehicles:frames", asset)
