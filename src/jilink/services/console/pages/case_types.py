"""Designing case types: list, make, look at, edit part by part, check, publish; and working calendars."""

from importlib.resources import files

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.cases import actions, reads
from jilink.core.cases.actions.demonstration import KEYS
from jilink.core.cases.reads import TypeView
from jilink.core.cases.rules import versions
from jilink.core.cases.rules.definition import Definition, read_definition, write_definition
from jilink.core.cases.rules.problems import Problem
from jilink.core.cases.rules.wording import half_said
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.services.console.pages.case_questions import field_of
from jilink.services.console.pages.case_types_cells import Document, changed, form_of
from jilink.services.console.pages.case_types_drawing import drawing
from jilink.services.console.pages.case_types_parts import BY_KEY, PARTS, Part, cells_of, fresh, kind_in_words, trimmed, words
from jilink.webkit.door import said, signed_in

STATE_WORDS = {"draft": gettext_lazy("Draft"), "published": gettext_lazy("In use"), "retired": gettext_lazy("No longer used")}
TONES = {"draft": "info", "published": "good", "retired": "neutral"}
_HIDDEN = "There is no such thing, or you may not see it."


def _language() -> str:
    return get_language() or "zh-hans"


class NewTypeForm(forms.Form):
    """A new type: of which organisation, under which key, made from what."""

    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), coerce=int)
    key = forms.SlugField(
        label=gettext_lazy("Key"), max_length=40, help_text=gettext_lazy("Small letters, digits and _; it is stored, never shown.")
    )
    source = forms.ChoiceField(label=gettext_lazy("Made from"))

    def __init__(self, data: object, actor: Actor) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a form's values
        places = parties.choices(actor, Permission.MANAGE_CASE_TYPES)
        self.fields["organisation"].choices = [(str(one.id), "　" * one.depth + one.name) for one in places]  # type: ignore[attr-defined] # -- a choice field
        self.fields["source"].choices = [(key, shipped(key).label.in_(_language())) for key in KEYS]  # type: ignore[attr-defined] # -- a choice field


def shipped(key: str) -> Definition:
    """Return one of the types to begin with."""
    return read_definition(files("jilink.core.cases").joinpath("data", "types", f"{key}.json").read_bytes())


