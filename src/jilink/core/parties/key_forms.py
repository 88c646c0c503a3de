"""Forms of second factors: a label that allauth says in English alone, and a word to the audit where a code or a key is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, EditWebAuthnForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from jilink.core.parties import refusals
from jilink.core.parties.models import User


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


class AskForKey(AuthenticateWebAuthnForm):  # type: ignore[misc]  # -- as above
    """Ask for a security key at sign-in."""

    def clean_credential(self) -> Authenticator:
        """Return the key that answered. Raises ValidationError."""
        with _noted(self.user):
            return super().clean_credential()


class AskForCode(AuthenticateForm):  # type: ignore[misc]  # -- as above
    """Ask for the code of an authenticator app at sign-in, or for a recovery code."""

    def clean_code(self) -> str:
        """Return the code that was right. Raises ValidationError."""
        with _noted(self.user):
            return str(super().clean_code())


class AskForCodeAgain(ReauthenticateForm):  # type: ignore[misc]  # -- as above
    """Ask for the code before something that matters."""

    def clean_code(self) -> str:
        """Return the code that was right. Raises ValidationError."""
        with _noted(self.user):
            return str(super().clean_code())


@contextmanager
def _noted(user: User) -> Iterator[None]:
    """Write down that a second factor was refused."""
    try:
        yield
    except ValidationError:
        refusals.note_sign_in("factor", account=user.pk, address=get_adapter().get_client_ip(context.request))
        raise
