"""What is wrong with a case type, place by place, before anybody works by it."""

from collections.abc import Iterator, Sequence
from itertools import chain

from jilink.core.cases.rules.clocks import Limit
from jilink.core.cases.rules.definition import (
    ENDS,
    Definition,
    DefinitionRefused,
    Limits,
    Stage,
    StageKind,
    Step,
    Transition,
    read_definition,
)
from jilink.core.cases.rules.form import (
    BETWEEN,
    DECIMAL,
    KEY,
    KEY_WORDS,
    LABEL_WORDS,
    ONE_NEEDED,
    TWICE,
    Above,
    AnyQuestion,
    NumberQuestion,
    leaves,
)
from jilink.core.cases.rules.problems import Problem
from jilink.core.parties.rules import Role
from jilink.kernel.texts import gettext_noop

_K, _S = StageKind, Step
ALLOWED: dict[Step, tuple[frozenset[StageKind], frozenset[StageKind]]] = {
    _S.ACCEPT: (frozenset({_K.INTAKE}), frozenset({_K.INTAKE, _K.DISPATCH, _K.WORK})),
    _S.DISPATCH: (frozenset({_K.INTAKE, _K.DISPATCH, _K.ARBITRATION}), frozenset({_K.WORK})),
    _S.RETURN: (frozenset({_K.WORK}), frozenset({_K.DISPATCH, _K.INTAKE})),
    _S.FINISH: (frozenset({_K.WORK}), frozenset({_K.CHECK, _K.CLOSED})),
    _S.CONFIRM: (frozenset({_K.CHECK}), frozenset({_K.CHECK, _K.CLOSED})),
    _S.REWORK: (frozenset({_K.CHECK}), frozenset({_K.WORK})),
    _S.CLOSE: (frozenset({_K.INTAKE, _K.DISPATCH, _K.WORK, _K.CHECK, _K.ARBITRATION}), frozenset({_K.CLOSED})),
    _S.VOID: (frozenset({_K.INTAKE, _K.DISPATCH, _K.WORK, _K.CHECK, _K.ARBITRATION}), frozenset({_K.VOID})),
    _S.REOPEN: (ENDS, frozenset({_K.INTAKE, _K.DISPATCH, _K.WORK})),
    _S.MOVE: (frozenset(_K) - ENDS, frozenset({_K.INTAKE, _K.WORK, _K.CHECK})),
}
"""Between which kinds of stage each step may lead; what a designer draws beyond it is refused."""
AUDIENCES = frozenset(Role) | {"assignee", "team"}
MOST = gettext_noop("There are more than %(most)s.")
NO_NUMBER = gettext_noop("%(key)s is no number.")
NO_PRIORITY = gettext_noop("This is not one of the priorities.")
MOST_STAGES, MOST_QUESTIONS, MOST_TRANSITIONS = 40, 120, 200


def decode_definition(text: str | bytes) -> Definition:
    """Return a definition from JSON that is fit for work. Raises DefinitionRefused with all its problems."""
    definition = read_definition(text)
    found = problems(definition)
    if found:
        raise DefinitionRefused(found)
    return definition


def problems(definition: Definition) -> tuple[Problem, ...]:
    """Return everything that is wrong with a definition; nothing when it is fit for work."""
    return tuple(
        chain(
            _of_names(definition),
            _of_questions("$.form", definition.form),
            _of_questions("$.questions", definition.questions),
            _of_priorities(definition),
            _of_transitions(definition),
            _of_ways(definition),
            _of_limits(definition),
            _of_ladder(definition),
        )
    )


def _repeated(place: str, keys: Sequence[str]) -> Iterator[Problem]:
    for number, key in enumerate(keys):
        if not KEY.fullmatch(key):
            yield Problem(f"{place}[{number}].key", KEY_WORDS)
        if key in keys[:number]:
            yield Problem(f"{place}[{number}].key", TWICE, {"key": key})


