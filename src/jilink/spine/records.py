"""The JSON records that rooms exchange over the spine. Unknown fields are ignored, so that a newer sender may speak to an older reader."""

import hashlib
from datetime import datetime

import msgspec


def digest(phone: str) -> str:
    """Return the bucket key of a terminal phone: leading zeros dropped, SHA-256, 32 hexadecimal digits.

    Terminals pad the same number to 12 digits (2013) or 20 (2019); both give one key. The number itself
    never becomes a subject.
    """
    return hashlib.sha256((phone.lstrip("0") or "0").encode()).hexdigest()[:32]


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway must know of one terminal. Written by core.assets, read by every worker."""

    asset: int
    organisation: int
    profile: str = "standard"
    plate: str = ""
    terminal_id: str = ""
    admitted: bool = True
    recording_until: datetime | None = None
    year: int = 0
    """Edition of JT/T 808 it is known to speak; 0: not known. A worker that hears another one tells of it."""


class AdmissionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Value of the key ``policy`` in the admission bucket: what happens to terminals nobody has entered."""

    quarantine_unknown: bool = False
    """True: list them for an operator to admit. False: refuse and only count them."""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal's authentication token: SHA-256 of it, bound to phone (the key) and terminal id."""

    token_sha256: str
    terminal_id: str
    asset: int
    issued_at: datetime


class UploadTicket(msgspec.Struct, frozen=True, kw_only=True):
    """The right to upload the attachments of one active-safety alarm. Whoever knows its alarm number (128 random bits) has it."""

    asset: int
    organisation: int
    item: int
    """Item of the position that raised the alarm: 0x64 driver assistance, 0x65 driver state, 0x66 tyres, 0x67 blind zone."""
    label: str
    """Alarm label as received, hexadecimal (T/JSATL 12-2017, table 16)."""
    measured_at: datetime | None
    issued_at: datetime


class RawFrame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame as it was on the wire. `frame` is hexadecimal."""

    at: datetime
    peer: str
    direction: str
    """``up`` from the terminal, ``down`` to it."""
    frame: str
    reason: str = ""
    asset: int | None = None
    organisation: int | None = None


class CommandRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order to one terminal. `fields` are those of the message's declaration (protocols.jt808)."""

    command: str
    """UUID of the command; asked again with the same id within its life, the worker does not send again."""
    message: int
    organisation: int
    fields: dict[str, object] = {}
    timeout_s: float = 15.0


class CommandReply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. The worker replies twice: first ``sent`` (or ``refused``), then ``answered`` or ``failed``.

    `reason` is a short stable key (``timed_out``); where the gateway found something wrong with the fields, `reply` has a `detail`.
    """

    command: str
    state: str
    reason: str = ""
    reply_message: int | None = None
    reply: dict[str, object] = {}
    at: datetime | None = None


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A domain event on the spine."""

    id: str
    noun: str
    name: str
    organisation: int
    occurred_at: datetime
    received_at: datetime
    cause: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"{}")
