"""Pictures: time and place read from their Exif, then everything encoded anew without it.

Exif tags by Exif 3.0 (CIPA DC-008-2023): 0x9003 DateTimeOriginal, 0x9011 OffsetTimeOriginal, 0x8825 the GPS directory with
1 to 4 latitude and longitude.
"""

import io
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from PIL import Image, ImageOps

from jilink.core.files.rules import GIF, JPEG, MOST_PIXELS, PNG, FileRefused, Kind
from jilink.kernel.clock import CHINA

LONGEST_SIDE = 2560
SMALL_SIDE = 360
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_EXIF, _GPS = 0x8769, 0x8825
_TAKEN, _OFFSET = 0x9003, 0x9011
_PROBLEMS = (OSError, ValueError, SyntaxError, TypeError, EOFError, ArithmeticError, LookupError)
"""What Pillow raises for a file that is not what it says."""
_TOO_MANY = f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels. Nothing was kept. Send a smaller one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture ready to keep. Degrees WGS-84; None where the camera did not say. `taken_at` is aware UTC."""

    kind: Kind
    data: bytes
    thumbnail: bytes
    width: int
    height: int
    taken_at: datetime | None
    latitude: float | None
    longitude: float | None


def renew(data: bytes, kind: Kind) -> Picture:
    """Return the picture encoded anew: upright, at most 2560 pixels a side, without metadata. Raises FileRefused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged Exif is read as far as it goes
            opened = Image.open(io.BytesIO(data), formats=_FORMATS)
            if opened.width * opened.height > MOST_PIXELS:
                raise FileRefused(_TOO_MANY)
            opened.load()
            taken_at, place = _metadata(opened)
            upright = ImageOps.exif_transpose(opened)
    except Image.DecompressionBombError as error:
        raise FileRefused(_TOO_MANY) from error
    except _PROBLEMS as error:
        raise FileRefused("The picture is damaged and cannot be read. Nothing was kept. Send it again, or another.") from error
    lossless = kind in (PNG, GIF) and upright.mode in ("1", "L", "LA", "P", "PA", "RGBA")
    small = upright.convert("RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB")
    if max(small.size) > LONGEST_SIDE:
        small.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    kept_as, kept = (PNG, _png(small)) if lossless else (JPEG, _jpeg(small, 88))
    tiny = small.copy()
    tiny.thumbnail((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
    return Picture(
        kind=kept_as,
        data=kept,
        thumbnail=_jpeg(tiny, 80),
        width=small.width,
        height=small.height,
        taken_at=taken_at,
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
    )


def _flat(picture: Image.Image) -> Image.Image:
    """Return the picture on white, without transparency or any metadata it carried."""
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    return flat


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    _flat(picture).save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


def _png(picture: Image.Image) -> bytes:
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    out = io.BytesIO()
    clean.save(out, "PNG", optimize=True)
    return out.getvalue()


def _metadata(picture: Image.Image) -> tuple[datetime | None, tuple[float, float] | None]:
    """Return when and where the camera says it was; each None where it does not, or says nonsense."""
    try:
        exif = picture.getexif()
        inner, gps = exif.get_ifd(_EXIF), exif.get_ifd(_GPS)
    except _PROBLEMS:
        return None, None
    return _taken_at(str(inner.get(_TAKEN, "")), str(inner.get(_OFFSET, ""))), _place(gps)


def _taken_at(local: str, offset: str) -> datetime | None:
    """Return aware UTC; a camera that names no offset is taken to show the time of China."""
    zone = CHINA
    if len(offset) == 6 and offset[0] in "+-" and offset[1:3].isdecimal() and offset[4:].isdecimal() and int(offset[1:3]) < 24:
        span = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
        zone = timezone(-span if offset[0] == "-" else span)
    try:
        return datetime.strptime(local.strip("\0 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone).astimezone(CHINA)
    except ValueError:
        return None


def _place(gps: dict[int, object]) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees; None without both, out of range, or at 0, 0, which cameras write for "no fix"."""
    latitude, longitude = _degrees(gps.get(2), gps.get(1), "S"), _degrees(gps.get(4), gps.get(3), "W")
    if latitude is None or longitude is None or not (abs(latitude) <= 90 and abs(longitude) <= 180) or (latitude == longitude == 0):
        return None
    return latitude, longitude


def _degrees(parts: object, half: object, negative: str) -> float | None:
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except _PROBLEMS:
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if value != value:  # a rational with denominator 0
        return None
    return -value if str(half).strip("\0 ").upper() == negative else value
