"""Kinds of assets: the list, and the editor in which each attribute is a row."""

from collections.abc import Mapping

from django import forms
from django.contrib import messages
from django.forms import BaseFormSet, formset_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.assets.inventory import actions, reads
from jilink.core.assets.inventory.actions import OF_SERVICES
from jilink.core.assets.inventory.reads import KindView
from jilink.core.assets.kinds import (
    MOST_ATTRIBUTES,
    AnyAttribute,
    ChoiceAttribute,
    DateAttribute,
    FlagAttribute,
    Kind,
    KindRefused,
    NumberAttribute,
    TextAttribute,
)
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, organisations_of, require, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.kernel.texts import Text
from jilink.services.console.pages.assets_forms import Posted
from jilink.services.console.pages.assets_words import language
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_ASSETS
TYPES = {
    "text": gettext_lazy("Text"),
    "number": gettext_lazy("Number"),
    "choice": gettext_lazy("Choice"),
    "date": gettext_lazy("Day"),
    "flag": gettext_lazy("Yes or no"),
}


class KindForm(forms.Form):
    """What a kind is called, and what its codes look like."""

    title_zh = forms.CharField(label=gettext_lazy("Title in Chinese"), max_length=40, required=False)
    title_en = forms.CharField(label=gettext_lazy("Title in English"), max_length=40, required=False)
    code = forms.CharField(
        label=gettext_lazy("Pattern of codes"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("A regular expression such as [0-9]{16}; empty: any."),
    )

    def __init__(self, actor: Actor | None, data: Posted = None, initial: Mapping[str, object] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        if actor is not None:
            choices = [(each.id, f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, MANAGE)]
            help_text = _("It holds for this organisation and all below it.")
            self.fields["organisation"] = forms.TypedChoiceField(label=_("Organisation"), choices=choices, coerce=int, help_text=help_text)
            self.fields["key"] = forms.SlugField(
                label=_("Key"), max_length=30, help_text=_("Small letters, digits and _; it cannot be changed later.")
            )
            self.order_fields(["organisation", "key"])


class AttributeForm(forms.Form):
    """One attribute; a row without a key is left out."""

    key = forms.CharField(label=gettext_lazy("Key"), max_length=30, required=False)
    type = forms.ChoiceField(label=gettext_lazy("Type"), choices=list(TYPES.items()), required=False)
    title_zh = forms.CharField(label=gettext_lazy("Title in Chinese"), max_length=40, required=False)
    title_en = forms.CharField(label=gettext_lazy("Title in English"), max_length=40, required=False)
    required = forms.BooleanField(label=gettext_lazy("must be given"), required=False)
    unit = forms.CharField(label=gettext_lazy("Unit"), max_length=12, required=False)
    least = forms.FloatField(label=gettext_lazy("At least"), required=False)
    most = forms.FloatField(label=gettext_lazy("At most"), required=False)
    pattern = forms.CharField(label=gettext_lazy("Pattern"), max_length=120, required=False)
    choices = forms.CharField(
        label=gettext_lazy("Choices"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": "3"}),
        help_text=gettext_lazy("One a line: key, Chinese, English, with commas between."),
    )

    def attribute(self) -> AnyAttribute:
        """Return what was entered."""
        given = self.cleaned_data
        title, key, needed = Text(given["title_zh"], given["title_en"]), given["key"], given["required"]
        match given["type"]:
            case "number":
                return NumberAttribute(key=key, title=title, required=needed, unit=given["unit"], least=given["least"], most=given["most"])
            case "choice":
                return ChoiceAttribute(key=key, title=title, required=needed, choices=_choices(given["choices"]))
            case "date":
                return DateAttribute(key=key, title=title, required=needed)
            case "flag":
                return FlagAttribute(key=key, title=title, required=needed)
            case _:
                return TextAttribute(key=key, title=title, required=needed, pattern=given["pattern"])


def _choices(text: str) -> dict[str, Text]:
    rows = [[part.strip() for part in line.replace("，", ",").split(",")] for line in text.splitlines() if line.strip()]
    return {row[0]: Text(row[1] if len(row) > 1 else row[0], row[2] if len(row) > 2 else "") for row in rows}


def _row(attribute: AnyAttribute) -> dict[str, object]:
    """Return an attribute as its row shows it."""
    row: dict[str, object] = {
        "key": attribute.key,
        "title_zh": attribute.title.zh,
        "title_en": attribute.title.en,
        "required": attribute.required,
    }
    match attribute:
        case NumberAttribute():
            return {**row, "type": "number", "unit": attribute.unit, "least": attribute.least, "most": attribute.most}
        case ChoiceAttribute():
            lines = [f"{key}, {text.zh}, {text.en}".rstrip(", ") for key, text in attribute.choices.items()]
            return {**row, "type": "choice", "choices": "\n".join(lines)}
        case DateAttribute():
            return {**row, "type": "date"}
        case FlagAttribute():
            return {**row, "type": "flag"}
        case _:
            return {**row, "type": "text", "pattern": attribute.pattern}


def _rows(data: Posted, known: Kind | None) -> "BaseFormSet[AttributeForm]":
    initial = [_row(attribute) for attribute in known.attributes] if known else []
    made = formset_factory(
        AttributeForm, extra=min(3, MOST_ATTRIBUTES - len(initial)), max_num=MOST_ATTRIBUTES, absolute_max=MOST_ATTRIBUTES
    )
    return made(data, initial=initial, prefix="rows")


@require_safe
@signed_in
def kinds(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the kinds that hold in the actor's organisations."""
    views = [view for view in reads.kinds_of(actor) if view.key not in OF_SERVICES]
    counts, mine = reads.counts(actor), organisations_of(actor, MANAGE)
    names = {each.id: each.name for each in parties.choices(actor, Permission.VIEW_ASSETS)}
    rows = [
        {
            "view": view,
            "title": view.kind.title.in_(language()),
            "organisation": names.get(view.organisation, "—"),
            "attributes": [each.title.in_(language()) for each in view.kind.attributes],
            "count": counts.get(view.key, 0),
            "mine": view.organisation in mine,
        }
        for view in views
    ]
    return render(request, "console/assets_kinds.html", {"rows": rows, "may_manage": bool(mine)})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Lay down a kind."""
    require_anywhere(actor, MANAGE)
    data = request.POST if request.method == "POST" else None
    form, rows = KindForm(actor, data), _rows(data, None)
    if form.is_bound and form.is_valid() and rows.is_valid():
        organisation, key = OrganisationId(form.cleaned_data["organisation"]), form.cleaned_data["key"]
        if any(view.key == key and view.organisation == organisation for view in reads.kinds_of(actor)):
            form.add_error("key", _("This organisation has a kind of that key."))
        elif _saved(form, rows, organisation, key, actor):
            messages.success(request, _("Saved."))
            return redirect("console:assets_kinds")
    return _editor(request, form, rows, None)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, organisation: int, key: str) -> HttpResponse:
    """Change a kind."""
    view = _known(actor, organisation, key)
    data = request.POST if request.method == "POST" else None
    form = KindForm(None, data, {"title_zh": view.kind.title.zh, "title_en": view.kind.title.en, "code": view.kind.code})
    rows = _rows(data, view.kind)
    if form.is_bound and form.is_valid() and rows.is_valid() and _saved(form, rows, view.organisation, key, actor):
        messages.success(request, _("Saved. Assets that no longer fit stay as they are until they are next changed."))
        return redirect("console:assets_kinds")
    return _editor(request, form, rows, view)


def _known(actor: Actor, organisation: int, key: str) -> KindView:
    require(actor, MANAGE, organisation)
    view = next((each for each in reads.kinds_of(actor) if each.organisation == organisation and each.key == key), None)
    if view is None:
        raise NotFound("There is no such kind of asset here.")
    return view


def _saved(form: KindForm, rows: "BaseFormSet[AttributeForm]", organisation: OrganisationId, key: str, actor: Actor) -> bool:
    given = form.cleaned_data
    attributes = tuple(row.attribute() for row in rows if row.cleaned_data.get("key"))
    kind = Kind(title=Text(given["title_zh"], given["title_en"]), attributes=attributes, code=given["code"])
    try:
        actions.set_kind(organisation=organisation, key=key, kind=kind, by=actor)
    except NotFound:
        raise
    except Refused as error:
        form.add_error(None, said(error))
        return False
    return True


def _editor(request: HttpRequest, form: KindForm, rows: "BaseFormSet[AttributeForm]", view: KindView | None) -> HttpResponse:
    wrong = form.errors or any(row.errors for row in rows)
    context = {"form": form, "rows": rows, "view": view, "title": view.kind.title.in_(language()) if view else ""}
    return render(request, "console/assets_kind.html", context, status=400 if wrong else 200)


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, organisation: int, key: str) -> HttpResponse:
    """Remove a kind that nothing is of."""
    view = _known(actor, organisation, key)
    try:
        actions.remove_kind(organisation=view.organisation, key=key, by=actor)
    except KindRefused as error:
        messages.error(request, said(error))
    else:
        messages.success(request, _("%(label)s was removed.") % {"label": view.kind.title.in_(language())})
    return redirect("console:assets_kinds")
