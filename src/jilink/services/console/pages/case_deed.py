"""One thing that may be done with a case: a form, the words around it, and what carries it out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from jilink.core.cases.rules.form import AnyQuestion

Posted = tuple[str, QueryDict, "MultiValueDict[str, UploadedFile[bytes]]"]
"""The key of a deed, and what was posted for it."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that may be done. `do` takes what the form holds; `verb` stands on the button, `group` says where it is shown."""

    key: str
    title: str
    form: forms.Form
    do: Callable[[forms.Form], object]
    verb: str
    group: str = "step"
    tone: str = ""
    note: str = ""
    questions: tuple[AnyQuestion, ...] = ()

    @property
    def slug(self) -> str:
        """Return the key fit for an id."""
        return self.key.replace(":", "-")

    @property
    def bare(self) -> bool:
        """Return whether nothing has to be given: one click does it."""
        return not self.form.fields

    @property
    def open(self) -> bool:
        """Return whether it was posted and refused, so that its form is shown open."""
        return self.form.is_bound


class Maker:
    """Makes the form of each deed, bound where it was posted."""

    def __init__(self, posted: Posted | None) -> None:
        self.posted = posted

    def form(self, key: str, fields: Mapping[str, forms.Field], initial: Mapping[str, object] | None = None) -> forms.Form:
        """Return the form of a deed."""
        mine = self.posted is not None and self.posted[0] == key
        data, files = (self.posted[1], self.posted[2]) if mine and self.posted else (None, None)
        made = forms.Form(data, files, auto_id=f"{key.replace(':', '-')}_%s", initial=dict(initial or {}))
        for name, field in fields.items():
            made.fields[name] = field
        return made


def reason_field(required: bool = True, label: str = "") -> forms.CharField:
    """Return the field for a reason."""
    return forms.CharField(label=label or _("Reason"), required=required, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
