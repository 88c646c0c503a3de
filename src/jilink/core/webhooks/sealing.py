"""Secrets of endpoints as they lie in the database: encrypted under the installation's own key.

A copy of the database alone gives nobody the means to sign. Fernet (AES-128-CBC with HMAC-SHA256), its key derived by HKDF (RFC 5869).
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from jilink.kernel.errors import Refused


class Unsealable(Refused):
    """A secret was sealed under another key: the database was put beside another installation's `secret_key`."""


def _fernet() -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"jilink webhook secrets").derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def seal(secret: str) -> str:
    """Return a secret as it is kept."""
    return _fernet().encrypt(secret.encode()).decode()


def unseal(kept: str) -> str:
    """Return a kept secret. Raises Unsealable."""
    try:
        return _fernet().decrypt(kept.encode()).decode()
    except InvalidToken:
        raise Unsealable("The secret cannot be read with this installation's key. Make a new one.") from None
