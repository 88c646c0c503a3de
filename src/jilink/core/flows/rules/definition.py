"""A flow as data: steps, what comes of each, and where that leads.

A step names for every outcome the step that follows, or `END`. Nothing follows by itself. An outcome in a step's `SILENT` can come
at once, without anybody having answered or any time having passed: a ring of those would never stop, and is refused.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import msgspec

from jilink.core.cases.rules.problems import UNREADABLE, Problem
from jilink.core.flows.rules.conditions import AnyTest
from jilink.core.flows.rules.trials import CaseFacts as CaseFacts
from jilink.core.flows.rules.trials import Expected as Expected
from jilink.core.flows.rules.trials import FlowTest as FlowTest
from jilink.core.flows.rules.trials import Line as Line
from jilink.core.flows.rules.words import Prompt
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text

END = "end"
"""In place of a step: this flow is over. One that was called goes back to its caller; of the first one the contact ends."""
NOTHING = Prompt()


class Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every step has."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("next",)
    SILENT: ClassVar[frozenset[str]] = frozenset({"next"})
    key: str
    label: str = ""
    """What designers call it."""

    def ways(self) -> Iterator[tuple[str, str]]:
        """Yield each outcome with the step it leads to, "" where nobody said."""
        for outcome in self.OUTCOMES:
            yield outcome, getattr(self, outcome)

    def silent(self) -> Iterator[str]:
        """Yield where outcomes lead that can come at once."""
        for outcome, target in self.ways():
            if outcome in self.SILENT:
                yield target


class Say(Step, frozen=True, kw_only=True, tag="say"):
    """Say something; in one language whatever is spoken otherwise, where `language` names it (a greeting before the choice of one)."""

    prompt: Prompt = NOTHING
    language: str = ""
    next: str = ""


class AskDigits(Step, frozen=True, kw_only=True, tag="ask_digits"):
    """Ask for keys of a telephone; whoever writes may answer with the digits or with words for them.

    A question may have been said in a step right before; then it needs no words of its own.
    """

    OUTCOMES: ClassVar[tuple[str, ...]] = ("next", "none", "invalid")
    SILENT: ClassVar[frozenset[str]] = frozenset()
    prompt: Prompt = NOTHING
    again: Prompt = NOTHING
    """Said before the prompt after an answer that does not fit, or none."""
    save: str = "choice"
    """Variable for the digits."""
    allowed: tuple[str, ...] = ()
    """The only answers there are; any digits where none is named."""
    words: Mapping[str, str] = {}
    """Words that stand for an answer, with blanks between them."""
    least: int = 1
    most: int = 1
    terminator: str = "#"
    """Key that ends an answer of fewer than `most` digits."""
    timeout_s: int = 6
    between_s: int = 4
    tries: int = 3
    next: str = ""
    none: str = ""
    """Nothing was pressed, the last time."""
    invalid: str = ""


class AskSpeech(Step, frozen=True, kw_only=True, tag="ask_speech"):
    """Ask for words that are recorded; the variable holds the name of the recording."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("next", "none")
    SILENT: ClassVar[frozenset[str]] = frozenset({"none"})
    prompt: Prompt = NOTHING
    save: str = "speech"
    longest_s: int = 30
    silence_s: int = 3
    next: str = ""
    none: str = ""


class AskText(Step, frozen=True, kw_only=True, tag="ask_text"):
    """Ask for written words, or for an amount in them as people write it (一百二, 120斤)."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("next", "none", "invalid")
    SILENT: ClassVar[frozenset[str]] = frozenset()
    prompt: Prompt = NOTHING
    again: Prompt = NOTHING
    save: str = "text"
    wants: Literal["text", "amount"] = "text"
    timeout_s: int = 600
    tries: int = 3
    next: str = ""
    none: str = ""
    invalid: str = ""


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One test of a branch and where it leads; `on` names the variable that is tested, where the test is of one."""

    on: str = ""
    test: AnyTest
    to: str = ""


class Branch(Step, frozen=True, kw_only=True, tag="branch"):
    """Go on by the first test that holds."""

    arms: tuple[Arm, ...] = ()
    otherwise: str = ""

    def ways(self) -> Iterator[tuple[str, str]]:
        """Yield each arm by its number from 1 on, and what comes otherwise."""
        for number, arm in enumerate(self.arms, 1):
            yield str(number), arm.to
        yield "otherwise", self.otherwise

    def silent(self) -> Iterator[str]:
        """Yield where it leads: every way at once."""
        for _outcome, target in self.ways():
            yield target


class SetLanguage(Step, frozen=True, kw_only=True, tag="set_language"):
    """Go on in a language of the flow."""

    language: str = ""
    next: str = ""


class SetVariable(Step, frozen=True, kw_only=True, tag="set"):
    """Keep a value; it may hold other variables in braces."""

    name: str = ""
    value: str = ""
    next: str = ""


class LookUpCase(Step, frozen=True, kw_only=True, tag="look_up_case"):
    """Find a case by its number and a telephone number of the person it is for: `case.number`, `case.stage`, `case.state`, `case.title`."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("found", "unknown", "misread")
    SILENT: ClassVar[frozenset[str]] = frozenset(OUTCOMES)
    number: str = "{number}"
    phone: str = "{caller}"
    found: str = ""
    unknown: str = ""
    misread: str = ""
    """The check digit does not fit, or it is no number at all."""


class OpenCase(Step, frozen=True, kw_only=True, tag="open_case"):
    """Open a case of a type in use; its number is `case.number`."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("opened", "refused")
    SILENT: ClassVar[frozenset[str]] = frozenset(OUTCOMES)
    type: str = ""
    title: str = ""
    description: str = ""
    answers: Mapping[str, str] = {}
    """Question of the type to its answer, with variables in braces."""
    opened: str = ""
    refused: str = ""


