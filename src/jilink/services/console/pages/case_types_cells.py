"""Fields in which a part of a case type is designed: each cell is one attribute of the data, as inputs and back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jilink.core.cases.rules.clocks import Clock

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Document = dict[str, Any]  # a definition as JSON builtins: only the designer's forms and the rules' decoder touch it
Options = Callable[[Document], list[tuple[str, str]]]
CLOCKS = (
    (Clock.URGENT_HOURS.value, gettext_lazy("hours, day and night")),
    (Clock.WORKING_HOURS.value, gettext_lazy("working hours")),
    (Clock.WORKING_DAYS.value, gettext_lazy("working days")),
    (Clock.CALENDAR_DAYS.value, gettext_lazy("calendar days")),
)
TESTS = (
    ("is", gettext_lazy("was answered with")),
    ("not", gettext_lazy("was not answered with")),
    ("answered", gettext_lazy("has any answer")),
    ("above", gettext_lazy("is greater than")),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One attribute: kind is text, words, number, flag, choice, keys, options, limit, limits or condition."""

    name: str
    kind: str
    label: "str | _StrPromise"
    options: Options | None = None
    help: "str | _StrPromise" = ""


def lines_of(choices: list[Document]) -> str:
    """Return choices as lines: key, Chinese and English."""
    return "\n".join(f"{each['key']} | {each['label'].get('zh', '')} | {each['label'].get('en', '')}" for each in choices)


def choices_of(text: str) -> list[Document]:
    """Return lines as choices."""
    rows = [[part.strip() for part in line.split("|")] for line in text.splitlines() if line.strip()]
    return [{"key": row[0], "label": {"zh": row[1] if len(row) > 1 else "", "en": row[2] if len(row) > 2 else ""}} for row in rows]


def inputs(cell: Cell, value: Any, document: Document) -> dict[str, forms.Field]:  # noqa: ANN401 -- a JSON value
    """Return the inputs of a cell, filled."""
    name, label = cell.name, cell.label
    options = cell.options(document) if cell.options else []
    if isinstance(value, str) and value and options and value not in dict(options):
        options = [*options, (value, value)]  # what stands there stays
    match cell.kind:
        case "words":
            words = value or {}
            return {
                f"{name}.zh": forms.CharField(
                    label=_("%(label)s, Chinese") % {"label": label}, required=False, initial=words.get("zh", "")
                ),
                f"{name}.en": forms.CharField(
                    label=_("%(label)s, English") % {"label": label}, required=False, initial=words.get("en", "")
                ),
            }
        case "flag":
            return {name: forms.BooleanField(label=label, required=False, initial=bool(value))}
        case "number":
            return {name: forms.IntegerField(label=label, required=False, initial=value, min_value=0, max_value=100_000)}
        case "choice":
            return {name: forms.ChoiceField(label=label, choices=options, required=False, initial=value)}
        case "keys" if options:
            box = forms.CheckboxSelectMultiple
            return {name: forms.MultipleChoiceField(label=label, choices=options, required=False, initial=value, widget=box)}
        case "options":
            area = forms.Textarea(attrs={"rows": 6})
            hint = _("One a line: key | Chinese | English")
            return {name: forms.CharField(label=label, required=False, initial=lines_of(value or []), widget=area, help_text=hint)}
        case "limit" | "limits":
            return _limit_inputs(cell, value)
        case "condition":
            return _condition_inputs(cell, value, options)
    shown = ", ".join(value) if cell.kind == "keys" and value else value
    return {name: forms.CharField(label=label, required=False, initial=shown, help_text=cell.help)}


def _limit_inputs(cell: Cell, value: Any) -> dict[str, forms.Field]:  # noqa: ANN401 -- a JSON value
    usual = (value or {}).get("usual") if cell.kind == "limits" else value
    found: dict[str, forms.Field] = {
        f"{cell.name}.amount": forms.IntegerField(
            label=cell.label,
            required=False,
            min_value=1,
            max_value=10_000,
            initial=(usual or {}).get("amount"),
            help_text=_("Empty: no limit."),
        ),
        f"{cell.name}.clock": forms.ChoiceField(
            label=_("Counted in"), choices=CLOCKS, required=False, initial=(usual or {}).get("clock", Clock.WORKING_DAYS.value)
        ),
    }
    if cell.kind == "limits":
        others = (value or {}).get("by_priority", {})
        named = {key: str(word) for key, word in CLOCKS}
        text = "\n".join(f"{rank}: {limit['amount']} {named.get(limit['clock'], limit['clock'])}" for rank, limit in others.items())
        found[f"{cell.name}.more"] = forms.CharField(
            label=_("Other limits by priority"),
            required=False,
            initial=text,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=f"5: 4 {dict(CLOCKS)[Clock.WORKING_HOURS.value]}",
        )
    return found


