"""The questions of a case type as fields of a form: laid out by kind, checked by the rules, each problem beside its field."""

from collections.abc import Mapping, Sequence

from django import forms
from django.utils.translation import gettext_lazy

from jilink.core.cases.rules import form as rules
from jilink.core.cases.rules.form import Answer, AnyQuestion, Place
from jilink.kernel.errors import Refused
from jilink.services.console.pages.case_words import answer_problem, in_words

PREFIX = "q_"


class Several(forms.ClearableFileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class Files(forms.FileField):
    """Several files at once; each is looked at by the room of files."""

    widget = Several

    def clean(self, data: object, initial: object = None) -> list[object]:
        """Return what was uploaded, a list."""
        return list(data) if isinstance(data, list | tuple) else [data] if data else []


def field_of(question: AnyQuestion) -> forms.Field:
    """Return the field of a question. Nothing is required in the browser: what must be answered depends on other answers."""
    field = _plain_field(question)
    field.required = False
    field.label, field.help_text = in_words(question.label), in_words(question.help)
    if isinstance(question, rules.NumberQuestion) and question.unit:
        field.label = f"{field.label} ({in_words(question.unit)})"
    if isinstance(question, rules.AssetQuestion) and not field.help_text:
        field.help_text = gettext_lazy("Name or code of the thing.")
    return field


def _plain_field(question: AnyQuestion) -> forms.Field:
    match question:
        case rules.ChoiceQuestion():
            options = [(each.key, in_words(each.label)) for each in question.choices]
            if len(options) <= 6:
                return forms.ChoiceField(choices=options, widget=forms.RadioSelect)
            return forms.ChoiceField(choices=[("", "—"), *options])
        case rules.ChoicesQuestion():
            options = [(each.key, in_words(each.label)) for each in question.choices]
            return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple)
        case rules.NumberQuestion():
            return forms.CharField(widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        case rules.DateQuestion():
            return forms.CharField(widget=forms.DateInput(attrs={"type": "date"}))
        case rules.PhotoQuestion():
            return Files(widget=Several(attrs={"accept": "image/*"}))
        case rules.TextQuestion(long=True):
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 3}))
    return forms.CharField()


def kept_answers(form: Sequence[AnyQuestion], given: Mapping[str, object]) -> dict[str, Answer]:
    """Return the answers that are fit, for deciding which questions to ask; the others are left out, nothing is refused."""
    kept: dict[str, Answer] = {}
    for question in form:
        value = given.get(question.key)
        if value in (None, "", [], ()) or not rules.holds(question.show_when, kept):
            continue
        try:
            kept[question.key] = question.check(value)
        except rules.AnswerRefused:
            continue
    return kept


def asked(form: Sequence[AnyQuestion], given: Mapping[str, object]) -> list[AnyQuestion]:
    """Return the questions that are asked, given the answers so far."""
    kept = kept_answers(form, given)
    return [question for question in form if rules.holds(question.show_when, kept)]


def given_in(form: forms.Form, questions: Sequence[AnyQuestion]) -> dict[str, object]:
    """Return what a form holds for questions: raw values by key, empty ones left out."""
    found: dict[str, object] = {}
    for question in questions:
        name = PREFIX + question.key
        if name not in form.fields or isinstance(form.fields[name], Files):
            continue
        value = form.fields[name].widget.value_from_datadict(form.data, form.files, form.add_prefix(name))
        if value not in (None, "", []):
            found[question.key] = {"address": value} if isinstance(question, rules.PlaceQuestion) else value
    return found


def show_problems(form: forms.Form, problems: Mapping[str, Refused]) -> None:
    """Put each problem beside its field; one of a question that the form does not show stands above."""
    for key, words in problems.items():
        name = PREFIX + key if PREFIX + key in form.fields else None
        form.add_error(name, answer_problem(words) if name else f"{key}: {answer_problem(words)}")


def shown(question: AnyQuestion, answer: Answer, names: Mapping[int, str] | None = None) -> str:
    """Return an answer for reading."""
    match question:
        case rules.ChoiceQuestion():
            return next((in_words(each.label) for each in question.choices if each.key == answer), str(answer))
        case rules.ChoicesQuestion() if isinstance(answer, tuple):
            return "、".join(in_words(each.label) for each in question.choices if each.key in answer)
        case rules.NumberQuestion():
            return f"{answer} {in_words(question.unit)}".strip()
        case rules.PlaceQuestion() if isinstance(answer, Place):
            point = f"{answer.latitude:.5f}, {answer.longitude:.5f}" if answer.latitude is not None else ""
            return " · ".join(part for part in (answer.address, point) if part)
        case rules.PhotoQuestion() if isinstance(answer, tuple):
            return str(len(answer))
        case rules.AssetQuestion() | rules.PersonQuestion() if isinstance(answer, int):
            return (names or {}).get(answer, str(answer))
    return str(answer)
