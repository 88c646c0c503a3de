"""One vehicle: its page, alarms, commands and track."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

import numpy as np
from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from jilink.core.observations import actions as alarm_actions
from jilink.core.observations import reads as observations
from jilink.core.observations.reads import AlarmView
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId
from jilink.services.vehicles import actions, orders, reasons, saying
from jilink.services.vehicles.command_forms import CommandForm, Posted, Wishes, form_for
from jilink.services.vehicles.orders import BY_MESSAGE, BY_SLUG, OFFERS, Offer
from jilink.services.vehicles.pages.alarms import told_undoable
from jilink.services.vehicles.pages.entry import KINDS
from jilink.services.vehicles.pages.media import shown
from jilink.services.vehicles.reads import fleet, track
from jilink.services.vehicles.reads import media as recordings
from jilink.services.vehicles.reads import orders as order_reads
from jilink.services.vehicles.rules import CommandRefused, Kind, Year
from jilink.services.vehicles.words import word
from jilink.webkit.door import signed_in

PHOTOGRAPH = 0x8801
READ_PARAMETERS = 0x8106
MORE_MAY_COME = timedelta(minutes=1)


def _may(actor: Actor, permission: Permission, detail: fleet.Detail) -> bool:
    return permission in actor.grants.get(detail.organisation_id, frozenset())


def _year(request: HttpRequest, detail: fleet.Detail) -> Year:
    """Return the edition chosen, else the one the terminal showed when it registered, else the newest."""
    asked: dict[str, Year] = {"2011": 2011, "2013": 2013, "2019": 2019}
    return asked.get(request.GET.get("year", ""), asked.get(str(detail.year), 2019))


def _editions(request: HttpRequest, detail: fleet.Detail) -> dict[str, object]:
    """Return by which edition the orders of a page are made, which one the terminal speaks, and where the page of the vehicle is."""
    year = _year(request, detail)
    other = 2013 if year == 2019 else 2019
    return {"year": year, "spoken": detail.year, "other_year": other, "here": reverse("vehicles:vehicle", args=[detail.asset])}


def _forms(actor: Actor, detail: fleet.Detail, year: Year, wrong: tuple[str, CommandForm] | None = None) -> list[dict[str, object]]:
    upgrades = _may(actor, Permission.COMMAND_UPGRADES, detail)
    return [
        {
            "name": offer.slug,
            "title": offer.title,
            "form": wrong[1] if wrong and wrong[0] == offer.slug else _form(offer, year, detail),
        }
        for offer in OFFERS
        if offer.message != orders.UPGRADE or upgrades
    ]


def _form(offer: Offer, year: Year, detail: fleet.Detail, data: Posted = None, files: Posted = None) -> CommandForm:
    here = {"areas.latitude": detail.latitude, "areas.longitude": detail.longitude}
    wishes = Wishes(
        initial={**here, **offer.initial},
        required=offer.required,
        labels=offer.labels,
        helps=offer.helps,
        limits=offer.limits,
        long=offer.long,
        options={"ids": orders.parameters(year)} if offer.message == READ_PARAMETERS else {},
    )
    return form_for(orders.declaration(offer.message, year), data, files, wishes)


def _show(
    request: HttpRequest, actor: Actor, asset: AssetId, wrong: tuple[str, CommandForm] | None = None, *, revealed: bool = False
) -> HttpResponse:
    detail = fleet.detail(actor, asset, reveal=revealed)
    can_command = _may(actor, Permission.COMMAND_VEHICLES, detail) and bool(detail.phone)
    year = _year(request, detail)
    context = {
        "row": detail,
        "profile": word(f"profile.{detail.profile}") if detail.profile else "",
        "kind": KINDS[Kind(detail.kind)] if detail.kind else "",
        "alarms": _alarms(actor, asset),
        **(_orders(actor, asset) if _may(actor, Permission.COMMAND_VEHICLES, detail) else {}),
        "command_forms": _forms(actor, detail, year, wrong) if can_command else [],
        "can_command": can_command,
        "can_change": _may(actor, Permission.MANAGE_VEHICLES, detail),
        "can_track": _may(actor, Permission.VIEW_TRACKS, detail),
        "media_count": recordings.of_asset(actor, asset, size=0)[0] if _may(actor, Permission.VIEW_MEDIA, detail) else 0,
        "can_read_frames": _may(actor, Permission.READ_FRAMES, detail),
        "can_reveal": not revealed and _may(actor, Permission.REVEAL_CONTACTS, detail),
        **_editions(request, detail),
    }
    return render(request, "vehicles/vehicle.html", context, status=400 if wrong else 200)


@require_safe
@signed_in
def vehicle(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show one vehicle."""
    return _show(request, actor, AssetId(asset))


