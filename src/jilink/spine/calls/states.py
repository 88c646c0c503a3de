"""What legs and talks are, and how they are named."""

import re
import secrets
from datetime import datetime
from typing import Literal

import msgspec

from jilink.kernel.settings import Settings

Node = str
Leg = str
Talk = str


OWN = "own"
"""Name of the engine that this installation runs itself."""


def names(settings: Settings) -> list[Node]:
    """Return the names of the nodes of an installation (JILINK_VOICE_NODES), of its own engine where it names none."""
    given = [part.partition("=")[0].strip() for part in settings.voice_nodes.split(",") if part.strip()]
    return given or [OWN]


def new_id(prefix: str = "") -> str:
    """Return a new id for a leg, talk, play or recording: 80 random bits, after the prefix and a hyphen where there is one."""
    return (f"{prefix}-" if prefix else "") + secrets.token_hex(10)


def tag(name: str) -> str:
    """Return the tag of a message class: ``LegArrived`` is ``leg_arrived``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class LegState(msgspec.Struct, frozen=True, kw_only=True):
    """One leg as it is now."""

    leg: Leg
    origin: Literal["arrived", "dialled"]
    """It called us, or we called it."""
    answered: bool
    endpoint: str
    """The phone or trunk (key in the bucket `phones` or `trunks`) that it runs over."""
    caller: str = ""
    dialled: str = ""
    talk: Talk = ""
    """The talk it is in now, or ""."""
    parked: bool = False
    """It hears music and nobody (`Park`)."""
    since: datetime | None = None
    """When the leg began."""


class TrunkState(msgspec.Struct, frozen=True, kw_only=True):
    """How a trunk that registers stands at its carrier."""

    trunk: str
    """Key in the bucket `trunks`."""
    state: Literal["registered", "refused", "trying"]
    """`refused`: the carrier refused or has not answered; it is tried again."""
    since: datetime


class TalkState(msgspec.Struct, frozen=True, kw_only=True):
    """One talk as it is now."""

    talk: Talk
    legs: tuple[Leg, ...]
