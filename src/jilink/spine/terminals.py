"""What the terminal gateway tells everyone: events of noun ``terminals``. They live here because edges and core never meet."""

from datetime import datetime
from typing import ClassVar

from jilink.spine.events import Event


class TerminalSeen(Event, frozen=True, kw_only=True):
    """A terminal that nobody has entered tried to register while the policy lists such terminals (JT/T 808-2019, 8.8).

    The phone is here because an operator must see whom to admit; it is nowhere else on the spine.
    """

    NOUN: ClassVar[str] = "terminals"
    phone: str
    terminal_id: str = ""
    maker: str = ""
    model: str = ""
    plate: str = ""
    year: int = 0
    """Edition of the standard it speaks: 2011, 2013 or 2019; 0 where unknown."""


class TerminalRegistered(Event, frozen=True, kw_only=True):
    """An admitted terminal registered and said of itself what it is (JT/T 808-2019, 8.8)."""

    NOUN: ClassVar[str] = "terminals"
    asset: int
    terminal_id: str = ""
    maker: str = ""
    model: str = ""
    plate: str = ""
    year: int = 0
    """Edition of the standard it speaks: 2011, 2013 or 2019; 0 where unknown."""


class TerminalSpoke(Event, frozen=True, kw_only=True):
    """A terminal authenticated and speaks another edition of the standard than its admission says."""

    NOUN: ClassVar[str] = "terminals"
    asset: int
    year: int
    """2011, 2013 or 2019."""


class MessageReceived(Event, frozen=True, kw_only=True):
    """A terminal sent a message worth keeping that is no position: driver, CAN, waybill, attributes, pass-through and others."""

    NOUN: ClassVar[str] = "terminals"
    asset: int
    message: int
    """Message id, for example 0x0702."""
    serial: int
    fields: dict[str, object]
    """As `protocols.jt808` renders the declared message: each value with its unit."""


class MediaStored(Event, frozen=True, kw_only=True):
    """A photo, sound, video or active-safety attachment lies whole in the object store."""

    NOUN: ClassVar[str] = "terminals"
    asset: int
    name: str
    """Name in the object store `subjects.MEDIA`."""
    kind: str
    """``image``, ``audio``, ``video``, ``text`` or ``other``."""
    content_type: str
    size: int
    """Bytes."""
    sha256: str
    cause: str
    """Why it was made: event of message 0x0801, or ``alarm`` for an attachment of an active-safety alarm."""
    channel: int = 0
    media_id: int = 0
    measured_at: datetime | None = None
    """The terminal's clock."""
    latitude: int | None = None
    """1e-6 degree, WGS-84."""
    longitude: int | None = None
    alarm_number: str = ""
    """Number of the upload ticket; empty for multimedia of JT/T 808."""
    alarm_item: int = 0
    """Item of the position that raised the alarm, 0x64 to 0x67."""
    alarm_label: str = ""
    """Label in the item that raised the alarm, hexadecimal."""
