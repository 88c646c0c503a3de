"""What is looked after: the list and the map of assets, one asset, its labels and credentials. Entering is in `assets_entry`."""

import json
from collections.abc import Mapping
from typing import TypedDict

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from jilink.core.assets.inventory import actions, reads
from jilink.core.assets.inventory.actions import OF_SERVICES
from jilink.core.assets.inventory.reads import ThingView
from jilink.core.assets.labels import MOST
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, organisations_of, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.services.console.pages import assets_entry, assets_kinds, assets_load
from jilink.services.console.pages.assets_words import kind_titles, language, shown_attributes
from jilink.webkit.door import signed_in
from jilink.webkit.parts import Choice

MANAGE = Permission.MANAGE_ASSETS
PAGE = 50
DRAWN = 5_000


class FilterForm(forms.Form):
    """What narrows the list."""

    q = forms.CharField(
        label=gettext_lazy("Label or code"), required=False, max_length=60, widget=forms.TextInput(attrs={"type": "search"})
    )
    tag = forms.CharField(label=gettext_lazy("Tag"), required=False, max_length=60)
    organisation = forms.TypedChoiceField(label=gettext_lazy("Owned by"), required=False, coerce=int, empty_value=None)

    def __init__(self, actor: Actor, data: Mapping[str, object]) -> None:
        super().__init__(data)
        own = [(each.id, f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, Permission.VIEW_ASSETS)]
        self.fields["organisation"].choices = [("", _("everyone")), *own]  # type: ignore[attr-defined]  # -- of a choice field


class Narrowed(TypedDict):
    """What `reads.things` is asked for."""

    kind: str
    text: str
    tag: str
    organisation: OrganisationId | None


def narrowed(actor: Actor, given: Mapping[str, object]) -> tuple[FilterForm, Narrowed]:
    """Return the filter's form, and what it asks for; what cannot be is left out."""
    form = FilterForm(actor, given)
    form.is_valid()
    asked = form.cleaned_data
    owner = asked.get("organisation")
    kind = str(given.get("kind", ""))[:30]
    text, tag = asked.get("q", ""), asked.get("tag", "")
    return form, Narrowed(kind=kind, text=text, tag=tag, organisation=OrganisationId(owner) if owner else None)


@require_safe
@signed_in
def assets(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List assets, or show them on the map."""
    require_anywhere(actor, Permission.VIEW_ASSETS)
    titles, counts = kind_titles(actor), reads.counts(actor)
    form, asked = narrowed(actor, request.GET)
    after = int(text) if (text := request.GET.get("after", "")).isascii() and text.isdecimal() and len(text) < 18 else 0
    found = reads.things(actor, **asked, after=after, size=PAGE + 1, without=OF_SERVICES)
    known = {key: count for key, count in counts.items() if key not in OF_SERVICES}
    query = request.GET.copy()
    query.pop("after", None)
    query.pop("view", None)
    shown = found[:PAGE]
    rows = [{"thing": each, "kind": titles.get(each.kind, each.kind)} for each in shown]
    context = {
        "form": form,
        "rows": rows,
        "kinds": [Choice("", _("All"), sum(known.values())), *(Choice(key, titles.get(key, key), known[key]) for key in sorted(known))],
        "after": after,
        "more": shown[-1].id if len(found) > PAGE else None,
        "on_map": request.GET.get("view") == "map",
        "places": f"{reverse('console:assets_places')}?{query.urlencode()}",
        "kept": [(name, value) for name, value in query.items() if value],
        "may_manage": bool(organisations_of(actor, MANAGE)),
        "none_at_all": not known,
        "no_kind": not titles,
    }
    return render(request, "console/assets.html", context)


@require_safe
@signed_in
def places(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Send where the assets stand (GeoJSON, at most 5,000), for the map."""
    require_anywhere(actor, Permission.VIEW_ASSETS)
    titles = kind_titles(actor)
    found = reads.things(actor, **narrowed(actor, request.GET)[1], size=DRAWN, without=OF_SERVICES, placed=True)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [each.longitude, each.latitude]},
            "properties": {"id": each.id, "label": each.label, "kind": titles.get(each.kind, each.kind), "key": each.kind},
        }
        for each in found
    ]
    body = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    return HttpResponse(body, content_type="application/geo+json", headers={"Cache-Control": "no-store"})


