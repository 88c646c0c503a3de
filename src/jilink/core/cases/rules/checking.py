"""What is wrong with a case type, place by place, before anybody works by it."""

from collections.abc import Iterator, Sequence
from itertools import chain

from jilink.core.cases.rules.clocks import Limit
from jilink.core.cases.rules.definition import (
    ENDS,
    Definition,
    DefinitionRefused,
    Limits,
    Problem,
    Stage,
    StageKind,
    Step,
    Transition,
    read_definition,
)
from jilink.core.cases.rules.form import DECIMAL, KEY, Above, AnyQuestion, NumberQuestion, leaves
from jilink.core.parties.rules import Role

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
            yield Problem(f"{place}[{number}].key", "small letters, digits and _, beginning with a letter")
        if key in keys[:number]:
            yield Problem(f"{place}[{number}].key", f"{key} is there twice")


def _of_names(definition: Definition) -> Iterator[Problem]:
    if not definition.label:
        yield Problem("$.label", "has no words")
    if not definition.closing_codes:
        yield Problem("$.closing_codes", "at least one is needed")
    for place, most, rows in (
        ("$.stages", MOST_STAGES, definition.stages),
        ("$.form", MOST_QUESTIONS, definition.form),
        ("$.questions", MOST_QUESTIONS, definition.questions),
        ("$.closing_codes", MOST_QUESTIONS, definition.closing_codes),
        ("$.ladder", MOST_QUESTIONS, definition.ladder),
    ):
        yield from _repeated(place, [row.key for row in rows])
        yield from (Problem(f"{place}[{n}].label", "has no words") for n, row in enumerate(rows) if not row.label)
        if len(rows) > most:
            yield Problem(place, f"at most {most}")
    if any(stage.key == "whole" for stage in definition.stages):
        yield Problem("$.stages", "whole is the name of the clock of the whole case")


def _of_questions(place: str, form: Sequence[AnyQuestion]) -> Iterator[Problem]:
    earlier: dict[str, AnyQuestion] = {}
    for number, question in enumerate(form):
        here = f"{place}[{number}]"
        for leaf in leaves(question.show_when):
            if leaf.question not in earlier:
                yield Problem(f"{here}.show_when", f"{leaf.question} is not an earlier question")
            elif isinstance(leaf, Above) and not isinstance(earlier[leaf.question], NumberQuestion):
                yield Problem(f"{here}.show_when", f"{leaf.question} is no number")
            if isinstance(leaf, Above) and not DECIMAL.fullmatch(leaf.value):
                yield Problem(f"{here}.show_when", f"{leaf.value} is no number")
        yield from (Problem(f"{here}.{attribute}", reason) for attribute, reason in question.flaws())
        earlier[question.key] = question


def _of_priorities(definition: Definition) -> Iterator[Problem]:
    ranks = [level.rank for level in definition.priorities]
    if definition.usual_priority not in ranks:
        yield Problem("$.usual_priority", "is not one of the priorities")
    if ranks != sorted(set(ranks)) or not set(ranks) <= set(range(1, 10)):
        yield Problem("$.priorities", "ranks lie between 1 and 9, each once, in rising order")


def _of_transitions(definition: Definition) -> Iterator[Problem]:
    stages = {stage.key: stage for stage in definition.stages}
    asked = {question.key for question in definition.form}
    seen: set[tuple[str, str]] = set()
    if len(definition.transitions) > MOST_TRANSITIONS:
        yield Problem("$.transitions", f"at most {MOST_TRANSITIONS}")
    for number, way in enumerate(definition.transitions):
        here = f"$.transitions[{number}]"
        for name, key in (("source", way.source), ("target", way.target)):
            if key not in stages:
                yield Problem(f"{here}.{name}", f"there is no stage {key}")
        if (way.source, way.key) in seen or not KEY.fullmatch(way.key):
            yield Problem(f"{here}.key", "small letters, digits and _, each once for a stage")
        seen.add((way.source, way.key))
        if not way.label:
            yield Problem(f"{here}.label", "has no words")
        yield from (Problem(f"{here}.requires", f"there is no question {key}") for key in way.requires if key not in asked)
        if way.source in stages and way.target in stages:
            yield from _of_kinds(here, way, stages)


