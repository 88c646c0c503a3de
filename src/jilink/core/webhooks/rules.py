"""What a delivery looks like and when it is tried: Standard Webhooks 1.0 (standardwebhooks.com, "Specification").

Pure decisions: no Django, clock, chance or network.
"""

import base64
import hashlib
import hmac
import ipaddress
import re
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from jilink.kernel.errors import Refused

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
EVERYTHING = "*"
MOST_KINDS = 50
SECRET_BYTES = 32
_PREFIX = "whsec_"
_KIND = re.compile(r"[a-z][a-z0-9_]*\.(?:[a-z][a-z0-9_]*|\*)")
ROTATION = timedelta(hours=24)
"""How long a replaced secret still signs, so that receivers can change theirs meanwhile (specification, "Secret rotation")."""
KEEP = timedelta(days=30)
"""How long deliveries stay on record; the stream of events keeps as long."""
SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Pauses after failed attempts (specification, "Retry schedule"): ten attempts within three days and four hours."""
LONGEST_WAIT = timedelta(hours=24)


class DeliveryState(StrEnum):
    """What became of a delivery. `DEAD` ones stay on record and can be sent again."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class AddressRefused(Refused):
    """An endpoint's address cannot be used."""


class KindRefused(Refused):
    """A filter names no kind of event."""


def kinds(text: str) -> str:
    """Return the filter as it is kept: ``*``, ``noun.name`` or ``noun.*``, each once, sorted. Raises KindRefused."""
    found = sorted(set(re.split(r"[\s,]+", text.strip())) - {""})
    if not found or len(found) > MOST_KINDS:
        raise KindRefused("Name 1 to 50 kinds of events, or * for all.")
    for kind in found:
        if kind != EVERYTHING and not _KIND.fullmatch(kind):
            raise KindRefused("A kind of event looks like assets.asset_added or assets.*, not like this one.")
    return EVERYTHING if EVERYTHING in found else " ".join(found)


def wants(kept: str, kind: str) -> bool:
    """Return whether a kept filter takes in a kind of event."""
    noun = kind.partition(".")[0]
    return any(pattern in (EVERYTHING, kind, f"{noun}.*") for pattern in kept.split())


def address(url: str, allowed: Sequence[Network]) -> str:
    """Return an endpoint's address as it is kept. Plain http is for networks that the operator allows. Raises AddressRefused."""
    text = url.strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused("This is not a web address.") from None
    if not host or len(text) > 500 or not text.isprintable() or port == 0:
        raise AddressRefused("This is not a web address.")
    if parts.username or parts.password or parts.fragment:
        raise AddressRefused("Leave user name, password and # out of the address.")
    if parts.scheme != "https" and not (parts.scheme == "http" and allowed):
        raise AddressRefused("The address must begin with https://.")
    literal = _literal(host)
    if literal is None:
        return text
    if not reachable(literal, plain=parts.scheme == "http", allowed=allowed):
        raise AddressRefused("This address lies in a private network.")
    return text


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that a host is, also one written as ``127.1``, ``0x7f000001`` or with a dot behind; None for a name."""
    plain = host.rstrip(".")
    try:
        return ipaddress.ip_address(plain)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(plain)) if plain.isascii() and " " not in plain else None
    except OSError:
        return None


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a setting, with commas between them. Raises AddressRefused."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise AddressRefused(
            "JILINK_WEBHOOKS_ALLOW must be networks like 10.1.0.0/16, with commas between them: %(error)s", error=str(error)
        ) from None


def reachable(place: ipaddress.IPv4Address | ipaddress.IPv6Address, *, plain: bool, allowed: Sequence[Network]) -> bool:
    """Return whether a delivery may go to an IP address: a public one over TLS, or one of the operator's `allowed`, also `plain`.

    An IPv4 address inside an IPv6 one (mapped, 6to4, Teredo, NAT64) counts as itself (RFC 6890; OWASP, "Server-Side Request
    Forgery Prevention").
    """
    if isinstance(place, ipaddress.IPv6Address):
        inner = _inner(place)
        if inner is not None:
            return reachable(inner, plain=plain, allowed=allowed)
    if any(place.version == network.version and place in network for network in allowed):
        return True
    if isinstance(place, ipaddress.IPv6Address) and place not in _UNICAST:
        return False
    return not plain and place.is_global and not place.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that was ever given out (IANA, "Internet Protocol Version 6 Address Space"); of the rest, routers may make anything."""


def _inner(place: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if place in _NAT64:
        return ipaddress.IPv4Address(int(place) & 0xFFFF_FFFF)
    return place.ipv4_mapped or place.sixtofour or (place.teredo[1] if place.teredo else None)


def new_secret(chance: bytes) -> str:
    """Return a secret made of 32 random bytes, as receivers are given it."""
    if len(chance) != SECRET_BYTES:
        raise ValueError(f"{SECRET_BYTES} random bytes, not {len(chance)}")
    return _PREFIX + base64.b64encode(chance).decode()


def sign(secret: str, message: str, at: datetime, body: bytes) -> str:
    """Return one signature: HMAC-SHA256 over id, timestamp and body, base64, marked v1 (specification, "Signature scheme")."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secrets: Sequence[str], message: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of one attempt, with a signature for each secret that holds (specification, "Webhook headers")."""
    return {
        "content-type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(sign(secret, message, at, body) for secret in secrets),
    }


def is_taken(status: int | None) -> bool:
    """Return whether an answer means that the receiver has it: any 2xx, never a redirection."""
    return status is not None and 200 <= status < 300


def is_gone(status: int | None) -> bool:
    """Return whether an answer means that nobody wants to be told there any more: 410 (specification, "Disabling endpoints")."""
    return status == 410


def pause_after(attempts: int, chance: float, asked: timedelta | None = None) -> timedelta | None:
    """Return how long to wait after so many failed attempts, None where that was the last; `chance` in [0, 1) adds up to a tenth.

    No attempt (sent again by hand while one was under way) counts as the first.
    `asked` is what the receiver wants (Retry-After); it makes the pause longer, never shorter, a day at most.
    """
    if attempts > len(SCHEDULE):
        return None
    pause = SCHEDULE[max(attempts, 1) - 1] * (1 + chance / 10)
    return max(pause, min(asked, LONGEST_WAIT)) if asked is not None else pause
