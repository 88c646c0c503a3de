"""`jilink decode`: what terminal frames say, one JSON object for each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Annotated, BinaryIO

import typer

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808.codec import Packet, decode_body, decode_packet, open_frame, profile_of
from jilink.protocols.jt808.frame import NotAFrame
from jilink.protocols.jt808.joiner import Joiner
from jilink.protocols.jt808.vendors import PROFILES
from jilink.protocols.wire.cursor import Json
from jilink.site.commands.capture import MAGICS, Rewound, frames

_LONGEST_LINE = 1_000_000
_NOISE = re.compile(r"0[xX]|\\x|[\s:,;'\"\-\[\](){}]")
_ONE_DIGIT = re.compile(r"(?:0[xX]|\\x)([0-9a-fA-F])(?![0-9a-fA-F])")
_REMARK = re.compile(r"#|//")
_MARK = b"\x7e"

_EPILOG = """
Examples:

  echo 7e000200000138001380000007af7e | jilink decode -

  jilink decode --profile gps51 frames.txt | jq .fields.speed

  jilink decode --port 7611 network.pcap
"""

app = typer.Typer()


class BadHex(Malformed):
    """A line is not hexadecimal."""

    def __init__(self, message: str) -> None:
        super().__init__("hex", message)


class Decoder:
    """Decodes frames one after another; the packages of a message join, whatever order they come in."""

    def __init__(self, profile: str) -> None:
        self.profile = profile
        self.joiner = Joiner(most_bytes=64_000_000, most_messages=1024)
        self.failed = False

    def show_line(self, raw: bytes) -> dict[str, Json]:
        """Return the JSON object of a line: its frame, with the others in `further` where there are several."""
        pieces = several(raw)
        if not pieces:
            return self.show(raw)
        shown, *further = (self.show(piece) for piece in pieces)
        bad = next((one for one in further if not one["ok"]), None)
        if bad and shown["ok"]:
            shown |= {"ok": False, "reason": bad["reason"], "detail": bad["detail"]}
        return shown | {"further": list[Json](further)}

    def show(self, raw: bytes | Malformed) -> dict[str, Json]:
        """Return the JSON object of one frame."""
        packet: Packet | None = None
        try:
            if isinstance(raw, Malformed):
                raise raw
            packet = open_frame(raw)
            shown = decode_packet(packet, self.profile).render()
            if packet.header.total > 1:
                shown["joined"] = self._join(packet)
            elif self.profile == "standard" and (names := fitting(packet, unread(shown))):
                shown["profiles"] = list[Json](names)
        except Malformed as error:
            self.failed = True
            return {
                "ok": False,
                "message": {"id": f"0x{packet.header.id:04x}"} if packet else None,
                "header": packet.header.render() if packet else None,
                "fields": None,
                "tolerances": [{"key": one.key, "at": one.where, "detail": one.detail} for one in packet.tolerances] if packet else [],
                "reason": error.reason,
                "detail": str(error),
            }
        return shown

    def _join(self, packet: Packet) -> Json:
        """Return the whole message where this package was the last that lacked, else None."""
        joined = self.joiner.add(packet.header, packet.body, 0.0)
        if joined is None:
            return None
        whole = decode_body(joined.header, joined.body, profile_of(self.profile)).render()
        return {key: whole[key] for key in ("message", "fields", "tolerances")}


def several(raw: bytes) -> list[bytes]:
    """Return the frames of a line that holds more than one (each between delimiters), else nothing."""
    if raw.count(_MARK) < 3:
        return []
    try:
        open_frame(raw)
    except NotAFrame:
        pieces = [_MARK + piece + _MARK for piece in raw.split(_MARK) if piece]
        return pieces if len(pieces) > 1 and any(map(opens, pieces)) else []
    except Malformed:
        pass
    return []


def opens(raw: bytes) -> bool:
    """Say whether the bytes are a frame."""
    try:
        open_frame(raw)
    except Malformed:
        return False
    return True


def unread(shown: Json) -> int:
    """Return how many bytes stayed bytes or made no text, and how many tolerances there are, in what was shown."""
    if isinstance(shown, list):
        return sum(map(unread, shown))
    if not isinstance(shown, dict):
        return 0
    own = 0
    if "key" in shown:
        own = len(str(shown["detail"])) if shown["key"] == "undecodable-text" else 1
    for name, value in shown.items():
        if (name == "tail" or name.startswith("0x")) and isinstance(value, dict):
            own += len(str(value["value"])) // 2
        else:
            own += unread(value)
    return own


def fitting(packet: Packet, most: int) -> list[str]:
    """Return the profiles that read most of what the standard leaves unread (`most`), if any reads more."""
    if not most:
        return []
    left: dict[str, int] = {}
    for name in PROFILES:
        try:
            left[name] = unread(decode_packet(packet, name).render())
        except Malformed:
            continue
    least = min(left.values(), default=most)
    return [name for name, count in left.items() if count == least < most]


def parse_line(text: str) -> bytes | None:
    """Return the bytes of a line's first column, or None for a blank line or a remark. Raises BadHex.

    Upper and lower case, blanks, colons, commas, quotes, brackets, 0x and \\x are all accepted; a remark begins with # or //.
    """
    column = _REMARK.split(text.lstrip("\ufeff").strip().partition("\t")[0], maxsplit=1)[0].strip()
    if not column:
        return None
    digits = _NOISE.sub("", _ONE_DIGIT.sub(r"0\1", column))
    try:
        raw = bytes.fromhex(digits)
    except ValueError as error:
        odd = "an odd number of digits" if len(digits) % 2 else str(error)
        raise BadHex(f"not hexadecimal: {odd}") from error
    if not raw:
        raise BadHex("the line holds no bytes")
    return raw


def _lines(file: BinaryIO, first: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield numbered lines; of one that is too long only the beginning."""
    number = 0
    rest = first
    while line := rest if rest.endswith(b"\n") else rest + file.readline(_LONGEST_LINE):
        rest = b""
        if len(line) >= _LONGEST_LINE and not line.endswith(b"\n"):
            while (more := file.readline(_LONGEST_LINE)) and not more.endswith(b"\n"):
                pass
        for piece in line.splitlines():
            number += 1
            yield number, piece