def _of_kinds(here: str, way: Transition, stages: dict[str, Stage]) -> Iterator[Problem]:
    sources, targets = ALLOWED[way.step]
    if stages[way.source].kind not in sources:
        yield Problem(f"{here}.step", f"{way.step} does not begin in a stage of kind {stages[way.source].kind}")
    if stages[way.target].kind not in targets:
        yield Problem(f"{here}.step", f"{way.step} does not lead to a stage of kind {stages[way.target].kind}")


def _of_ways(definition: Definition) -> Iterator[Problem]:
    """Every stage can be reached, an end can be reached from every stage, and a return has somewhere to be decided."""
    if not definition.stages:
        yield Problem("$.stages", "at least one is needed")
        return
    if definition.stages[0].kind != StageKind.INTAKE:
        yield Problem("$.stages[0].kind", "a case begins in a stage of kind intake")
    ways = [(way.source, way.target) for way in definition.transitions]
    returns = [way for way in definition.transitions if way.step == Step.RETURN]
    arbitration = definition.first_of(StageKind.ARBITRATION)
    if returns and arbitration is None:
        yield Problem("$.stages", "orders can be returned, so a stage of kind arbitration is needed")
    if arbitration is not None:
        ways += [(way.source, arbitration.key) for way in returns]
    reached = _closure({definition.stages[0].key}, ways)
    ends = {stage.key for stage in definition.stages if stage.kind == StageKind.CLOSED}
    ending = _closure(ends, [(target, source) for source, target in ways])
    for number, stage in enumerate(definition.stages):
        if stage.key not in reached:
            yield Problem(f"$.stages[{number}]", "cannot be reached")
        if stage.key not in ending and stage.kind not in ENDS:
            yield Problem(f"$.stages[{number}]", "no way leads from here to an end")
    failing = {way.source for way in definition.transitions if way.step == Step.REWORK}
    for number, way in enumerate(definition.transitions):
        if way.step == Step.CONFIRM and way.source not in failing:
            yield Problem(f"$.transitions[{number}]", "what can be confirmed must be able to go back to work")
    if not ends:
        yield Problem("$.stages", "a stage of kind closed is needed")


def _closure(begin: set[str], ways: Sequence[tuple[str, str]]) -> set[str]:
    found, grown = set(begin), True
    while grown:
        more = {target for source, target in ways if source in found} - found
        found, grown = found | more, bool(more)
    return found


def _of_limit(place: str, limit: Limit | None) -> Iterator[Problem]:
    if limit is not None and not 1 <= limit.amount <= 10_000:
        yield Problem(f"{place}.amount", "must lie between 1 and 10000")


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
                yield Problem(f"{place}.by_priority[{rank}]", "is not one of the priorities")
    for number, stage in enumerate(definition.stages):
        if stage.kind in ENDS and stage.limits is not None:
            yield Problem(f"$.stages[{number}].limits", "an end has no clock")
    yield from _of_limit("$.call_back", definition.call_back)
    yield from _of_limit("$.reopen_within", definition.reopen_within)
    for name, value, least, most in (
        ("returns_before_arbitration", definition.returns_before_arbitration, 0, 9),
        ("extensions_at_most", definition.extensions_at_most, 0, 9),
        ("longest_suspension_days", definition.longest_suspension_days, 1, 3660),
    ):
        if not least <= value <= most:
            yield Problem(f"$.{name}", f"must lie between {least} and {most}")


def _of_ladder(definition: Definition) -> Iterator[Problem]:
    clocks = {stage.key for stage in definition.stages if stage.limits is not None} | ({"whole"} if definition.whole else set())
    for number, rung in enumerate(definition.ladder):
        here = f"$.ladder[{number}]"
        yield from (Problem(f"{here}.clocks", f"{key} has no clock") for key in rung.clocks if key not in clocks)
        yield from (Problem(f"{here}.notify", f"{name} is no role") for name in rung.notify if name not in AUDIENCES)
        if (rung.percent is None) == (rung.overdue is None):
            yield Problem(here, "needs either percent or overdue")
        if rung.percent is not None and not 1 <= rung.percent <= 100:
            yield Problem(f"{here}.percent", "must lie between 1 and 100")
        yield from _of_limit(f"{here}.overdue", rung.overdue)
        if not (rung.notify or rung.raise_priority or rung.hand_up):
            yield Problem(here, "does nothing")