class Queue(Step, frozen=True, kw_only=True, tag="queue"):
    """Wait for a person who answers. `served`: they talked, and whoever was served is still there."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("served", "waited", "full", "closed", "left")
    SILENT: ClassVar[frozenset[str]] = frozenset({"full", "closed"})
    queue: str = ""
    skills: tuple[str, ...] = ()
    """Such as ``lang.{language}``."""
    priority: int = 0
    longest_s: int = 900
    leave_on: str = ""
    """Key by which the waiting leave the queue; without one, `left` leads nowhere."""
    served: str = END
    waited: str = ""
    full: str = ""
    closed: str = ""
    left: str = ""

    def ways(self) -> Iterator[tuple[str, str]]:
        """Yield each outcome that can come."""
        return ((outcome, target) for outcome, target in super().ways() if outcome != "left" or self.leave_on)


class Callback(Step, frozen=True, kw_only=True, tag="callback"):
    """Take down that somebody is to be called back, at the place in the queue that they have."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("booked", "refused")
    SILENT: ClassVar[frozenset[str]] = frozenset(OUTCOMES)
    queue: str = ""
    number: str = "{caller}"
    booked: str = ""
    refused: str = ""


class Voicemail(Step, frozen=True, kw_only=True, tag="voicemail"):
    """Take a spoken message and open a case with it."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("recorded", "none", "refused")
    SILENT: ClassVar[frozenset[str]] = frozenset({"none", "refused"})
    prompt: Prompt = NOTHING
    longest_s: int = 120
    silence_s: int = 5
    type: str = ""
    title: str = ""
    answers: Mapping[str, str] = {}
    recorded: str = ""
    none: str = ""
    refused: str = ""
    """It was recorded, and no case could be opened with it."""


class Webhook(Step, frozen=True, kw_only=True, tag="webhook"):
    """Ask a program elsewhere, by the name of its address; what is sent and what is taken from the answer is declared."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("answered", "failed")
    SILENT: ClassVar[frozenset[str]] = frozenset(OUTCOMES)
    hook: str = ""
    sends: Mapping[str, str] = {}
    """Name in the request to its value, with variables in braces."""
    takes: Mapping[str, str] = {}
    """Variable to the place in the answer: names with dots between them."""
    timeout_s: int = 5
    answered: str = ""
    failed: str = ""


class Transfer(Step, frozen=True, kw_only=True, tag="transfer"):
    """Put through to a number. `done`: they talked, and whoever was put through is still there."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("done", "failed")
    SILENT: ClassVar[frozenset[str]] = frozenset({"failed"})
    target: str = ""
    timeout_s: int = 30
    done: str = END
    failed: str = ""


class Call(Step, frozen=True, kw_only=True, tag="call"):
    """Run another flow of the organisation, then go on."""

    flow: str = ""
    next: str = ""


class Wait(Step, frozen=True, kw_only=True, tag="wait"):
    """Let time pass."""

    SILENT: ClassVar[frozenset[str]] = frozenset()
    seconds: int = 60
    next: str = ""


class HangUp(Step, frozen=True, kw_only=True, tag="hang_up"):
    """End the contact, whichever flow this is in."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ()
    SILENT: ClassVar[frozenset[str]] = frozenset()
    outcome: str = "done"
    """A word for statistics."""


AnyStep = (
    Say
    | AskDigits
    | AskSpeech
    | AskText
    | Branch
    | SetLanguage
    | SetVariable
    | LookUpCase
    | OpenCase
    | Queue
    | Callback
    | Voicemail
    | Webhook
    | Transfer
    | Call
    | Wait
    | HangUp
)
KINDS: Mapping[str, type[Step]] = {str(kind.__struct_config__.tag): kind for kind in AnyStep.__args__}
"""Every kind of step by its tag."""


class Shortcut(msgspec.Struct, frozen=True, kw_only=True):
    """Words (or keys) that lead to a step whatever is being asked: 人工, 退订, 0."""

    words: tuple[str, ...] = ()
    to: str = ""


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a flow."""

    label: Text = Text()
    description: Text = Text()
    languages: tuple[str, ...] = ("zh",)
    """The first is spoken until another is chosen."""
    first: str = ""
    """Where it begins; the first of the steps where none is named."""
    inputs: tuple[str, ...] = ()
    """Variables that a contact may bring along, or a flow that calls this one."""
    longest_minutes: int = 60
    """All waiting together; time in which somebody talks with a person does not count."""
    shortcuts: tuple[Shortcut, ...] = ()
    steps: tuple[AnyStep, ...] = ()
    tests: tuple[FlowTest, ...] = ()

    def step(self, key: str) -> AnyStep:
        """Return a step by its key; KeyError where there is none."""
        for step in self.steps:
            if step.key == key:
                return step
        raise KeyError(key)

    @property
    def beginning(self) -> str:
        """Return the key of the step it begins with, `END` where it has none."""
        return self.first or (self.steps[0].key if self.steps else END)


class FlowRefused(Refused):
    """A flow cannot be read, or cannot be used as it is."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.place}: {problem.words}" for problem in problems))
        self.problems = problems


def read_flow(text: str | bytes) -> Flow:
    """Return a flow from JSON without asking whether it makes sense (`faults` does). Raises FlowRefused."""
    try:
        return msgspec.json.decode(text, type=Flow)
    except msgspec.DecodeError as error:
        reason, _, place = str(error).partition(" - at ")
        raise FlowRefused((Problem(place.strip("`") or "$", UNREADABLE, {"error": reason}),)) from error


def write_flow(flow: Flow) -> str:
    """Return a flow as JSON."""
    return msgspec.json.format(msgspec.json.encode(flow), indent=1).decode()
