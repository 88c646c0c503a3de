"""Changing what is known of a case. The form remembers what was read, so nobody overwrites what they have not seen."""

from typing import cast

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from jilink.core.cases import actions
from jilink.core.cases.actions import EditConflict, FieldRefused
from jilink.core.cases.reads import CaseView
from jilink.core.cases.rules import form as rules
from jilink.core.cases.rules.form import AnswerRefused, AnswersRefused, AnyQuestion
from jilink.core.cases.rules.numbers import grouped
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.errors import Refused
from jilink.services.console.pages.case_questions import PREFIX, field_of, given_in, show_problems, shown
from jilink.services.console.pages.case_show import numbered
from jilink.services.console.pages.case_words import answer_problem, in_words
from jilink.webkit.door import said, signed_in

Values = dict[str, object]
COLUMNS = ("title", "description", "priority", "address")
_ELSEWHERE = (rules.PlaceQuestion, rules.PhotoQuestion, rules.AssetQuestion, rules.PersonQuestion)
"""Questions that are answered by other means once a case is open."""


class CaseForm(forms.Form):
    """What can be changed, and in `base` what was read, as JSON."""

    title = forms.CharField(max_length=200)
    description = forms.CharField(required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 4}))
    priority = forms.TypedChoiceField(coerce=int)
    address = forms.CharField(required=False, max_length=200)
    base = forms.CharField(widget=forms.HiddenInput, max_length=200_000, required=False)

    conflict = False
    """Somebody changed the same field meanwhile."""

    def __init__(self, view: CaseView, data: object = None) -> None:
        self.view = view
        read = values_of(view)
        initial: Values = {name: read.get(name, "") for name in COLUMNS} | {"base": msgspec.json.encode(read).decode()}
        initial |= {PREFIX + key.removeprefix("answers."): value for key, value in read.items() if key.startswith("answers.")}
        super().__init__(data, initial=initial)  # type: ignore[arg-type] # -- a QueryDict or None
        self.fields["title"].label, self.fields["description"].label = _("Title"), _("Description")
        self.fields["priority"].label, self.fields["address"].label = _("Priority"), _("Address")
        self.fields["priority"].choices = [(each.rank, in_words(each.label)) for each in view.definition.priorities]  # type: ignore[attr-defined] # -- it is a choice field
        for question in questions_of(view):
            self.fields[PREFIX + question.key] = field_of(question)

    def wanted(self) -> Values:
        """Return every field as it was typed."""
        found: Values = {name: self.cleaned_data[name] for name in COLUMNS}
        given = given_in(self, questions_of(self.view))
        for question in questions_of(self.view):
            found[f"answers.{question.key}"] = given.get(question.key)
        return found

    def read(self) -> Values:
        """Return what its editor had read. Rubbish counts as nothing read."""
        try:
            return msgspec.json.decode(self.cleaned_data["base"] or "{}", type=Values)
        except msgspec.DecodeError:
            return {}


def questions_of(view: CaseView) -> list[AnyQuestion]:
    """Return the questions whose answers are changed here."""
    return [each for each in view.definition.form if not each.sensitive and not isinstance(each, _ELSEWHERE)]


def values_of(view: CaseView) -> Values:
    """Return what the fields hold now."""
    found: Values = {"title": view.row.title, "description": view.description, "priority": view.row.priority, "address": view.row.address}
    for question in questions_of(view):
        if question.key in view.answers:
            found[f"answers.{question.key}"] = view.answers[question.key]
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Change a case, field by field."""
    view = numbered(actor, number)
    if not view.may_work:
        raise NotFound("There is no such thing, or you may not see it.")
    form = CaseForm(view, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _answers_fit(form) and _saved(form, actor):
        messages.success(request, _("Saved."))
        return redirect("console:case", view.row.number)
    context = {"form": form, "row": view.row, "number": grouped(view.row.number)}
    return render(request, "console/case_edit.html", context, status=409 if form.conflict else 400 if form.errors else 200)


def _answers_fit(form: CaseForm) -> bool:
    for question in questions_of(form.view):
        given = form.wanted()[f"answers.{question.key}"]
        try:
            if given not in (None, "", []):
                question.check(given)
        except AnswerRefused as error:
            form.add_error(PREFIX + question.key, answer_problem(error))
    return not form.errors


def _saved(form: CaseForm, actor: Actor) -> bool:
    try:
        actions.edit_case(case=form.view.row.id, wanted=form.wanted(), base=form.read(), by=actor)
    except NotFound:
        raise
    except EditConflict as error:
        _show_conflicts(form, error)
    except FieldRefused as error:
        form.add_error(error.field if error.field in form.fields else None, said(error))
    except AnswersRefused as error:
        show_problems(form, error.problems)
    except Refused as error:
        form.add_error(None, said(error))
    return not form.errors


def _show_conflicts(form: CaseForm, error: EditConflict) -> None:
    """Show both values beside each field in conflict, keep what was typed, and take theirs as read, so that saving again decides."""
    questions = {f"answers.{each.key}": each for each in form.view.definition.form}
    read = form.read()
    for name, conflict in error.conflicts.items():
        theirs = conflict.theirs
        question = questions.get(name)
        words = str(theirs) if theirs is not None else "—"
        if question is not None and theirs is not None and not isinstance(theirs, float):
            words = shown(question, theirs)
        if name == "priority":
            words = next((in_words(each.label) for each in form.view.definition.priorities if each.rank == theirs), words)
        field = PREFIX + name.removeprefix("answers.") if question is not None else name
        told = _("Somebody changed this meanwhile to: %(value)s. What you typed is kept; save again to put it in place of theirs.")
        form.add_error(field if field in form.fields else None, told % {"value": words})
        read[name] = theirs
    posted = cast(QueryDict, form.data).copy()
    posted["base"] = msgspec.json.encode(read).decode()
    form.data = posted
    form.conflict = True