def _of_names(definition: Definition) -> Iterator[Problem]:
    if not definition.label:
        yield Problem("$.label", LABEL_WORDS)
    if not definition.closing_codes:
        yield Problem("$.closing_codes", ONE_NEEDED)
    for place, most, rows in (
        ("$.stages", MOST_STAGES, definition.stages),
        ("$.form", MOST_QUESTIONS, definition.form),
        ("$.questions", MOST_QUESTIONS, definition.questions),
        ("$.closing_codes", MOST_QUESTIONS, definition.closing_codes),
        ("$.ladder", MOST_QUESTIONS, definition.ladder),
    ):
        yield from _repeated(place, [row.key for row in rows])
        yield from (Problem(f"{place}[{n}].label", LABEL_WORDS) for n, row in enumerate(rows) if not row.label)
        if len(rows) > most:
            yield Problem(place, MOST, {"most": most})
    if any(stage.key == "whole" for stage in definition.stages):
        yield Problem("$.stages", gettext_noop("whole is the name of the clock of the whole case; choose another."))


def _of_questions(place: str, form: Sequence[AnyQuestion]) -> Iterator[Problem]:
    earlier: dict[str, AnyQuestion] = {}
    for number, question in enumerate(form):
        here = f"{place}[{number}]"
        for leaf in leaves(question.show_when):
            if leaf.question not in earlier:
                yield Problem(f"{here}.show_when", gettext_noop("%(key)s is not an earlier question."), {"key": leaf.question})
            elif isinstance(leaf, Above) and not isinstance(earlier[leaf.question], NumberQuestion):
                yield Problem(f"{here}.show_when", NO_NUMBER, {"key": leaf.question})
            if isinstance(leaf, Above) and not DECIMAL.fullmatch(leaf.value):
                yield Problem(f"{here}.show_when", NO_NUMBER, {"key": leaf.value})
        yield from (flaw.below(here) for flaw in question.flaws())
        earlier[question.key] = question


def _of_priorities(definition: Definition) -> Iterator[Problem]:
    ranks = [level.rank for level in definition.priorities]
    if definition.usual_priority not in ranks:
        yield Problem("$.usual_priority", NO_PRIORITY)
    if ranks != sorted(set(ranks)) or not set(ranks) <= set(range(1, 10)):
        yield Problem("$.priorities", gettext_noop("Ranks lie between 1 and 9, each once, in rising order."))


def _of_transitions(definition: Definition) -> Iterator[Problem]:
    stages = {stage.key: stage for stage in definition.stages}
    asked = {question.key for question in definition.form}
    seen: set[tuple[str, str]] = set()
    if len(definition.transitions) > MOST_TRANSITIONS:
        yield Problem("$.transitions", MOST, {"most": MOST_TRANSITIONS})
    for number, way in enumerate(definition.transitions):
        here = f"$.transitions[{number}]"
        for name, key in (("source", way.source), ("target", way.target)):
            if key not in stages:
                yield Problem(f"{here}.{name}", gettext_noop("There is no stage %(key)s."), {"key": key})
        if (way.source, way.key) in seen or not KEY.fullmatch(way.key):
            yield Problem(f"{here}.key", gettext_noop("A key is small letters, digits and _, each once for a stage."))
        seen.add((way.source, way.key))
        if not way.label:
            yield Problem(f"{here}.label", LABEL_WORDS)
        yield from (
            Problem(f"{here}.requires", gettext_noop("There is no question %(key)s."), {"key": key})
            for key in way.requires
            if key not in asked
        )
        if way.source in stages and way.target in stages:
            yield from _of_kinds(here, way, stages)


def _of_kinds(here: str, way: Transition, stages: dict[str, Stage]) -> Iterator[Problem]:
    sources, targets = ALLOWED[way.step]
    if stages[way.source].kind not in sources:
        yield Problem(
            f"{here}.step",
            gettext_noop("%(step)s does not begin in a stage of kind %(kind)s."),
            {"step": way.step.value, "kind": stages[way.source].kind.value},
        )
    if stages[way.target].kind not in targets:
        yield Problem(
            f"{here}.step",
            gettext_noop("%(step)s does not lead to a stage of kind %(kind)s."),
            {"step": way.step.value, "kind": stages[way.target].kind.value},
        )


