"""What happened to assets and their terminals. A terminal is named by the digest of its phone, never by the number."""

from typing import ClassVar

from jilink.spine.events import Event


class TerminalAdmitted(Event, frozen=True, kw_only=True):
    """A terminal may connect from now on and speaks for this asset."""

    NOUN: ClassVar[str] = "assets"
    terminal: str
    asset: int


class TerminalChanged(Event, frozen=True, kw_only=True):
    """Something changed that the gateway must know: plate, profile, owner, or the recording of raw frames."""

    NOUN: ClassVar[str] = "assets"
    terminal: str
    asset: int


class TerminalDismissed(Event, frozen=True, kw_only=True):
    """A terminal may no longer connect under this phone."""

    NOUN: ClassVar[str] = "assets"
    terminal: str
    asset: int


class AssetAdded(Event, frozen=True, kw_only=True):
    """Something new reports to us."""

    NOUN: ClassVar[str] = "assets"
    OUTWARD: ClassVar[bool] = True
    asset: int
    kind: str


class AssetChanged(Event, frozen=True, kw_only=True):
    """What is known of an asset has changed."""

    NOUN: ClassVar[str] = "assets"
    OUTWARD: ClassVar[bool] = True
    asset: int
    kind: str


class AssetRemoved(Event, frozen=True, kw_only=True):
    """An asset is gone with its terminal; its measurements stay in the history as long as retention says."""

    NOUN: ClassVar[str] = "assets"
    OUTWARD: ClassVar[bool] = True
    asset: int
    kind: str
