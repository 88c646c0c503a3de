"""What a happening means to the step that waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jilink.core.cases.rules.numbers import grouped
from jilink.core.flows.rules import definition as d
from jilink.core.flows.rules import effects as e
from jilink.core.flows.rules.state import State
from jilink.core.flows.rules.understanding import amount_of, has_any, keys_of
from jilink.kernel.texts import Text

SHORTEST_MESSAGE_S = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """By which outcome to leave, and what to keep."""

    outcome: str
    values: Mapping[str, str] = field(default_factory=dict)
    again: bool = False
    """Ask once more as long as there are tries."""
    words: str = ""
    """What was said in answer to a question, for shortcuts."""
    recording: str = ""
    message: str = ""
    """Written words that are left as a message."""


def answered(step: d.AnyStep, happened: e.AnyHappening, state: State) -> Answer | None:
    """Return what a happening means to the waiting step; None where it does not fit."""
    match step:
        case d.AskDigits():
            return _digits(step, happened)
        case d.AskText():
            return _text(step, happened)
        case d.AskSpeech() | d.Voicemail():
            return _speech(step, happened, state)
        case d.Queue() | d.Transfer():
            return _talk(step, happened, state)
        case d.Webhook() if isinstance(happened, e.HookAnswered):
            return Answer("answered", {name: value for name, value in happened.values.items() if name in step.takes})
        case d.LookUpCase() if isinstance(happened, e.CaseFound):
            return Answer("found", case_values(happened.case, state))
        case d.OpenCase() if isinstance(happened, e.CaseMade):
            return Answer("opened", {"case.number": grouped(happened.number)})
        case d.Branch() if isinstance(happened, e.HoursAre):
            return Answer("")
        case d.Branch() if isinstance(happened, e.Silent):
            return Answer("otherwise")
        case d.Wait() if isinstance(happened, e.Silent):
            return Answer("next")
    return _named(step, happened)


def case_values(case: d.CaseFacts, state: State) -> dict[str, str]:
    """Return the variables that a case gives, in the language that is spoken."""
    stage = case.stage if isinstance(case.stage, Text) else Text()
    return {
        "case.number": grouped(case.number),
        "case.title": case.title,
        "case.state": case.state,
        "case.stage": stage.in_("zh" if state.language == "zh" else "en"),
    }


def _digits(step: d.AskDigits, happened: e.AnyHappening) -> Answer | None:
    if isinstance(happened, e.Silent):
        return Answer("none", again=True)
    if isinstance(happened, e.Pressed):
        said = digits = happened.digits
    elif isinstance(happened, e.Wrote):
        said = happened.text
        digits = keys_of(said) or next((key for key, words in step.words.items() if has_any(said, words.split())), "")
    else:
        return None
    digits = digits.removesuffix(step.terminator) if step.terminator and len(digits) > 1 else digits
    fits = digits in step.allowed if step.allowed else step.least <= len(digits) <= step.most
    if fits and digits:
        return Answer("next", {step.save: digits}, words=said)
    return Answer("invalid" if digits or said else "none", again=True, words=said)


def _text(step: d.AskText, happened: e.AnyHappening) -> Answer | None:
    if isinstance(happened, e.Silent):
        return Answer("none", again=True)
    if not isinstance(happened, e.Wrote | e.Pressed | e.Spoke):
        return None
    said = (happened.digits if isinstance(happened, e.Pressed) else happened.text).strip()
    if not said:
        return Answer("none", again=True)
    if step.wants == "text":
        return Answer("next", {step.save: said}, words=said)
    amount = amount_of(said)
    if amount is None:
        return Answer("invalid", again=True, words=said)
    return Answer("next", {step.save: format(amount.normalize(), "f")}, words=said)


def _speech(step: d.AskSpeech | d.Voicemail, happened: e.AnyHappening, state: State) -> Answer | None:
    if isinstance(step, d.Voicemail) and state.recording:
        if isinstance(happened, e.CaseMade):
            return Answer("recorded", {"case.number": grouped(happened.number)})
        return Answer("refused") if isinstance(happened, e.Silent | e.Came) else None
    match happened:
        case e.Silent():
            return Answer("none")
        case e.Spoke(recording=recording, seconds=seconds, text=text):
            if not recording or seconds < SHORTEST_MESSAGE_S:
                return Answer("none")
            values = {step.save: text or recording} if isinstance(step, d.AskSpeech) else {}
            return Answer("next", values, recording=recording)
        case e.Wrote(text=text) if text.strip():
            if isinstance(step, d.AskSpeech):
                return Answer("next", {step.save: text.strip()}, words=text)
            return Answer("recorded", words=text, message=text.strip())
    return None


def _talk(step: d.Queue | d.Transfer, happened: e.AnyHappening, state: State) -> Answer | None:
    queue = isinstance(step, d.Queue)
    if isinstance(happened, e.Parted):
        return Answer("served" if queue else "done")
    if isinstance(happened, e.Silent):
        over = ("served" if queue else "done") if state.connected_at is not None else ("waited" if queue else "failed")
        return Answer(over)
    return _named(step, happened) if state.connected_at is None else None


_LATE = {d.Webhook: "failed", d.Callback: "refused", d.OpenCase: "refused", d.LookUpCase: "unknown"}
"""What comes of those that answer at once where nobody answered in time."""


def _named(step: d.AnyStep, happened: e.AnyHappening) -> Answer | None:
    outcome = happened.outcome if isinstance(happened, e.Came) else ""
    if isinstance(happened, e.Silent):
        outcome = _LATE.get(type(step), "")
    allowed = [one for one, _target in step.ways()] if type(step) in {*_LATE, d.Queue, d.Transfer} else []
    return Answer(outcome) if outcome in allowed else None
