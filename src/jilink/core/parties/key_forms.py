"""The forms of security keys, whose one label allauth says in English alone."""

from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django.utils.translation import gettext_lazy as _


class AddKey(AddWebAuthnForm):  # type: ignore[misc]  # -- allauth ships no type information
    """Add a security key under a name of its owner's choice."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.fields["name"].label = _("Name")


class EditKey(EditWebAuthnForm):  # type: ignore[misc]  # -- allauth ships no type information
    """Give a security key another name."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.fields["name"].label = _("Name")
