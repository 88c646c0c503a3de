"""Trunks: lines to carriers and gateways, what is agreed with each, and how it stands."""

import re

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.services.contact import engines
from jilink.services.contact.actions import trunks as actions
from jilink.services.contact.pages.places import PlaceForm, engine_note, place_names
from jilink.services.contact.reads import outside
from jilink.services.contact.reads.outside import TrunkView
from jilink.services.contact.rules.trunks import CODECS, MOST_CALLS, TrunkDesign
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_QUEUES
STATES: dict[str, tuple[Promise, str]] = {
    "registered": (gettext_lazy("Registered"), "good"),
    "refused": (gettext_lazy("Refused or no answer"), "bad"),
    "trying": (gettext_lazy("Registering"), "warn"),
}


class TrunkForm(PlaceForm):
    """All that is agreed with a carrier."""

    based_on = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    register = forms.TypedChoiceField(
        label=gettext_lazy("How we are known there"),
        choices=(("yes", gettext_lazy("We register with user and password")), ("no", gettext_lazy("By addresses, without registration"))),
        coerce=lambda value: value == "yes",
    )
    host = forms.CharField(
        label=gettext_lazy("Server"),
        max_length=253,
        required=False,
        help_text=gettext_lazy("Host name or address; empty where it only brings calls."),
    )
    port = forms.IntegerField(
        label=gettext_lazy("Port"), min_value=1, max_value=65_535, required=False, help_text=gettext_lazy("Empty: 5060.")
    )
    transport = forms.ChoiceField(label=gettext_lazy("Transport"), choices=(("udp", "UDP"), ("tcp", "TCP")))
    user = forms.CharField(label=gettext_lazy("User name"), max_length=60, required=False)
    password = forms.CharField(
        label=gettext_lazy("Password"), max_length=120, required=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    addresses = forms.CharField(
        label=gettext_lazy("Addresses it calls from"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "Addresses or networks, separated by commas or lines. They are let in without a password: name the carrier's alone."
        ),
    )
    numbers = forms.CharField(
        label=gettext_lazy("Numbers it may bring"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Separated by commas or lines; 0431888* stands for all that begin so. Empty: every number."),
    )
    number_in = forms.ChoiceField(
        label=gettext_lazy("Where the dialled number stands"),
        choices=(("uri", gettext_lazy("Request URI (usual)")), ("to", gettext_lazy("To header"))),
    )
    headers = forms.BooleanField(
        label=gettext_lazy("Believe the vehicle and the case its calls name"),
        required=False,
        help_text=gettext_lazy("Only for gateways that you run yourself, such as that of the vehicles' buttons (X-Vehicle, X-Case)."),
    )
    calls_out = forms.BooleanField(label=gettext_lazy("Calls to numbers outside go out over it"), required=False)
    caller = forms.CharField(label=gettext_lazy("Number its calls show"), max_length=25, required=False)
    before = forms.CharField(label=gettext_lazy("Put before each number"), max_length=9, required=False)
    codecs = forms.MultipleChoiceField(
        label=gettext_lazy("Codecs"),
        required=False,
        choices=[(one, one) for one in CODECS],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: alaw and ulaw."),
    )
    most_calls = forms.IntegerField(
        label=gettext_lazy("Calls at once, at most"),
        min_value=0,
        max_value=MOST_CALLS,
        required=False,
        help_text=gettext_lazy("Empty: no limit."),
    )

    GROUPS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
        (gettext_lazy("The carrier"), ("organisation", "name", "register", "host", "port", "transport", "user", "password")),
        (gettext_lazy("Calls in"), ("addresses", "numbers", "number_in", "headers")),
        (gettext_lazy("Calls out"), ("calls_out", "caller", "before", "most_calls", "codecs")),
    )

    def __init__(self, actor: Actor, data: object = None, seen: TrunkView | None = None) -> None:
        super().__init__(actor, MANAGE, data, initial=_initial(seen) if seen else {"register": "yes", "calls_out": True})
        if seen is not None:
            del self.fields["organisation"]
            if seen.has_password:
                self.fields["password"].help_text = _("One is kept, sealed. Leave empty to keep it.")

    def groups(self) -> list[tuple[Promise, list[forms.BoundField]]]:
        """Return the fields by group."""
        return [(title, [self[name] for name in names if name in self.fields]) for title, names in self.GROUPS]

    def design(self) -> TrunkDesign:
        """Return what was agreed."""
        given = self.cleaned_data
        same = ("host", "transport", "register", "user", "number_in", "headers", "calls_out", "caller")
        return TrunkDesign(
            port=given["port"] or 0,
            prefix=given["before"],
            addresses=_parts(given["addresses"]),
            numbers=_parts(given["numbers"]),
            codecs=tuple(given["codecs"]),
            most_calls=given["most_calls"] or 0,
            **{name: given[name] for name in same},
        )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in re.split(r"[\s,，、;；]+", text) if part))


