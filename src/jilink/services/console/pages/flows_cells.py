"""Inputs of what flows have beyond case types: prompts by language, steps to go to, pairs of names and values, tests of a branch."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jilink.core.flows.rules.definition import END
from jilink.services.console.pages import case_types_cells as plain
from jilink.services.console.pages.case_types_cells import Cell, Document
from jilink.services.console.pages.flows_words import LANGUAGE_WORDS, step_in_words

TESTS = (
    ("", "-"),
    ("is", gettext_lazy("is one of")),
    ("any", gettext_lazy("has one of the words")),
    ("all", gettext_lazy("has all the words")),
    ("only", gettext_lazy("is nothing but")),
    ("beginning", gettext_lazy("begins with")),
    ("between", gettext_lazy("lies between (10..20)")),
    ("like", gettext_lazy("fits the pattern")),
    ("given", gettext_lazy("has a value")),
    ("hours", gettext_lazy("it is working time by the calendar")),
    ("known", gettext_lazy("we know the person")),
    ("speaks", gettext_lazy("the language is")),
    ("case_is", gettext_lazy("the case is (open, closed)")),
    ("comes", gettext_lazy("it comes by (call, text, chat)")),
)
_LISTS = {"is": "values", "speaks": "languages", "case_is": "states", "comes": "channels"}
_HOW = ("any", "all", "only", "beginning")
SPARE = 2


def targets(document: Document) -> list[tuple[str, str]]:
    """Return the steps there are to go to, with the end."""
    steps = [(step["key"], f"{step_in_words(step)} ({step['key']})") for step in document["steps"]]
    return [("", "-"), (END, str(_("End of this flow"))), *steps]


def inputs(cell: Cell, value: Any, document: Document) -> dict[str, forms.Field]:  # noqa: ANN401 -- a JSON value
    """Return the inputs of a cell, filled."""
    match cell.kind:
        case "prompt":
            said = (value or {}).get("words", {})
            return {
                f"{cell.name}.{language}": forms.CharField(
                    label=_("%(label)s, in %(language)s") % {"label": cell.label, "language": LANGUAGE_WORDS.get(language, language)},
                    required=False,
                    initial=said.get(language, ""),
                    widget=forms.Textarea(attrs={"rows": 3, "lang": language}),
                )
                for language in document["languages"]
            }
        case "target" | "known":
            options = targets(document) if cell.kind == "target" else [("", "-"), *(cell.options(document) if cell.options else [])]
            if value and value not in dict(options):
                options = [*options, (value, value)]
            if cell.kind == "known" and len(options) == 1:
                return {cell.name: forms.CharField(label=cell.label, required=False, initial=value)}
            return {cell.name: forms.ChoiceField(label=cell.label, choices=options, required=False, initial=value)}
        case "pairs" | "shortcuts":
            area = forms.Textarea(attrs={"rows": 3})
            text = "\n".join(_line(cell.kind, each) for each in (value.items() if isinstance(value, dict) else value or []))
            return {cell.name: forms.CharField(label=cell.label, required=False, initial=text, widget=area, help_text=cell.help)}
        case "arms":
            return _arm_inputs(value or [], document)
        case "keys" if cell.options is None:
            shown = ", ".join(value or [])
            return {cell.name: forms.CharField(label=cell.label, required=False, initial=shown, help_text=cell.help)}
    return plain.inputs(cell, value, document)


def _line(kind: str, each: Any) -> str:  # noqa: ANN401 -- a JSON value
    if kind == "shortcuts":
        return f"{each['to']} = {', '.join(each['words'])}"
    return f"{each[0]} = {each[1]}"


def _arm_inputs(arms: list[Document], document: Document) -> dict[str, forms.Field]:
    names = [("", "-"), *((name, name) for name in document["_known"]["variables"])]
    found: dict[str, forms.Field] = {}
    for number in range(len(arms) + SPARE):
        arm = arms[number] if number < len(arms) else {}
        test, value = _plain(arm.get("test", {}))
        on, place = arm.get("on", ""), {"number": number + 1}
        options = names if on in dict(names) else [*names, (on, on)]
        found[f"arm{number}.on"] = forms.ChoiceField(
            label=_("Test %(number)s: variable") % place, choices=options, required=False, initial=on
        )
        found[f"arm{number}.test"] = forms.ChoiceField(label=_("Test %(number)s: how") % place, choices=TESTS, required=False, initial=test)
        found[f"arm{number}.value"] = forms.CharField(
            label=_("Test %(number)s: values") % place, required=False, initial=value, help_text=_("With commas between them.")
        )
        found[f"arm{number}.to"] = forms.ChoiceField(
            label=_("Test %(number)s: leads to") % place, choices=targets(document), required=False, initial=arm.get("to", "")
        )
    return found


def _plain(test: Document) -> tuple[str, str]:
    """Return a test as the designer shows it: how, and with what."""
    kind = test.get("type", "")
    if kind == "words":
        return test.get("how", "any"), ", ".join(test.get("words", []))
    if kind == "between":
        return kind, f"{test.get('least', '')}..{test.get('most', '')}"
    if kind in _LISTS:
        return kind, ", ".join(test.get(_LISTS[kind], []))
    return kind, test.get("pattern", "") or test.get("calendar", "")


def _test(how: str, value: str) -> Document:
    rows = [part.strip() for part in value.replace("，", ",").split(",") if part.strip()]
    if how in _HOW:
        return {"type": "words", "words": rows, "how": how}
    if how in _LISTS:
        return {"type": how, _LISTS[how]: rows}
    if how == "between":
        least, _dots, most = value.partition("..")
        return {"type": how, "least": least.strip(), "most": most.strip()}
    return {"type": how} | ({"pattern": value} if how == "like" else {"calendar": value.strip()} if how == "hours" else {})


def read(cell: Cell, given: Mapping[str, Any], now: Any) -> Any:  # noqa: ANN401 -- a JSON value
    """Return what was entered in a cell; `now` is what stood there."""
    name = cell.name
    match cell.kind:
        case "prompt":
            said = {key.rpartition(".")[2]: text for key, text in given.items() if key.startswith(f"{name}.")}
            kept = {**(now or {}).get("words", {}), **said}
            return {**(now or {}), "words": {language: words for language, words in kept.items() if words}}
        case "target" | "known":
            return given[name]
        case "pairs":
            pairs = [line.partition("=") for line in given[name].splitlines() if line.strip()]
            return {key.strip(): value.strip() for key, _sign, value in pairs}
        case "shortcuts":
            pairs = [line.partition("=") for line in given[name].splitlines() if line.strip()]
            split = [(key.strip(), value.replace("，", ",").split(",")) for key, _sign, value in pairs]
            return [{"to": key, "words": [word.strip() for word in words if word.strip()]} for key, words in split]
        case "arms":
            numbers = [int(key[3:].partition(".")[0]) for key in given if key.startswith("arm") and key.endswith(".test")]
            return [
                {"on": given[f"arm{one}.on"], "test": _test(given[f"arm{one}.test"], given[f"arm{one}.value"]), "to": given[f"arm{one}.to"]}
                for one in numbers
                if given[f"arm{one}.test"]
            ]
        case "keys" if cell.options is None:
            return [part.strip() for part in given[name].replace("，", ",").split(",") if part.strip()]
    return plain.read(cell, given)


def form_of(cells: tuple[Cell, ...], item: Document, document: Document, data: Mapping[str, Any] | None = None) -> forms.Form:
    """Return the form of a step, filled with what it is now."""
    form = forms.Form(data)
    for cell in cells:
        form.fields.update(inputs(cell, item.get(cell.name), document))
    return form


def changed(cells: tuple[Cell, ...], item: Document, form: forms.Form) -> Document:
    """Return the step as it was entered; what has no cell stays."""
    found = {**item, **{cell.name: read(cell, form.cleaned_data, item.get(cell.name)) for cell in cells}}
    return {name: value for name, value in found.items() if value is not None}
