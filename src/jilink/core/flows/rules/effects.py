"""What a flow wants done, and what is told it came of it. No channel is named: a telephone says what a text writes.

What `advance` returns is carried out in its order, one after the other; only the last of it waits or is the end. Whatever waits has a
`turn`; what came of it is told with the same turn, once. Anything told with another turn is late and changes nothing.
"""

from collections.abc import Mapping

import msgspec

from jilink.core.flows.rules.definition import CaseFacts


class Spoken(msgspec.Struct, frozen=True, kw_only=True, tag="spoken"):
    """Words in a language; to be read aloud where somebody listens."""

    text: str
    language: str


class Sound(msgspec.Struct, frozen=True, kw_only=True, tag="sound"):
    """A recording by its name; `text` is what it says, for those who read."""

    name: str
    language: str
    text: str = ""


Piece = Spoken | Sound


class Effect(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect"):
    """What every effect has."""

    turn: int


class Say(Effect, frozen=True, kw_only=True, tag="say"):
    """Say this to its end, then go on with the next effect. Nothing is told."""

    pieces: tuple[Piece, ...]


class TakeDigits(Effect, frozen=True, kw_only=True, tag="take_digits"):
    """Say the prompt, which a key interrupts (and anything said right before it), and gather keys. Tell `Pressed`, `Wrote` or `Silent`."""

    pieces: tuple[Piece, ...]
    least: int
    most: int
    terminator: str
    timeout_s: int
    """From the end of the prompt to the first key; for those who write, until they answer."""
    between_s: int


class TakeSpeech(Effect, frozen=True, kw_only=True, tag="take_speech"):
    """Say the prompt and record. Tell `Spoke` (or `Wrote`), `Silent` where nothing was said."""

    pieces: tuple[Piece, ...]
    longest_s: int
    silence_s: int
    message: bool = False
    """A message to be kept, after a tone."""


class TakeText(Effect, frozen=True, kw_only=True, tag="take_text"):
    """Say the prompt and wait for written words. Tell `Wrote` or `Silent`."""

    pieces: tuple[Piece, ...]
    timeout_s: int


class PutInQueue(Effect, frozen=True, kw_only=True, tag="put_in_queue"):
    """Put into a queue until somebody is free. Tell `Connected`, then `Parted`; or `Came` with waited, full, closed or left."""

    queue: str
    skills: tuple[str, ...]
    priority: int
    longest_s: int
    leave_on: str


class BookCallback(Effect, frozen=True, kw_only=True, tag="book_callback"):
    """Take down a callback. Tell `Came` booked or refused."""

    queue: str
    number: str


class CallHook(Effect, frozen=True, kw_only=True, tag="call_hook"):
    """Ask an address (`core.flows.hooks.call`). Tell `HookAnswered` or `Came` failed."""

    hook: str
    sends: Mapping[str, str]
    takes: Mapping[str, str]
    timeout_s: int


class PutThrough(Effect, frozen=True, kw_only=True, tag="put_through"):
    """Connect with a number. Tell `Connected`, then `Parted`; or `Came` failed."""

    target: str
    timeout_s: int


class Pause(Effect, frozen=True, kw_only=True, tag="pause"):
    """Wait. Tell `Silent` afterwards."""

    seconds: int


class AskCase(Effect, frozen=True, kw_only=True, tag="ask_case"):
    """Look a case up; answered inside, by the actions. `CaseFound` or `Came` unknown."""

    number: str
    phone: str


class MakeCase(Effect, frozen=True, kw_only=True, tag="make_case"):
    """Open a case; answered inside, by the actions. `CaseMade` or `Came` refused."""

    type: str
    title: str
    description: str
    answers: Mapping[str, str]
    recording: str = ""


class AskHours(Effect, frozen=True, kw_only=True, tag="ask_hours"):
    """Ask whether it is working time; answered inside, by the actions. `HoursAre`."""

    calendars: tuple[str, ...]


class End(Effect, frozen=True, kw_only=True, tag="end"):
    """It is over: end the contact where it still stands. `outcome` is for statistics."""

    outcome: str


AnyEffect = (
    Say
    | TakeDigits
    | TakeSpeech
    | TakeText
    | PutInQueue
    | BookCallback
    | CallHook
    | PutThrough
    | Pause
    | AskCase
    | MakeCase
    | AskHours
    | End
)
INNER = (AskCase, MakeCase, AskHours)
"""Answered by the actions in the same transaction: whoever carries effects out never sees them."""


class Happening(msgspec.Struct, frozen=True, kw_only=True, tag_field="happening"):
    """What every happening has: the turn it answers; 0 for one that answers none."""

    turn: int = 0


class Pressed(Happening, frozen=True, kw_only=True, tag="pressed"):
    """Keys, without the one that ended them."""

    digits: str


class Wrote(Happening, frozen=True, kw_only=True, tag="wrote"):
    """Written words."""

    text: str


class Spoke(Happening, frozen=True, kw_only=True, tag="spoke"):
    """Recorded words; `text` where somebody understood them."""

    recording: str
    seconds: float = 0.0
    text: str = ""


class Silent(Happening, frozen=True, kw_only=True, tag="silent"):
    """The time ran out."""


class Connected(Happening, frozen=True, kw_only=True, tag="connected"):
    """Somebody talks with them now."""


class Parted(Happening, frozen=True, kw_only=True, tag="parted"):
    """Whoever talked with them is gone, and they are still there."""


class Came(Happening, frozen=True, kw_only=True, tag="came"):
    """A named outcome of the waiting step."""

    outcome: str


class HookAnswered(Happening, frozen=True, kw_only=True, tag="hook_answered"):
    """The address answered; values by variable."""

    values: Mapping[str, str]


class CaseFound(Happening, frozen=True, kw_only=True, tag="case_found"):
    """The case that was looked up."""

    case: CaseFacts


class CaseMade(Happening, frozen=True, kw_only=True, tag="case_made"):
    """The case that was opened."""

    number: str


class HoursAre(Happening, frozen=True, kw_only=True, tag="hours_are"):
    """Whether it is working time, by calendar."""

    open: Mapping[str, bool]


class Gone(Happening, frozen=True, kw_only=True, tag="gone"):
    """They hung up or said farewell; at any time."""


AnyHappening = Pressed | Wrote | Spoke | Silent | Connected | Parted | Came | HookAnswered | CaseFound | CaseMade | HoursAre | Gone
