"""From what a vehicle measures to what its terminal reports: positions with tagged items, and now and then an alarm."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple, cast

from jilink.kernel.clock import CHINA
from jilink.protocols.jt808.message import MESSAGES, Message, Year
from jilink.protocols.jt808.position import PositionBody, PositionBody2013
from jilink.protocols.wire.groups import Tags
from jilink.simulator.motion import Fix

ACC, POSITIONED, LOADED, GPS, BEIDOU, MOVING = 1, 1 << 1, 0b11 << 8, 1 << 18, 1 << 19, 1 << 22
LOW_BEAM, RIGHT, LEFT, BRAKE, AIR = 1 << 0, 1 << 2, 1 << 3, 1 << 4, 1 << 9


class Alarm(NamedTuple):
    """One kind of trouble: its bit in the alarm word (JT/T 808-2019, table 24), how often among all and how long it lasts."""

    bit: int
    weight: int
    lasts_s: tuple[int, int]
    until_confirmed: bool = False


ALARMS = (
    Alarm(bit=1, weight=50, lasts_s=(20, 180)),  # overspeed
    Alarm(bit=2, weight=15, lasts_s=(300, 1200)),  # fatigue
    Alarm(bit=13, weight=20, lasts_s=(10, 60)),  # overspeed warning
    Alarm(bit=4, weight=5, lasts_s=(30, 120)),  # GNSS fault
    Alarm(bit=7, weight=5, lasts_s=(60, 600)),  # main power low
    Alarm(bit=0, weight=3, lasts_s=(60, 300), until_confirmed=True),  # emergency button
    Alarm(bit=29, weight=2, lasts_s=(30, 90)),  # collision
)


class Troubles:
    """Raises an alarm now and then and clears it when its time is over or an operator has confirmed it."""

    def __init__(self, dice: Random, every_s: float, now: datetime) -> None:
        """`every_s` is the mean time between alarms; 0 means never."""
        self._dice, self._every_s = dice, every_s
        self._now: Alarm | None = None
        self._until = now
        self._next = self._soon(now)

    def word(self, now: datetime) -> int:
        """Return the alarm word at a moment."""
        if self._now is not None and now >= self._until:
            self._now = None
            self._next = self._soon(now)
        if self._now is None and self._every_s and now >= self._next:
            self._now = self._dice.choices(ALARMS, [alarm.weight for alarm in ALARMS])[0]
            self._until = now + timedelta(seconds=self._dice.uniform(*self._now.lasts_s))
        return 0 if self._now is None else 1 << self._now.bit

    def confirm(self, alarms: int, now: datetime) -> None:
        """End those alarms of the word that wait for a confirmation (JT/T 808-2019, 8.22)."""
        if self._now is not None and self._now.until_confirmed and alarms >> self._now.bit & 1:
            self._until = now

    def _soon(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._dice.expovariate(1 / self._every_s) if self._every_s else 0.0)


def fill(body: type[PositionBody], fix: Fix, alarm: int, extra_status: int = 0) -> PositionBody:
    """Return the body of a position report: fixed part and items."""
    status = POSITIONED | GPS | BEIDOU | extra_status
    status |= ACC if fix.ignition else 0
    status |= LOADED if fix.loaded else 0
    status |= MOVING if fix.speed_kmh > 0 and body is not PositionBody2013 else 0
    table = body.items
    values: dict[str, object] = {
        "odometer": round(fix.odometer_km * 10),
        "fuel": round(fix.fuel_l * 10),
        "recorder_speed": round(fix.speed_kmh * 10),
        "signals": _signals(fix),
        "network_signal": fix.signal,
        "satellites": fix.satellites,
    }
    return body(
        alarm=alarm,
        status=status,
        latitude=round(fix.latitude * 1e6),
        longitude=round(fix.longitude * 1e6),
        altitude=fix.altitude_m,
        speed=round(fix.speed_kmh * 10),
        course=fix.course,
        measured_at=fix.at.replace(microsecond=0),
        items=Tags([table.tag(name, value) for name, value in values.items()]),
    )


def body_of(year: Year) -> type[PositionBody]:
    """Return the shape of a position inside other messages in one year's edition."""
    return PositionBody if year == 2019 else PositionBody2013


def message(id: int, year: Year, **fields: object) -> Message:
    """Return an upward message of one year's edition."""
    make = cast(Callable[..., Message], MESSAGES[id, "up", year])
    return make(**fields)


def _signals(fix: Fix) -> int:
    dark = not 7 <= fix.at.astimezone(CHINA).hour < 17
    lamps = LOW_BEAM if dark and fix.ignition else 0
    turn = {1: RIGHT, -1: LEFT}.get(fix.turn, 0)
    return lamps | turn | (BRAKE if fix.braking else 0)
