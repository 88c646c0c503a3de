"""What happened to organisations, for those who react."""

from typing import ClassVar

from jilink.spine.events import Event


class AdmissionPolicyChanged(Event, frozen=True, kw_only=True):
    """An organisation began or ceased to let unknown terminals wait for admission."""

    NOUN: ClassVar[str] = "parties"


class RetentionChanged(Event, frozen=True, kw_only=True):
    """How long the positions of an organisation, and of those below it that say nothing themselves, are kept has changed."""

    NOUN: ClassVar[str] = "parties"
    organisation: int
