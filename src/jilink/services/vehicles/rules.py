"""Decisions of the vehicles service: the life of a command, plates, kinds."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Literal

import numpy as np

from jilink.kernel.errors import Refused

Year = Literal[2011, 2013, 2019]
"""Which edition of JT/T 808 a terminal speaks."""


class PlateColour(IntEnum):
    """Plate colours as terminals report them (JT/T 697.7-2014, 5.6; 0 means not yet registered, JT/T 808-2019 8.8)."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    BLACK = 3
    WHITE = 4
    GREEN = 5
    OTHER = 9


class Kind(StrEnum):
    """What sort of vehicle it is, for filters and symbols."""

    CAR = "car"
    BUS = "bus"
    TRUCK = "truck"
    TAXI = "taxi"
    HAZARDOUS = "hazardous"
    FARM = "farm"
    OTHER = "other"


class CommandState(StrEnum):
    """Where a command stands. The last three are final."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    ANSWERED = "answered"
    FAILED = "failed"
    REFUSED = "refused"


_S = CommandState
NEXT: dict[CommandState, frozenset[CommandState]] = {
    _S.QUEUED: frozenset({_S.SENDING, _S.FAILED}),
    _S.SENDING: frozenset({_S.SENT, _S.REFUSED, _S.FAILED, _S.ANSWERED}),
    _S.SENT: frozenset({_S.ANSWERED, _S.FAILED}),
    _S.ANSWERED: frozenset(),
    _S.FAILED: frozenset(),
    _S.REFUSED: frozenset(),
}
"""Every move there is. `SENDING` to `ANSWERED` is a terminal whose answer overtook the confirmation of sending."""

FINAL = frozenset(state for state, following in NEXT.items() if not following)
STALE_AFTER = timedelta(minutes=5)
"""A command that waited longer is not sent any more: whoever gave it has long acted otherwise."""


class CommandRefused(Refused):
    """The order cannot be given: a field is wrong, or its terminal is not known."""


class WrongMove(Refused):
    """A command cannot go from its state to that one."""


def move(state: str, to: CommandState) -> CommandState:
    """Return the new state. Raises WrongMove where the table has no such move."""
    if to not in NEXT[CommandState(state)]:
        raise WrongMove(f"a command that is {state} cannot become {to}")
    return to


def on_delivery(state: str, given_at: datetime, now: datetime) -> tuple[CommandState | None, str]:
    """Return the next state and its reason when the order to send arrives (perhaps a second time); None leaves it as it is.

    A first delivery of a fresh command begins sending. A delivery that finds it under way is one after a crash: whether
    the terminal got it cannot be known, and saying so is all that is honest.
    """
    current = CommandState(state)
    if current in FINAL:
        return None, ""
    if current is _S.QUEUED:
        return (_S.FAILED, "stale") if now - given_at > STALE_AFTER else (_S.SENDING, "")
    return _S.FAILED, "outcome_unknown"


_PLATE = re.compile(r"[^\s,;\"'<>\\]{2,20}")
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")


def plate(text: str) -> str:
    """Return a plate in its one spelling (upper case, no blanks or middle dots). Raises Refused where it is none."""
    tidy = re.sub(r"[\s·•・.-]", "", text).upper()
    if not _PLATE.fullmatch(tidy):
        raise Refused("A plate has 2 to 20 letters, digits or characters.")
    return tidy


def vin(text: str) -> str:
    """Return a vehicle identification number in upper case, or "". Raises Refused where it is none.

    GB 16735-2019, 5: 17 signs without I, O and Q.
    """
    tidy = text.strip().upper()
    if tidy and not _VIN.fullmatch(tidy):
        raise Refused("A VIN has 17 letters and digits, without I, O and Q.")
    return tidy


STANDING_KMH = 3.0
SHORTEST_STOP_MS = 3 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Stop:
    """A vehicle stood here. Times in ms since 1970 UTC; degrees WGS-84."""

    start_ms: int
    end_ms: int
    latitude: float
    longitude: float


def stops(t: np.ndarray, speed_kmh: np.ndarray, latitude: np.ndarray, longitude: np.ndarray) -> list[Stop]:
    """Return where a track stood for three minutes or longer: below 3 km/h, or silent between two such fixes."""
    if len(t) == 0:
        return []
    standing = np.nan_to_num(speed_kmh, nan=0.0) < STANDING_KMH
    edges = np.flatnonzero(np.diff(standing.astype(np.int8)))
    begins = np.concatenate([[0], edges + 1])
    ends = np.concatenate([edges, [len(t) - 1]])
    return [
        Stop(int(t[begin]), int(t[end]), float(latitude[begin]), float(longitude[begin]))
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        if standing[begin] and t[end] - t[begin] >= SHORTEST_STOP_MS
    ]


LONGEST_MEDIA_DAYS = 3660


class RecordingsRefused(Refused):
    """Recordings cannot be kept for so long."""


def media_retention(days: int | None) -> None:
    """Raise RecordingsRefused where recordings cannot be kept for so many days."""
    if days is not None and not 0 <= days <= LONGEST_MEDIA_DAYS:
        raise RecordingsRefused("Keep recordings for 1 to 3660 days, or for ever (0).")
