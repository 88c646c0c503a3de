"""What a token looks like, what is kept of it, and how long one may last."""

import base64
import hashlib
import re
from datetime import datetime, timedelta

from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused

MARK = "jlk_"
"""Every token begins so, that it can be found where it was written down by mistake."""
PREFIX_LENGTH = 12
SECRET_BYTES = 32
_SHAPE = re.compile(r"jlk_[a-z2-7]{52}")
LONGEST = timedelta(days=400)
USE_NOTED_EVERY = timedelta(minutes=1)
KEPT_AFTER_END = timedelta(days=90)


class TokenRefused(Refused):
    """A token cannot be made so: it lasts too long or not at all, allows nothing, or has no name."""


def compose(random: bytes) -> str:
    """Return a token of `SECRET_BYTES` random bytes: ``jlk_`` and base 32 in small letters (RFC 4648, 6)."""
    return MARK + base64.b32encode(random).decode().rstrip("=").lower()


def prefix_of(token: str) -> str:
    """Return the part by which a token is found and recognised; it is no secret. Empty for what cannot be a token."""
    return token[:PREFIX_LENGTH] if _SHAPE.fullmatch(token) else ""


def digest(token: str) -> str:
    """Return the SHA-256 of a token (64 hexadecimal digits)."""
    return hashlib.sha256(token.encode()).hexdigest()


def permissions_in(text: str) -> frozenset[Permission]:
    """Return the permissions kept with a token; names that are no longer permissions grant nothing."""
    known = set(Permission)
    return frozenset(Permission(line) for line in text.split() if line in known)


def checked(name: str, permissions: frozenset[Permission], now: datetime, expires_at: datetime) -> str:
    """Return the name a new token gets. Raises TokenRefused."""
    title = name.strip()
    if not title or len(title) > 120:
        raise TokenRefused("Give it a name of at most 120 characters.")
    if not permissions:
        raise TokenRefused("Choose what the token may do.")
    if not now < expires_at <= now + LONGEST:
        raise TokenRefused("A token lasts for at most 400 days.")
    return title
