"""What happened to contacts, for those who react. Events say numbers, and nothing of what was said."""

from typing import ClassVar

from jilink.spine.events import Event


class InteractionBegan(Event, frozen=True, kw_only=True):
    """Somebody reached us on a channel, or we them."""

    NOUN: ClassVar[str] = "interaction"
    OUTWARD: ClassVar[bool] = True
    interaction: int
    channel: str
    direction: str


class InteractionPartAdded(Event, frozen=True, kw_only=True):
    """Something more was said; `side` is whose words they are."""

    NOUN: ClassVar[str] = "interaction"
    OUTWARD: ClassVar[bool] = True
    interaction: int
    part: int
    side: str


class InteractionEnded(Event, frozen=True, kw_only=True):
    """A contact is over."""

    NOUN: ClassVar[str] = "interaction"
    OUTWARD: ClassVar[bool] = True
    interaction: int
    outcome: str