@signed_in
def types(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the types, and make a new one."""
    if not actor.may(Permission.MANAGE_CASE_TYPES):
        raise NotFound(_HIDDEN)
    form = NewTypeForm(request.POST if request.method == "POST" else None, actor)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = actions.save_type(
                organisation=given["organisation"], key=given["key"], definition=write_definition(shipped(given["source"])), by=actor
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            return redirect("console:case-type", made)
    places = {int(one.id): one.name for one in parties.choices(actor, Permission.MANAGE_CASE_TYPES)}
    found = reads.case_types(actor)
    rows = [
        (
            view,
            view.definition.label.in_(_language()) or view.key,
            STATE_WORDS[view.state],
            TONES[view.state],
            places.get(view.organisation, ""),
        )
        for view in found
    ]
    return render(request, "console/case_types.html", {"rows": rows, "form": form})


@require_safe
@signed_in
def type_page(request: HttpRequest, actor: Actor, number: int) -> HttpResponse:
    """Show a version of a type: its drawing, what is wrong with it, its parts."""
    view = reads.case_type(actor, number)
    document = _document(view)
    parts = [(part, len(document.get(part.key, [])) if part.listed else None) for part in PARTS]
    context = _head(view) | {
        "parts": parts,
        "drawing": drawing(view.diagram) if view.diagram else None,
        "problems": shown(view, view.problems),
        "halves": shown(view, half_said(view.definition)),
    }
    return render(request, "console/case_types_type.html", context)


def _head(view: TypeView) -> Document:
    title = view.definition.label.in_(_language()) or view.key
    return {
        "view": view,
        "title": title,
        "state": STATE_WORDS[view.state],
        "tone": TONES[view.state],
        "draft": versions.may_change(view.state),
        "retirable": versions.may_retire(view.state),
    }


def shown(view: TypeView, found: tuple[Problem, ...]) -> list[tuple[str, str, str, int | None]]:
    """Return what is wrong: where in words, why in the reader's language, and the part and item to look at."""
    document, rows = _document(view), []
    for problem in found:
        name, _dot, rest = problem.place.removeprefix("$.").partition("[")
        key = name.partition(".")[0]
        part = BY_KEY.get(key, BY_KEY["basics"])
        index = int(rest.partition("]")[0]) if rest.partition("]")[0].isdigit() else None
        items = document.get(part.key, []) if part.listed else []
        named = _title(items[index]) if index is not None and index < len(items) else ""
        where = " · ".join(each for each in (str(part.title), named) if each)
        rows.append((where, _(problem.reason) % problem.values if problem.values else _(problem.reason), part.key, index))
    return rows


def _title(item: Document) -> str:
    return words(item.get("label", {})) or str(item.get("key", item.get("rank", "")))


def _document(view: TypeView) -> Document:
    found: Document = msgspec.json.decode(msgspec.json.encode(view.definition))
    return found


@require_POST
@signed_in
def act(request: HttpRequest, actor: Actor, number: int, deed: str) -> HttpResponse:
    """Publish, throw away, retire, or make a draft of a version."""
    view = reads.case_type(actor, number)
    if deed == "publish":
        if view.problems:
            messages.error(request, _("It cannot be published yet. See the problems below."))
            return redirect("console:case-type", number)
        actions.publish_type(type=number, by=actor)
        messages.success(request, _("New cases use this version from now on."))
    elif deed == "drop":
        actions.drop_draft(type=number, by=actor)
        messages.success(request, _("The draft was discarded."))
        return redirect("console:case-types")
    elif deed == "retire":
        actions.retire_type(type=number, by=actor)
    elif deed == "edit":
        made = actions.save_type(organisation=view.organisation, key=view.key, definition=write_definition(view.definition), by=actor)
        return redirect("console:case-type", made)
    return redirect("console:case-type", number)


@signed_in
def part(request: HttpRequest, actor: Actor, number: int, key: str) -> HttpResponse:
    """Show the items of a part; move and remove them. A part without items is one form."""
    view, part = _draft(actor, number, key)
    document = _document(view)
    if not part.listed:
        return _edit(request, actor, view, part, None)
    items = document.get(part.key, [])
    if request.method == "POST":
        deed, _colon, place = request.POST.get("deed", "").partition(":")
        index = int(place) if place.isdigit() else -1
        if 0 <= index < len(items):
            if deed == "remove":
                del items[index]
            elif deed == "up" and index:
                items[index - 1], items[index] = items[index], items[index - 1]
            elif deed == "down" and index + 1 < len(items):
                items[index + 1], items[index] = items[index], items[index + 1]
            document[part.key] = items
            _save(view, document, actor)
        return redirect("console:case-type-part", number, key)
    rows = [
        (index, _title(item), str(item.get("key", item.get("rank", ""))), kind_in_words(part, item)) for index, item in enumerate(items)
    ]
    return render(request, "console/case_types_part.html", _head(view) | {"part": part, "rows": rows})


@signed_in
def item(request: HttpRequest, actor: Actor, number: int, key: str, place: str) -> HttpResponse:
    """Edit one item of a part, or a new one."""
    view, part = _draft(actor, number, key)
    items = _document(view).get(part.key, []) if part.listed else []
    index = len(items) if place == "new" else int(place) if place.isdigit() else -1
    if not part.listed or not 0 <= index <= len(items):
        raise NotFound(_HIDDEN)
    return _edit(request, actor, view, part, index)


def _draft(actor: Actor, number: int, key: str) -> tuple[TypeView, Part]:
    view = reads.case_type(actor, number)
    if not versions.may_change(view.state) or key not in BY_KEY:
        raise NotFound(_HIDDEN)
    return view, BY_KEY[key]


def _edit(request: HttpRequest, actor: Actor, view: TypeView, part: Part, index: int | None) -> HttpResponse:
    document = _document(view)
    items = document.setdefault(part.key, []) if part.listed else []
    now = document if index is None else items[index] if index < len(items) else fresh(part)
    cells = cells_of(part, now)
    form = form_of(cells, now, document, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        entered = trimmed(part, changed(cells, now, form))
        if index is None:
            document = entered
        else:
            items[index : index + 1] = [entered]
        try:
            _save(view, document, actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved."))
            turned = part.key in {"form", "questions"} and entered.get("kind") != now.get("kind")
            if turned:
                return redirect("console:case-type-item", view.id, part.key, str(index))
            return redirect("console:case-type", view.id) if index is None else redirect("console:case-type-part", view.id, part.key)
    return render(
        request, "console/case_types_item.html", _head(view) | {"part": part, "form": form, "item": _title(now), "new": index == len(items)}
    )


def _save(view: TypeView, document: Document, actor: Actor) -> None:
    actions.save_type(organisation=view.organisation, key=view.key, definition=msgspec.json.encode(document), by=actor)


@require_safe
@signed_in
def preview(request: HttpRequest, actor: Actor, number: int) -> HttpResponse:
    """Show the form as whoever takes a case down sees it."""
    view = reads.case_type(actor, number)
    form = forms.Form()
    for question in view.definition.form:
        form.fields[f"q_{question.key}"] = field_of(question)
    asked = [(question, form[f"q_{question.key}"], question.show_when is not None) for question in view.definition.form]
    return render(request, "console/case_types_preview.html", _head(view) | {"asked": asked})


class CalendarForm(forms.Form):
    """A calendar as a file."""

    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), coerce=int)
    key = forms.SlugField(label=gettext_lazy("Key"), max_length=40, initial="china")
    file = forms.FileField(label=gettext_lazy("Calendar, a JSON file"))


@signed_in
def calendars(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show until when each organisation's calendar reaches, and load the next year."""
    places = parties.choices(actor, Permission.MANAGE_CASE_TYPES)
    if not places:
        raise NotFound(_HIDDEN)
    form = CalendarForm(request.POST or None, request.FILES or None)
    form.fields["organisation"].choices = [(str(one.id), "　" * one.depth + one.name) for one in places]  # type: ignore[attr-defined] # -- a choice field
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.load_calendar(organisation=given["organisation"], key=given["key"], data=given["file"].read(), by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("The calendar was loaded; clocks that count by it are set anew."))
            return redirect("console:case-type-calendars")
    keys = {view.definition.calendar for view in reads.case_types(actor)} | {"china"}
    rows = []
    for one in places:
        for key in sorted(keys):
            try:
                found = reads.types.calendar(actor, int(one.id), key)
            except NotFound:
                continue
            rows.append((one.name, key, found.name.in_(_language()), found.first, found.last, len(found.holidays), len(found.worked)))
    return render(request, "console/case_types_calendars.html", {"rows": rows, "form": form})


patterns = [
    path("", types, name="case-types"),
    path("calendars/", calendars, name="case-type-calendars"),
    path("<int:number>/", type_page, name="case-type"),
    path("<int:number>/do/<slug:deed>", act, name="case-type-act"),
    path("<int:number>/preview", preview, name="case-type-preview"),
    path("<int:number>/<slug:key>/", part, name="case-type-part"),
    path("<int:number>/<slug:key>/<slug:place>", item, name="case-type-item"),
]
