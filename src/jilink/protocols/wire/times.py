"""Times in packed decimal digits, as terminals write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random

from jilink.kernel.clock import CHINA
from jilink.protocols.wire.cursor import Cursor, Json
from jilink.protocols.wire.kinds import Kind, Unencodable

_DECIMAL = tuple(10 * (byte >> 4) + (byte & 15) if byte < 0xA0 and byte & 15 < 10 else 8000 for byte in range(256))
"""What a byte of two decimal digits says; 8000 (which no part of a time can be) where it has others."""
_FIRST = datetime(2024, 1, 1, tzinfo=UTC)


class Time(Kind[datetime | None]):
    """BCD `YYMMDDhhmmss` in the zone given (UTC+8 but for 0x8004; JT/T 808-2019, 4.1): an aware UTC time.

    All zeros mean "no clock" (None). Digits that are no time are None too, and noted.
    """

    size = 6

    def __init__(self, doc: str = "", *, utc: bool = False, name: str = "", source: str = "") -> None:
        super().__init__(doc, name=name, source=source)
        self.zone = UTC if utc else CHINA
        self.offset = self.zone.utcoffset(None)

    @property
    def wire(self) -> str:
        return "BCD[6] time"

    def empty(self) -> datetime | None:
        return None

    def read(self, cursor: Cursor, record: object) -> datetime | None:
        raw = cursor.take(6, self.name)
        if raw == b"\0\0\0\0\0\0":
            return None
        try:
            year, month, day, hour, minute, second = map(_DECIMAL.__getitem__, raw)
            return datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC) - self.offset
        except ValueError:
            cursor.tolerate("not-a-time", self.name, raw.hex())
            return None

    def write(self, out: bytearray, value: datetime | None, record: object) -> None:
        if value is None:
            out += bytes(6)
            return
        if value.tzinfo is None or not 2000 <= value.astimezone(self.zone).year <= 2099:
            raise Unencodable(f"{self.name}: {value} must be an aware time of the years 2000 to 2099")
        out += bytes.fromhex(value.astimezone(self.zone).strftime("%y%m%d%H%M%S"))

    def random(self, rng: Random, record: object) -> datetime | None:
        return _FIRST + timedelta(seconds=rng.randrange(2 * 365 * 86400))

    def render(self, value: datetime | None) -> Json:
        return self._leaf(None if value is None else value.astimezone(self.zone).isoformat())


class Moment(Kind[datetime | time | None]):
    """A `Time` whose date may be all zero: then it is a time of every day (JT/T 808-2019, table 57).

    All zeros are midnight of every day for an area's start and end.
    """

    size = 6

    def __init__(self, doc: str = "", *, name: str = "") -> None:
        super().__init__(doc, name=name)
        self.dated = Time(doc, name=name)

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        self.dated.name = self.name

    @property
    def wire(self) -> str:
        return "BCD[6] time"

    def empty(self) -> datetime | time | None:
        return time()

    def read(self, cursor: Cursor, record: object) -> datetime | time | None:
        raw = cursor.data[cursor.at : min(cursor.at + 6, cursor.end)]
        if len(raw) == 6 and raw[:3] == b"\0\0\0" and raw.hex().isdecimal():
            hour, minute, second = (int(f"{byte:x}") for byte in raw[3:])
            if hour < 24 and minute < 60 and second < 60:
                cursor.take(6)
                return time(hour, minute, second)
        return self.dated.read(cursor, record)

    def write(self, out: bytearray, value: datetime | time | None, record: object) -> None:
        if isinstance(value, time):
            out += bytes(3) + bytes.fromhex(value.strftime("%H%M%S"))
        else:
            self.dated.write(out, value, record)

    def random(self, rng: Random, record: object) -> datetime | time | None:
        return self.dated.random(rng, record) if rng.random() < 0.5 else time(rng.randrange(24), rng.randrange(60), rng.randrange(60))

    def render(self, value: datetime | time | None) -> Json:
        return self._leaf(value.isoformat()) if isinstance(value, time) else self.dated.render(value)


class Day(Kind[date | None]):
    """BCD `YYYYMMDD` (JT/T 808-2019, table 39: expiry of a certificate). All zeros are None."""

    size = 4

    @property
    def wire(self) -> str:
        return "BCD[4] date"

    def empty(self) -> date | None:
        return None

    def read(self, cursor: Cursor, record: object) -> date | None:
        text = cursor.take(4, self.name).hex()
        if text == "00000000":
            return None
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            cursor.tolerate("not-a-time", self.name, text)
            return None

    def write(self, out: bytearray, value: date | None, record: object) -> None:
        out += bytes(4) if value is None else bytes.fromhex(value.strftime("%Y%m%d").rjust(8, "0"))

    def random(self, rng: Random, record: object) -> date | None:
        return (_FIRST + timedelta(days=rng.randrange(3650))).date()

    def render(self, value: date | None) -> Json:
        return self._leaf(None if value is None else value.isoformat())


class ClockTime(Kind[time | None]):
    """BCD `hhmmss` and four digits of milliseconds, of the CAN frames (JT/T 808-2019, table 41)."""

    size = 5

    @property
    def wire(self) -> str:
        return "BCD[5] time of day"

    def empty(self) -> time | None:
        return time()

    def read(self, cursor: Cursor, record: object) -> time | None:
        text = cursor.take(5, self.name).hex()
        try:
            return time(int(text[:2]), int(text[2:4]), int(text[4:6]), int(text[6:]) * 1000)
        except ValueError:
            cursor.tolerate("not-a-time", self.name, text)
            return None

    def write(self, out: bytearray, value: time | None, record: object) -> None:
        value = value or time()
        out += bytes.fromhex(f"{value:%H%M%S}{value.microsecond // 1000:04d}")

    def random(self, rng: Random, record: object) -> time | None:
        return time(rng.randrange(24), rng.randrange(60), rng.randrange(60), rng.randrange(1000) * 1000)

    def render(self, value: time | None) -> Json:
        return self._leaf(None if value is None else value.isoformat("milliseconds"))
