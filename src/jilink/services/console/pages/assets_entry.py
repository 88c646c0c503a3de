"""Adding and editing one asset."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from jilink.core.assets.inventory import actions, reads
from jilink.core.assets.inventory.actions import ChangedMeanwhile
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.services.console.pages.assets_forms import AssetForm, Posted
from jilink.services.console.pages.assets_words import kind_titles, language, shown_attributes
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_ASSETS


class StartForm(forms.Form):
    """Of which kind a new asset is, and whose."""

    organisation = forms.TypedChoiceField(label=gettext_lazy("Owned by"), coerce=int)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"))

    def __init__(self, actor: Actor, data: Posted = None) -> None:
        super().__init__(data)
        own = [(each.id, f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, MANAGE)]
        self.fields["organisation"].choices = own  # type: ignore[attr-defined]  # -- of a choice field
        self.fields["kind"].choices = sorted(kind_titles(actor).items())  # type: ignore[attr-defined]  # -- of a choice field


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add an asset: first whose and which kind, then what its kind asks."""
    require_anywhere(actor, MANAGE)
    start = StartForm(actor, request.GET if "kind" in request.GET else None)
    if not start.is_bound or not start.is_valid():
        return render(request, "console/assets_start.html", {"form": start, "kinds": kind_titles(actor)})
    owner, key = OrganisationId(start.cleaned_data["organisation"]), start.cleaned_data["kind"]
    try:
        kind = reads.kind_of(owner, key)
    except NotFound as error:
        start.add_error("kind", said(error))
        return render(request, "console/assets_start.html", {"form": start, "kinds": kind_titles(actor)}, status=400)
    form = AssetForm(actor, kind, owner, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = actions.register_asset(organisation=owner, kind=key, data=form.asset(), by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("console:assets_one", made)
    context = {"form": form, "kind": kind.title.in_(language()), "thing": None}
    return render(request, "console/assets_edit.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Change an asset; where somebody else did meanwhile, show what it says now and keep what was entered."""
    view = reads.thing(actor, AssetId(asset))
    require(actor, MANAGE, view.organisation)
    kind = reads.kind_of(view.organisation, view.kind)
    form = AssetForm(actor, kind, view.organisation, request.POST if request.method == "POST" else None, view)
    meanwhile = False
    if form.is_bound and form.is_valid():
        try:
            actions.change_asset(asset=view.id, data=form.asset(), based_on=form.cleaned_data["based_on"] or 0, by=actor)
        except NotFound:
            raise
        except ChangedMeanwhile as error:
            form.add_error(None, said(error))
            form.data = {**request.POST.dict(), "based_on": str(view.version)}  # saving again is then a decision
            meanwhile = True
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("console:assets_one", asset)
    context = {
        "form": form,
        "kind": kind.title.in_(language()),
        "thing": view,
        "meanwhile": meanwhile,
        "now": shown_attributes(kind, view.attributes),
    }
    return render(request, "console/assets_edit.html", context, status=400 if form.errors else 200)
