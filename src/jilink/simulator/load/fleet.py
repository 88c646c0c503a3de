"""Many identical-looking terminals for the load generator: what each sends, made with the declared messages.

Only protocols are used, so the load is what real terminals would send: JT/T 808-2013 positions with three to six tagged items.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from jilink.protocols.jt808.codec import encode_message
from jilink.protocols.jt808.general import Authentication2013
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.position import Position2013
from jilink.protocols.wire.groups import Tags

FIRST_PHONE = 14_000_000_000
ITEMS = ("fuel", "recorder_speed", "signals", "io", "network_signal", "satellites")


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


def positions(terminal: LoadTerminal, count: int, start: datetime, dice: Random) -> Iterator[bytes]:
    """Yield `count` position frames, ten seconds apart from `start`, in Jilin province."""
    table = Position2013.items
    latitude, longitude = dice.uniform(41.2, 46.0), dice.uniform(122.0, 131.0)
    for number in range(count):
        chosen = dice.sample(ITEMS, dice.randint(2, 5))
        tags = [table.tag("odometer", dice.randrange(5_000_000)), *(table.tag(name, dice.randrange(200)) for name in chosen)]
        fix = Position2013(
            alarm=0 if dice.random() < 0.95 else 1 << dice.randrange(29),
            status=3,
            latitude=round(latitude * 1e6) + number * 900,
            longitude=round(longitude * 1e6) + number * 900,
            altitude=dice.randrange(50, 900),
            speed=dice.randrange(1200),
            course=dice.randrange(360),
            measured_at=start + timedelta(seconds=10 * number),
            items=Tags(tags),
        )
        yield encode_message(fix, Header(0x0200, terminal.phone, number + 1, year=2013))[0]
