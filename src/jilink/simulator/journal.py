"""What a terminal knows to be safe: the positions whose acknowledgement has reached it."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from jilink.protocols.jt808.position import PositionBody


class Acknowledged(NamedTuple):
    """One position that the platform has answered with success, and the message that carried it then."""

    phone: str
    measured_at: datetime
    message: int
    serial: int
    part: int
    latitude: int
    """1e-6 degrees"""
    longitude: int
    """1e-6 degrees"""
    body: PositionBody
    """All that it reported."""


Note = Callable[[Acknowledged], None]


class Journal:
    """Keeps every acknowledged position of any number of terminals, for a proof that none was lost."""

    def __init__(self) -> None:
        self.acknowledged: list[Acknowledged] = []

    def note(self, position: Acknowledged) -> None:
        """Keep one more."""
        self.acknowledged.append(position)


def forget(position: Acknowledged) -> None:
    """Keep nothing, for runs without end."""