def _condition_inputs(cell: Cell, value: Any, options: list[tuple[str, str]]) -> dict[str, forms.Field]:  # noqa: ANN401 -- a JSON value
    plain = _plain(value)
    if value and plain is None:
        area = forms.Textarea(attrs={"rows": 4})
        return {
            f"{cell.name}.json": forms.CharField(
                label=cell.label, required=False, initial=json.dumps(value, ensure_ascii=False), widget=area
            )
        }
    test, question, wanted = plain or ("is", "", "")
    return {
        f"{cell.name}.question": forms.ChoiceField(
            label=cell.label, required=False, choices=[("", _("Always")), *options], initial=question
        ),
        f"{cell.name}.test": forms.ChoiceField(label=_("How it compares"), required=False, choices=TESTS, initial=test),
        f"{cell.name}.value": forms.CharField(label=_("Value"), required=False, initial=wanted),
    }


def _plain(value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401 -- a JSON value
    """Return a condition that three inputs can show."""
    if not value:
        return None
    if value["type"] in {"is", "answered", "above"}:
        return value["type"], value["question"], value.get("value", "")
    if value["type"] == "not" and value["of"]["type"] == "is":
        return "not", value["of"]["question"], value["of"]["value"]
    return None


def read(cell: Cell, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- a JSON value
    """Return the value of a cell from what was entered; None for nothing."""
    name = cell.name
    match cell.kind:
        case "words":
            return {"zh": given[f"{name}.zh"].strip(), "en": given[f"{name}.en"].strip()}
        case "options":
            return choices_of(given[name])
        case "keys":
            value = given[name]
            return value if isinstance(value, list) else [part.strip() for part in value.split(",") if part.strip()]
        case "limit" | "limits":
            return _read_limit(cell, given)
        case "condition":
            return _read_condition(name, given)
    return given[name] if given[name] != "" or cell.kind == "text" else None


def _read_limit(cell: Cell, given: Mapping[str, Any]) -> Document | None:
    amount, clock = given[f"{cell.name}.amount"], given[f"{cell.name}.clock"]
    if amount is None:
        return None
    usual = {"amount": amount, "clock": clock or Clock.WORKING_DAYS.value}
    if cell.kind == "limit":
        return usual
    others, named = {}, {str(word): key for key, word in CLOCKS}
    for line in given[f"{cell.name}.more"].splitlines():
        rank, _colon, words = line.partition(":")
        count, _space, clock_words = words.strip().partition(" ")
        if rank.strip().isdigit() and count.isdigit() and clock_words:
            others[rank.strip()] = {"amount": int(count), "clock": named.get(clock_words.strip(), clock_words.strip())}
    return {"usual": usual, "by_priority": others}


def _read_condition(name: str, given: Mapping[str, Any]) -> Document | None:
    if f"{name}.json" in given:
        try:
            found = json.loads(given[f"{name}.json"] or "null")
        except ValueError:
            return {"type": "unreadable"}
        return found if isinstance(found, dict) else None
    question, test, value = given[f"{name}.question"], given[f"{name}.test"] or "is", given[f"{name}.value"]
    if not question:
        return None
    if test == "answered":
        return {"type": "answered", "question": question}
    if test == "not":
        return {"type": "not", "of": {"type": "is", "question": question, "value": value}}
    return {"type": test, "question": question, "value": value}


def form_of(cells: tuple[Cell, ...], item: Document, document: Document, data: Mapping[str, Any] | None = None) -> forms.Form:
    """Return the form of a part, filled with what it is now."""
    form = forms.Form(data)
    for cell in cells:
        form.fields.update(inputs(cell, item.get(cell.name), document))
    return form


def changed(cells: tuple[Cell, ...], item: Document, form: forms.Form) -> Document:
    """Return the part as it was entered; what has no cell stays."""
    found = {**item, **{cell.name: read(cell, form.cleaned_data) for cell in cells}}
    return {name: value for name, value in found.items() if value is not None}
