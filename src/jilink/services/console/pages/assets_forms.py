"""The form of an asset, made of what its kind says."""

import re
from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jilink.core.assets.inventory.actions import LONGEST_CODE, LONGEST_LABEL, AssetData
from jilink.core.assets.inventory.reads import ThingView
from jilink.core.assets.kinds import (
    LONGEST_TEXT,
    AnyAttribute,
    ChoiceAttribute,
    DateAttribute,
    FlagAttribute,
    Kind,
    NumberAttribute,
)
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId
from jilink.services.console.pages.assets_words import language

Posted = Mapping[str, object] | None
PREFIX = "a_"


def attribute_field(attribute: AnyAttribute) -> forms.Field:
    """Return the field in which an attribute is entered."""
    title = attribute.title.in_(language())
    if isinstance(attribute, NumberAttribute):
        label = f"{title} ({attribute.unit})" if attribute.unit else title
        return forms.FloatField(label=label, required=attribute.required, min_value=attribute.least, max_value=attribute.most)
    if isinstance(attribute, ChoiceAttribute):
        choices = [("", "—"), *((key, text.in_(language())) for key, text in attribute.choices.items())]
        return forms.ChoiceField(label=title, required=attribute.required, choices=choices)
    if isinstance(attribute, DateAttribute):
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        return forms.DateField(label=title, required=attribute.required, widget=widget)
    if isinstance(attribute, FlagAttribute):
        choices = [("", "—"), ("yes", _("yes")), ("no", _("no"))]
        return forms.ChoiceField(label=title, required=attribute.required, choices=choices)
    if attribute.pattern:
        return forms.RegexField(f"^(?:{attribute.pattern})$", label=title, required=attribute.required, max_length=LONGEST_TEXT)
    return forms.CharField(label=title, required=attribute.required, max_length=LONGEST_TEXT)


class AssetForm(forms.Form):
    """What is entered of an asset of one kind."""

    label = forms.CharField(label=gettext_lazy("Label"), max_length=LONGEST_LABEL, help_text=gettext_lazy("What people call it."))
    code = forms.CharField(
        label=gettext_lazy("Code"), max_length=LONGEST_CODE, required=False, help_text=gettext_lazy("What stands on its plate.")
    )
    maintainer = forms.TypedChoiceField(
        label=gettext_lazy("Maintained by"), required=False, coerce=int, empty_value=None, choices=[("", gettext_lazy("its owner"))]
    )
    tags = forms.CharField(label=gettext_lazy("Tags"), required=False, max_length=380, help_text=gettext_lazy("Separated by commas."))
    latitude = forms.FloatField(label=gettext_lazy("Latitude (°, WGS-84)"), required=False, min_value=-90, max_value=90)
    longitude = forms.FloatField(label=gettext_lazy("Longitude (°, WGS-84)"), required=False, min_value=-180, max_value=180)
    based_on = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, actor: Actor, kind: Kind, owner: OrganisationId, data: Posted = None, known: ThingView | None = None) -> None:
        super().__init__(data, initial=_initial(known) if known else None)
        self.kind = kind
        for name in ("latitude", "longitude"):
            self.fields[name].widget.attrs["step"] = "any"
        others = {each.id: each.name for each in parties.choices(actor, Permission.VIEW_ASSETS) if each.id != owner}
        if known and known.maintainer:
            others.setdefault(known.maintainer, known.maintainer_name)
        self.fields["maintainer"].choices = [("", _("its owner")), *others.items()]  # type: ignore[attr-defined]  # -- of a choice field
        for attribute in kind.attributes:
            self.fields[f"{PREFIX}{attribute.key}"] = attribute_field(attribute)

    def plain(self) -> list[forms.BoundField]:
        """Return the fields that every asset has, but for its place."""
        return [self[name] for name in ("label", "code", "maintainer", "tags")]

    def special(self) -> list[forms.BoundField]:
        """Return the fields of its kind."""
        return [self[f"{PREFIX}{attribute.key}"] for attribute in self.kind.attributes]

    def asset(self) -> AssetData:
        """Return what was entered."""
        given = self.cleaned_data
        attributes = {attribute.key: given[f"{PREFIX}{attribute.key}"] for attribute in self.kind.attributes}
        return AssetData(
            label=given["label"],
            code=given["code"],
            maintainer=OrganisationId(given["maintainer"]) if given["maintainer"] else None,
            attributes=attributes,
            tags=tuple(split(given["tags"])),
            latitude=given["latitude"],
            longitude=given["longitude"],
        )


def split(text: str) -> list[str]:
    """Return the words between commas, ideographic ones too."""
    return [word.strip() for word in re.split(r"[,，、;；]", text) if word.strip()]


def _initial(known: ThingView) -> dict[str, object]:
    flags = {True: "yes", False: "no"}
    values = {f"{PREFIX}{key}": flags[value] if isinstance(value, bool) else value for key, value in known.attributes.items()}
    place = {"latitude": known.latitude, "longitude": known.longitude, "based_on": known.version}
    return {"label": known.label, "code": known.code, "maintainer": known.maintainer, "tags": ", ".join(known.tags), **place, **values}
