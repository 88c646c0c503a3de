"""Message headers of both layouts (JT/T 808-2019, 4.4.3; JT/T 808-2013, 4.4.3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808.message import Year
from jilink.protocols.wire.cursor import Json

LONGEST_BODY = 1023
_RSA = 0x0400
_ENCRYPTION = 0x1C00
_PARTS = 0x2000
_VERSION = 0x4000
_FIXED_2013 = struct.Struct(">HH6sH")
_FIXED_2019 = struct.Struct(">HHB10sH")
_PACKAGE = struct.Struct(">HH")


class ShortHeader(Malformed):
    """There are fewer bytes than a header has."""

    def __init__(self, size: int) -> None:
        super().__init__("header", f"{size} bytes are no header")


@dataclass(frozen=True, slots=True)
class Header:
    """A message header.

    `phone` is the number without leading zeros; hexadecimal letters stay where a terminal writes no decimal digits. `year` is 2013
    for the older layout, which 2011 shares. `total` and `index` (from 1) are 0 where the message is not sub-packaged.
    """

    id: int
    phone: str
    serial: int
    year: Year = 2019
    version: int = 1
    total: int = 0
    index: int = 0
    length: int = 0
    encryption: int = 0
    digits: str = ""
    """The phone as on the wire, 12 or 20 digits."""

    @property
    def parted(self) -> bool:
        """Whether it is one of several packages."""
        return self.total > 0

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return (17 if self.year == 2019 else 12) + (4 if self.parted else 0)

    @property
    def imei(self) -> str | None:
        """The IMEI where the phone's six bytes are one in binary, with its check digit; else None.

        Some terminals without a number do so (as one widely used server reads them); the digits of a decimal phone are none.
        """
        if self.digits.isdecimal() or len(self.digits) != 12:
            return None
        number = str(int(self.digits, 16))
        return number + luhn(number) if len(number) == 14 else None

    def render(self) -> dict[str, Json]:
        """Return the header as JSON."""
        shown: dict[str, Json] = {
            "id": f"0x{self.id:04x}",
            "year": self.year,
            "phone": self.phone,
            "digits": self.digits,
            "serial": self.serial,
            "length": self.length,
        }
        if self.imei:
            shown["imei"] = self.imei
        if self.year == 2019:
            shown["version"] = self.version
        if self.parted:
            shown |= {"total": self.total, "index": self.index}
        if self.encryption:
            shown["encryption"] = self.encryption
        return shown

    def encode(self, body: int) -> bytes:
        """Return the bytes of the header of a body of that many bytes. Raises Malformed where they do not fit."""
        if body > LONGEST_BODY or self.total > 0xFFFF:
            raise Malformed("unencodable", f"a body of {body} bytes in {self.total or 1} packages does not fit")
        properties = body | self.encryption << 10 | (_PARTS if self.parted else 0) | (_VERSION if self.year == 2019 else 0)
        size = 10 if self.year == 2019 else 6
        try:
            phone = bytes.fromhex(self.phone.rjust(2 * size, "0"))
        except ValueError as error:
            raise Malformed("unencodable", f"{self.phone!r} is no phone") from error
        if len(phone) != size or not 0 <= self.serial <= 0xFFFF:
            raise Malformed("unencodable", f"phone {self.phone} or serial {self.serial} does not fit")
        if self.year == 2019:
            head = _FIXED_2019.pack(self.id, properties, self.version, phone, self.serial)
        else:
            head = _FIXED_2013.pack(self.id, properties, phone, self.serial)
        return head + (_PACKAGE.pack(self.total, self.index) if self.parted else b"")


def luhn(digits: str) -> str:
    """Return the check digit of ISO/IEC 7812-1."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def _parse(packet: bytes, year: Year) -> Header | None:
    """Read a header of one layout, or None where there are too few bytes."""
    layout = _FIXED_2019 if year == 2019 else _FIXED_2013
    if len(packet) < layout.size:
        return None
    version = 0
    if year == 2019:
        number, properties, version, phone, serial = layout.unpack_from(packet)
    else:
        number, properties, phone, serial = layout.unpack_from(packet)
    total = index = 0
    if properties & _PARTS:
        if len(packet) < layout.size + 4:
            return None
        total, index = _PACKAGE.unpack_from(packet, layout.size)
    digits = phone.hex()
    return Header(
        id=number,
        phone=digits.lstrip("0") or "0",
        serial=serial,
        year=year,
        version=version,
        total=total,
        index=index,
        length=properties & LONGEST_BODY,
        encryption=(properties & _ENCRYPTION) >> 10,
        digits=digits,
    )


def parse(packet: bytes) -> tuple[Header, int, list[str]]:
    """Return the header, where the body begins, and the tolerances that were needed. Raises ShortHeader.

    The version bit chooses the layout. Where the length fits only the other layout, the other is taken (`version-bit`); where
    it fits none, the version bit's holds (`body-length`). A sub-package flag with nonsense counts is read as a single
    message (`package-count`). A phone whose digits are not decimal stays hexadecimal (`not-bcd`).
    """
    flagged: Year = 2019 if len(packet) > 2 and packet[2] & 0x40 else 2013
    other: Year = 2013 if flagged == 2019 else 2019
    header = _parse(packet, flagged)
    tolerances: list[str] = []
    if header is None or len(packet) - _begin(packet, header) != header.length:
        rival = _parse(packet, other)
        if rival is not None and _believable(rival) and len(packet) - _begin(packet, rival) == rival.length:
            header = rival
            tolerances.append("version-bit")
        elif header is None:
            raise ShortHeader(len(packet))
        else:
            tolerances.append("body-length")
    if packet[2] & 0x20 and not 1 <= header.index <= header.total:
        tolerances.append("package-count")
    if not header.digits.isdecimal():
        tolerances.append("not-bcd")
    return header, _begin(packet, header), tolerances


def _begin(packet: bytes, header: Header) -> int:
    return (17 if header.year == 2019 else 12) + (4 if packet[2] & 0x20 else 0)


def _believable(header: Header) -> bool:
    return header.year == 2013 or (1 <= header.version <= 9 and header.digits.isdecimal())
