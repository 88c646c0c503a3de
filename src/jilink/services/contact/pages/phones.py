"""Phones on desks and in browsers: whose they are, whether they are online, and the settings a new one needs."""

import ipaddress
from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.kernel.settings import Settings, addresses
from jilink.services.contact import engines
from jilink.services.contact.actions import designing
from jilink.services.contact.pages.desk_phone import address
from jilink.services.contact.pages.places import PlaceForm, engine_note, place_names
from jilink.services.contact.reads import floor
from jilink.services.contact.reads.floor import PhoneView
from jilink.spine.calls import phone_key
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_QUEUES
SIP, BROWSER = "sip", "browser"
KINDS: tuple[tuple[str, Promise], ...] = (
    (SIP, gettext_lazy("Desk phone or any SIP phone")),
    (BROWSER, gettext_lazy("Phone in a browser (WebRTC)")),
)


@dataclass(frozen=True, slots=True)
class Login:
    """What is entered into a phone. `server` is "" where none can be reached from elsewhere."""

    user: str
    password: str
    server: str
    port: int
    transports: str
    websocket: str
    only_here: bool
    """Whether the engine listens on this machine alone."""


class PhoneForm(PlaceForm):
    """A new phone. Whose it is is said on its page, where the organisation is known."""

    extension = forms.CharField(label=gettext_lazy("Extension"), max_length=10, help_text=gettext_lazy("2 to 10 digits, like 8001."))
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=KINDS,
        help_text=gettext_lazy("Agents need none of these for the phone on their desk page: that one is made by itself."),
    )


class EditForm(forms.Form):
    """What can be changed of a phone."""

    user = forms.ChoiceField(label=gettext_lazy("Whose it is"), required=False)
    caller = forms.CharField(
        label=gettext_lazy("Number its calls show"), max_length=40, required=False, help_text=gettext_lazy("Empty: its extension.")
    )
    enabled = forms.BooleanField(label=gettext_lazy("It may be used"), required=False)

    def __init__(self, seen: PhoneView, data: object = None) -> None:
        initial = {"user": seen.user or "", "caller": seen.caller, "enabled": seen.enabled}
        super().__init__(data, initial=initial)  # type: ignore[arg-type] # -- a QueryDict or None
        people = members.people_named(members.holders(OrganisationId(seen.organisation), Permission.SERVE_QUEUES))
        chosen = sorted(((str(number), name) for number, name in people.items()), key=lambda each: each[1])
        self.fields["user"].choices = [("", _("Nobody in particular")), *chosen]  # type: ignore[attr-defined] # -- a choice field


def login_of(known: Settings, host: str, user: str, password: str) -> Login:
    """Return what a phone needs to sign in, for somebody who sees this installation under that host."""
    bound, port = addresses(known.voice_sip)[0]
    server = known.voice_external or (host if _is_any(bound) else bound)
    return Login(user, password, server, port, "UDP, TCP", address(known, host), _is_loopback(bound))


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@require_safe
@signed_in
def phones(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the phones, and whether each is online now."""
    access.require_anywhere(actor, MANAGE)
    places, seen = place_names(actor, MANAGE), engines.look()
    found = floor.phones(actor)
    people = members.people_named({one.user for one in found if one.user is not None})
    rows = [(one, places.get(one.organisation, ""), people.get(one.user or 0, ""), one.endpoint in seen.online) for one in found]
    return render(request, "contact/phones_list.html", {"rows": rows, "seen": seen, "note": engine_note(actor)})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add a phone and show its password, once."""
    access.require_anywhere(actor, MANAGE)
    form = PhoneForm(actor, MANAGE, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        place, extension, browser = form.cleaned_data["organisation"], form.cleaned_data["extension"], form.cleaned_data["kind"] == BROWSER
        try:
            password = designing.add_phone(organisation=place, extension=extension, webrtc=browser, by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            made = next(one for one in floor.phones(actor) if (one.organisation, one.extension) == (place, extension))
            return _shown(request, made, password)
    return render(request, "contact/phones_add.html", {"form": form, "note": engine_note(actor)}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def phone(request: HttpRequest, actor: Actor, phone: int) -> HttpResponse:
    """Show a phone, say whose it is, and switch it off and on."""
    seen = floor.phone(actor, phone)
    form = EditForm(seen, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            user = int(given["user"]) if given["user"] else None
            designing.change_phone(phone=phone, user=user, caller=given["caller"], enabled=given["enabled"], by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("contact:phones")
    return render(request, "contact/phones_edit.html", _context(request, actor, seen, form), status=400 if form.errors else 200)


def _context(request: HttpRequest, actor: Actor, seen: PhoneView, form: EditForm) -> dict[str, object]:
    login = login_of(settings.JILINK, _host(request), phone_key(seen.organisation, seen.extension), "")
    return {
        "phone": seen,
        "form": form,
        "login": login,
        "place": place_names(actor, MANAGE).get(seen.organisation, ""),
        "online": seen.endpoint in engines.look().online,
        "note": engine_note(actor),
    }


@never_cache
@require_POST
@signed_in
def renew(request: HttpRequest, actor: Actor, phone: int) -> HttpResponse:
    """Give a phone another password and show it, once."""
    seen = floor.phone(actor, phone)
    return _shown(request, seen, designing.renew_phone(phone=phone, by=actor))


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, phone: int) -> HttpResponse:
    """Take a phone away."""
    designing.remove_phone(phone=phone, by=actor)
    messages.success(request, _("The phone is gone; it can no longer sign in."))
    return redirect("contact:phones")


def _shown(request: HttpRequest, seen: PhoneView, password: str) -> HttpResponse:
    login = login_of(settings.JILINK, _host(request), phone_key(seen.organisation, seen.extension), password)
    return render(request, "contact/phones_shown.html", {"phone": seen, "login": login})


def _host(request: HttpRequest) -> str:
    return request.get_host().rsplit(":", 1)[0].strip("[]")


patterns: list[URLPattern] = [
    path("phones/", phones, name="phones"),
    path("phones/add/", add, name="add-phone"),
    path("phones/<int:phone>/", phone, name="phone"),
    path("phones/<int:phone>/password", renew, name="renew-phone"),
    path("phones/<int:phone>/remove", remove, name="remove-phone"),
]
