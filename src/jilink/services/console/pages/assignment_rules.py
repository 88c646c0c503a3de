"""Rules of assignment: versions, editing rule by rule, what they would do to past cases, publishing."""

from typing import Any

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jilink.core.cases import reads as cases
from jilink.core.cases.assignment import actions, reads
from jilink.core.cases.assignment.categories import categories
from jilink.core.cases.assignment.reads import RulesView
from jilink.core.cases.assignment.rules import Hours, Keeper, RulesRefused, write_rules
from jilink.core.cases.rules import versions
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.services.console.pages.case_types import STATE_WORDS, TONES
from jilink.services.console.pages.case_types_cells import Cell, Document, changed, form_of
from jilink.services.console.pages.case_types_parts import words
from jilink.webkit.door import said, signed_in

_HIDDEN = "There is no such thing, or you may not see it."
_WHEN = ("answers", "areas", "lowest_priority", "highest_priority", "channels", "languages", "hours", "about_asset")
TO_WORDS = (
    ("unit", gettext_lazy("A unit or team")),
    ("member", gettext_lazy("Person with the fewest open cases")),
    ("keeper", gettext_lazy("Unit responsible for the asset or area")),
)
HOURS_WORDS = (
    (Hours.ANY.value, gettext_lazy("At any time")),
    (Hours.WORKING.value, gettext_lazy("Within working hours")),
    (Hours.OFF.value, gettext_lazy("Outside working hours")),
)
ORDERS = (
    ("maintainer,owner,territory", gettext_lazy("Maintainer, owner, then territory")),
    ("territory,maintainer,owner", gettext_lazy("Territory, maintainer, then owner")),
    ("maintainer,owner", gettext_lazy("Maintainer, then owner")),
    ("territory", gettext_lazy("Territory alone")),
)


def _language() -> str:
    return get_language() or "zh-hans"


def _cells(actor: Actor, view: RulesView) -> tuple[Cell, ...]:
    units = reads.units(actor, view.organisation)
    places = [(f"{one.id}", "　" * one.depth + one.name) for one in units]
    for one in units:
        places += [(f"{one.id}/{team}", "　" * (one.depth + 1) + f"{one.name} · {name}") for team, name in one.teams]
    types = cases.types_in_use(actor, view.organisation)
    form = types[view.type_key].form if view.type_key in types else [each for kind in types.values() for each in kind.form]
    asked = [(question.key, question.label.in_(_language())) for question in form]
    known = categories(actor, OrganisationId(view.organisation))
    kinds = [("", _("everything not assigned to another unit"))]
    kinds += [(one.key, f"{one.label.in_(_language())} ({one.key})" if one.label else one.key) for one in known]
    commas = gettext_lazy("Several with commas between them.")
    return (
        Cell("key", "text", gettext_lazy("Key"), help=gettext_lazy("Small letters, digits and _; it is stored, never shown.")),
        Cell("label", "words", gettext_lazy("Name")),
        Cell("answers", "condition", gettext_lazy("Only if"), lambda _document: list(dict(asked).items())),
        Cell("areas", "keys", gettext_lazy("Codes of areas"), help=commas),
        Cell("lowest_priority", "number", gettext_lazy("Priority from")),
        Cell("highest_priority", "number", gettext_lazy("Priority to")),
        Cell("channels", "keys", gettext_lazy("Channels it comes by"), help=commas),
        Cell("languages", "keys", gettext_lazy("Languages of the person served"), help=commas),
        Cell("hours", "choice", gettext_lazy("Time"), lambda _document: [(key, str(word)) for key, word in HOURS_WORDS]),
        Cell(
            "about_asset",
            "choice",
            gettext_lazy("About a thing"),
            _either,
        ),
        Cell("to", "choice", gettext_lazy("Goes to"), lambda _document: [(key, str(word)) for key, word in TO_WORDS]),
        Cell("place", "choice", gettext_lazy("Unit or team"), lambda _document: [("", "—"), *places]),
        Cell("skills", "keys", gettext_lazy("Skills needed"), help=commas),
        Cell("speaks", "flag", gettext_lazy("Speaks a language of the person served")),
        Cell("order", "choice", gettext_lazy("Looked for in this order"), lambda _document: [(key, str(word)) for key, word in ORDERS]),
        Cell("category", "choice", gettext_lazy("Category of the responsibility"), lambda _document: kinds),
    )


