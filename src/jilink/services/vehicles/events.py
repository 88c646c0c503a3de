"""What happened in the vehicles service, for those who react."""

from typing import ClassVar

from jilink.spine.events import Event


class CommandGiven(Event, frozen=True, kw_only=True):
    """Someone gave an order to a vehicle's terminal; it waits to be sent."""

    NOUN: ClassVar[str] = "vehicles"
    command: str
    asset: int