def _of_ways(definition: Definition) -> Iterator[Problem]:
    """Every stage can be reached, an end can be reached from every stage, and a return has somewhere to be decided."""
    if not definition.stages:
        yield Problem("$.stages", ONE_NEEDED)
        return
    if definition.stages[0].kind != StageKind.INTAKE:
        yield Problem("$.stages[0].kind", gettext_noop("A case begins in a stage of kind intake."))
    ways = [(way.source, way.target) for way in definition.transitions]
    returns = [way for way in definition.transitions if way.step == Step.RETURN]
    arbitration = definition.first_of(StageKind.ARBITRATION)
    if returns and arbitration is None:
        yield Problem("$.stages", gettext_noop("Orders can be returned, so a stage of kind arbitration is needed."))
    if arbitration is not None:
        ways += [(way.source, arbitration.key) for way in returns]
    reached = _closure({definition.stages[0].key}, ways)
    ends = {stage.key for stage in definition.stages if stage.kind == StageKind.CLOSED}
    ending = _closure(ends, [(target, source) for source, target in ways])
    for number, stage in enumerate(definition.stages):
        if stage.key not in reached:
            yield Problem(f"$.stages[{number}]", gettext_noop("No way leads to this stage."))
        if stage.key not in ending and stage.kind not in ENDS:
            yield Problem(f"$.stages[{number}]", gettext_noop("No way leads from this stage to an end."))
    failing = {way.source for way in definition.transitions if way.step == Step.REWORK}
    for number, way in enumerate(definition.transitions):
        if way.step == Step.CONFIRM and way.source not in failing:
            yield Problem(f"$.transitions[{number}]", gettext_noop("What can be confirmed must be able to go back to work."))
    if not ends:
        yield Problem("$.stages", gettext_noop("A stage of kind closed is needed."))


def _closure(begin: set[str], ways: Sequence[tuple[str, str]]) -> set[str]:
    found, grown = set(begin), True
    while grown:
        more = {target for source, target in ways if source in found} - found
        found, grown = found | more, bool(more)
    return found


def _of_limit(place: str, limit: Limit | None) -> Iterator[Problem]:
    if limit is not None and not 1 <= limit.amount <= 10_000:
        yield Problem(f"{place}.amount", BETWEEN, {"least": 1, "most": 10_000})


def _of_limits(definition: Definition) -> Iterator[Problem]:
    rows: list[tuple[str, Limits | None]] = [("$.whole", definition.whole)]
    rows += [(f"$.stages[{number}].limits", stage.limits) for number, stage in enumerate(definition.stages)]
    ranks = {level.rank for level in definition.priorities}
    for place, limits in rows:
        if limits is None:
            continue
        yield from _of_limit(f"{place}.usual", limits.usual)
        for rank, limit in limits.by_priority.items():
            yield from _of_limit(f"{place}.by_priority[{rank}]", limit)
            if rank not in ranks:
                yield Problem(f"{place}.by_priority[{rank}]", NO_PRIORITY)
    for number, stage in enumerate(definition.stages):
        if stage.kind in ENDS and stage.limits is not None:
            yield Problem(f"$.stages[{number}].limits", gettext_noop("An end has no clock."))
    yield from _of_limit("$.call_back", definition.call_back)
    yield from _of_limit("$.reopen_within", definition.reopen_within)
    for name, value, least, most in (
        ("returns_before_arbitration", definition.returns_before_arbitration, 0, 9),
        ("extensions_at_most", definition.extensions_at_most, 0, 9),
        ("longest_suspension_days", definition.longest_suspension_days, 1, 3660),
    ):
        if not least <= value <= most:
            yield Problem(f"$.{name}", BETWEEN, {"least": least, "most": most})


def _of_ladder(definition: Definition) -> Iterator[Problem]:
    clocks = {stage.key for stage in definition.stages if stage.limits is not None} | ({"whole"} if definition.whole else set())
    for number, rung in enumerate(definition.ladder):
        here = f"$.ladder[{number}]"
        yield from (
            Problem(f"{here}.clocks", gettext_noop("%(key)s has no clock."), {"key": key}) for key in rung.clocks if key not in clocks
        )
        yield from (
            Problem(f"{here}.notify", gettext_noop("%(name)s is no role."), {"name": name}) for name in rung.notify if name not in AUDIENCES
        )
        if (rung.percent is None) == (rung.overdue is None):
            yield Problem(here, gettext_noop("A rung needs either a percentage or a time overdue."))
        if rung.percent is not None and not 1 <= rung.percent <= 100:
            yield Problem(f"{here}.percent", BETWEEN, {"least": 1, "most": 100})
        yield from _of_limit(f"{here}.overdue", rung.overdue)
        if not (rung.notify or rung.raise_priority or rung.hand_up):
            yield Problem(here, gettext_noop("This rung does nothing."))
