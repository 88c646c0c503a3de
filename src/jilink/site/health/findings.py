"""What a check may say."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from jilink.kernel.settings import Settings


class Level(StrEnum):
    """How it stands: good, works but not for long or not for many, does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """One thing looked at: what was found and, where it is not good, what to do."""

    name: str
    level: Level
    found: str
    remedy: str = ""


class Wish(NamedTuple):
    """What the installation is checked for: its settings and how many terminals are to be online at once."""

    settings: Settings
    terminals: int


Check = Callable[[Wish], Iterable[Finding]]
