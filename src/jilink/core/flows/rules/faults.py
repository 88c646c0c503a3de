"""Everything that is wrong with a flow, place by place, before anybody meets it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from jilink.core.cases.rules.form import BETWEEN, KEY, KEY_WORDS, LABEL_WORDS, ONE_NEEDED, TWICE
from jilink.core.cases.rules.problems import Problem
from jilink.core.flows.rules import words
from jilink.core.flows.rules.definition import END, Call, Flow, HangUp, LookUpCase, OpenCase, SetVariable, Step, Voicemail, Webhook
from jilink.core.flows.rules.engine import DEEPEST, MOST_AT_ONCE
from jilink.core.flows.rules.step_faults import MOST, of_step
from jilink.kernel.texts import gettext_noop

MOST_STEPS, MOST_TESTS, MOST_LINES, MOST_SHORTCUTS = 200, 50, 100, 20
LONGEST_MINUTES = 43_200
BUILT_IN = frozenset({"caller", "dialled", "name", "channel", "language"})
CASE = frozenset({"case.number", "case.title", "case.state", "case.stage"})


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What there is beside the flow. None: nobody can say, so nothing is refused."""

    queues: frozenset[str] | None = None
    calendars: frozenset[str] | None = None
    types: Mapping[str, frozenset[str]] | None = None
    """Case types in use, each with the keys of its questions."""
    hooks: frozenset[str] | None = None
    flows: Mapping[str, Flow] = {}
    """What is published under other keys of the organisation."""


def faults(flow: Flow, known: Known) -> tuple[Problem, ...]:
    """Return everything that is wrong with a flow; nothing where it can be published.

    A flow without faults ends, whatever happens and however late: no step leads nowhere, and no ring of steps goes round at once.
    """
    return tuple(chain(_of_whole(flow), _of_steps(flow, known), _of_shortcuts(flow), _of_calls(flow, known), _of_ways(flow, known)))


def _of_whole(flow: Flow) -> Iterator[Problem]:
    if not flow.label:
        yield Problem("$.label", LABEL_WORDS)
    yield from _of_languages(flow)
    if not flow.steps:
        yield Problem("$.steps", ONE_NEEDED)
    counted = (("$.steps", len(flow.steps), MOST_STEPS), ("$.tests", len(flow.tests), MOST_TESTS))
    for place, count, most in (*counted, ("$.shortcuts", len(flow.shortcuts), MOST_SHORTCUTS)):
        if count > most:
            yield Problem(place, MOST, {"most": most})
    for number, name in enumerate(flow.inputs):
        if not words.VARIABLE.fullmatch(name):
            yield Problem(f"$.inputs[{number}]", KEY_WORDS)
    if not 1 <= flow.longest_minutes <= LONGEST_MINUTES:
        yield Problem("$.longest_minutes", BETWEEN, {"least": 1, "most": LONGEST_MINUTES})
    for number, test in enumerate(flow.tests):
        if not test.name.strip():
            yield Problem(f"$.tests[{number}].name", LABEL_WORDS)
        if len(test.lines) > MOST_LINES:
            yield Problem(f"$.tests[{number}].lines", MOST, {"most": MOST_LINES})


def _of_languages(flow: Flow) -> Iterator[Problem]:
    if not flow.languages:
        yield Problem("$.languages", ONE_NEEDED)
    for number, language in enumerate(flow.languages):
        if language not in words.LANGUAGES:
            yield Problem(f"$.languages[{number}]", gettext_noop("%(name)s is no language that can be spoken here."), {"name": language})
        if language in flow.languages[:number]:
            yield Problem(f"$.languages[{number}]", TWICE, {"key": language})


def _of_steps(flow: Flow, known: Known) -> Iterator[Problem]:
    keys = [step.key for step in flow.steps]
    names = variables(flow, known)
    if flow.first and flow.first not in keys:
        yield Problem("$.first", NO_STEP, {"key": flow.first})
    for number, step in enumerate(flow.steps):
        here = f"$.steps[{number}]"
        if not KEY.fullmatch(step.key) or step.key == END:
            yield Problem(
                f"{here}.key", KEY_WORDS if step.key != END else gettext_noop("end stands for the end of a flow; choose another.")
            )
        if step.key in keys[:number]:
            yield Problem(f"{here}.key", TWICE, {"key": step.key})
        for outcome, target in step.ways():
            place = f"{here}.{_attribute(step, outcome)}"
            if not target:
                yield Problem(place, gettext_noop("Nobody said what comes then. Name a step, or the end."))
            elif target != END and target not in keys:
                yield Problem(place, NO_STEP, {"key": target})
        yield from (problem.below(here) for problem in of_step(step, flow, known, names))


NO_STEP = gettext_noop("There is no step %(key)s.")


def _attribute(step: Step, outcome: str) -> str:
    return f"arms[{int(outcome) - 1}].to" if outcome.isdecimal() else outcome


def _of_shortcuts(flow: Flow) -> Iterator[Problem]:
    keys = {step.key for step in flow.steps}
    for number, shortcut in enumerate(flow.shortcuts):
        if not any(word.strip() for word in shortcut.words):
            yield Problem(f"$.shortcuts[{number}].words", ONE_NEEDED)
        if shortcut.to != END and shortcut.to not in keys:
            yield Problem(f"$.shortcuts[{number}].to", NO_STEP, {"key": shortcut.to})


