"""The do-not-call list: numbers that no campaign calls."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.services.contact.actions import do_not_call as actions
from jilink.services.contact.pages.campaigns_words import SOURCES
from jilink.services.contact.pages.places import PlaceForm, place_names
from jilink.services.contact.reads import campaigns as reads
from jilink.webkit.door import said, signed_in

VIEW, MANAGE = Permission.VIEW_CAMPAIGNS, Permission.MANAGE_CAMPAIGNS


class NumberForm(PlaceForm):
    """A number that is never called again."""

    number = forms.CharField(label=gettext_lazy("Telephone"), max_length=30, widget=forms.TextInput(attrs={"inputmode": "tel"}))
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200, required=False)
    everywhere = forms.BooleanField(label=gettext_lazy("In the whole installation"), required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def do_not_call(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the list and add a number."""
    access.require_anywhere(actor, VIEW)
    if request.method == "POST":
        access.require_anywhere(actor, MANAGE)
    form = NumberForm(actor, MANAGE, request.POST if request.method == "POST" else None)
    if not actor.may(Permission.VIEW_OPERATIONS):
        del form.fields["everywhere"]
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.add_do_not_call(
                organisation=given["organisation"],
                number=given["number"],
                reason=given["reason"],
                everywhere=given.get("everywhere", False),
                by=actor,
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error("number", said(error))
        else:
            messages.success(request, _("No campaign calls this number from now on."))
            return redirect("contact:do-not-call")
    before = request.GET.get("before", "")
    found = reads.do_not_call(
        actor, before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None, limit=reads.PAGE + 1
    )
    names = place_names(actor, VIEW)
    manages, operates = access.organisations_of(actor, MANAGE), access.organisations_of(actor, Permission.VIEW_OPERATIONS)
    context = {
        "form": form,
        "manages": bool(manages),
        "rows": [
            (
                each,
                names.get(each.organisation, ""),
                SOURCES.get(each.source, each.source),
                each.organisation in manages and (not each.everywhere or each.organisation in operates),
            )
            for each in found[: reads.PAGE]
        ],
        "older": found[reads.PAGE - 1].id if len(found) > reads.PAGE else None,
    }
    return render(request, "contact/do_not_call.html", context, status=400 if form.errors else 200)


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, entry: int) -> HttpResponse:
    """Let a number be called again."""
    actions.remove_do_not_call(entry=entry, reason=request.POST.get("reason", ""), by=actor)
    messages.success(request, _("Campaigns may call this number again."))
    return redirect("contact:do-not-call")


patterns: list[URLPattern] = [
    path("do-not-call/", do_not_call, name="do-not-call"),
    path("do-not-call/<int:entry>/remove", remove, name="remove-do-not-call"),
]