@require_safe
@signed_in
def latest(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show the latest values of one vehicle alone."""
    detail = fleet.detail(actor, AssetId(asset))
    can_command = _may(actor, Permission.COMMAND_VEHICLES, detail) and bool(detail.phone)
    context = {"row": detail, "polled": True, "can_command": can_command, **_editions(request, detail)}
    return render(request, "vehicles/_latest.html", context)


@require_POST
@signed_in
def reveal(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show one vehicle with its phones whole; that is audited."""
    return _show(request, actor, AssetId(asset), revealed=True)


# --- alarms -----------------------------------------------------------------------------------------------------------


def _alarm(view: AlarmView, may: bool, media: list[dict[str, object]]) -> dict[str, object]:
    state = "cleared" if view.cleared_at else "acknowledged" if view.acknowledged_at else "raised"
    return {
        "id": view.id,
        "title": view.title or word(view.condition),
        "state": state,
        "raised_at": view.raised_at,
        "cleared_at": view.cleared_at,
        "acknowledged_by": view.acknowledged_by,
        "acknowledged_at": view.acknowledged_at,
        "may_acknowledge": may and view.acknowledged_at is None,
        "level": view.level,
        "media": media,
    }


def _alarms(actor: Actor, asset: AssetId) -> list[dict[str, object]]:
    found = observations.of_asset(actor, asset)
    sees = found and Permission.VIEW_MEDIA in actor.grants.get(found[0].organisation, frozenset())
    media = recordings.of_alarms(actor, asset, [view.alarm_label for view in found]) if sees else {}
    return [
        _alarm(
            view,
            Permission.ACKNOWLEDGE_ALARMS in actor.grants.get(view.organisation, frozenset()),
            shown(media.get(view.alarm_label, [])),
        )
        for view in found
    ]


@require_safe
@signed_in
def alarms(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show the alarms of one vehicle alone."""
    return render(request, "vehicles/_alarms.html", {"alarms": _alarms(actor, AssetId(asset))})


@require_POST
@signed_in
def acknowledge(request: HttpRequest, actor: Actor, alarm: int) -> HttpResponse:
    """Take note of an alarm and go back to its vehicle."""
    asset = observations.alarm(actor, alarm).asset
    told_undoable(request, alarm_actions.acknowledge_alarms(alarms=[alarm], by=actor))
    return redirect("vehicles:vehicle", asset)


# --- commands ---------------------------------------------------------------------------------------------------------


def _said(order: order_reads.Order) -> list[saying.Said]:
    offer = BY_MESSAGE.get(order.message)
    return saying.of_fields(orders.declaration(order.message, order.year), order.fields, offer.labels) if offer else []


def _orders(actor: Actor, asset: AssetId) -> dict[str, object]:
    """Return the context of `_commands.html`. An order is asked about again while it is open, and a while longer for its photos."""
    found = order_reads.of_asset(actor, asset)
    media = recordings.of_orders(actor, asset, found)
    recent = utc_now() - MORE_MAY_COME
    shown_orders = [
        {
            "id": each.id,
            "title": BY_MESSAGE[each.message].title if each.message in BY_MESSAGE else f"0x{each.message:04X}",
            "detail": _said(each),
            "state": each.state,
            "reason": reasons.of_order(each.reason),
            "answer": saying.of_reply(each.reply),
            "media": shown(media.get(each.id, [])),
            "given_by": each.given_by,
            "given_at": each.given_at,
            "ended_at": each.ended_at,
        }
        for each in found
    ]
    pending = any(not each.final or (each.message == PHOTOGRAPH and each.given_at > recent) for each in found)
    return {"commands": shown_orders, "pending": pending, "again": reverse("vehicles:commands", args=[asset])}


@require_safe
@signed_in
def commands(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show the commands of one vehicle alone."""
    return render(request, "vehicles/_commands.html", _orders(actor, AssetId(asset)))


@require_POST
@signed_in
def command(request: HttpRequest, actor: Actor, asset: int, name: str) -> HttpResponse:
    """Give an order, or show its form again with what is wrong."""
    offer = BY_SLUG.get(name)
    detail = fleet.detail(actor, AssetId(asset))
    require(actor, Permission.COMMAND_VEHICLES, detail.organisation_id)
    if offer is None:
        raise NotFound("There is no such order.")
    year = _year(request, detail)
    form = _form(offer, year, detail, request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, actor, AssetId(asset), (name, form))
    try:
        actions.give_command(asset=AssetId(asset), message=offer.message, fields=form.fields_given(), by=actor, year=year)
    except CommandRefused as error:
        form.add_error(None, str(error))
        return _show(request, actor, AssetId(asset), (name, form))
    chosen = f"?year={year}" if detail.year != year else ""
    return redirect(f"{reverse('vehicles:vehicle', args=[asset])}{chosen}#commands-title")


# --- track ------------------------------------------------------------------------------------------------------------


class TimeForm(forms.Form):
    """From when to when, in the viewer's zone."""

    start = forms.DateTimeField(
        label=gettext_lazy("From"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    end = forms.DateTimeField(
        label=gettext_lazy("To"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )


def _presets(now: datetime) -> list[tuple[str, str]]:
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    spans = [
        (_("Last hour"), now - timedelta(hours=1), now + timedelta(minutes=1)),
        (_("Today"), today, today + timedelta(days=1)),
        (_("Yesterday"), today - timedelta(days=1), today),
        (_("Last seven days"), today - timedelta(days=6), today + timedelta(days=1)),
    ]
    return [(title, urlencode(_times(start, end))) for title, start, end in spans]


def _times(start: datetime, end: datetime) -> dict[str, str]:
    return {name: timezone.localtime(at).strftime("%Y-%m-%dT%H:%M") for name, at in (("start", start), ("end", end))}


def _asked(request: HttpRequest, now: datetime) -> TimeForm:
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return TimeForm({**_times(today, today + timedelta(days=1)), **{k: v for k, v in request.GET.items() if k in ("start", "end")}})


@require_safe
@signed_in
def track_page(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show where a vehicle has been: figures, stops and the replay."""
    now = utc_now()
    form = _asked(request, now)
    row = fleet.one(actor, AssetId(asset))
    found = track.track(actor, AssetId(asset), form.cleaned_data["start"], form.cleaned_data["end"], now) if form.is_valid() else None
    data = {name: form.data[name] for name in ("start", "end")}
    today = timezone.localtime(now).date()
    context = {
        "row": row,
        "form": form,
        "presets": _presets(now),
        "summary": found.totals if found else None,
        "stops": [
            {
                "started_at": datetime.fromtimestamp(stop.start_ms / 1000, tz=timezone.get_current_timezone()),
                "ended_at": datetime.fromtimestamp(stop.end_ms / 1000, tz=timezone.get_current_timezone()),
                "minutes": round((stop.end_ms - stop.start_ms) / 60_000),
                "latitude": stop.latitude,
                "longitude": stop.longitude,
            }
            for stop in (found.stops if found else [])
        ],
        "cut": found.cut if found else False,
        "days": [
            {"day": each.day, "next": each.day + timedelta(days=1), "totals": each.totals}
            for each in (track.days(actor, AssetId(asset), today - timedelta(days=6), today) if found else [])
        ],
        "data_url": f"{reverse('vehicles:track_data', args=[asset])}?{urlencode(data)}" if found else "",
    }
    return render(request, "vehicles/track.html", context)


def _column(values: np.ndarray, digits: int) -> list[float | None]:
    return [None if value != value else value for value in np.round(values, digits).tolist()]  # NaN is not itself


def track_json(found: track.Track) -> dict[str, object]:
    """Return a track as columns for programs: `t` in ms since 1970 UTC, degrees WGS-84, km/h, degrees from north, km."""
    return {
        "asset": found.asset,
        "plate": found.plate,
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "cut": found.cut,
        "points": {
            "t": found.t.tolist(),
            "lon": _column(found.longitude, 6),
            "lat": _column(found.latitude, 6),
            "speed": _column(np.nan_to_num(found.speed_kmh), 1),
            "course": _column(found.course, 0),
            "odometer": _column(found.odometer_km, 1),
            "alarm": found.alarm.astype(int).tolist(),
        },
        "stops": [{"from": stop.start_ms, "to": stop.end_ms, "lon": stop.longitude, "lat": stop.latitude} for stop in found.stops],
        "alarms": [{"t": int(view.raised_at.timestamp() * 1000), "condition": view.condition} for view in found.alarms],
    }


@require_safe
@signed_in
def track_data(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Return a track as JSON for the replay."""
    now = utc_now()
    form = _asked(request, now)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=400)
    found = track.track(actor, AssetId(asset), form.cleaned_data["start"], form.cleaned_data["end"], now)
    return JsonResponse(track_json(found), headers={"Cache-Control": "no-store"})