def variables(flow: Flow, known: Known) -> frozenset[str]:
    """Return every variable that can have a value somewhere in a flow, those of flows it calls included."""
    found = set(BUILT_IN) | set(flow.inputs)
    for one in (flow, *called(flow, known).values()):
        for step in one.steps:
            if isinstance(step, SetVariable):
                found.add(step.name)
            elif isinstance(step, Webhook):
                found |= set(step.takes)
            elif isinstance(step, LookUpCase | OpenCase | Voicemail):
                found |= CASE
            save = getattr(step, "save", "")
            if save:
                found.add(save)
    return frozenset(found)


def called(flow: Flow, known: Known) -> dict[str, Flow]:
    """Return every flow that this one calls, directly or through others, by key; those that do not exist are left out."""
    found: dict[str, Flow] = {}
    waiting = [flow]
    while waiting:
        for step in waiting.pop().steps:
            if isinstance(step, Call) and step.flow in known.flows and step.flow not in found:
                found[step.flow] = known.flows[step.flow]
                waiting.append(found[step.flow])
    return found


def _of_calls(flow: Flow, known: Known) -> Iterator[Problem]:
    depths: dict[str, int] = {}
    for number, step in enumerate(flow.steps):
        if not isinstance(step, Call):
            continue
        here = f"$.steps[{number}].flow"
        other = known.flows.get(step.flow)
        if other is None:
            yield Problem(here, gettext_noop("There is no published flow %(key)s."), {"key": step.flow})
            continue
        if _depth(step.flow, known, frozenset(), depths) > DEEPEST:
            yield Problem(here, gettext_noop("This calls itself again, or flows call each other too deep."))
        lacking = [language for language in flow.languages if language not in other.languages]
        if lacking:
            yield Problem(here, gettext_noop("The flow %(key)s does not speak %(language)s."), {"key": step.flow, "language": lacking[0]})


def _depth(key: str, known: Known, under: frozenset[str], found: dict[str, int]) -> int:
    """Return how deep calls go with a call of this flow, itself included; more than allowed where they go round. Each is looked at once."""
    if key in under:
        return DEEPEST + 1
    if key not in found:
        inner = {step.flow for step in known.flows[key].steps if isinstance(step, Call) and step.flow in known.flows}
        depths = [_depth(one, known, under | {key}, found) for one in sorted(inner)]
        found[key] = min(1 + max(depths, default=0), DEEPEST + 1)
    return found[key]


def _of_ways(flow: Flow, known: Known) -> Iterator[Problem]:
    """Every step can be reached, an end can be reached from every step, and nothing goes round or on for ever at once."""
    if not flow.steps:
        return
    ways = [(step.key, target) for step in flow.steps for _outcome, target in step.ways()]
    reached = _closure({flow.beginning, *(one.to for one in flow.shortcuts)}, ways)
    over = {END, *(step.key for step in flow.steps if isinstance(step, HangUp))}
    ending = _closure(over, [(target, source) for source, target in ways])
    ring = _ring(flow)
    for number, step in enumerate(flow.steps):
        here = f"$.steps[{number}]"
        if step.key not in reached:
            yield Problem(here, gettext_noop("No way leads to this step."))
        elif step.key not in ending:
            yield Problem(here, gettext_noop("From here no way leads to an end."))
        if step.key in ring:
            yield Problem(here, gettext_noop("This goes round without anybody being asked or waiting."))
    if not ring and _at_once(flow, known, DEEPEST, {}) > MOST_AT_ONCE:
        yield Problem("$.steps", gettext_noop("More than %(most)s steps follow each other without waiting."), {"most": MOST_AT_ONCE})


def _closure(start: set[str], ways: Sequence[tuple[str, str]]) -> set[str]:
    after: dict[str, list[str]] = {}
    for source, target in ways:
        after.setdefault(source, []).append(target)
    found, waiting = set(start), list(start)
    while waiting:
        for target in after.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _ring(flow: Flow) -> set[str]:
    """Return the steps from which silent ways lead back to themselves."""
    ways = [(step.key, target) for step in flow.steps for target in step.silent()]
    after: dict[str, set[str]] = {}
    for source, target in ways:
        after.setdefault(source, set()).add(target)
    return {step.key for step in flow.steps if step.key in _closure(set(after.get(step.key, ())), ways)}


def _at_once(flow: Flow, known: Known, deep: int, found: dict[tuple[str, int], int]) -> int:
    """Return the most steps that can follow each other without waiting, those of called flows included; 0 for one that goes round."""
    if deep < 0 or _ring(flow):
        return 0
    steps = {step.key: step for step in flow.steps}
    length: dict[str, int] = {}
    waiting = list(steps)
    while waiting:
        key = waiting[-1]
        lacking = [] if key in length else [one for one in steps[key].silent() if one in steps and one not in length]
        if lacking:
            waiting.extend(lacking)
            continue
        waiting.pop()
        if key not in length:
            step = steps[key]
            inner = _inner(step, known, deep - 1, found) + 1 if isinstance(step, Call) and step.flow in known.flows else 0
            length[key] = 1 + inner + max((length[one] for one in step.silent() if one in steps), default=0)
    return max(length.values(), default=0)


def _inner(step: Call, known: Known, deep: int, found: dict[tuple[str, int], int]) -> int:
    """Return the same of a flow that is called; each is looked at once."""
    if (step.flow, deep) not in found:
        found[step.flow, deep] = _at_once(known.flows[step.flow], known, deep, found)
    return found[step.flow, deep]