def _initial(seen: TrunkView) -> dict[str, object]:
    design = seen.design
    same = ("host", "transport", "user", "number_in", "headers", "calls_out", "caller")
    return {
        **{name: getattr(design, name) for name in same},
        "name": seen.name,
        "based_on": seen.version,
        "register": "yes" if design.register else "no",
        "port": design.port or None,
        "before": design.prefix,
        "addresses": "\n".join(design.addresses),
        "numbers": "\n".join(design.numbers),
        "codecs": list(design.codecs),
        "most_calls": design.most_calls or None,
    }


@require_safe
@signed_in
def trunks(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the trunks and how each stands."""
    access.require_anywhere(actor, MANAGE)
    places, seen = place_names(actor, MANAGE), engines.look()
    rows = [(one, places.get(one.organisation, ""), *_standing(one, seen)) for one in outside.trunks(actor)]
    return render(request, "contact/trunks_list.html", {"rows": rows, "seen": seen, "note": engine_note(actor)})


def _standing(one: TrunkView, seen: engines.Seen) -> tuple[str, str, object]:
    """Return how a trunk stands in words, its tone, and since when."""
    if not one.enabled:
        return _("Switched off"), "neutral", None
    if not one.design.register:
        return _("By address, no registration"), "info", None
    state = seen.trunks.get(one.endpoint)
    if state is None:
        return _("Not known"), "neutral", None
    words, tone = STATES[state.state]
    return str(words), tone, state.since


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add a trunk."""
    access.require_anywhere(actor, MANAGE)
    form = TrunkForm(actor, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.add_trunk(
                organisation=given["organisation"], name=given["name"], design=form.design(), password=given["password"], by=actor
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("The engine has the trunk in a moment."))
            return redirect("contact:trunks")
    return render(request, "contact/trunks_edit.html", {"form": form, "trunk": None}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def trunk(request: HttpRequest, actor: Actor, trunk: int) -> HttpResponse:
    """Show a trunk and change what is agreed."""
    seen = outside.trunk(actor, trunk)
    form = TrunkForm(actor, request.POST if request.method == "POST" else None, seen)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.change_trunk(
                trunk=trunk,
                name=given["name"],
                design=form.design(),
                based_on=given["based_on"] or 0,
                password=given["password"] or None,
                by=actor,
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("The engine has the trunk in a moment."))
            return redirect("contact:trunks")
    words, tone, since = _standing(seen, engines.look())
    context = {"form": form, "trunk": seen, "words": words, "tone": tone, "since": since}
    return render(request, "contact/trunks_edit.html", context, status=400 if form.errors else 200)


@require_POST
@signed_in
def switch(request: HttpRequest, actor: Actor, trunk: int) -> HttpResponse:
    """Switch a trunk off or on."""
    actions.enable_trunk(trunk=trunk, enabled=request.POST.get("enabled") == "yes", by=actor)
    return redirect("contact:trunk", trunk)


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, trunk: int) -> HttpResponse:
    """Take a trunk away."""
    actions.remove_trunk(trunk=trunk, by=actor)
    messages.success(request, _("The trunk is gone."))
    return redirect("contact:trunks")


patterns: list[URLPattern] = [
    path("trunks/", trunks, name="trunks"),
    path("trunks/add/", add, name="add-trunk"),
    path("trunks/<int:trunk>/", trunk, name="trunk"),
    path("trunks/<int:trunk>/switch", switch, name="switch-trunk"),
    path("trunks/<int:trunk>/remove", remove, name="remove-trunk"),
]
