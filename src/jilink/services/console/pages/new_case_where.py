"""The third step of a new case: a point on the map, an address, and the area it lies in. It opens the case where nothing is in doubt."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from jilink.core.cases.reads import types_in_use
from jilink.core.cases.rules.form import PlaceQuestion
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import utc_now
from jilink.services.console.pages import new_case_draft as drafts
from jilink.services.console.pages.case_words import language
from jilink.services.console.pages.new_case_check import check, nearby
from jilink.services.console.pages.new_case_draft import Draft
from jilink.services.console.reads import places
from jilink.services.console.reads.places import Where

USUAL_DOUBT_M = 30.0
"""How exactly somebody points on a map."""


class WhereForm(forms.Form):
    """A point (WGS-84), how exact it is, and words."""

    address = forms.CharField(required=False, max_length=200)
    latitude = forms.FloatField(required=False, min_value=-90, max_value=90)
    longitude = forms.FloatField(required=False, min_value=-180, max_value=180)
    accuracy_m = forms.FloatField(required=False, min_value=0, max_value=100_000)
    area = forms.CharField(required=False, max_length=160, widget=forms.HiddenInput)

    def __init__(self, draft: Draft, data: object = None) -> None:
        initial = {name: getattr(draft, name) for name in ("address", "latitude", "longitude", "accuracy_m", "area")}
        super().__init__(data, initial=initial)  # type: ignore[arg-type] # -- a QueryDict or None
        labels = {
            "address": _("Address"),
            "latitude": _("Latitude"),
            "longitude": _("Longitude"),
            "accuracy_m": _("Accuracy of the point (m)"),
        }
        for name, label in labels.items():
            self.fields[name].label = label
        for name in ("latitude", "longitude", "accuracy_m"):
            self.fields[name].widget.attrs["step"] = "any"

    def clean(self) -> dict[str, object]:
        """A point has both numbers."""
        values: dict[str, object] = super().clean() or {}
        if (values.get("latitude") is None) != (values.get("longitude") is None):
            self.add_error("latitude", _("A point has a latitude and a longitude."))
        return values


def where(request: HttpRequest, actor: Actor, key: str, draft: Draft) -> HttpResponse:
    """Say where it is."""
    definition = types_in_use(actor, draft.organisation).get(draft.type)
    if definition is None:
        return redirect("console:new-case-step", key, "what")
    posted = request.method == "POST"
    form = WhereForm(draft, request.POST if posted else None)
    needed = any(isinstance(each, PlaceQuestion) and each.required for each in definition.form)
    if posted and form.is_valid():
        found = _keep(actor, form, draft)
        if needed and draft.latitude is None and not draft.address:
            form.add_error("address", _("Please give a point or an address."))
        drafts.save(request, key, draft)
        if not form.errors and "again" not in request.POST and not _undecided(request, found, draft):
            at_once = "open" in request.POST and not nearby(actor, draft)
            return check(request, actor, key, draft) if at_once else redirect("console:new-case-step", key, "check")
    found = located(actor, draft)
    context = {
        "key": key,
        "draft": draft,
        "form": form,
        "place": found,
        "needed": needed,
        "area_words": places.path_in_words(actor, draft.area, language(), utc_now()),
        "ask_area": bool(found and found.doubtful),
    }
    return render(request, "console/new_case_where.html", context, status=400 if form.errors else 200)


def located(actor: Actor, draft: Draft) -> Where | None:
    """Return where the draft's point lies; None without a point."""
    if draft.latitude is None or draft.longitude is None:
        return None
    try:
        return places.where(actor, draft.longitude, draft.latitude, draft.accuracy_m, utc_now())
    except NotFound:
        return None


def _keep(actor: Actor, form: WhereForm, draft: Draft) -> Where | None:
    values = form.cleaned_data
    draft.address = values["address"].strip()
    draft.latitude, draft.longitude, draft.accuracy_m = values["latitude"], values["longitude"], values["accuracy_m"]
    if draft.latitude is not None and draft.accuracy_m is None:
        draft.accuracy_m = USUAL_DOUBT_M
    found = located(actor, draft)
    offered = {each.path for each in (*found.areas, *found.doubtful)} if found else set()
    draft.area = values["area"] if values["area"] in offered else found.path if found else ""
    return found


def _undecided(request: HttpRequest, found: Where | None, draft: Draft) -> bool:
    """Return whether the point touches a border and nobody said yet which side it is."""
    return bool(found and found.doubtful) and request.POST.get("area", "") != draft.area
