"""The front door: frames to records and back.

Nothing but `Malformed` leaves `decode_frame` and `decode_body`, whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808 import frame as framing
from jilink.protocols.jt808 import header as headers
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.message import Message, Unknown, Year
from jilink.protocols.jt808.registry import MESSAGES, candidates, direction_of, message
from jilink.protocols.jt808.vendors import PROFILES, Profile
from jilink.protocols.wire.cursor import Cursor, Json, Tolerance
from jilink.protocols.wire.records import Record

_RSA = 1


class UnknownProfile(Malformed):
    """No profile has that name."""

    def __init__(self, name: str) -> None:
        super().__init__("profile", f"there is no profile {name}; there are {', '.join(sorted(PROFILES))}")


@dataclass(frozen=True, slots=True)
class Packet:
    """A frame's header and body, before the body is decoded."""

    header: Header
    body: bytes
    tolerances: tuple[Tolerance, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded message.

    `fields` is the message's record, or `Unknown` for a package of a longer message, an unknown id and an encrypted body. `year` is
    the year whose declaration the body follows. `trailing` are bytes behind the last field.
    """

    header: Header
    name: str
    year: Year
    fields: Record
    tolerances: tuple[Tolerance, ...] = ()
    trailing: bytes = b""
    part: bool = field(default=False)

    @property
    def id(self) -> int:
        """The message id."""
        return self.header.id

    def render(self) -> dict[str, Json]:
        """Return it as JSON; the shape is described in the reference page."""
        fields = self.fields.render()
        if self.trailing:
            fields["trailing"] = {"value": self.trailing.hex(), "encoding": "hex"}
        shown: dict[str, Json] = {
            "ok": True,
            "message": {"id": f"0x{self.header.id:04x}", "name": self.name, "year": self.year},
            "header": self.header.render(),
            "fields": fields,
            "tolerances": [{"key": one.key, "at": one.where, "detail": one.detail} for one in self.tolerances],
            "reason": None,
        }
        if self.part:
            shown["part"] = {"index": self.header.index, "total": self.header.total}
        return shown


def open_frame(raw: bytes) -> Packet:
    """Return the header and body of a frame, with or without its delimiters. Raises Malformed.

    What stands between delimiters without having been escaped is accepted where its checksum is right (`not-escaped`), as are
    a missing delimiter (`no-delimiter`) and a vendor's delimiter (`vendor-delimiter`).
    """
    if len(raw) > framing.MOST_FRAME + 2:
        raise framing.TooLong(f"{len(raw)} bytes are more than a frame can have")
    tolerances: list[str] = []
    marked = len(raw) > 2 and raw[0] == raw[-1] and raw[0] in framing.MARKS
    delimiting = framing.MARKS[raw[0]] if marked else framing.STANDARD
    if delimiting is not framing.STANDARD:
        tolerances.append("vendor-delimiter")
    elif not marked:
        tolerances.append("no-delimiter")
    try:
        packet = framing.unwrap(raw, delimiting)
        header, begin, more = headers.parse(packet)
    except framing.BadFrame:
        plain = _unescaped(raw, delimiting)
        if plain is None:
            raise
        packet, (header, begin, more) = plain
        tolerances.append("not-escaped")
    if not marked and "body-length" in more and not candidates(header.id, header.year):
        raise framing.NotAFrame("no delimiter, no known message and no right length")
    return Packet(header, packet[begin:], tuple(Tolerance(key, "header") for key in (*tolerances, *more)))


def _unescaped(raw: bytes, delimiting: framing.Delimiting) -> tuple[bytes, tuple[Header, int, list[str]]] | None:
    """Return the packet of a frame whose sender forgot to escape, where checksum and length leave no doubt; else None."""
    mark = bytes((delimiting.mark,))
    data = raw[1:-1] if len(raw) > 2 and raw[:1] == raw[-1:] == mark else raw
    if len(data) < 13 or framing.checksum(data) != 0:
        return None
    found = headers.parse(data[:-1])
    return (data[:-1], found) if set(found[2]) <= {"not-bcd"} else None


def decode_frame(raw: bytes, profile: str = "standard") -> Decoded:
    """Decode one frame. Raises Malformed and nothing else."""
    packet = open_frame(raw)
    return decode_packet(packet, profile)


def decode_packet(packet: Packet, profile: str = "standard") -> Decoded:
    """Decode an opened frame; a package of a longer message stays as bytes. Raises Malformed and nothing else."""
    chosen = profile_of(profile)
    header = packet.header
    if header.total > 1:
        name = _name(header)
        return Decoded(header, name, header.year, Unknown(body=packet.body), packet.tolerances, part=True)
    return decode_body(header, packet.body, chosen, packet.tolerances)


def decode_body(header: Header, body: bytes, profile: Profile, tolerances: tuple[Tolerance, ...] = ()) -> Decoded:
    """Decode a whole (perhaps joined) body. Raises Malformed where it fits no declaration of its id.

    The declarations of every year are tried, the header's own first; the first without deviations is taken, else the one with the fewest.
    """
    declared = profile.candidates(header.id, header.year) or candidates(header.id, header.year)
    if not declared:
        return Decoded(
            header, "unknown", header.year, Unknown(body=body), (*tolerances, Tolerance("unknown-message", f"0x{header.id:04x}"))
        )
    if header.encryption & _RSA:
        return _encrypted(header, body, tolerances)
    try:
        reading = _best_reading(declared, body, profile)
    except Malformed:
        if header.encryption:
            return _encrypted(header, body, tolerances)
        raise
    chosen, cursor = type(reading.record), reading.cursor
    if header.encryption:
        if cursor.tolerances:
            return _encrypted(header, body, tolerances)
        tolerances = (*tolerances, Tolerance("encryption-bits", "header", str(header.encryption)))
    year = header.year if header.year in chosen.years else chosen.years[-1]
    if (header.year == 2019) != (year == 2019):
        cursor.tolerate("body-of-other-year", "body", str(year))
    if chosen.variant:
        cursor.tolerate("body-variant", "body", chosen.variant)
    return Decoded(header, chosen.message_name(), year, reading.record, (*tolerances, *cursor.tolerances), reading.trailing)


def _encrypted(header: Header, body: bytes, tolerances: tuple[Tolerance, ...]) -> Decoded:
    return Decoded(header, _name(header), header.year, Unknown(body=body), (*tolerances, Tolerance("encrypted", "header")))


@dataclass(frozen=True, slots=True)
class _Reading:
    record: Message
    cursor: Cursor
    trailing: bytes
    weight: int
    """How many deviations of shape it took; odd values say nothing about the shape."""


def _best_reading(declared: tuple[type[Message], ...], body: bytes, profile: Profile) -> _Reading:
    """Read a body by the first declaration it follows without deviation, else by the one with the fewest. Raises Malformed."""
    best: _Reading | None = None
    failure: Malformed | None = None
    for candidate in declared:
        cursor = Cursor(body, tables=profile.tables)
        try:
            record = candidate.read(cursor)
        except Malformed as error:
            failure = failure or error
            continue
        trailing = cursor.rest()
        if trailing:
            cursor.tolerate("trailing-bytes", "body", f"{len(trailing)} bytes")
        reading = _Reading(record, cursor, trailing, sum(one.key != "out-of-range" for one in cursor.tolerances))
        if not reading.weight:
            return reading
        if best is None or reading.weight < best.weight:
            best = reading
    if best is None:
        raise failure or Malformed("truncated")
    return best


def _name(header: Header) -> str:
    declared = candidates(header.id, header.year)
    return declared[0].message_name() if declared else "unknown"


def profile_of(name: str) -> Profile:
    """Return a vendor's profile. Raises UnknownProfile."""
    try:
        return PROFILES[name]
    except KeyError:
        raise UnknownProfile(name) from None


def encode_message(body: Record, header: Header, longest: int = headers.LONGEST_BODY) -> list[bytes]:
    """Return the frames of a message: one, or as many packages as its length asks for, with consecutive serials from the header's.

    Raises Malformed (`unencodable`) where a value does not fit.
    """
    data = bytearray()
    body.write(data)
    return encode_body(bytes(data), header, longest)


def encode_body(data: bytes, header: Header, longest: int = headers.LONGEST_BODY) -> list[bytes]:
    """Return the frames of a body that is bytes already."""
    if len(data) <= longest:
        return [framing.wrap(header.encode(len(data)) + data)]
    total = -(-len(data) // longest)
    frames: list[bytes] = []
    for index in range(total):
        piece = data[index * longest : (index + 1) * longest]
        own = replace(header, serial=(header.serial + index) & 0xFFFF, total=total, index=index + 1)
        frames.append(framing.wrap(own.encode(len(piece)) + piece))
    return frames


def encode_frame(number: int, fields: Mapping[str, object], *, phone: str, serial: int, year: Year = 2019) -> list[bytes]:
    """Return the frames of a message given by id and field values (wire integers, aware times, text, nested records).

    Fields that are not given are empty. Raises Malformed where there is no such message of that year or a value does not fit.
    """
    declared = message(number, year)
    if declared is None:
        raise Malformed("unencodable", f"0x{number:04x} is no message of {year}")
    return encode_message(declared(**fields), Header(id=number, phone=phone, serial=serial, year=2019 if year == 2019 else 2013))


def random_message(number: int, year: Year, rng: Random) -> Message:
    """Return a plausible message. Raises Malformed where there is no such message of that year."""
    declared = message(number, year)
    if declared is None:
        raise Malformed("unencodable", f"0x{number:04x} is no message of {year}")
    return declared.random(rng)


__all__ = [
    "MESSAGES",
    "Decoded",
    "Packet",
    "decode_body",
    "decode_frame",
    "decode_packet",
    "direction_of",
    "encode_body",
    "encode_frame",
    "encode_message",
    "open_frame",
    "profile_of",
    "random_message",
]
