"""What is said on the spine about telephone calls: facts of the engines, orders to them, their phones and trunks.

A **leg** is one line of the engine: a caller, an agent's phone, a supervisor. A **talk** is a bridge in which legs hear each other.
A **node** is one engine. Ids of legs, talks, plays and recordings that are ordered are chosen by the orderer (`new_id`), so that an
order may be repeated: what has been done already is done. Legs that arrive get their id from the engine.

Facts are stored in the stream CALLS on ``calls.fact.<node>``, in the order in which the engine told them, each with a message id. Orders
are requests on ``calls.order.<node>`` (`give`), which only the owner of the node answers; orders that name the same leg or talk are
carried out in the order in which they came. After a `NodeUp` every leg and talk that it does not name is gone, whatever was told before.
"""

import msgspec

from jilink.kernel.errors import Malformed
from jilink.spine import subjects
from jilink.spine.calls.facts import (
    DigitPressed,
    Fact,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegRinging,
    NodeDown,
    NodeUp,
    PhoneChanged,
    PlayEnded,
    RecordingEnded,
    TalkChanged,
    TransferAsked,
    TrunkChanged,
)
from jilink.spine.calls.lines import ExtensionRefused, Phone, Trunk, phone_key, trunk_key
from jilink.spine.calls.orders import (
    Answer,
    Dial,
    Done,
    EndTalk,
    HangUp,
    Hold,
    Join,
    Leave,
    Listen,
    Look,
    NotDone,
    Order,
    Park,
    PauseRecording,
    Piece,
    Play,
    Record,
    Recorded,
    Reply,
    SendDigits,
    Sight,
    Speech,
    StopPlay,
    StopRecording,
    TakeMessage,
    Tone,
    TransferDone,
    Unhold,
)
from jilink.spine.calls.states import Leg, LegState, Node, Talk, TalkState, TrunkState, names, new_id
from jilink.spine.client import Spine

__all__ = [
    "Answer",
    "Dial",
    "DigitPressed",
    "Done",
    "EndTalk",
    "ExtensionRefused",
    "Fact",
    "HangUp",
    "Hold",
    "Join",
    "Leave",
    "Leg",
    "LegAnswered",
    "LegArrived",
    "LegEnded",
    "LegRinging",
    "LegState",
    "Listen",
    "Look",
    "Node",
    "NodeDown",
    "NodeUp",
    "NotACallMessage",
    "NotDone",
    "Order",
    "Park",
    "PauseRecording",
    "Phone",
    "PhoneChanged",
    "Piece",
    "Play",
    "PlayEnded",
    "Record",
    "Recorded",
    "RecordingEnded",
    "Reply",
    "SendDigits",
    "Sight",
    "Speech",
    "StopPlay",
    "StopRecording",
    "TakeMessage",
    "Talk",
    "TalkChanged",
    "TalkState",
    "Tone",
    "TransferAsked",
    "TransferDone",
    "Trunk",
    "TrunkChanged",
    "TrunkState",
    "Unhold",
    "decode_fact",
    "decode_order",
    "encode",
    "give",
    "names",
    "new_id",
    "phone_key",
    "trunk_key",
]

_FACT: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)
_ORDER: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
_REPLY: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


class NotACallMessage(Malformed):
    """Bytes that are no fact, order or reply of this version. Readers of facts pass over them: a newer sender may know more."""


def encode(message: Fact | Order | Reply | Phone | Trunk) -> bytes:
    """Return the message as JSON."""
    return msgspec.json.encode(message)


def decode_fact(data: bytes) -> Fact:
    """Return the fact. Raises NotACallMessage."""
    try:
        return _FACT.decode(data)
    except msgspec.DecodeError as error:
        raise NotACallMessage("fact", str(error)) from error


def decode_order(data: bytes) -> Order:
    """Return the order. Raises NotACallMessage."""
    try:
        return _ORDER.decode(data)
    except msgspec.DecodeError as error:
        raise NotACallMessage("order", str(error)) from error


async def give(spine: Spine, node: Node, order: Order, *, timeout_s: float = 10.0) -> Reply:
    """Give a node an order and return the answer.

    Raises Unavailable (NoResponder at once where nobody owns the node, SpineTimeout): it may have been carried out; give it again.
    """
    data = await spine.request(subjects.call_order(node), encode(order), timeout_s)
    try:
        return _REPLY.decode(data)
    except msgspec.DecodeError as error:
        raise NotACallMessage("reply", str(error)) from error
