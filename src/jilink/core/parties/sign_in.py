"""How people sign in: accounts are made by an owner or on the command line, never by strangers."""

import base64
import time

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest

JUST_NOW_S = 300


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # -- allauth ships no type information
    """allauth's door with open registration shut."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: whoever should have an account is given one."""
        return False

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Return whether the password is asked for again: not while somebody who has just signed in sets up the first second factor."""
        if app == "allauth.mfa" and not is_mfa_enabled(self.request.user) and _signed_in_just_now(self.request):
            return False
        return bool(super().is_reauthentication_required(app=app))


def _signed_in_just_now(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    return bool(records) and 0 <= time.time() - float(records[-1]["at"]) < JUST_NOW_S


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
