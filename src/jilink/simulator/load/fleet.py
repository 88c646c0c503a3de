"""Many identical-looking terminals for the load generator: what each sends, made with the declared messages.

Only protocols are used, so the load is what real terminals would send: JT/T 808-2013 positions with three to six tagged items.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from jilink.protocols.jt808.codec import encode_body, encode_message
from jilink.protocols.jt808.general import Authentication2013
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.position import Position2013
from jilink.protocols.wire.groups import Tags

FIRST_PHONE = 14_000_000_000
STEP = 900
"""Millionths of a degree that a terminal goes north and east from one position to the next."""
ITEMS = ("fuel", "recorder_speed", "signals", "io", "network_signal", "satellites")
_PLACES = {field.name: field for field in Position2013.fixed()}


@dataclass(frozen=True, slots=True)
class LoadTerminal:
    """One terminal of the load. `asset` counts from 1; the token is what its 0x0102 carries."""

    asset: int
    phone: str
    token: str


def fleet(count: int) -> list[LoadTerminal]:
    """Return `count` terminals; the same count gives the same fleet."""
    return [LoadTerminal(number + 1, str(FIRST_PHONE + number), f"load-{number:08d}") for number in range(count)]


def login(terminal: LoadTerminal) -> bytes:
    """Return the terminal's authentication frame."""
    return b"".join(encode_message(Authentication2013(token=terminal.token), Header(0x0102, terminal.phone, 0, year=2013)))


def positions(terminal: LoadTerminal, count: int, start: datetime, dice: Random, every_s: float = 10) -> Iterator[bytes]:
    """Yield `count` position frames, `every_s` seconds apart from `start`, in Jilin province.

    The first is written whole; in the others serial, place and time alone are written anew, by the kinds that declare them.
    """
    table = Position2013.items
    latitude, longitude = dice.uniform(41.2, 46.0), dice.uniform(122.0, 131.0)
    chosen = dice.sample(ITEMS, dice.randint(2, 5))
    tags = [table.tag("odometer", dice.randrange(5_000_000)), *(table.tag(name, dice.randrange(200)) for name in chosen)]
    fix = Position2013(
        alarm=0 if dice.random() < 0.95 else 1 << dice.randrange(29),
        status=3,
        latitude=round(latitude * 1e6),
        longitude=round(longitude * 1e6),
        altitude=dice.randrange(50, 900),
        speed=dice.randrange(1200),
        course=dice.randrange(360),
        measured_at=start,
        items=Tags(tags),
    )
    body = bytearray()
    fix.write(body)
    for number in range(count):
        for name, value in (
            ("latitude", fix.latitude + number * STEP),
            ("longitude", fix.longitude + number * STEP),
            ("measured_at", start + timedelta(seconds=every_s * number)),
        ):
            place, written = _PLACES[name], bytearray()
            place.kind.write(written, value, fix)
            body[place.offset : place.offset + place.size] = written
        yield encode_body(bytes(body), Header(0x0200, terminal.phone, number + 1, year=2013))[0]
