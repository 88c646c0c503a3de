"""Second legs: what they are at, and what may be done with them."""

from enum import StrEnum

from jilink.kernel.errors import Refused


class Stage(StrEnum):
    """What a second leg is at."""

    ASKED = "asked"
    """It rings on behalf of an agent; the caller hears music."""
    PRIVATE = "private"
    """Agent and second leg talk; the caller hears music."""
    THREE = "three"
    """All three talk."""
    DIALLED = "dialled"
    """It rings for the caller, whose agent has left or who comes from a flow."""
    THROUGH = "through"
    """Caller and second leg talk, nobody else."""


class Deed(StrEnum):
    """What an agent does with a second leg."""

    BACK = "back"
    """End it and talk with the caller again."""
    CONFERENCE = "conference"
    CONNECT = "connect"
    """Caller and second leg talk, the agent leaves."""


_S = Stage
ALLOWED: dict[Deed, frozenset[Stage]] = {
    Deed.BACK: frozenset({_S.ASKED, _S.PRIVATE, _S.THREE}),
    Deed.CONFERENCE: frozenset({_S.PRIVATE}),
    Deed.CONNECT: frozenset({_S.PRIVATE, _S.THREE}),
}
"""In which stages an agent may do what."""
WITH_AGENT = frozenset({_S.ASKED, _S.PRIVATE, _S.THREE})


class SideRefused(Refused):
    """It cannot be done with the second leg as it is now."""


def check(deed: Deed, stage: str) -> None:
    """Return where an agent may do it. Raises SideRefused."""
    if Stage(stage) not in ALLOWED[deed]:
        raise SideRefused("That cannot be done now: wait until they answer, or go back to the caller.")