def _from_lines(file: BinaryIO, first: bytes, decoder: Decoder) -> Iterator[dict[str, Json]]:
    for number, line in _lines(file, first):
        try:
            raw = parse_line(line.decode("utf-8", "replace"))
        except Malformed as error:
            yield {"line": number, **decoder.show(error)}
        else:
            if raw is not None:
                yield {"line": number, **decoder.show_line(raw)}


def _from_capture(file: BinaryIO, first: bytes, decoder: Decoder, port: int | None) -> Iterator[dict[str, Json]]:
    try:
        for seen in frames(Rewound(file, first), port):
            place: dict[str, Json] = {"at": seen.at.isoformat(), "from": seen.source, "to": seen.target}
            yield place | decoder.show(seen.error or seen.frame)
    except Malformed as error:
        yield decoder.show(error)


def _one_of(*known: str) -> Callable[[str], str]:
    """Return the check of an option that takes one of these words."""

    def check(given: str) -> str:
        if given not in known:
            raise typer.BadParameter(f"{given} is not one of {', '.join(known)}")
        return given

    return check


@app.command(epilog=_EPILOG)
def decode(
    source: Annotated[typer.FileBinaryRead, typer.Argument(help="A file, or - for standard input.", metavar="FILE")],
    protocol: Annotated[str, typer.Option(help="What the frames are: jt808.", callback=_one_of("jt808"))] = "jt808",
    profile: Annotated[
        str, typer.Option(help=f"Vendor profile of the terminal: {', '.join(PROFILES)}.", callback=_one_of(*PROFILES))
    ] = "standard",
    port: Annotated[int | None, typer.Option(help="Of a pcap file, only this TCP or UDP port.", min=1, max=65535)] = None,
) -> None:
    """Show what terminal frames say: one hexadecimal frame a line in, one JSON object a line out.

    Blank lines and lines that begin with # are left out; of a line with tabs the first column counts. Delimiters and escapes may be
    there or not. A line gives exactly one object; if it holds several frames, the others stand in its "further". Where another
    profile would read items that stayed bytes, "profiles" names it. pcap and pcapng files are recognised: their TCP streams are put
    in order and cut into frames.

    Exit status: 0 all frames are well, 1 at least one is not, 2 wrong use.
    """
    decoder = Decoder(profile)
    first = source.read(4)
    shown = _from_capture(source, first, decoder, port) if first in MAGICS else _from_lines(source, first, decoder)
    out = typer.get_binary_stream("stdout")
    for one in shown:
        out.write(json.dumps(one, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        out.flush()
    if decoder.failed:
        raise typer.Exit(1)
