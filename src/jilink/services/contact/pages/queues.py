"""Queues: who waits and who serves now, and how each is designed."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.cases.reads.types import calendars
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text
from jilink.services.contact.actions import designing
from jilink.services.contact.pages.places import PlaceForm, engine_note, place_names
from jilink.services.contact.pages.queue_forms import QueueForm
from jilink.services.contact.reads import floor
from jilink.services.contact.reads.floor import QueueView
from jilink.services.contact.reads.serving import Served, served
from jilink.services.contact.rules.design import QueueDesign
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_QUEUES
NOBODY = Served((), ())


class NewQueueForm(PlaceForm):
    """A new queue: whose, and what it is called; everything else is as usual until it is changed."""

    name_zh = forms.CharField(label=gettext_lazy("Name in Chinese"), max_length=60, required=False)
    name_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=60, required=False)
    key = forms.CharField(
        label=gettext_lazy("Key"), max_length=40, help_text=gettext_lazy("Small letters, digits and _; flows and reports name it so.")
    )


@require_safe
@signed_in
def queues(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the queues as they stand now."""
    access.require_anywhere(actor, Permission.VIEW_QUEUES)
    names, serving = place_names(actor, Permission.VIEW_QUEUES), served(actor)
    mine = access.organisations_of(actor, MANAGE)
    rows = [(one, names.get(one.organisation, ""), serving.get(one.id, NOBODY), one.organisation in mine) for one in floor.queues(actor)]
    context = {"rows": rows, "manages": bool(mine), "note": engine_note(actor)}
    return render(request, "contact/queues_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add a queue, and go on to all that can be set of it."""
    access.require_anywhere(actor, MANAGE)
    form = NewQueueForm(actor, MANAGE, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        design = QueueDesign(name=Text(given["name_zh"], given["name_en"]))
        try:
            number = designing.add_queue(organisation=given["organisation"], key=given["key"], design=design, by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("The queue is there. Say below how it is served."))
            return redirect("contact:queue", number)
    return render(request, "contact/queues_add.html", {"form": form}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def queue(request: HttpRequest, actor: Actor, queue: int) -> HttpResponse:
    """Show a queue and change how it is served."""
    seen = floor.queue(actor, queue)
    access.require(actor, MANAGE, seen.organisation)
    form = _form(actor, seen, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            designing.change_queue(queue=queue, design=form.design(), based_on=form.cleaned_data["based_on"], by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved. It is served so from now on."))
            return redirect("contact:queue", queue)
    here = served(actor).get(queue, NOBODY)
    context = {
        "queue": seen,
        "form": form,
        "place": place_names(actor, MANAGE).get(seen.organisation, ""),
        "serving": here,
        "agents": sorted(members.people_named(set(here.there)).values()),
        "leads": [one for one in floor.numbers(actor) if one.queue == queue],
    }
    return render(request, "contact/queues_edit.html", context, status=400 if form.errors else 200)


def _form(actor: Actor, seen: QueueView, data: object) -> QueueForm:
    language = get_language() or "zh-hans"
    others = [
        (one.key, one.design.name.in_(language))
        for one in floor.queues(actor)
        if one.organisation == seen.organisation and one.id != seen.id
    ]
    return QueueForm(seen.design, seen.version, others, calendars(access.system("contact"), seen.organisation), data)


@require_POST
@signed_in
def retire(request: HttpRequest, actor: Actor, queue: int) -> HttpResponse:
    """Close a queue for good; its figures stay."""
    try:
        designing.retire_queue(queue=queue, by=actor)
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
        return redirect("contact:queue", queue)
    messages.success(request, _("The queue is closed for good. Its figures stay."))
    return redirect("contact:queues")


patterns: list[URLPattern] = [
    path("queues/", queues, name="queues"),
    path("queues/add/", add, name="add-queue"),
    path("queues/<int:queue>/", queue, name="queue"),
    path("queues/<int:queue>/retire", retire, name="retire-queue"),
]
