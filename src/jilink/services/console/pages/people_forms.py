"""Forms about people."""

from datetime import datetime, time

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.reads import PersonView
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA

KINDS = {
    ContactKind.PHONE: gettext_lazy("Telephone"),
    ContactKind.EMAIL: gettext_lazy("E-mail"),
    ContactKind.ADDRESS: gettext_lazy("Address"),
    ContactKind.WECHAT: gettext_lazy("WeChat"),
    ContactKind.OTHER: gettext_lazy("Other"),
}
FIELDS = ("name", "other_names", "languages", "notes")


class PersonForm(forms.Form):
    """What is told about a person; `base` fields and `version` are what its editor read."""

    name = forms.CharField(label=gettext_lazy("Name of the person"), max_length=120, required=False)
    other_names = forms.CharField(
        label=gettext_lazy("Other names, one a line"), max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    languages = forms.CharField(
        label=gettext_lazy("Languages"), max_length=60, required=False, help_text=gettext_lazy("The preferred one first, like zh, ko.")
    )
    notes = forms.CharField(label=gettext_lazy("Notes"), max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))

    def data_given(self) -> PersonData:
        """Return what was entered."""
        values = self.cleaned_data
        tags = tuple(each.strip() for each in values["languages"].replace("，", ",").replace("、", ",").split(",") if each.strip())
        return PersonData(name=values["name"], other_names=values["other_names"], languages=tags, notes=values["notes"])


class NewPersonForm(PersonForm):
    """A new person with one contact."""

    phone = forms.CharField(label=gettext_lazy("Telephone"), max_length=40, required=False)

    def __init__(self, actor: Actor, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a QueryDict or None
        choices = [(each.id, f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, Permission.MANAGE_PEOPLE)]
        self.fields["organisation"] = forms.TypedChoiceField(label=_("Organisation"), choices=choices, coerce=int)
        self.order_fields(["organisation", "name", "phone"])


class EditForm(PersonForm):
    """Changes to a person, with what was read beside each field."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    base_name = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    base_other_names = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    base_languages = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    base_notes = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)

    def __init__(self, known: PersonView, data: object = None) -> None:
        read = words_of(known)
        initial: dict[str, object] = {**read, **{f"base_{name}": value for name, value in read.items()}, "version": known.version}
        super().__init__(data, initial=initial)  # type: ignore[arg-type] # -- a QueryDict or None


def words_of(known: PersonView) -> dict[str, str]:
    """Return a person's fields as the form holds them."""
    return {"name": known.name, "other_names": "\n".join(known.other_names), "languages": ", ".join(known.languages), "notes": known.notes}


class ContactForm(forms.Form):
    """One more way to reach a person."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=[(kind.value, words) for kind, words in KINDS.items()])
    text = forms.CharField(label=gettext_lazy("Number or address"), max_length=250)


class ConsentForm(forms.Form):
    """That a person agreed to something."""

    purpose = forms.CharField(
        label=gettext_lazy("Purpose"), max_length=60, help_text=gettext_lazy("A short name, like recording or sms.news.")
    )
    evidence = forms.CharField(label=gettext_lazy("How it is known"), max_length=400)
    expires = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def expires_at(self) -> datetime | None:
        """Return the end of the last day."""
        day = self.cleaned_data["expires"]
        return datetime.combine(day, time(23, 59, 59), CHINA) if day else None
