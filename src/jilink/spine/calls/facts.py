"""What the telephone engines tell."""

from datetime import datetime
from typing import Literal

import msgspec

from jilink.spine.calls.states import Leg, LegState, Node, Talk, TalkState, tag


class _Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact", tag=tag):
    node: Node
    at: datetime
    """The engine's clock."""


class NodeUp(_Fact, frozen=True, kw_only=True):
    """The owner of a node is connected to it, for the first time or again. This is all there is now.

    What happened meanwhile is not told: keys, and ends of plays. An order given again finds out: what still plays is left to play.
    """

    started_at: datetime
    """When the engine was started; a later time than before means that every leg of before is gone."""
    legs: tuple[LegState, ...]
    talks: tuple[TalkState, ...]
    online: tuple[str, ...]
    """Phones that are registered now."""


class NodeDown(_Fact, frozen=True, kw_only=True):
    """The engine has not answered for some seconds. Its calls may go on without us or be gone; the next `NodeUp` tells."""


class LegArrived(_Fact, frozen=True, kw_only=True):
    """Somebody calls, over a trunk or from one of our phones. They hear ringing until an order answers or ends it.

    Told again after the `NodeUp` of a new owner while nobody has answered: the owner before may have died before it told.
    """

    leg: Leg
    dialled: str
    """The number as it was dialled."""
    caller: str
    """The number of the caller as the trunk tells it; "" where withheld."""
    caller_name: str = ""
    endpoint: str = ""
    """The phone or trunk it came over."""
    from_phone: bool = False
    """True: one of our phones dials."""
    headers: dict[str, str] = {}
    """SIP headers that begin with ``X-``, by name. Anybody can send them: believe them only of trunks you trust."""


class LegRinging(_Fact, frozen=True, kw_only=True):
    """A leg that was ordered (`Dial`) rings at the other end."""

    leg: Leg


class LegAnswered(_Fact, frozen=True, kw_only=True):
    """A leg is up: it was dialled and they picked up, or it arrived and an order answered it."""

    leg: Leg


class LegEnded(_Fact, frozen=True, kw_only=True):
    """A leg is over, told once; also of a `Dial` that came to nothing: 17 busy, 19 no answer, 21 refused, 20 or 3 nobody is registered."""

    leg: Leg
    cause: int
    """ITU-T Q.850: 16 is the ordinary end; 0 where the engine went away with the leg."""


class DigitPressed(_Fact, frozen=True, kw_only=True):
    """A key was pressed on a leg: 0-9, *, #, A-D."""

    leg: Leg
    digit: str


class PlayEnded(_Fact, frozen=True, kw_only=True):
    """A play is over."""

    play: str
    leg: Leg
    outcome: Literal["done", "stopped", "failed"]
    """Played to its end; stopped by order or by the end of the leg; or it could not be played."""


class RecordingEnded(_Fact, frozen=True, kw_only=True):
    """A recording lies whole in the object store; whoever keeps it elsewhere deletes the object there."""

    recording: str
    leg: Leg
    object: str
    """Name in the object store `subjects.MEDIA`; "" where nothing could be recorded (see `problem`)."""
    content_type: str = "audio/wav"
    duration_s: float = 0.0
    channels: int = 1
    """2: the leg's own voice on the left, what it heard on the right."""
    size: int = 0
    sha256: str = ""
    problem: str = ""


class TalkChanged(_Fact, frozen=True, kw_only=True):
    """Who is in a talk now. Without legs: the talk is over."""

    talk: Talk
    legs: tuple[Leg, ...]


class TransferAsked(_Fact, frozen=True, kw_only=True):
    """A phone asked by REFER (RFC 3515) that its partner be transferred.

    Nothing happened yet: orders carry it out, then `TransferDone` tells the phone.
    """

    leg: Leg
    """The phone that asks."""
    target: str
    """The number it gave; "" where it names another leg."""
    target_leg: Leg = ""
    """The leg of its consultation call, where the transfer is attended."""
    partner: Leg = ""
    """The leg to be transferred, where it is plain."""


class PhoneChanged(_Fact, frozen=True, kw_only=True):
    """A phone registered or went away."""

    endpoint: str
    online: bool


class TrunkChanged(_Fact, frozen=True, kw_only=True):
    """A trunk registered with its carrier, or no longer is. Told anew by each owner of the node."""

    trunk: str
    """Key in the bucket `trunks`."""
    state: Literal["registered", "refused", "trying"]


Fact = (
    NodeUp
    | NodeDown
    | LegArrived
    | LegRinging
    | LegAnswered
    | LegEnded
    | DigitPressed
    | PlayEnded
    | RecordingEnded
    | TalkChanged
    | TransferAsked
    | PhoneChanged
    | TrunkChanged
)
