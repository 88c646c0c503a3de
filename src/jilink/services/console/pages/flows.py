"""Designing flows: list, make, look at, edit step by step, check, publish."""

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.flows import actions, reads
from jilink.core.flows.actions.demonstration import example
from jilink.core.flows.reads import FlowView
from jilink.core.flows.rules.definition import END, KINDS, Flow, FlowRefused, write_flow
from jilink.core.flows.rules.faults import variables
from jilink.core.parties import access
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text
from jilink.services.console.pages import flows_hooks, flows_try
from jilink.services.console.pages.case_types import STATE_WORDS, TONES
from jilink.services.console.pages.case_types_cells import Document
from jilink.services.console.pages.flows_cells import changed, form_of
from jilink.services.console.pages.flows_drawing import drawing
from jilink.services.console.pages.flows_show import designed, document_of, draft_of, head, shown
from jilink.services.console.pages.flows_words import BASICS, KIND_WORDS, cells_of, outcome_in_words, step_in_words
from jilink.webkit.door import said, signed_in

_HIDDEN = "There is no such thing, or you may not see it."
EMPTY = "empty"


class NewFlowForm(forms.Form):
    """A new flow: of which organisation, under which key, made from what."""

    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), coerce=int)
    key = forms.SlugField(
        label=gettext_lazy("Key"), max_length=40, help_text=gettext_lazy("Small letters, digits and _; it is stored, never shown.")
    )
    source = forms.ChoiceField(
        label=gettext_lazy("Made from"),
        choices=(("hotline", gettext_lazy("A hotline in three languages")), (EMPTY, gettext_lazy("An empty flow"))),
    )

    def __init__(self, data: object, actor: Actor) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a form's values
        places = parties.choices(actor, Permission.DESIGN_FLOWS)
        self.fields["organisation"].choices = [(str(one.id), "　" * one.depth + one.name) for one in places]  # type: ignore[attr-defined] # -- a choice field


