"""Pure decisions of the watch: which fix is newer, what state an asset is in, which device alarms begin and end.

Everything is decided for whole columns at once; `now` and times are milliseconds since 1970 UTC.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jilink.history.columns import OLDEST_MS
from jilink.protocols.jt808.bits import ALARMS_2013, ALARMS_2019

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint32]

NEVER, MOVING, IDLE, ALARM, OFFLINE = range(5)
STATES = {"moving": MOVING, "idle": IDLE, "alarm": ALARM, "offline": OFFLINE}
"""Names of the states of an asset and their codes in map frames; 0 is an asset that never told its position."""

SILENCE_MS = 10 * 60 * 1000
"""Nothing received for so long: offline, whatever the session says."""
MOVING_SPEED = 30
"""3 km/h in 0.1 km/h: below it GNSS noise looks like motion."""
AHEAD_MS = 5 * 60 * 1000
"""A terminal's clock may be so far ahead of ours. A fix from further ahead is ordered by its receipt, so that it hides no later one."""
FLASH_MS = 2 * 60 * 1000
"""An alarm that only happened colours its asset for so long."""
SAFETY, RULED = 1, 2
"""Who says that an alarm of an asset lasts, besides its device bits: an active-safety alarm, a rule of its organisation."""
REPLACED = "replaced"
"""End of a session because the same terminal began another: the asset stays online."""

UNDO_WITHIN = timedelta(seconds=12)
"""How long an acknowledgement can be undone: the ten seconds that pages offer it, and two for the way."""
MOST_AT_ONCE = 500
"""Alarms of one acknowledgement."""
STORM_ALARMS = 10
STORM_WITHIN = timedelta(minutes=1)
"""So many alarms of one condition in one organisation within so long are a storm."""
STORM_GAP = timedelta(minutes=5)
"""A storm that no alarm joined for so long is over."""
FAMILIES = ("device", "adas", "dsm", "bsd", "tpms", "rule")
"""What alarms come from, as the first part of their condition says; a device's own have none."""

CONDITIONS = {2**number: name for number, name in sorted((ALARMS_2013 | ALARMS_2019).items())}
"""Condition by bit value of the alarm word (JT/T 808-2019, table 24, and what 2013 has besides)."""
DEVICE_BITS = sum(CONDITIONS)


class Order(NamedTuple):
    """What orders fixes of one asset: when it happened, when it was received, serial and place in its message."""

    happened: Int64s
    received: Int64s
    number: Int64s


def happened(measured: Int64s, received: Int64s) -> Int64s:
    """Return when each fix happened: the terminal's time where it can be believed, else the time of receipt."""
    result: Int64s = np.where(believed(measured, received), measured, received)
    return result


def believed(measured: Int64s, received: Int64s) -> Bools:
    """Return where a terminal's time can be believed: not before what a terminal keeps, not more than AHEAD_MS after its receipt.

    The history believes a day ahead, because there a wrong time hides nothing.
    """
    result: Bools = (measured >= received - OLDEST_MS) & (measured <= received + AHEAD_MS)
    return result


def newer(left: Order, right: Order) -> Bools:
    """Return where the left fix comes after the right one."""
    later: Bools = (left.happened > right.happened) | (
        (left.happened == right.happened)
        & ((left.received > right.received) | ((left.received == right.received) & (left.number > right.number)))
    )
    return later


def online(seen: Int64s, opened: Int64s, closed: Int64s, now: int) -> Bools:
    """Return which assets are online: heard of after their session's last end, and not silent for too long."""
    last = np.maximum(seen, opened)
    result: Bools = (last > closed) & (now - last < SILENCE_MS)
    return result


def states(is_online: Bools, located: Bools, speed: npt.NDArray[np.uint16], alarmed: Bools) -> npt.NDArray[np.uint8]:
    """Return the state codes. Offline wins over alarm, alarm over moving and idle."""
    awake = np.where(alarmed, ALARM, np.where(speed >= MOVING_SPEED, MOVING, IDLE))
    return np.where(located, np.where(is_online, awake, OFFLINE), NEVER).astype(np.uint8)


def storm_is_over(last: datetime, next_: datetime) -> bool:
    """Return whether an alarm at that moment no longer belongs to the storm whose last alarm that was."""
    return next_ - last > STORM_GAP


def edges(before: Words, after: Words) -> tuple[Words, Words]:
    """Return the bits of device alarms that begin and that end between two alarm words."""
    before, after = before & DEVICE_BITS, after & DEVICE_BITS
    return after & ~before, before & ~after


def conditions(bits: int) -> list[str]:
    """Return the names of the conditions in an alarm word."""
    return [name for value, name in CONDITIONS.items() if bits & value]


def word(names: set[str]) -> int:
    """Return the alarm word in which exactly those conditions are set; names that are no device condition are passed over."""
    return sum(value for value, name in CONDITIONS.items() if name in names)