def _either(_document: Document) -> list[tuple[str, str]]:
    return [("", _("Either")), ("yes", _("Yes")), ("no", _("No"))]


def _flat(rule: Document) -> Document:
    """Return a rule as one level of cells."""
    when, outcome = rule.get("when", {}), rule.get("outcome", {})
    about = {True: "yes", False: "no"}.get(when.get("about_asset"), "")
    unit, team = outcome.get("unit"), outcome.get("team")
    return {
        "key": rule.get("key", ""),
        "label": rule.get("label", {}),
        **{"lowest_priority": 1, "highest_priority": 9, "hours": Hours.ANY.value},
        **when,
        "about_asset": about,
        "to": outcome.get("to", "unit"),
        "place": f"{unit}/{team}" if team else str(unit or ""),
        "skills": outcome.get("skills", []),
        "speaks": outcome.get("speaks", False),
        "order": ",".join(outcome.get("order", [Keeper.MAINTAINER, Keeper.OWNER, Keeper.TERRITORY])),
        "category": outcome.get("category", ""),
    }


def _rule(flat: Document) -> Document:
    """Return a rule from its cells."""
    when = {name: flat[name] for name in _WHEN if flat.get(name) not in (None, "", [])}
    if "about_asset" in when:
        when["about_asset"] = when["about_asset"] == "yes"
    unit, _slash, team = str(flat.get("place", "")).partition("/")
    outcome: Document = {"to": flat["to"]}
    if flat["to"] == "keeper":
        outcome |= {"order": flat["order"].split(","), "category": flat.get("category", "")}
    else:
        outcome |= {"unit": int(unit or 0), "team": int(team) if team else None}
        if flat["to"] == "member":
            outcome |= {"skills": flat.get("skills", []), "speaks": flat.get("speaks", False)}
    return {"key": flat["key"], "label": flat["label"], "when": when, "outcome": outcome}


class NewRulesForm(forms.Form):
    """Rules for which organisation and which type."""

    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), coerce=int)
    type_key = forms.ChoiceField(label=gettext_lazy("Type of case"), required=False)

    def __init__(self, data: object, actor: Actor) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a form's values
        places = parties.choices(actor, Permission.MANAGE_CASE_TYPES)
        self.fields["organisation"].choices = [(str(one.id), "　" * one.depth + one.name) for one in places]  # type: ignore[attr-defined] # -- a choice field
        self.fields["type_key"].choices = [("", _("All types")), *_type_names(actor).items()]  # type: ignore[attr-defined] # -- a choice field


def _type_names(actor: Actor) -> dict[str, str]:
    return {view.key: view.definition.label.in_(_language()) for view in reversed(cases.case_types(actor))}


