"""Alarms of all vehicles: the list with its filters, acknowledgement of many with undo, and what is new."""

from datetime import UTC, datetime, timedelta

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from jilink.core.observations import actions, reads
from jilink.core.observations.reads import AlarmView, Standing
from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.vehicles.pages.fleet import page_number, page_of
from jilink.services.vehicles.words import word
from jilink.webkit.door import signed_in
from jilink.webkit.parts import Choice, undoable

PAGE = 50
NEWS_SINCE = timedelta(hours=1)
"""An alarm that began longer ago is no news, even where its report came only now."""
PERIODS = {"1": gettext_lazy("24 hours"), "7": gettext_lazy("7 days"), "30": gettext_lazy("30 days"), "366": gettext_lazy("A year")}
FAMILIES = {
    "": gettext_lazy("Everything"),
    "device": gettext_lazy("Reported by the terminal"),
    "adas": gettext_lazy("Driver assistance"),
    "dsm": gettext_lazy("Driver monitoring"),
    "bsd": gettext_lazy("Blind spot"),
    "tpms": gettext_lazy("Tyres"),
    "rule": gettext_lazy("Own rules"),
}
STANDINGS = {
    Standing.UNACKNOWLEDGED: (gettext_lazy("Unacknowledged"), ""),
    Standing.OPEN: (gettext_lazy("Ongoing"), "alarm"),
    Standing.ACKNOWLEDGED: (gettext_lazy("Acknowledged"), ""),
    Standing.ALL: (gettext_lazy("All"), ""),
}
"""Word and mark of each; the first stands in no address."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Filter(forms.Form):
    """What the list shows, as its address says."""

    q = forms.CharField(label=gettext_lazy("Plate"), max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    family = forms.ChoiceField(label=gettext_lazy("Source"), choices=list(FAMILIES.items()), required=False)
    days = forms.ChoiceField(label=gettext_lazy("Period"), choices=list(PERIODS.items()), required=False)


def shown(view: AlarmView, actor: Actor) -> dict[str, object]:
    """Return an alarm as templates and scripts show it."""
    state = "cleared" if view.cleared_at else "acknowledged" if view.acknowledged_at else "raised"
    return {
        "id": view.id,
        "asset": view.asset,
        "plate": view.label,
        "title": view.title or word(view.condition),
        "storm": view.storm if view.storm_size > 1 else None,
        "storm_size": view.storm_size,
        "level": view.level,
        "state": state,
        "raised_at": view.raised_at,
        "cleared_at": view.cleared_at,
        "lasted_s": (view.cleared_at - view.raised_at).total_seconds() if view.cleared_at else None,
        "acknowledged_at": view.acknowledged_at,
        "acknowledged_by": view.acknowledged_by,
        "may_acknowledge": view.acknowledged_at is None
        and Permission.ACKNOWLEDGE_ALARMS in actor.grants.get(view.organisation, frozenset()),
    }


@require_safe
@signed_in
def alarms(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the alarms of all vehicles; asked by a script, the list alone."""
    require_anywhere(actor, Permission.VIEW_VEHICLES)
    given = {name: request.GET.get(name, "").replace("\0", "").strip() for name in ("q", "family", "days")}
    given["q"] = given["q"][:40]
    given["family"] = given["family"] if given["family"] in FAMILIES else ""
    given["days"] = given["days"] if given["days"] in PERIODS else "7"
    asked = request.GET.get("state", "")
    standing = Standing(asked) if asked in set(Standing) else Standing.UNACKNOWLEDGED
    number, now, storm = page_number(request), utc_now(), _number(request.GET.get("storm", "")) or 0
    found = reads.listing(
        actor,
        standing=standing,
        since=now - timedelta(days=int(given["days"])),
        text=given["q"],
        family=given["family"],
        storm=storm,
        offset=(number - 1) * PAGE,
        limit=PAGE,
    )
    rows = [shown(view, actor) for view in found.rows]
    context = {
        "page": page_of(rows, found.total, PAGE, number),
        "filter": Filter(given),
        "choices": [
            Choice("" if each is Standing.UNACKNOWLEDGED else each.value, title, found.counts[each], mark)
            for each, (title, mark) in STANDINGS.items()
        ],
        "standing": standing.value,
        "may_acknowledge": any(row["may_acknowledge"] for row in rows),
        "here": request.get_full_path(),
        "narrowed": bool(given["q"] or given["family"] or storm),
        "storm": storm,
        "can_rule": actor.may(Permission.MANAGE_RULES),
    }
    response = render(request, "vehicles/_alarm_list.html" if request.headers.get("HX-Request") else "vehicles/alarms.html", context)
    response["Vary"] = "HX-Request"
    return response


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _back(request: HttpRequest) -> str:
    """Return the list that a form came from, with its filters; no other address is believed."""
    home = reverse("vehicles:all_alarms")
    given = request.POST.get("back", "")
    return given if given.startswith(f"{home}?") or given == home else home


def told_undoable(request: HttpRequest, done: actions.Acknowledged) -> None:
    """Say how many alarms were acknowledged, with the way back for ten seconds."""
    count = len(done.assets)
    if count:
        moment = (done.at - _EPOCH) // timedelta(microseconds=1)
        text = ngettext("%(count)d alarm acknowledged.", "%(count)d alarms acknowledged.", count) % {"count": count}
        undoable(request, text, reverse("vehicles:undo_acknowledgement", args=[moment]))


@require_POST
@signed_in
def acknowledge_many(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take note of the alarms that were ticked, and go back to the list."""
    require_anywhere(actor, Permission.ACKNOWLEDGE_ALARMS)
    ticked, storms = ([each for text in request.POST.getlist(name) if (each := _number(text))] for name in ("alarm", "storm"))
    ticked += reads.of_storms(actor, storms)
    if ticked:
        told_undoable(request, actions.acknowledge_alarms(alarms=ticked, by=actor))
    return redirect(_back(request))


@require_POST
@signed_in
def undo(request: HttpRequest, actor: Actor, moment: int) -> HttpResponse:
    """Take an acknowledgement back and return to where the alarms are."""
    if moment >= 1 << 53:
        raise NotFound("There is no such moment.")
    actions.undo_acknowledgement(at=_EPOCH + timedelta(microseconds=moment), by=actor)
    messages.info(request, _("Not acknowledged any more."))
    came_from = request.headers.get("Referer", "")
    known = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    return redirect(came_from if known else "vehicles:all_alarms")


@require_safe
@signed_in
def news(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Tell a script which alarms came since the one it knows; it sounds and counts."""
    require_anywhere(actor, Permission.VIEW_VEHICLES)
    after = _number(request.GET.get("after", ""))
    found = reads.news(actor, after=(1 << 62) if after is None else after, since=utc_now() - NEWS_SINCE)
    fresh = [{"id": view.id, "plate": view.label, "title": view.title or word(view.condition)} for view in found.fresh]
    heading = _("%(plate)s: %(alarm)s") % {"plate": fresh[0]["plate"], "alarm": fresh[0]["title"]} if fresh else ""
    return JsonResponse({"newest": found.newest, "waiting": found.waiting, "fresh": len(fresh), "text": heading})
