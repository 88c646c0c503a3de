"""Numbers that people dial, and the queue or flow where each comes out."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.flows import reads as flows
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.services.contact.actions import designing
from jilink.services.contact.pages.places import engine_note, place_names
from jilink.services.contact.reads import floor
from jilink.services.contact.reads.floor import NumberView
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_QUEUES
QUEUE, FLOW = "q", "f"
Targets = list[tuple[str, list[tuple[str, str]]]]


class NumberForm(forms.Form):
    """Where a number leads; a new one also says which it is."""

    dialled = forms.CharField(
        label=gettext_lazy("Telephone number"),
        max_length=40,
        help_text=gettext_lazy("As the carrier delivers it, like 043112345 or 96000."),
    )
    target = forms.ChoiceField(
        label=gettext_lazy("Leads to"), help_text=gettext_lazy("The number belongs to the organisation of its queue or flow.")
    )

    def __init__(self, targets: Targets, data: object = None, *, seen: NumberView | None = None) -> None:
        super().__init__(data, initial={"target": target_of(seen)} if seen else None)  # type: ignore[arg-type] # -- a QueryDict or None
        self.fields["target"].choices = [("", _("Choose…")), *targets]  # type: ignore[attr-defined] # -- a choice field
        if seen is not None:
            del self.fields["dialled"]

    def leads_to(self) -> tuple[int, int | None, str]:
        """Return the organisation with the queue or the flow that was chosen."""
        kind, place, key = self.cleaned_data["target"].split(":")
        return int(place), int(key) if kind == QUEUE else None, key if kind == FLOW else ""


def target_of(seen: NumberView) -> str:
    """Return where a number leads, as the form has it."""
    return f"{QUEUE}:{seen.organisation}:{seen.queue}" if seen.queue is not None else f"{FLOW}:{seen.organisation}:{seen.flow}"


def targets(actor: Actor) -> Targets:
    """Return every queue and every flow in use of organisations whose queues the actor manages, by organisation."""
    language, places = get_language() or "zh-hans", place_names(actor, MANAGE)
    found: dict[int, list[tuple[str, str]]] = {place: [] for place in places}
    for queue in floor.queues(actor):
        if queue.organisation in found:
            name = _("Queue: %(name)s") % {"name": queue.design.name.in_(language)}
            found[queue.organisation].append((f"{QUEUE}:{queue.organisation}:{queue.id}", name))
    for flow in flows.flows(actor):
        if flow.organisation in found and flow.state == "published":
            name = _("Flow: %(name)s") % {"name": flow.definition.label.in_(language)}
            found[flow.organisation].append((f"{FLOW}:{flow.organisation}:{flow.key}", name))
    return [(places[place], choices) for place, choices in found.items() if choices]


@require_safe
@signed_in
def numbers(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the numbers and where they lead."""
    access.require_anywhere(actor, MANAGE)
    places = place_names(actor, MANAGE)
    words = {value: name for _place, choices in targets(actor) for value, name in choices}
    rows = [(one, words.get(target_of(one), ""), places.get(one.organisation, "")) for one in floor.numbers(actor)]
    return render(request, "contact/numbers_list.html", {"rows": rows, "note": engine_note(actor)})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Let a number lead somewhere."""
    access.require_anywhere(actor, MANAGE)
    form = NumberForm(targets(actor), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        place, queue, flow = form.leads_to()
        try:
            designing.add_number(organisation=place, dialled=form.cleaned_data["dialled"], queue=queue, flow=flow, by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Whoever dials the number comes out there from now on."))
            return redirect("contact:numbers")
    return render(request, "contact/numbers_edit.html", {"form": form, "number": None}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def number(request: HttpRequest, actor: Actor, line: int) -> HttpResponse:
    """Let a number lead elsewhere."""
    seen = floor.number(actor, line)
    form = NumberForm(targets(actor), request.POST if request.method == "POST" else None, seen=seen)
    if request.method == "POST" and form.is_valid():
        place, queue, flow = form.leads_to()
        try:
            designing.move_number(line=line, organisation=place, queue=queue, flow=flow, by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Whoever dials the number comes out there from now on."))
            return redirect("contact:numbers")
    return render(request, "contact/numbers_edit.html", {"form": form, "number": seen}, status=400 if form.errors else 200)


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, line: int) -> HttpResponse:
    """Let a number lead nowhere."""
    designing.remove_number(line=line, by=actor)
    messages.success(request, _("Whoever dials the number hears that there is no such number."))
    return redirect("contact:numbers")


patterns: list[URLPattern] = [
    path("numbers/", numbers, name="numbers"),
    path("numbers/add/", add, name="add-number"),
    path("numbers/<int:line>/", number, name="number"),
    path("numbers/<int:line>/remove", remove, name="remove-number"),
]
