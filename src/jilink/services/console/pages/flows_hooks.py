"""Addresses that flows may ask: each with a name, and a secret that is shown once."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from jilink.core.flows import actions, reads
from jilink.core.parties import access
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.webkit.door import said, signed_in


class HookForm(forms.Form):
    """A new address."""

    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), coerce=int)
    key = forms.SlugField(label=gettext_lazy("Name"), max_length=40, help_text=gettext_lazy("Small letters, digits and _"))
    url = forms.CharField(label=gettext_lazy("Web address"), max_length=500, widget=forms.URLInput)


@signed_in
def hooks(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the addresses, and add one."""
    access.require_anywhere(actor, Permission.DESIGN_FLOWS)
    form, secret = HookForm(request.POST if request.method == "POST" else None), ""
    places = {int(one.id): "　" * one.depth + one.name for one in parties.choices(actor, Permission.DESIGN_FLOWS)}
    form.fields["organisation"].choices = [(str(number), name) for number, name in places.items()]  # type: ignore[attr-defined] # -- a choice field
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            secret = actions.add_hook(organisation=given["organisation"], key=given["key"], url=given["url"], by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
    rows = [(hook, places.get(hook.organisation, "").strip("　")) for hook in reads.hooks(actor)]
    response = render(request, "console/flows_hooks.html", {"rows": rows, "form": form, "secret": secret})
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, hook: int) -> HttpResponse:
    """Remove an address."""
    actions.remove_hook(hook=hook, by=actor)
    return redirect("console:flow-hooks")


patterns = [path("hooks/", hooks, name="flow-hooks"), path("hooks/<int:hook>/remove", remove, name="flow-hook-remove")]
