"""What can be wrong with a single step: its words, its numbers, and the things it names."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Protocol

from msgspec.structs import replace

from jilink.core.cases.rules.form import BETWEEN, DECIMAL, KEY_WORDS, ONE_NEEDED
from jilink.core.cases.rules.problems import Problem
from jilink.core.flows.rules import conditions as c
from jilink.core.flows.rules import definition as d
from jilink.core.flows.rules import words
from jilink.kernel.patterns import PatternRefused, check_pattern
from jilink.kernel.texts import gettext_noop

MOST = gettext_noop("There are more than %(most)s.")
NOT_A_NUMBER = gettext_noop("This is not a number.")
NO_WORDS = gettext_noop("There is nothing to say in %(language)s.")
NO_VARIABLE = gettext_noop("Nothing gives the variable %(name)s a value.")
RESERVED = frozenset({"caller", "dialled", "name", "channel", "language"})
KEYS = frozenset("0123456789*#")
MOST_ARMS = 50
LONGEST_WAIT_S = 2_592_000


class Around(Protocol):
    """What there is beside the flow (`faults.Known`)."""

    @property
    def queues(self) -> frozenset[str] | None: ...
    @property
    def calendars(self) -> frozenset[str] | None: ...
    @property
    def types(self) -> Mapping[str, frozenset[str]] | None: ...
    @property
    def hooks(self) -> frozenset[str] | None: ...


def of_step(step: d.Step, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    """Yield what is wrong with one step, by attribute."""
    yield from _of_words(step, flow, names)
    yield from _of_numbers(step)
    save = getattr(step, "save", None)
    if save is not None:
        yield from _of_name("save", save)
    for kind, check in _CHECKS.items():
        if isinstance(step, kind):
            yield from check(step, flow, known, names)


_PROMPTED = (d.Say, d.AskDigits, d.AskSpeech, d.AskText, d.Voicemail)


def _of_words(step: d.Step, flow: d.Flow, names: frozenset[str]) -> Iterator[Problem]:
    said_before = any(isinstance(one, d.Say) and one.next == step.key for one in flow.steps)
    if isinstance(step, d.Say) and step.language:
        yield from (problem.below("prompt") for problem in of_prompt(step.prompt, replace(flow, languages=(step.language,)), names))
    elif isinstance(step, _PROMPTED) and (step.prompt or isinstance(step, d.Say) or not said_before):
        yield from (problem.below("prompt") for problem in of_prompt(step.prompt, flow, names))
    again = getattr(step, "again", None)
    if again:
        yield from (problem.below("again") for problem in of_prompt(again, flow, names))
    for attribute in ("value", "number", "phone", "title", "description", "target"):
        template = getattr(step, attribute, None)
        if isinstance(template, str):
            yield from (problem.below(attribute) for problem in _of_template("", template, names))
    for attribute in ("answers", "sends"):
        for name, template in getattr(step, attribute, {}).items():
            yield from (problem.below(attribute) for problem in _of_template(name, template, names))


def of_prompt(prompt: words.Prompt, flow: d.Flow, names: frozenset[str]) -> Iterator[Problem]:
    """Yield what is wrong with something to say: a language that is missing, braces, variables, length."""
    for language in flow.languages:
        said = prompt.words.get(language, "")
        if not said.strip() and not prompt.recorded.get(language):
            yield Problem(f"words.{language}", NO_WORDS, {"language": language})
        yield from _of_template(f"words.{language}", said, names)
        if len(said) > words.LONGEST_WORDS:
            yield Problem(f"words.{language}", gettext_noop("At most %(most)s characters."), {"most": words.LONGEST_WORDS})
        elif words.seconds_to_say(said, language) > words.LONGEST_PROMPT_S:
            values = {"seconds": round(words.seconds_to_say(said, language)), "most": words.LONGEST_PROMPT_S}
            yield Problem(
                f"words.{language}", gettext_noop("This takes %(seconds)s seconds to say; at most %(most)s are listened to."), values
            )


def _of_template(place: str, template: str, names: frozenset[str]) -> Iterator[Problem]:
    if not words.well_formed(template):
        yield Problem(place, gettext_noop("Variables stand in braces: {number}, or {number:digits} for one digit after the other."))
        return
    for name, _form in words.places(template):
        if name not in names:
            yield Problem(place, NO_VARIABLE, {"name": name})


_NUMBERS: Mapping[type[d.Step], Mapping[str, tuple[int, int]]] = {
    d.AskDigits: {"least": (1, 30), "most": (1, 30), "timeout_s": (1, 600), "between_s": (1, 30), "tries": (1, 10)},
    d.AskSpeech: {"longest_s": (1, 600), "silence_s": (1, 30)},
    d.AskText: {"timeout_s": (1, LONGEST_WAIT_S), "tries": (1, 10)},
    d.Voicemail: {"longest_s": (5, 600), "silence_s": (1, 30)},
    d.Queue: {"priority": (0, 9), "longest_s": (5, 60_000)},
    d.Webhook: {"timeout_s": (1, 10)},
    d.Transfer: {"timeout_s": (5, 120)},
    d.Wait: {"seconds": (1, LONGEST_WAIT_S)},
}


def _of_numbers(step: d.Step) -> Iterator[Problem]:
    for attribute, (least, most) in _NUMBERS.get(type(step), {}).items():
        if not least <= getattr(step, attribute) <= most:
            yield Problem(attribute, BETWEEN, {"least": least, "most": most})


def _of_name(place: str, name: str) -> Iterator[Problem]:
    if not words.VARIABLE.fullmatch(name):
        yield Problem(place, KEY_WORDS)
    elif name in RESERVED or name.startswith("case."):
        yield Problem(place, gettext_noop("%(name)s is set by the flow itself; choose another."), {"name": name})


def _one_of(place: str, name: str, there: Collection[str] | None, reason: str) -> Iterator[Problem]:
    if not name or (there is not None and name not in there):
        yield Problem(place, reason, {"key": name or "-"})


NO_QUEUE = gettext_noop("There is no queue %(key)s.")
NO_TYPE = gettext_noop("There is no case type %(key)s in use.")
NO_HOOK = gettext_noop("There is no address %(key)s.")
NO_CALENDAR = gettext_noop("There is no working calendar %(key)s.")
NO_LANGUAGE = gettext_noop("The flow does not speak %(key)s.")


def _digits(step: d.AskDigits, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    if step.least > step.most:
        yield Problem("most", gettext_noop("The most is less than the least."))
    if step.terminator and (len(step.terminator) != 1 or step.terminator not in KEYS):
        yield Problem("terminator", gettext_noop("This is one key of a telephone."))
    if not step.terminator and step.least != step.most and not step.allowed:
        yield Problem("terminator", gettext_noop("Answers of several lengths need a key that ends them."))
    for number, answer in enumerate(step.allowed):
        if not answer or not set(answer) <= KEYS or not step.least <= len(answer) <= step.most:
            yield Problem(f"allowed[{number}]", gettext_noop("%(key)s cannot be the answer to this question."), {"key": answer})
    for answer in step.words:
        if step.allowed and answer not in step.allowed:
            yield Problem("words", gettext_noop("%(key)s cannot be the answer to this question."), {"key": answer})


def _branch(step: d.Branch, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    if not step.arms:
        yield Problem("arms", ONE_NEEDED)
    if len(step.arms) > MOST_ARMS:
        yield Problem("arms", MOST, {"most": MOST_ARMS})
    for number, arm in enumerate(step.arms):
        if isinstance(arm.test, c.OF_A_VARIABLE) and arm.on not in names:
            yield Problem(f"arms[{number}].on", NO_VARIABLE, {"name": arm.on or "-"})
        yield from (problem.below(f"arms[{number}].test") for problem in _of_test(arm.test, flow, known))


def _of_test(test: c.AnyTest, flow: d.Flow, known: Around) -> Iterator[Problem]:
    match test:
        case c.Is(values=rows) | c.Words(words=rows) | c.CaseIs(states=rows) | c.Comes(channels=rows):
            if not any(row.strip() for row in rows):
                yield Problem("values", ONE_NEEDED)
        case c.Between(least=least, most=most):
            for place, value in (("least", least), ("most", most)):
                if value and not DECIMAL.fullmatch(value):
                    yield Problem(place, NOT_A_NUMBER)
        case c.Like(pattern):
            try:
                check_pattern(pattern)
            except PatternRefused as error:
                yield Problem("pattern", error.message, {name: str(value) for name, value in error.values.items()})
        case c.Hours(calendar):
            yield from _one_of("calendar", calendar, known.calendars, NO_CALENDAR)
        case c.Speaks(languages):
            for language in languages or ("",):
                yield from _one_of("languages", language, flow.languages, NO_LANGUAGE)


def _language(step: d.SetLanguage, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    yield from _one_of("language", step.language, flow.languages, NO_LANGUAGE)


def _say(step: d.Say, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    if step.language:
        yield from _one_of("language", step.language, flow.languages, NO_LANGUAGE)


def _set(step: d.SetVariable, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    yield from _of_name("name", step.name)


def _case(step: d.OpenCase | d.Voicemail, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    yield from _one_of("type", step.type, known.types, NO_TYPE)
    if not step.title.strip() or len(step.title) > 200:
        yield Problem("title", gettext_noop("Say in at most 200 characters what the case is about."))
    asked = (known.types or {}).get(step.type)
    for question in step.answers:
        if asked is not None and question not in asked:
            yield Problem("answers", gettext_noop("There is no question %(key)s."), {"key": question})


def _queue(step: d.Queue, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    yield from _one_of("queue", step.queue, known.queues, NO_QUEUE)
    if step.leave_on and (len(step.leave_on) != 1 or step.leave_on not in KEYS):
        yield Problem("leave_on", gettext_noop("This is one key of a telephone."))
    for number, skill in enumerate(step.skills):
        yield from _of_template(f"skills[{number}]", skill, names)


def _callback(step: d.Callback, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    yield from _one_of("queue", step.queue, known.queues, NO_QUEUE)
    if not step.number.strip():
        yield Problem("number", gettext_noop("A number is needed."))


def _hook(step: d.Webhook, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    yield from _one_of("hook", step.hook, known.hooks, NO_HOOK)
    for name in step.takes:
        yield from _of_name("takes", name)


def _transfer(step: d.Transfer, flow: d.Flow, known: Around, names: frozenset[str]) -> Iterator[Problem]:
    if not step.target.strip():
        yield Problem("target", gettext_noop("A number is needed."))


_CHECKS: Mapping[tuple[type[d.Step], ...], Callable[..., Iterator[Problem]]] = {
    (d.AskDigits,): _digits,
    (d.Branch,): _branch,
    (d.SetLanguage,): _language,
    (d.Say,): _say,
    (d.SetVariable,): _set,
    (d.OpenCase, d.Voicemail): _case,
    (d.Queue,): _queue,
    (d.Callback,): _callback,
    (d.Webhook,): _hook,
    (d.Transfer,): _transfer,
}
