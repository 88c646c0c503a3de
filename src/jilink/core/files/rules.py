"""What a file is, by its first bytes, and what may be kept. Pure: no disk, no clock."""

import re
import unicodedata
from dataclasses import dataclass

from jilink.kernel.errors import Refused

LARGEST = {"image": 25_000_000, "audio": 50_000_000, "document": 25_000_000}
"""Bytes."""
MOST_PIXELS = 60_000_000


class FileRefused(Refused):
    """This is not a kind of file that is kept here, or it is too large."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: how it is kept (``image``, ``audio``, ``document``), its media type and usual suffix."""

    family: str
    content_type: str
    suffix: str


JPEG = Kind("image", "image/jpeg", "jpg")
PNG = Kind("image", "image/png", "png")
WEBP = Kind("image", "image/webp", "webp")
GIF = Kind("image", "image/gif", "gif")
MP3 = Kind("audio", "audio/mpeg", "mp3")
WAV = Kind("audio", "audio/wav", "wav")
OGG = Kind("audio", "audio/ogg", "ogg")
M4A = Kind("audio", "audio/mp4", "m4a")
AMR = Kind("audio", "audio/amr", "amr")
PDF = Kind("document", "application/pdf", "pdf")
DOCX = Kind("document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx")
XLSX = Kind("document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx")
TEXT = Kind("document", "text/plain", "txt")

INLINE = frozenset(kind.content_type for kind in (JPEG, PNG, MP3, WAV, OGG, M4A))
"""What a browser may show by itself; all else is only ever saved to a disk."""

_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    (rb"\xff\xd8\xff", JPEG),
    (rb"\x89PNG\r\n\x1a\n", PNG),
    (rb"RIFF....WEBP", WEBP),
    (rb"GIF8[79]a", GIF),
    (rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", MP3),
    (rb"RIFF....WAVE", WAV),
    (rb"OggS\x00", OGG),
    (rb"....ftyp(?:M4A |M4B |mp42|isom|3gp[4-6])", M4A),
    (rb"#!AMR(?:-WB)?\n", AMR),
    (rb"%PDF-1\.|%PDF-2\.", PDF),
)
_OFFICE = ((b"word/", DOCX), (b"xl/", XLSX))
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|svg|script|\?xml)", re.IGNORECASE)


def kind_of(data: bytes) -> Kind:
    """Return what the bytes are. Raises FileRefused where they are nothing that is kept."""
    for pattern, kind in _BEGINNINGS:
        if re.match(pattern, data, re.DOTALL):
            return kind
    if data.startswith(b"PK\x03\x04") and b"[Content_Types].xml" in data:
        for part, kind in _OFFICE:
            if part in data:
                return kind
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        raise FileRefused('This is an HEIC picture. Nothing was kept. Set the camera to "most compatible" or send it as JPEG.')
    if data and not _NOT_TEXT.search(data) and not _MARKUP.match(data):
        return TEXT
    raise FileRefused("This kind of file cannot be kept. Send a photo (JPEG, PNG), sound (MP3, M4A, AMR, WAV), PDF, Word, Excel or text.")


def check_size(kind: Kind, size: int) -> None:
    """Return where a file of this kind may be so large (bytes). Raises FileRefused."""
    if not size:
        raise FileRefused("The file is empty. Nothing was kept.")
    if size > LARGEST[kind.family]:
        raise FileRefused(
            "The file has %(value).1f MB; at most %(value2)s MB are kept. Send a smaller one.",
            value=size / 1000000.0,
            value2=LARGEST[kind.family] // 1000000,
        )


def name_of(given: str, kind: Kind) -> str:
    """Return the name to show and to save under: no path, no control characters, the suffix of what it really is."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", given))[-1]
    stem = "".join(c for c in last.rpartition(".")[0] or last if unicodedata.category(c)[0] != "C").strip(" .")
    return f"{stem[:110] or kind.family}.{kind.suffix}"
