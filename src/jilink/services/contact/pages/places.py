"""What the pages of queues, numbers, phones and trunks share: organisations to choose from, and a word on the engine."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission


class PlaceForm(forms.Form):
    """A form that begins with the organisation, where there is more than one to choose from."""

    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), coerce=int)

    def __init__(self, actor: Actor, permission: Permission, data: object = None, initial: dict[str, object] | None = None) -> None:
        super().__init__(data, initial=initial)  # type: ignore[arg-type] # -- a QueryDict or None
        choices = [(str(one.id), "　" * one.depth + one.name) for one in parties.choices(actor, permission)]
        self.fields["organisation"].choices = choices  # type: ignore[attr-defined] # -- a choice field
        if len(choices) == 1:
            self.fields["organisation"].initial = choices[0][0]
            self.fields["organisation"].widget = forms.HiddenInput()


def place_names(actor: Actor, permission: Permission) -> dict[int, str]:
    """Return the names of organisations in which the actor holds a permission."""
    return {int(one.id): one.name for one in parties.choices(actor, permission)}


def engine_note(actor: Actor) -> str:
    """Return what whoever manages queues has to do before calls come in; "" where calls are routed."""
    if not settings.JILINK.absent("router"):
        return ""
    if actor.may(Permission.MANAGE_QUEUES):
        return _(
            "No telephone engine is installed, so no calls come in yet. On the server run: jilink voice install, then start Jilink again."
        )
    return _("No telephone engine is installed, so no calls come in yet.")
