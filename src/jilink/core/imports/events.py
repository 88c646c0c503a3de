"""What happened to imports, for those who react."""

from typing import ClassVar

from jilink.spine.events import Event


class ImportCarriedOn(Event, frozen=True, kw_only=True):
    """An import has rows to take; `lap` says which telling this is, so that one told twice changes nothing."""

    NOUN: ClassVar[str] = "import"
    job: int
    lap: int


class ImportEnded(Event, frozen=True, kw_only=True):
    """An import is over."""

    NOUN: ClassVar[str] = "import"
    OUTWARD: ClassVar[bool] = True
    job: int
    state: str
    created: int
    changed: int
    refused: int
