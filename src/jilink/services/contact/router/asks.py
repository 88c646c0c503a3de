"""What pages ask the router, by request and reply on the spine. Whoever asks over the spine has been let in by the pages' door; the router
asks the door again for the account that is named."""

from typing import Literal

import msgspec

from jilink.services.contact.rules.sides import Deed
from jilink.services.contact.rules.states import AgentState
from jilink.spine.client import Spine

ASK = "contact.ask"


class _Ask(msgspec.Struct, frozen=True, kw_only=True, tag_field="ask"):
    account: int
    """Who asks."""


class BeginWork(_Ask, frozen=True, kw_only=True, tag="begin_work"):
    """Be an agent of an organisation at a phone (None: without one), from now on in that state."""

    organisation: int
    phone: int | None
    state: AgentState
    reason: str = ""


class SetState(_Ask, frozen=True, kw_only=True, tag="set_state"):
    """Let an agent be in another state."""

    agent: int
    state: AgentState
    reason: str = ""


class WrapUpDone(_Ask, frozen=True, kw_only=True, tag="wrap_up_done"):
    """The agent wrote down what the contact was."""

    contact: int
    code: str = ""
    note: str = ""


class HoldCall(_Ask, frozen=True, kw_only=True, tag="hold_call"):
    """Let the caller hear music, or talk again."""

    contact: int
    on: bool


class PauseRecording(_Ask, frozen=True, kw_only=True, tag="pause_recording"):
    """Record silence while payment data are spoken, or go on."""

    contact: int
    paused: bool


class RecordCall(_Ask, frozen=True, kw_only=True, tag="record_call"):
    """Record the conversation from now on, where the queue leaves that to the agent."""

    contact: int


class Accept(_Ask, frozen=True, kw_only=True, tag="accept"):
    """Take what is offered at the desk, where no phone rings: a chat, a text, a case."""

    contact: int


class Decline(_Ask, frozen=True, kw_only=True, tag="decline"):
    """Let somebody else have it; the agent is not ready then."""

    contact: int


class DialShown(_Ask, frozen=True, kw_only=True, tag="dial_shown"):
    """Call the person whose record a campaign shows the agent."""

    target: int


class EndCall(_Ask, frozen=True, kw_only=True, tag="end_call"):
    """End the conversation."""

    contact: int


class TransferToQueue(_Ask, frozen=True, kw_only=True, tag="transfer_to_queue"):
    """Let the caller wait in another queue, with the time they have waited; the agent wraps up."""

    contact: int
    queue: int


class ListenIn(_Ask, frozen=True, kw_only=True, tag="listen_in"):
    """Ring the supervisor's phone and let them hear a conversation, whisper to the agent, or take part."""

    contact: int
    mode: Literal["listen", "whisper", "barge"]


class Ranked(_Ask, frozen=True, kw_only=True, tag="ranked"):
    """Change the priority of somebody who waits, with a reason."""

    contact: int
    priority: int
    reason: str


class _Called(_Ask, frozen=True, kw_only=True):
    contact: int
    agent: int = 0
    """A colleague, or"""
    number: str = ""
    """an extension or a number outside."""


class Consult(_Called, frozen=True, kw_only=True, tag="consult"):
    """Let the caller hear music and ask somebody else."""


class PutOn(_Called, frozen=True, kw_only=True, tag="put_on"):
    """Put the caller through to somebody else without asking; the agent wraps up. Where nobody answers, the caller waits again."""


class SideDeed(_Ask, frozen=True, kw_only=True, tag="side_deed"):
    """Go back to the caller, talk all three, or connect the caller with whoever was asked."""

    contact: int
    deed: Deed


class SendKeys(_Ask, frozen=True, kw_only=True, tag="send_keys"):
    """Send keys to the caller's end."""

    contact: int
    digits: str


class TakeOver(_Ask, frozen=True, kw_only=True, tag="take_over"):
    """Ring the supervisor's phone and let them have the caller; the agent leaves and wraps up."""

    contact: int


Beside = Consult | PutOn | SideDeed | SendKeys | TakeOver
"""What is done with further legs."""
Plain = (
    BeginWork
    | RecordCall
    | SetState
    | Accept
    | Decline
    | DialShown
    | WrapUpDone
    | HoldCall
    | PauseRecording
    | EndCall
    | TransferToQueue
    | ListenIn
    | Ranked
)
Ask = Plain | Beside


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it was done; `refusal` says why not, in words for people."""

    done: bool
    refusal: str = ""
    message: str = ""
    """The same as it is translated, without its values."""
    values: dict[str, str | int] = {}


async def ask(spine: Spine, what: Ask, timeout_s: float = 5.0) -> Answer:
    """Ask the router. Raises Unavailable where none runs."""
    return msgspec.json.decode(await spine.request(ASK, msgspec.json.encode(what), timeout_s), type=Answer)
