"""Plays a flow with a script instead of a person: for the tests that are part of a flow, and for trying one by hand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jilink.core.cases.rules.problems import Problem
from jilink.core.flows.rules import definition as d
from jilink.core.flows.rules import effects as e
from jilink.core.flows.rules.engine import Library, advance, begin, settle
from jilink.core.flows.rules.state import Contact, Passed, State
from jilink.kernel.texts import gettext_noop

MADE = "3810249674"
"""Number of a case that is opened while trying; its check digit fits, and it is shown to nobody outside."""
SECONDS_A_LINE = 5


@dataclass(frozen=True, slots=True)
class Heard:
    """One line of the transcript: what the flow said or did, or (`ours` false) what whoever tries it did."""

    ours: bool
    kind: str
    """Name of the effect, ``answer`` or ``outcome``."""
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it. `waiting` is the effect that waits for another line, None where it is over."""

    heard: tuple[Heard, ...]
    passed: tuple[Passed, ...]
    state: State
    waiting: e.AnyEffect | None


def simulate(flow: d.Flow, test: d.FlowTest, now: datetime, library: Library | None = None) -> Played:
    """Return the transcript of a test's lines, as far as they go."""
    contact = Contact(
        channel=test.channel, caller="13904310001", dialled="12345", language=test.language, known=test.known, inputs=test.inputs
    )

    def inner(effect: e.AnyEffect, state: State) -> e.AnyHappening:
        return _inside(effect, test)

    heard: list[Heard] = []
    moved = settle(flow, begin(flow, contact, now, library), inner, now, library)
    passed = list(moved.passed)
    waiting = _hear(heard, moved.effects)
    lines = list(test.lines)
    while waiting is not None:
        happened = _hook(waiting, test)
        if happened is None:
            if not lines:
                break
            line = lines.pop(0)
            heard.append(Heard(False, "outcome" if line.outcome else "answer", line.outcome or line.answer))
            happened = _line(line, waiting, aloud=test.channel == "call")
            now += timedelta(seconds=SECONDS_A_LINE)
        before = moved.state
        moved = settle(flow, advance(flow, before, happened, now, library), inner, now, library)
        passed += moved.passed
        waiting = _hear(heard, moved.effects) if moved.state.turn != before.turn else waiting
        if moved.state == before and isinstance(happened, e.HookAnswered):
            break
    return Played(tuple(heard), tuple(passed), moved.state, None if moved.state.ended else waiting)


def failures(flow: d.Flow, now: datetime, library: Library | None = None) -> tuple[Problem, ...]:
    """Return what the tests of a flow find wrong with it; call it only for a flow without faults."""
    return tuple(problem for number, test in enumerate(flow.tests) for problem in _of_test(f"$.tests[{number}]", flow, test, now, library))


def _of_test(place: str, flow: d.Flow, test: d.FlowTest, now: datetime, library: Library | None) -> Iterator[Problem]:
    played = simulate(flow, test, now, library)
    said = [line.text for line in played.heard if line.ours]
    missing = _in_order(test.expects.said, said, lambda wanted, text: wanted in text)
    if missing is not None:
        yield Problem(
            f"{place}.expects.said", gettext_noop("In the test %(name)s nobody said: %(words)s"), {"name": test.name, "words": missing}
        )
    steps = [one.step for one in played.passed]
    skipped = _in_order(test.expects.passed, steps, lambda wanted, step: wanted == step)
    if skipped is not None:
        yield Problem(
            f"{place}.expects.passed", gettext_noop("The test %(name)s did not come past %(step)s."), {"name": test.name, "step": skipped}
        )
    if test.expects.ends and played.state.outcome != test.expects.ends:
        yield Problem(
            f"{place}.expects.ends",
            gettext_noop("The test %(name)s should end with %(wanted)s and ends with %(ends)s."),
            {"name": test.name, "wanted": test.expects.ends, "ends": played.state.outcome or "-"},
        )


def _in_order(wanted: Sequence[str], found: Sequence[str], fits: Callable[[str, str], bool]) -> str | None:
    """Return the first that is not found in order, None where all are."""
    rest = iter(found)
    return next((one for one in wanted if not any(fits(one, each) for each in rest)), None)


def _hear(heard: list[Heard], effects: Sequence[e.AnyEffect]) -> e.AnyEffect | None:
    """Write down what is said and done; return what waits."""
    for effect in effects:
        pieces = getattr(effect, "pieces", ())
        for piece in pieces:
            heard.append(Heard(True, "say", piece.text or f"[{piece.name}]", piece.language))
        if not isinstance(effect, e.Say):
            heard.append(Heard(True, str(effect.__struct_config__.tag), _told(effect)))
    last = effects[-1] if effects else None
    return None if last is None or isinstance(last, e.Say | e.End) else last


def _told(effect: e.AnyEffect) -> str:
    match effect:
        case e.PutInQueue(queue=queue) | e.BookCallback(queue=queue):
            return queue
        case e.PutThrough(target=target):
            return target
        case e.CallHook(hook=hook):
            return hook
        case e.End(outcome=outcome):
            return outcome
        case e.Pause(seconds=seconds):
            return f"{seconds} s"
    return ""


def _inside(effect: e.AnyEffect, test: d.FlowTest) -> e.AnyHappening:
    match effect:
        case e.AskHours(turn=turn, calendars=calendars):
            return e.HoursAre(turn=turn, open={one: one in test.open for one in calendars})
        case e.AskCase(turn=turn, number=number):
            case = next((one for one in test.cases if one.number.replace(" ", "") == number), None)
            return e.CaseFound(turn=turn, case=case) if case is not None else e.Came(turn=turn, outcome="unknown")
        case e.MakeCase(turn=turn):
            return e.CaseMade(turn=turn, number=MADE)
    raise AssertionError("only inner effects are answered inside")


def _hook(waiting: e.AnyEffect, test: d.FlowTest) -> e.AnyHappening | None:
    if not isinstance(waiting, e.CallHook):
        return None
    values: Mapping[str, str] | None = test.hooks.get(waiting.hook)
    return e.Came(turn=waiting.turn, outcome="failed") if values is None else e.HookAnswered(turn=waiting.turn, values=values)


def _line(line: d.Line, waiting: e.AnyEffect, *, aloud: bool) -> e.AnyHappening:
    turn = waiting.turn
    match line.outcome:
        case "gone":
            return e.Gone()
        case "silence":
            return e.Silent(turn=turn)
        case "served" | "done":
            return e.Parted(turn=turn)
        case "":
            if isinstance(waiting, e.TakeSpeech) and aloud:
                return e.Spoke(turn=turn, recording="trial", seconds=10, text="" if waiting.message else line.answer)
            pressed = isinstance(waiting, e.TakeDigits) and set(line.answer) <= set("0123456789*#")
            return e.Pressed(turn=turn, digits=line.answer) if pressed else e.Wrote(turn=turn, text=line.answer)
    return e.Came(turn=turn, outcome=line.outcome)
