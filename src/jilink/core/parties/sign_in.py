"""How people sign in: accounts are made by an owner or on the command line, never by strangers."""

import base64
import time
from collections.abc import Mapping

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext

from jilink.core.parties import refusals
from jilink.core.parties.invitations import actions as invitations
from jilink.core.parties.models import User
from jilink.kernel.errors import Refused

JUST_NOW_S = 300
INVITATION = "invitation"
"""Of a session: the secret of the link that was opened."""


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # -- allauth ships no type information
    """allauth's door with open registration shut."""

    def is_safe_url(self, url: str | None) -> bool:
        """Return whether somebody may be sent there after signing in; what is no address (``http://[``) is not safe, and no error."""
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: whoever should have an account is given one."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: object) -> None:
        """Refuse whoever tried too often (allauth's limits), and write that down."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            self._note("limit", request, credentials)
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: object) -> None:
        """Write down that a password was wrong."""
        self._note("password", request, credentials)

    def _note(self, why: str, request: HttpRequest, credentials: Mapping[str, object]) -> None:
        account = refusals.account_named(str(credentials.get("username", "")))
        refusals.note_sign_in(why, account=account, address=self.get_client_ip(request))

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Return whether the password is asked for again: not of somebody who has just signed in and sets up second factors."""
        if app == "allauth.mfa" and _signed_in_just_now(self.request):
            return False
        return bool(super().is_reauthentication_required(app=app))


def _signed_in_just_now(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    return bool(records) and 0 <= time.time() - float(records[-1]["at"]) < JUST_NOW_S


class SubjectAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # -- allauth ships no type information
    """The single sign-on (OpenID Connect): accounts are matched by the provider's subject alone, never by mail or name.

    A subject that nobody knows comes in only by an invitation whose link was opened in the same browser (`INVITATION`); somebody
    who has an account connects it from within.
    """

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        """Return False: an account is made by an invitation, in `pre_social_login`, or not at all."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Make the account of somebody who was invited. Whoever was not is told that the door is shut."""
        secret = request.session.get(INVITATION)
        if sociallogin.is_existing or sociallogin.state.get("process") == "connect":
            return
        if not isinstance(secret, str):
            refusals.note_sign_in("subject", address=get_adapter().get_client_ip(request))
            return
        try:
            user = invitations.accept_by_sign_on(secret=secret, username=sociallogin.user.get_username())
        except Refused as error:
            messages.error(request, gettext(error.message) % error.values)
            raise ImmediateHttpResponse(redirect("account_login")) from error
        del request.session[INVITATION]
        sociallogin.connect(request, User.objects.get(pk=user))


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # -- allauth ships no type information
    """Second factors whose secrets lie encrypted under the installation's own key (Fernet, key by HKDF, RFC 5869)."""

    def encrypt(self, text: str) -> str:
        """Return a secret as it is kept."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a kept secret. One that was kept before secrets were encrypted is returned as it is."""
        try:
            return _fernet().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return encrypted_text


def _fernet() -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"jilink second factors").derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))
