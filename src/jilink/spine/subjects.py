"""Every stream, subject and bucket in one place. `make docs` turns this module into a reference page.

Subjects carry numbers only, never a telephone number or a name.
"""

from dataclasses import dataclass

from jilink.kernel.ids import AssetId, OrganisationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A durable JetStream stream. Ages in seconds, sizes in bytes; 0 means no limit."""

    name: str
    subjects: tuple[str, ...]
    doc: str
    max_age_s: int
    max_bytes: int = 0
    max_per_subject: int = 0
    duplicate_window_s: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A key-value bucket."""

    name: str
    doc: str
    max_age_s: int = 0


MEASUREMENTS = Stream(
    name="MEASUREMENTS",
    subjects=("measurements.>",),
    doc="Arrow IPC batches: measurements.positions.<worker> and measurements.sessions.<worker>",
    max_age_s=3 * 86400,
    max_bytes=32 << 30,
)
EVENTS = Stream(name="EVENTS", subjects=("events.>",), doc="Domain events as JSON envelopes: events.<noun>.<name>", max_age_s=30 * 86400)
FRAMES = Stream(
    name="FRAMES",
    subjects=("frames.>",),
    doc="Raw frames as JSON: frames.quarantine.<organisation> (0 where unknown) and frames.recorded.<asset>",
    max_age_s=7 * 86400,
    max_bytes=2 << 30,
    max_per_subject=2000,
)
CALLS = Stream(
    name="CALLS",
    subjects=("calls.fact.>",),
    doc="What the telephone engines tell, as JSON in the engine's order: calls.fact.<node>, values spine.calls.Fact",
    max_age_s=3 * 86400,
    max_bytes=2 << 30,
)
STREAMS = (MEASUREMENTS, EVENTS, FRAMES, CALLS)

ADMISSION = Bucket(name="admission", doc="Which terminals may connect; key is digest(terminal phone), value spine.records.Admission")
TOKENS = Bucket(name="tokens", doc="Authentication tokens as hashes; key is digest(terminal phone), value spine.records.Token")
UPLOADS = Bucket(
    name="uploads",
    doc="Attachment uploads that terminals were asked for; key is the alarm number of message 0x9208, value spine.records.UploadTicket",
    max_age_s=7 * 86400,
)
RETENTION = Bucket(
    name="retention",
    doc="Days that positions are kept, a whole number in decimal digits (0: for ever); key is the number of the organisation",
)
PHONES = Bucket(
    name="phones", doc="SIP and browser phones; key o<organisation>-<extension> (spine.calls.phone_key), value spine.calls.Phone"
)
TRUNKS = Bucket(name="trunks", doc="Lines to carriers; key t<number> (spine.calls.trunk_key), value spine.calls.Trunk")
BUCKETS = (ADMISSION, TOKENS, UPLOADS, RETENTION, PHONES, TRUNKS)

MEDIA = "media"
"""Object store for photos, sound, video and active-safety attachments."""

COMMANDS = "terminals.command.*"
"""Request/reply; every gateway worker listens, only the one that holds the terminal answers."""

CALL_ORDERS = "calls.order.*"
"""Request/reply; only the owner of the node answers (spine.calls)."""

TAKEOVER = "terminals.takeover"
"""Not durable: a worker announces the terminals that have just authenticated with it; others drop theirs (edges.terminals.journal)."""


def positions(worker: str) -> str:
    """Subject for batches of schema `measurements.POSITIONS`."""
    return f"measurements.positions.{worker}"


def sessions(worker: str) -> str:
    """Subject for batches of schema `measurements.SESSIONS`."""
    return f"measurements.sessions.{worker}"


def event(noun: str, name: str) -> str:
    """Subject of one kind of domain event."""
    return f"events.{noun}.{name}"


def quarantine(organisation: OrganisationId | None) -> str:
    """Subject for frames that could not be decoded or admitted."""
    return f"frames.quarantine.{organisation or 0}"


def recorded(asset: AssetId) -> str:
    """Subject for the raw frames of one asset while its recording switch is on."""
    return f"frames.recorded.{asset}"


def command(asset: AssetId) -> str:
    """Subject that commands to one terminal are requested on."""
    return f"terminals.command.{asset}"


def call_fact(node: str) -> str:
    """Subject of what one telephone engine tells, `spine.calls.Fact`."""
    return f"calls.fact.{node}"


def call_order(node: str) -> str:
    """Subject that orders to one telephone engine are requested on, `spine.calls.Order`."""
    return f"calls.order.{node}"


def live(organisation: OrganisationId) -> str:
    """Not durable: map frames of one organisation, about twice a second while they change."""
    return f"live.{organisation}"


WATCH_SNAPSHOT = "watch.snapshot"
WATCH_LATEST = "watch.latest"
WATCH_SELECT = "watch.select"
WATCH_TAIL = "watch.tail"
