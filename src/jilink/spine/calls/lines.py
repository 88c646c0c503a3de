"""Phones and trunks, as the owners of all engines read them from the buckets `phones` and `trunks`."""

import re
from typing import Literal

import msgspec

from jilink.kernel.errors import Refused


class ExtensionRefused(Refused):
    """An extension is not 2 to 10 digits."""


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """A SIP or browser phone. Key: `phone_key`, which is also its user name. The realm is ``jilink``."""

    ha1: str
    """MD5 of ``user:jilink:password`` in hexadecimal (RFC 7616, 3.4.2): the password itself is nowhere."""
    webrtc: bool = False
    codecs: tuple[str, ...] = ()
    """In order of preference; empty: alaw and ulaw, and opus first for browsers."""
    caller: str = ""
    """The number its calls show."""
    caller_name: str = ""
    enabled: bool = True


class Trunk(msgspec.Struct, frozen=True, kw_only=True):
    """A line to a carrier, by registration or by address. Key: `trunk_key`."""

    host: str = ""
    """Where calls out go, ``sip.carrier.example`` or with ``:port``; empty: only calls in."""
    addresses: tuple[str, ...] = ()
    """Addresses or networks the carrier calls from; they are let in without a password."""
    user: str = ""
    """Name to register and to sign in with at the carrier; empty: no registration."""
    sealed: str = ""
    """The password, sealed (`spine.calls.sealing`): it lies nowhere in the open."""
    register: bool = False
    transport: Literal["udp", "tcp"] = "udp"
    codecs: tuple[str, ...] = ()
    """Empty: alaw and ulaw."""
    number_in: Literal["uri", "to"] = "uri"
    """Where a call in carries the number that was dialled: the request URI or the To header (RFC 3261, 8.1.1)."""
    numbers: tuple[str, ...] = ()
    """Numbers that calls in may dial, those that end with ``*`` by how they begin; empty: every number."""
    headers: bool = False
    """Whether the ``X-`` headers of its calls are told: anybody can send them, so only of carriers and gateways that are trusted."""
    most_calls: int = 0
    """Calls at once, both ways; 0: no limit."""
    enabled: bool = True


def phone_key(organisation: int, extension: str) -> str:
    """Return the endpoint of a phone: two organisations may use the same extension. Raises ExtensionRefused."""
    if not re.fullmatch(r"[0-9]{2,10}", extension):
        raise ExtensionRefused("an extension has 2 to 10 digits, not %(given)r", given=extension)
    return f"o{organisation}-{extension}"


def trunk_key(trunk: int) -> str:
    """Return the endpoint of a trunk by its number in the database."""
    return f"t{trunk}"
