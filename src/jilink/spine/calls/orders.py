"""What the telephone engines are told to do, and their answers."""

from typing import Literal

import msgspec

from jilink.spine.calls.states import Leg, LegState, Talk, TalkState, TrunkState, tag


class Speech(msgspec.Struct, frozen=True, kw_only=True, tag="speech"):
    """Text to be spoken in one language: ``zh``, ``en`` or ``ko``. At most 2000 characters."""

    text: str
    language: str


class Recorded(msgspec.Struct, frozen=True, kw_only=True, tag="recorded"):
    """An audio file of the object store `subjects.MEDIA`: WAV of 16 bits, one or two channels, any rate."""

    object: str


class Tone(msgspec.Struct, frozen=True, kw_only=True, tag="tone"):
    """A beep: 1000 Hz of `ms` milliseconds (before a voice message), or silence where `hz` is 0. At most 10 s."""

    ms: int
    hz: int = 1000


Piece = Speech | Recorded | Tone


class _Order(msgspec.Struct, frozen=True, kw_only=True, tag_field="order", tag=tag):
    pass


class Answer(_Order, frozen=True, kw_only=True):
    """Pick up a leg that arrived. `LegAnswered` follows."""

    leg: Leg


class Play(_Order, frozen=True, kw_only=True):
    """Play to one leg, also while it is parked: the music goes on afterwards. `PlayEnded` follows.

    In a talk only this leg hears it, and meanwhile it does not hear the others nor they it.

    A second play on the same leg waits for the first. The answer comes when the pieces are spoken and at the engine.
    """

    leg: Leg
    play: str
    pieces: tuple[Piece, ...]
    times: int = 1
    """How often the pieces are played, 1 to 20."""


class StopPlay(_Order, frozen=True, kw_only=True):
    """End a play, as a pressed key does."""

    play: str


class Park(_Order, frozen=True, kw_only=True):
    """Let an answered leg hear music and nobody; it leaves its talk. `Join` ends it."""

    leg: Leg


class Dial(_Order, frozen=True, kw_only=True):
    """Call somebody: a phone by its endpoint, or a number over a trunk. `LegRinging`, `LegAnswered` or `LegEnded` follow."""

    leg: Leg
    endpoint: str
    """Key of the phone or, with a number, of the trunk."""
    number: str = ""
    caller: str = ""
    """The number that is shown there."""
    caller_name: str = ""
    timeout_s: int = 20
    headers: dict[str, str] = {}
    """Further SIP headers of the INVITE, names that begin with ``X-``: a browser phone reads them."""
    originator: Leg = ""
    """The leg on whose behalf: its codecs are preferred."""


class Join(_Order, frozen=True, kw_only=True):
    """Put answered legs into a talk, which is made where it does not exist. They leave the talk or the music they are in."""

    talk: Talk
    legs: tuple[Leg, ...]


class Leave(_Order, frozen=True, kw_only=True):
    """Take a leg out of a talk; it hears nothing then. A talk that nobody is left in ends by itself."""

    talk: Talk
    leg: Leg


class Hold(_Order, frozen=True, kw_only=True):
    """Within its talk, let a leg hear music and be heard by nobody."""

    leg: Leg


class Unhold(_Order, frozen=True, kw_only=True):
    """Undo `Hold`."""

    leg: Leg


class Listen(_Order, frozen=True, kw_only=True):
    """Let an answered leg (a supervisor's) hear all that another leg says and hears; with `whisper` the target alone hears the listener.

    Again with another `whisper` changes it. It ends with the leg, with the target, or by any order that puts the leg elsewhere.
    """

    leg: Leg
    target: Leg
    talk: Talk
    """Id of the talk between the leg and the engine's ear."""
    whisper: bool = False


class Record(_Order, frozen=True, kw_only=True):
    """Record a leg through all its talks, until `StopRecording` or its end: what it says and what it hears. `RecordingEnded` follows.

    What supervisors whisper to others is not on it.
    """

    recording: str
    leg: Leg
    stereo: bool = True


class PauseRecording(_Order, frozen=True, kw_only=True):
    """Record silence from now on, while payment data are spoken; with `paused` false go on recording."""

    recording: str
    leg: Leg
    paused: bool = True


class StopRecording(_Order, frozen=True, kw_only=True):
    """End a recording. `RecordingEnded` follows."""

    recording: str
    leg: Leg


class TakeMessage(_Order, frozen=True, kw_only=True):
    """Record what one leg says, alone: a voice message or a spoken answer. `RecordingEnded` follows.

    It leaves its talk or the music for it. It ends after `silence_s` of silence, after `most_s`, or with a key.
    """

    recording: str
    leg: Leg
    most_s: int = 180
    silence_s: int = 5
    keys: Literal["none", "any", "*", "#"] = "#"


class SendDigits(_Order, frozen=True, kw_only=True):
    """Send keys to the other end of a leg."""

    leg: Leg
    digits: str


class TransferDone(_Order, frozen=True, kw_only=True):
    """Tell the phone that asked for a transfer (`TransferAsked`) what became of it."""

    leg: Leg
    succeeded: bool


class HangUp(_Order, frozen=True, kw_only=True):
    """End a leg, answered or not. `LegEnded` follows."""

    leg: Leg
    cause: int = 16
    """ITU-T Q.850; an unanswered caller hears 17 as busy."""


class EndTalk(_Order, frozen=True, kw_only=True):
    """End a talk; its legs stay and hear nothing."""

    talk: Talk


class Look(_Order, frozen=True, kw_only=True):
    """Ask what there is now; answered with `Sight`."""


Order = (
    Answer
    | Play
    | StopPlay
    | Park
    | Dial
    | Join
    | Leave
    | Hold
    | Unhold
    | Listen
    | Record
    | PauseRecording
    | StopRecording
    | TakeMessage
    | SendDigits
    | TransferDone
    | HangUp
    | EndTalk
    | Look
)


class Done(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag="done"):
    """The engine has done it, now or before."""


class NotDone(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag="not_done"):
    """It was not done."""

    reason: Literal["gone", "early", "malformed", "full", "down", "failed"]
    """`gone`: there is no such leg, talk or recording (any more). `early`: the leg is not answered. `malformed`: no engine could do this.
    `full`: the node carries all it may. `down`: the engine does not answer now. `failed`: the engine refused; see `detail`."""
    detail: str = ""


class Sight(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag="sight"):
    """What a node holds now."""

    legs: tuple[LegState, ...]
    talks: tuple[TalkState, ...]
    online: tuple[str, ...]
    """Phones that are registered."""
    trunks: tuple[TrunkState, ...] = ()
    """Trunks that register, and what came of it."""


Reply = Done | NotDone | Sight
