"""Passwords of trunks as they lie in the database and in the bucket: encrypted under the installation's own key.

An engine has to be given the password itself, so that a digest would not do; a copy of the database or of the spine's store alone gives it
to nobody. Fernet (AES-128-CBC with HMAC-SHA256), its key derived by HKDF (RFC 5869).
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from jilink.kernel.errors import Malformed


class SealedElsewhere(Malformed):
    """A password was sealed under another key: enter it anew."""


def _fernet(key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"jilink trunk passwords").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(key: str, password: str) -> str:
    """Return a password as it is kept under the installation's key (the file `secret_key`); "" stays ""."""
    return _fernet(key).encrypt(password.encode()).decode() if password else ""


def unseal(key: str, kept: str) -> str:
    """Return a kept password. Raises SealedElsewhere."""
    try:
        return _fernet(key).decrypt(kept.encode()).decode() if kept else ""
    except InvalidToken:
        raise SealedElsewhere("password", "the password cannot be read with this installation's key") from None
