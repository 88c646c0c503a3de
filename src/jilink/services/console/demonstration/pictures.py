"""Photos that nobody took: drawn anew each time, so that no real place or person is shown."""

import io
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw, ImageFilter

SIZE = (800, 600)
Brush = ImageDraw.ImageDraw
_WIDE, _HIGH = SIZE


def photo(kind: str, random: Random, *, after: bool = False) -> bytes:
    """Return a JPEG of a kind of story, before or after it was put right; the same random numbers draw the same picture."""
    picture = Image.new("RGB", SIZE, _GROUND.get(kind, (120, 122, 126)))
    _grain(picture, random)
    brush = ImageDraw.Draw(picture)
    _DRAWN[kind](brush, random, after)
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(1.2)).save(out, "JPEG", quality=84)
    return out.getvalue()


def kinds() -> frozenset[str]:
    """Return what can be drawn."""
    return frozenset(_DRAWN)


def _grain(picture: Image.Image, random: Random) -> None:
    """Roughen the ground: small noise made large, laid over the colour."""
    small = Image.frombytes("L", (100, 75), random.randbytes(7500)).resize(SIZE, Image.Resampling.BICUBIC)
    picture.paste(Image.blend(picture, Image.merge("RGB", (small, small, small)), 0.14))


def _manhole(brush: Brush, random: Random, after: bool) -> None:
    x, y, r = 400 + random.randint(-60, 60), 320 + random.randint(-30, 30), 150
    brush.ellipse((x - r - 18, y - r * 0.7 - 12, x + r + 18, y + r * 0.7 + 12), fill=(86, 84, 80))
    brush.ellipse((x - r, y - r * 0.7, x + r, y + r * 0.7), fill=(58, 58, 62) if after else (22, 20, 18))
    for step in range(-4, 5):
        brush.line((x - r * 0.8, y + step * 22, x + r * 0.8, y + step * 22), fill=(98, 98, 102) if after else (44, 42, 40), width=5)
    if not after:
        brush.polygon([(x - r, y), (x - 20, y - 20), (x + 30, y + 70), (x - 60, y + 95)], fill=(8, 8, 8))
        _cone(brush, x + 220, y + 120)


def _lamp(brush: Brush, random: Random, after: bool) -> None:
    brush.rectangle((0, 430, _WIDE, _HIGH), fill=(40, 42, 50))
    for number in range(3):
        x = 130 + number * 260 + random.randint(-20, 20)
        top = 120 + number * 20
        brush.line((x, 470, x, top), fill=(90, 92, 100), width=12)
        brush.line((x, top, x + 90, top - 18), fill=(90, 92, 100), width=9)
        lit = after or number == 1
        if lit:
            brush.polygon([(x + 90, top - 10), (x - 10, 470), (x + 210, 470)], fill=(112, 104, 70))
        brush.ellipse((x + 64, top - 34, x + 124, top - 4), fill=(255, 238, 170) if lit else (60, 62, 70))