@signed_in
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the versions of rules, and begin a draft from those that count."""
    places = parties.choices(actor, Permission.MANAGE_CASE_TYPES)
    if not places:
        raise NotFound(_HIDDEN)
    form = NewRulesForm(request.POST if request.method == "POST" else None, actor)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        known = reads.versions(actor, given["organisation"])
        draft = next((view for view in known if view.type_key == given["type_key"] and versions.may_change(view.state)), None)
        if draft is not None:
            return redirect("console:assignment-rules", draft.id)
        book = write_rules(reads.counting(actor, given["organisation"], given["type_key"]))
        made = actions.save_rules(organisation=given["organisation"], type_key=given["type_key"], rules=book, by=actor)
        return redirect("console:assignment-rules", made)
    names = _type_names(actor)
    rows = [
        (view, names.get(view.type_key, view.type_key) or _("All types"), place.name, STATE_WORDS[view.state], TONES[view.state])
        for place in places
        for view in reads.versions(actor, int(place.id))
    ]
    return render(request, "console/assignment.html", {"rows": rows, "form": form})


@signed_in
def rules(request: HttpRequest, actor: Actor, number: int) -> HttpResponse:
    """Show a version; move and remove rules of a draft; with `try`, what it would do to past cases."""
    view = reads.rules(actor, number)
    document = _document(view)
    items = document["rules"]
    if request.method == "POST":
        deed, _colon, place = request.POST.get("deed", "").partition(":")
        at = int(place) if place.isdigit() else -1
        if versions.may_change(view.state) and 0 <= at < len(items):
            if deed == "remove":
                del items[at]
            elif (other := at + {"up": -1, "down": 1}.get(deed, 0)) != at and 0 <= other < len(items):
                items[at], items[other] = items[other], items[at]
            _save(view, document, actor)
        return redirect("console:assignment-rules", number)
    trial = reads.try_rules(actor, view.organisation, view.type_key, view.book) if "try" in request.GET else None
    context: dict[str, Any] = _head(actor, view) | {"trial": trial}
    context["rows"] = [(at, words(item["label"]) or item["key"], dict(TO_WORDS)[item["outcome"]["to"]]) for at, item in enumerate(items)]
    context["problems"] = [(each.place, _(each.reason) % each.values if each.values else _(each.reason)) for each in view.problems]
    if trial is not None:
        units = sorted({*trial.before, *trial.after}, key=lambda unit: (-trial.after.get(unit, 0), unit))
        context["counts"] = [(trial.names.get(unit, ""), trial.before.get(unit, 0), trial.after.get(unit, 0)) for unit in units]
        context["moved"] = [
            (
                each,
                trial.names.get(each.before, ""),
                trial.names.get(each.after, ""),
                [(one.label.in_(_language()), one.decided, one.why.in_(_language())) for one in each.considered],
            )
            for each in trial.moved[:100]
        ]
    return render(request, "console/assignment_rules.html", context)


def _head(actor: Actor, view: RulesView) -> dict[str, Any]:
    title = _type_names(actor).get(view.type_key, view.type_key) or _("All types")
    return {
        "view": view,
        "title": title,
        "state": STATE_WORDS[view.state],
        "tone": TONES[view.state],
        "draft": versions.may_change(view.state),
    }


def _document(view: RulesView) -> Document:
    found: Document = msgspec.json.decode(write_rules(view.book))
    found.setdefault("rules", [])
    return found


def _save(view: RulesView, document: Document, actor: Actor) -> None:
    actions.save_rules(organisation=view.organisation, type_key=view.type_key, rules=msgspec.json.encode(document), by=actor)


@signed_in
def rule(request: HttpRequest, actor: Actor, number: int, place: str) -> HttpResponse:
    """Edit one rule of a draft, or a new one."""
    view = reads.rules(actor, number)
    document = _document(view)
    items = document["rules"]
    at = len(items) if place == "new" else int(place) if place.isdigit() else -1
    if not versions.may_change(view.state) or not 0 <= at <= len(items):
        raise NotFound(_HIDDEN)
    now, cells = _flat(items[at] if at < len(items) else {}), _cells(actor, view)
    form = form_of(cells, now, document, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        items[at : at + 1] = [_rule(changed(cells, {}, form))]
        try:
            _save(view, document, actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("console:assignment-rules", number)
    context = _head(actor, view) | {"form": form, "item": words(now["label"]) or _("New rule")}
    return render(request, "console/assignment_rule.html", context)


@require_POST
@signed_in
def act(request: HttpRequest, actor: Actor, number: int, deed: str) -> HttpResponse:
    """Publish a draft or throw it away."""
    if deed == "drop":
        actions.drop_rules(rules=number, by=actor)
        messages.success(request, _("The draft was discarded."))
        return redirect("console:assignment")
    try:
        actions.publish_rules(rules=number, by=actor)
    except RulesRefused as error:
        messages.error(request, "; ".join(_(each.reason) % each.values if each.values else _(each.reason) for each in error.problems))
    else:
        messages.success(request, _("Cases are dispatched by these rules from now on."))
    return redirect("console:assignment-rules", number)


patterns = [
    path("", index, name="assignment"),
    path("<int:number>/", rules, name="assignment-rules"),
    path("<int:number>/do/<slug:deed>", act, name="assignment-act"),
    path("<int:number>/<slug:place>", rule, name="assignment-rule"),
]
