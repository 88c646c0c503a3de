"""Raw frames: what a terminal really said, as bytes and decoded. Sensitive: each read of a vehicle's leaves an audit row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from jilink.core.assets import reads as assets
from jilink.core.parties import audit
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Malformed
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.protocols.jt808 import codec
from jilink.services.vehicles.message_words import message_title
from jilink.spine import subjects
from jilink.spine.records import RawFrame
from jilink.webkit.link import spine


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame. `decoded` is JSON for reading, or "" where it cannot be decoded; `reason` then says why."""

    at: datetime
    direction: str
    hex: str
    reason: str
    message: str
    decoded: str
    peer: str


def _decoded(raw: RawFrame, profile: str) -> Frame:
    message, text, reason = "", "", raw.reason
    try:
        shown = codec.decode_frame(bytes.fromhex(raw.frame), profile=profile)
        message = message_title(shown.id)
        rendered = shown.render()
        text = msgspec.json.format(
            msgspec.json.encode({key: rendered[key] for key in ("header", "fields", "tolerances")}), indent=2
        ).decode()
    except Malformed as error:
        reason = reason or error.reason
    except ValueError:
        reason = reason or "hexadecimal"
    return Frame(at=raw.at, direction=raw.direction, hex=raw.frame, reason=reason, message=message, decoded=text, peer=raw.peer)


def _read(subject: str, count: int) -> list[RawFrame]:
    found = []
    for message in spine().read_last(subjects.FRAMES.name, subject, count):
        try:
            found.append(msgspec.json.decode(message.data, type=RawFrame))
        except msgspec.MsgspecError:
            continue  # written by another version
    return found


def recorded(actor: Actor, asset: AssetId, now: datetime, *, count: int = 100, opened: bool = False) -> list[Frame]:
    """Return the newest recorded frames of a vehicle, newest first. Raises NotFound, Unavailable.

    With `opened` the caller vouches that this actor's reading of these frames was audited when their page was opened.
    """
    view = assets.asset(actor, asset, Permission.READ_FRAMES)
    if not opened:
        audit.record(actor, "frames.read", f"asset:{asset}", view.organisation, at=now)
    profile = view.terminal.profile if view.terminal else "standard"
    return [_decoded(raw, profile) for raw in _read(subjects.recorded(asset), count) if raw.organisation in (view.organisation, None)]


def quarantined(actor: Actor, now: datetime, *, count: int = 100) -> list[Frame]:
    """Return the newest frames that could not be decoded or admitted, of the actor's organisations. Raises NotFound, Unavailable.

    Those of terminals that nobody has entered are shown to those who see waiting terminals (`assets.reads.seen_terminals`).
    """
    allowed: Sequence[OrganisationId | None] = sorted(require_anywhere(actor, Permission.READ_FRAMES))
    audit.record(actor, "quarantine.read", "frames", None, at=now)
    mine = [*allowed, None] if parties.quarantine_open(actor) else allowed
    found = [raw for organisation in mine for raw in _read(subjects.quarantine(organisation), count)]
    found.sort(key=lambda raw: raw.at, reverse=True)
    return [_decoded(raw, "standard") for raw in found[:count]]
