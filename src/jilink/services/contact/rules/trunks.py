"""A trunk as its organisation designs it: read and written as JSON, refused with what is wrong; and which numbers go out over it."""

import ipaddress
import re
from typing import Literal

import msgspec

from jilink.kernel.errors import Refused

HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|\[[0-9a-fA-F:]{2,45}\]")
USER = re.compile(r"[A-Za-z0-9_.+~-]{1,60}")
PATTERN = re.compile(r"\+?[0-9]{1,24}\*?")
SHOWN = re.compile(r"\+?[0-9]{2,24}")
OUTSIDE = re.compile(r"\+?[0-9]{3,24}")
CODECS = ("alaw", "ulaw", "g722", "opus", "gsm")
MOST = 100
MOST_CALLS = 10_000


class TrunkRefused(Refused):
    """A trunk cannot be so."""


class TrunkDesign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is agreed with a carrier. The password is kept apart."""

    host: str = ""
    """Where calls out go and where it registers; "" where it only brings calls."""
    port: int = 0
    """0: 5060, or what the name says (RFC 3263)."""
    transport: Literal["udp", "tcp"] = "udp"
    register: bool = False
    user: str = ""
    addresses: tuple[str, ...] = ()
    """Addresses or networks it calls from, which need no password."""
    number_in: Literal["uri", "to"] = "uri"
    numbers: tuple[str, ...] = ()
    """Numbers it may bring, those that end with ``*`` by how they begin; empty: all."""
    headers: bool = False
    """Whether vehicles and cases that its calls name (``X-Vehicle``, ``X-Case``) are believed."""
    calls_out: bool = True
    prefix: str = ""
    """Put before each number that is dialled over it."""
    caller: str = ""
    """The number its calls show; "": the user, or nothing."""
    codecs: tuple[str, ...] = ()
    most_calls: int = 0

    @property
    def server(self) -> str:
        """Return host and port as one."""
        return f"{self.host}:{self.port}" if self.host and self.port else self.host


def read_trunk(text: str | bytes) -> TrunkDesign:
    """Return a trunk's design. Raises TrunkRefused."""
    try:
        design = msgspec.json.decode(text, type=TrunkDesign)
    except msgspec.DecodeError as error:
        raise TrunkRefused("This is no trunk: %(reason)s", reason=str(error)) from error
    check(design)
    return design


def write_trunk(design: TrunkDesign) -> str:
    """Return the design as JSON."""
    return msgspec.json.encode(design).decode()


def check(design: TrunkDesign) -> None:
    """Return where a trunk can be so. Raises TrunkRefused."""
    if design.host and not HOST.fullmatch(design.host):
        raise TrunkRefused("%(host)s is no host name or address.", host=design.host)
    if not 0 <= design.port <= 65_535 or (design.port and not design.host):
        raise TrunkRefused("A port is 1 to 65535 and belongs to a host.")
    if design.user and not USER.fullmatch(design.user):
        raise TrunkRefused("The user name has letters, digits and . _ + ~ - alone, at most 60.")
    if design.register and not (design.host and design.user):
        raise TrunkRefused("To register, a trunk needs a host and a user name.")
    if not (design.register or design.addresses or (design.host and design.calls_out)):
        raise TrunkRefused("Nothing can come or go over this trunk: give a host, or the addresses it calls from.")
    _check_addresses(design.addresses)
    _check_numbers(design)
    if set(design.codecs) - set(CODECS) or len(set(design.codecs)) != len(design.codecs):
        raise TrunkRefused("Codecs are %(known)s, each once.", known=", ".join(CODECS))
    if not 0 <= design.most_calls <= MOST_CALLS:
        raise TrunkRefused("At most %(most)s calls at once.", most=MOST_CALLS)


def _check_addresses(given: tuple[str, ...]) -> None:
    if len(given) > MOST:
        raise TrunkRefused("At most %(most)s addresses and numbers.", most=MOST)
    for one in given:
        try:
            network = ipaddress.ip_network(one, strict=False)
        except ValueError:
            raise TrunkRefused("%(address)s is no address or network.", address=one) from None
        if network.prefixlen == 0:
            raise TrunkRefused("A trunk that everybody may be is none: name the carrier's addresses.")


def _check_numbers(design: TrunkDesign) -> None:
    if len(design.numbers) > MOST:
        raise TrunkRefused("At most %(most)s addresses and numbers.", most=MOST)
    for one in design.numbers:
        if not PATTERN.fullmatch(one):
            raise TrunkRefused("%(number)s is no number, nor the beginning of one with * after it.", number=one)
    if design.caller and not SHOWN.fullmatch(design.caller):
        raise TrunkRefused("%(number)s is no number, nor the beginning of one with * after it.", number=design.caller)
    if design.prefix and not re.fullmatch(r"\+?[0-9]{1,8}", design.prefix):
        raise TrunkRefused("What is put before numbers is at most 8 digits.")


def outside_number(text: str) -> str:
    """Return a number to be called as it goes out, without spaces, brackets and hyphens. Raises TrunkRefused."""
    number = re.sub(r"[\s()-]", "", text)
    if not OUTSIDE.fullmatch(number):
        raise TrunkRefused("%(number)s is no number that can be called.", number=text[:40])
    return number