@require_safe
@signed_in
def asset(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show one asset: this is where the code of its label leads."""
    return show(request, actor, reads.thing(actor, AssetId(asset)))


def show(request: HttpRequest, actor: Actor, view: ThingView, secret: str = "") -> HttpResponse:
    """Show an asset; with a secret, this once."""
    if view.kind in OF_SERVICES:
        return redirect("vehicles:vehicle", view.id)
    try:
        kind = reads.kind_of(view.organisation, view.kind)
    except NotFound:  # its kind was removed; what is known of it stays
        kind = None
    may_manage = view.organisation in organisations_of(actor, MANAGE)
    context = {
        "thing": view,
        "kind": kind.title.in_(language()) if kind else view.kind,
        "attributes": shown_attributes(kind, view.attributes),
        "may_manage": may_manage,
        "known_kind": kind is not None,
        "credentials": reads.credentials(actor, view.id) if may_manage else [],
        "secret": secret,
    }
    response = render(request, "console/assets_one.html", context)
    if secret:
        response["Cache-Control"] = "no-store"
    return response


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Remove an asset."""
    view = reads.thing(actor, AssetId(asset))
    actions.remove_asset(asset=view.id, by=actor)
    messages.success(request, _("%(label)s was removed.") % {"label": view.label})
    return redirect("console:assets")


@require_POST
@signed_in
def labels(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Send a sheet of QR labels for the chosen assets; where none is chosen, for all that the filter shows."""
    require_anywhere(actor, Permission.VIEW_ASSETS)
    chosen = [
        AssetId(int(text)) for text in request.POST.getlist("asset")[: MOST + 1] if text.isascii() and text.isdecimal() and len(text) < 18
    ]
    if not chosen:
        chosen = [each.id for each in reads.things(actor, **narrowed(actor, request.POST)[1], size=MOST, without=OF_SERVICES)]
    address = request.build_absolute_uri(reverse("console:assets"))
    response = HttpResponse(reads.label_sheet(actor, chosen, address=address, language=language()), content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="labels.pdf"'
    return response


@require_POST
@signed_in
def issue(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Issue a credential and show it this once."""
    view = reads.thing(actor, AssetId(asset))
    secret = actions.issue_credential(asset=view.id, name=request.POST.get("name", ""), by=actor)
    return show(request, actor, view, secret)


@require_POST
@signed_in
def revoke(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """End a credential."""
    view = reads.thing(actor, AssetId(asset))
    actions.revoke_credential(asset=view.id, prefix=request.POST.get("prefix", ""), by=actor)
    messages.success(request, _("The credential was revoked. A device that still uses it is refused from now on."))
    return redirect("console:assets_one", asset)


patterns = [
    path("", assets, name="assets"),
    path("places.json", places, name="assets_places"),
    path("add/", assets_entry.add, name="assets_add"),
    path("load/", assets_load.load, name="assets_load"),
    path("load/template.csv", assets_load.template, name="assets_template"),
    path("labels.pdf", labels, name="assets_labels"),
    path("kinds/", assets_kinds.kinds, name="assets_kinds"),
    path("kinds/add/", assets_kinds.add, name="assets_add_kind"),
    path("kinds/<int:organisation>/<slug:key>/", assets_kinds.edit, name="assets_kind"),
    path("kinds/<int:organisation>/<slug:key>/remove", assets_kinds.remove, name="assets_remove_kind"),
    path("<int:asset>", asset, name="assets_one"),
    path("<int:asset>/edit/", assets_entry.edit, name="assets_edit"),
    path("<int:asset>/remove", remove, name="assets_remove"),
    path("<int:asset>/credentials/issue", issue, name="assets_issue"),
    path("<int:asset>/credentials/revoke", revoke, name="assets_revoke"),
]