def _snow(brush: Brush, random: Random, after: bool) -> None:
    brush.polygon([(250, _HIGH), (550, _HIGH), (440, 180), (360, 180)], fill=(96, 98, 104) if after else (206, 214, 224))
    brush.rectangle((0, 0, _WIDE, 180), fill=(164, 178, 196))
    for _each in range(26):
        x, r = random.randint(0, _WIDE), random.randint(20, 60)
        y = random.randint(260, _HIGH)
        if not 230 < x < 570 or not after:
            brush.ellipse((x - r, y - r // 2, x + r, y + r // 2), fill=(238, 242, 247))
    for x in (90, 700):
        brush.line((x, 420, x, 90), fill=(74, 62, 54), width=16)
        for turn in range(5):
            brush.line((x, 300 - turn * 40, x + random.randint(-90, 90), 250 - turn * 45), fill=(74, 62, 54), width=6)


def _road(brush: Brush, random: Random, after: bool) -> None:
    brush.rectangle((0, 0, _WIDE, 150), fill=(172, 190, 206))
    brush.polygon([(60, _HIGH), (740, _HIGH), (460, 150), (340, 150)], fill=(92, 92, 94))
    for turn in range(5):
        y = 180 + turn * 90
        brush.rectangle((396 - turn, y, 404 + turn, y + 40), fill=(224, 220, 200))
    x, y = 360 + random.randint(-70, 70), 430 + random.randint(-40, 40)
    points = [(x + random.randint(-30, 30) + dx, y + random.randint(-12, 12) + dy) for dx, dy in _RIM]
    brush.polygon(points, fill=(60, 60, 62) if after else (52, 44, 36))
    if not after:
        brush.ellipse((x - 70, y - 20, x + 60, y + 28), fill=(92, 102, 110))
        _cone(brush, x + 210, y + 40)


def _bins(brush: Brush, random: Random, after: bool) -> None:
    brush.rectangle((0, 0, _WIDE, 300), fill=(180, 172, 160))
    for number, colour in enumerate(((50, 110, 70), (60, 90, 140), (120, 70, 60))):
        x = 130 + number * 190
        brush.rectangle((x, 230, x + 140, 460), fill=colour)
        brush.rectangle((x - 8, 214, x + 148, 240), fill=tuple(part + 20 for part in colour))
    for _each in range(0 if after else 22):
        x, y, r = random.randint(90, 700), random.randint(180, 520), random.randint(18, 46)
        brush.ellipse((x - r, y - r, x + r, y + r), fill=random.choice(((40, 40, 44), (220, 220, 224), (190, 150, 90))))


def _radiator(brush: Brush, random: Random, after: bool) -> None:
    brush.rectangle((0, 480, _WIDE, _HIGH), fill=(150, 116, 84))
    for number in range(9):
        x = 90 + number * 48
        brush.rounded_rectangle((x, 220, x + 38, 460), radius=14, fill=(238, 238, 234), outline=(190, 190, 186), width=3)
    brush.rounded_rectangle((560, 200, 740, 330), radius=16, fill=(250, 250, 250), outline=(120, 120, 120), width=4)
    value = 20.0 + random.random() if after else 15.0 + 1.9 * random.random()
    brush.text((585, 232), f"{value:.1f} °C", fill=(30, 30, 30), font_size=40)


def _leaf(brush: Brush, random: Random, _after: bool) -> None:
    brush.polygon([(80, 340), (260, 190), (540, 170), (740, 260), (560, 400), (270, 430)], fill=(86, 140, 62))
    brush.line((80, 340, 740, 260), fill=(150, 190, 110), width=8)
    for _each in range(18):
        x, y, r = random.randint(180, 640), random.randint(220, 380), random.randint(8, 26)
        brush.ellipse((x - r * 1.6, y - r, x + r * 1.6, y + r), fill=(122, 84, 40))
        brush.ellipse((x - r * 0.7, y - r * 0.5, x + r * 0.7, y + r * 0.5), fill=(196, 176, 130))


def _cone(brush: Brush, x: float, y: float) -> None:
    brush.polygon([(x, y - 130), (x - 50, y), (x + 50, y)], fill=(226, 92, 40))
    brush.polygon([(x - 19, y - 80), (x + 19, y - 80), (x + 31, y - 48), (x - 31, y - 48)], fill=(244, 244, 240))
    brush.rectangle((x - 62, y, x + 62, y + 14), fill=(60, 50, 46))


_RIM = ((-120, 0), (-80, -40), (0, -52), (90, -34), (130, 6), (80, 48), (-10, 58), (-90, 40))
_GROUND = {
    "manhole": (116, 116, 118),
    "lamp": (22, 26, 44),
    "snow": (226, 232, 240),
    "road": (128, 122, 96),
    "bins": (132, 132, 134),
    "radiator": (214, 206, 190),
    "leaf": (104, 92, 66),
}
_DRAWN: dict[str, Callable[[Brush, Random, bool], None]] = {
    "manhole": _manhole,
    "lamp": _lamp,
    "snow": _snow,
    "road": _road,
    "bins": _bins,
    "radiator": _radiator,
    "leaf": _leaf,
}
