"""What happened to alarms and rules. Times of alarms are those of the reports; `occurred_at` of the envelope is when it was written."""

from datetime import datetime
from typing import ClassVar

from jilink.spine.events import Event


class AlarmRaised(Event, frozen=True, kw_only=True):
    """An alarm began. With `cleared_at` it had already ended. `storm` is 0 unless it belongs to one."""

    NOUN: ClassVar[str] = "observations"
    alarm: int
    asset: int
    condition: str
    title: str
    level: int | None
    rule: int | None
    raised_at: datetime
    cleared_at: datetime | None
    latitude: int | None
    longitude: int | None
    storm: int


class AlarmCleared(Event, frozen=True, kw_only=True):
    """An alarm ended."""

    NOUN: ClassVar[str] = "observations"
    alarm: int
    asset: int
    condition: str
    cleared_at: datetime


class AlarmAcknowledged(Event, frozen=True, kw_only=True):
    """Somebody takes care of an alarm. It may be taken back within seconds (`AcknowledgementUndone`)."""

    NOUN: ClassVar[str] = "observations"
    alarm: int
    asset: int
    by: int | None
    at: datetime


class AcknowledgementUndone(Event, frozen=True, kw_only=True):
    """An acknowledgement was taken back."""

    NOUN: ClassVar[str] = "observations"
    alarm: int
    asset: int
    by: int | None
    at: datetime


class StormBegan(Event, frozen=True, kw_only=True):
    """Many alarms of one condition within a short time became one group."""

    NOUN: ClassVar[str] = "observations"
    storm: int
    condition: str
    began_at: datetime
    alarms: int


class RuleChanged(Event, frozen=True, kw_only=True):
    """A rule was added, changed, switched on or off, or removed: evaluators read the rules anew."""

    NOUN: ClassVar[str] = "observations"
    rule: int
    version: int
    removed: bool