@signed_in
def flows(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the flows, and make a new one."""
    access.require_anywhere(actor, Permission.READ_FLOWS)
    if request.method == "POST":
        access.require_anywhere(actor, Permission.DESIGN_FLOWS)
    form = NewFlowForm(request.POST if request.method == "POST" else None, actor)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        made_from = Flow(label=Text(given["key"], given["key"])) if given["source"] == EMPTY else example()
        try:
            made = actions.save_flow(organisation=given["organisation"], key=given["key"], definition=write_flow(made_from), by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            return redirect("console:flow", made)
    places = {int(one.id): one.name for one in parties.choices(actor, Permission.READ_FLOWS)}
    language = get_language() or "zh-hans"
    rows = [
        (
            line,
            line.definition.label.in_(language) or line.key,
            STATE_WORDS[line.state],
            TONES[line.state],
            places.get(line.organisation, ""),
        )
        for line in reads.flows(actor)
    ]
    return render(request, "console/flows.html", {"rows": rows, "form": form, "designs": actor.may(Permission.DESIGN_FLOWS)})


@require_safe
@signed_in
def flow_page(request: HttpRequest, actor: Actor, number: int) -> HttpResponse:
    """Show a version of a flow: its drawing, what is wrong with it, its steps and its tests."""
    view = reads.flow(actor, number)
    document = document_of(view)
    counts = reads.passed(actor, number)
    problems = shown(view, view.problems)
    names = {step["key"]: step_in_words(step) for step in document["steps"]} | {END: _("End of this flow")}
    steps = [
        (
            index,
            step_in_words(document["steps"][index]),
            KIND_WORDS[document["steps"][index]["kind"]],
            [
                (outcome_in_words(outcome), names.get(target, target or "?"), counts.get(step.key, {}).get(outcome))
                for outcome, target in step.ways()
            ],
            sum(1 for _where, _why, place in problems if place == index),
        )
        for index, step in enumerate(view.definition.steps)
    ]
    context = head(view, actor) | {
        "steps": steps,
        "problems": problems,
        "drawing": drawing(view.definition) if view.definition.steps else None,
        "kinds": KIND_WORDS.items(),
        "tests": list(enumerate(view.definition.tests)),
    }
    return render(request, "console/flows_flow.html", context)


@require_POST
@signed_in
def act(request: HttpRequest, actor: Actor, number: int, deed: str) -> HttpResponse:
    """Publish, throw away, retire, or make a draft of a version."""
    view = designed(actor, number)
    if deed == "publish":
        try:
            actions.publish_flow(flow=number, by=actor)
        except FlowRefused as error:
            messages.error(request, _("It cannot be published yet. See the problems below."))
            for where, why, _place in shown(view, error.problems[:5]):
                messages.error(request, f"{where}: {why}")
        else:
            messages.success(request, _("New contacts use this version from now on."))
    elif deed == "drop":
        actions.drop_draft(flow=number, by=actor)
        messages.success(request, _("The draft was discarded."))
        return redirect("console:flows")
    elif deed == "retire":
        actions.retire_flow(flow=number, by=actor)
    elif deed == "edit":
        return redirect(
            "console:flow",
            actions.save_flow(organisation=view.organisation, key=view.key, definition=write_flow(view.definition), by=actor),
        )
    return redirect("console:flow", number)


@require_POST
@signed_in
def order(request: HttpRequest, actor: Actor, number: int) -> HttpResponse:
    """Move or remove a step, or remove a test."""
    view = draft_of(actor, number)
    document = document_of(view)
    deed, _colon, place = request.POST.get("deed", "").partition(":")
    items = document["tests" if deed == "forget" else "steps"]
    index = int(place) if place.isdecimal() else -1
    if 0 <= index < len(items):
        if deed in {"remove", "forget"}:
            del items[index]
        elif deed == "up" and index:
            items[index - 1], items[index] = items[index], items[index - 1]
        elif deed == "down" and index + 1 < len(items):
            items[index + 1], items[index] = items[index], items[index + 1]
        save(view, document, actor)
    return redirect("console:flow", number)


@signed_in
def step(request: HttpRequest, actor: Actor, number: int, place: str) -> HttpResponse:
    """Edit one step, or a new one of a kind."""
    view = draft_of(actor, number)
    document = _with_known(actor, view)
    steps: list[Document] = document["steps"]
    index = len(steps) if place in KINDS else int(place) if place.isdecimal() else -1
    if not 0 <= index <= len(steps) or (index == len(steps) and place not in KINDS):
        raise NotFound(_HIDDEN)
    new = index == len(steps)
    now = _fresh(place, steps) if new else steps[index]
    cells = cells_of(now["kind"])
    form = form_of(cells, now, document, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        entered = changed(cells, now, form)
        steps[index : index + 1] = [entered]
        if entered["key"] != now["key"]:
            _rename(document, now["key"], entered["key"])
        if _saved(request, view, document, actor, form):
            return redirect("console:flow", number)
    here = [] if new else [(where, why) for where, why, found in shown(view, view.problems) if found == index]
    context = head(view, actor) | {"form": form, "item": step_in_words(now), "problems": here, "known": document["_known"]["variables"]}
    return render(request, "console/flows_step.html", context)


@signed_in
def basics(request: HttpRequest, actor: Actor, number: int) -> HttpResponse:
    """Edit what holds for the whole flow."""
    view = draft_of(actor, number)
    document = _with_known(actor, view)
    form = form_of(BASICS, document, document, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _saved(request, view, changed(BASICS, document, form), actor, form):
        return redirect("console:flow", number)
    here = [(where, why) for where, why, found in shown(view, view.problems) if found is None]
    return render(request, "console/flows_step.html", head(view, actor) | {"form": form, "item": _("Basics"), "problems": here})


def _saved(request: HttpRequest, view: FlowView, document: Document, actor: Actor, form: forms.Form) -> bool:
    try:
        save(view, document, actor)
    except NotFound:
        raise
    except Refused as error:
        form.add_error(None, said(error))
        return False
    messages.success(request, _("Saved."))
    return True


def save(view: FlowView, document: Document, actor: Actor) -> None:
    """Keep a document as the draft of its flow."""
    kept = {name: value for name, value in document.items() if name != "_known"}
    actions.save_flow(organisation=view.organisation, key=view.key, definition=msgspec.json.encode(kept), by=actor)


def _with_known(actor: Actor, view: FlowView) -> Document:
    known = reads.known(actor, view.organisation)
    there = {
        "queues": sorted(known.queues or ()),
        "types": sorted(known.types or ()),
        "hooks": sorted(known.hooks or ()),
        "flows": sorted(set(known.flows) - {view.key}),
        "variables": sorted(variables(view.definition, known)),
    }
    return document_of(view) | {"_known": there}


def _fresh(kind: str, steps: list[Document]) -> Document:
    taken = {step["key"] for step in steps}
    key = next(name for number in range(1, len(steps) + 3) if (name := f"{kind}_{number}") not in taken)
    found: Document = msgspec.to_builtins(KINDS[kind](key=key))
    return found


def _rename(document: Document, before: str, after: str) -> None:
    """Let everything that led to a step lead to it by its new key."""
    for one in document["steps"]:
        for name in KINDS[one["kind"]].OUTCOMES:
            if one.get(name) == before:
                one[name] = after
        for way in (*one.get("arms", []), *([one] if "otherwise" in one else [])):
            for name in ("to", "otherwise"):
                if way.get(name) == before:
                    way[name] = after
    for shortcut in document["shortcuts"]:
        if shortcut["to"] == before:
            shortcut["to"] = after
    if document["first"] == before:
        document["first"] = after


patterns = [
    path("", flows, name="flows"),
    path("<int:number>/", flow_page, name="flow"),
    path("<int:number>/do/<slug:deed>", act, name="flow-act"),
    path("<int:number>/order", order, name="flow-order"),
    path("<int:number>/basics", basics, name="flow-basics"),
    path("<int:number>/steps/<slug:place>", step, name="flow-step"),
    *flows_try.patterns,
    *flows_hooks.patterns,
]
