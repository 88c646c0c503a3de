"""A picture that a dashboard camera might take, drawn: sky, road, a car ahead, and the caption cameras burn in."""

import io
from datetime import datetime
from random import Random

from PIL import Image, ImageDraw

from jilink.kernel.clock import CHINA

SIZES = {
    0: (160, 120),
    1: (320, 240),
    2: (640, 480),
    3: (800, 600),
    4: (1024, 768),
    5: (176, 144),
    6: (352, 288),
    7: (704, 288),
    8: (704, 576),
}
"""Resolution codes of JT/T 808-2019, 8.54; 0xFF is the highest."""


def take(at: datetime, speed_kmh: float, resolution: int, quality: int, dice: Random) -> bytes:
    """Return a JPEG. `resolution` is the code of the order, `quality` its 1 (least loss) to 10 (smallest)."""
    width, height = SIZES.get(resolution, SIZES[4])
    local = at.astimezone(CHINA)
    day = 7 <= local.hour < 17
    sky, ground, road = ((150, 190, 230), (196, 190, 150), (96, 98, 104)) if day else ((16, 20, 42), (24, 26, 24), (44, 45, 50))
    picture = Image.new("RGB", (width, height), sky)
    draw = ImageDraw.Draw(picture)
    horizon, middle = round(height * 0.45), round(width * dice.uniform(0.46, 0.54))
    draw.rectangle((0, horizon, width, height), fill=ground)
    draw.polygon([(middle - 4, horizon), (middle + 4, horizon), (round(width * 0.95), height), (round(width * 0.05), height)], fill=road)
    for step in range(6):
        near, far = (step + 0.6) ** 2 / 40 + 0.02, (step + 0.2) ** 2 / 40 + 0.01
        top, bottom = horizon + (height - horizon) * min(far, 1), horizon + (height - horizon) * min(near, 1)
        draw.line((middle, top, middle, bottom), fill=(235, 235, 225), width=max(round(bottom - horizon) // 30, 1))
    if dice.random() < 0.7:
        size = dice.uniform(0.05, 0.14) * width
        base = horizon + (height - horizon) * size / width * 3
        draw.rectangle(
            (middle - size / 2, base - size * 0.7, middle + size / 2, base),
            fill=dice.choice(((150, 30, 30), (230, 230, 230), (40, 60, 120))),
        )
    draw.text((6, 4), f"{local:%Y-%m-%d %H:%M:%S}  {speed_kmh:.0f} km/h", fill=(255, 255, 255))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=max(95 - 8 * (quality - 1), 20))
    return out.getvalue()
