"""What may happen to a case next: the definition's table, and the few rules that hold for every type.

`(stage, step) -> stage` stands in the definition. Beyond it: the second return goes to arbitration, what arbitration decides is
final, a suspended case stands, nobody checks their own work, and no clock stops because an order comes back.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from jilink.core.cases.rules.definition import ENDS, Definition, StageKind, Step, Transition
from jilink.kernel.errors import Refused

WHOLE = "whole"
"""Key of the clock of the whole case; every other clock has the key of its stage."""
CALL_BACK = "call_back"
"""Key of the clock that runs until a dissatisfied person was called."""


class State(StrEnum):
    """What a case is, whatever its type calls its stage."""

    OPEN = "open"
    CLOSED = "closed"
    VOID = "void"
    MERGED = "merged"


class StepRefused(Refused):
    """This cannot happen to the case now."""


class OwnWork(StepRefused):
    """Whoever did the work, or nobody in particular, wants to check it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands, as far as the rules look at it."""

    stage: str
    state: State = State.OPEN
    round: int = 1
    """1, and one more each time it is reopened."""
    returns: int = 0
    """Returns asked for in this round."""
    final: bool = False
    """Arbitration has decided: it cannot be returned any more."""
    suspended: bool = False
    doers: frozenset[int] = frozenset()
    """Everyone who said in this round that it is done."""


def state_of(kind: StageKind) -> State:
    """Return the state of a case in a stage of this kind."""
    return {StageKind.CLOSED: State.CLOSED, StageKind.VOID: State.VOID}.get(kind, State.OPEN)


def needs_code(state: str) -> bool:
    """Return whether a case that comes to this state must say how it ended."""
    return state == State.CLOSED


def goes_on(state: str) -> bool:
    """Return whether a case in this state is still worked on."""
    return state == State.OPEN


def begin(definition: Definition) -> Standing:
    """Return where a new case stands."""
    return Standing(definition.stages[0].key)


def ways(definition: Definition, standing: Standing) -> tuple[Transition, ...]:
    """Return the transitions that lead on from here, as the table has them; none while it is suspended or merged."""
    if standing.suspended or standing.state == State.MERGED:
        return ()
    here = [way for way in definition.transitions if way.source == standing.stage]
    return tuple(way for way in here if not (way.step == Step.RETURN and standing.final))


def way_of(definition: Definition, standing: Standing, key: str) -> Transition:
    """Return the transition with this key that leads on from here. Raises StepRefused."""
    for way in ways(definition, standing):
        if way.key == key:
            return way
    if standing.suspended:
        raise StepRefused("The case is suspended; resume it first.")
    if standing.final and any(way.key == key and way.source == standing.stage for way in definition.transitions):
        raise StepRefused("Arbitration has decided whose case this is; it cannot be returned again.")
    raise StepRefused("This cannot be done in the stage the case is in. Somebody may have moved it; look at it again.")


def to_arbitration(definition: Definition, standing: Standing) -> bool:
    """Return whether asking for one more return goes to arbitration instead of the dispatcher."""
    return standing.returns >= definition.returns_before_arbitration


def after(definition: Definition, standing: Standing, way: Transition, *, by: int | None, arbitrated: bool = False) -> Standing:
    """Return where a case stands after a transition. Raises OwnWork, StepRefused.

    `by` is the person's number, None for the installation. `arbitrated` sends a return to the stage of arbitration.
    """
    if way.step in {Step.CONFIRM, Step.REWORK} and (by is None or by in standing.doers):
        raise OwnWork("Somebody other than whoever did the work must check it.")
    target = way.target
    if way.step == Step.RETURN and arbitrated:
        stage = definition.first_of(StageKind.ARBITRATION)
        if stage is None:
            raise StepRefused("This case type has no arbitration.")
        target = stage.key
    kind = definition.stage(target).kind
    moved = replace(standing, stage=target, state=state_of(kind))
    match way.step:
        case Step.FINISH:
            return replace(moved, doers=standing.doers | ({by} if by is not None else set()))
        case Step.DISPATCH:
            return replace(moved, final=standing.final or definition.stage(way.source).kind == StageKind.ARBITRATION)
        case Step.REOPEN:
            return replace(moved, round=standing.round + 1, returns=0, final=False, doers=frozenset())
    return moved


@dataclass(frozen=True, slots=True)
class ClockChanges:
    """What a transition does to clocks, by key; everything else goes on."""

    ended: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()
    """Ended before in this round: it goes on with what was left, as if it had stood in between."""


def clock_changes(definition: Definition, way: Transition, target: str, running: Collection[str], ended: Collection[str]) -> ClockChanges:
    """Return what a transition to `target` does to the clocks of this round; `running` and `ended` are keys of those there are.

    The whole begins when the case first reaches a stage of work, that is at dispatch. A return ends nothing: the unit's clock
    runs on until work is finished, whoever has it then.
    """
    kind = definition.stage(target).kind
    if kind in ENDS:
        return ClockChanges(ended=tuple(key for key in running if key != CALL_BACK))
    kinds = {key: definition.stage(key).kind for key in running if key not in {WHOLE, CALL_BACK}}
    ending = {key for key in kinds if key == way.source and way.step != Step.RETURN}
    if kind == StageKind.CHECK:
        ending |= {key for key, its in kinds.items() if its == StageKind.WORK}
    if way.step == Step.DISPATCH:
        ending |= {key for key, its in kinds.items() if its != StageKind.WORK}
    ending.discard(target)
    started: list[str] = []
    resumed: list[str] = []
    if definition.stage(target).limits is not None and target not in running:
        (resumed if way.step == Step.REWORK and target in ended else started).append(target)
    if kind == StageKind.WORK and definition.whole is not None and WHOLE not in running:
        started.append(WHOLE)
    return ClockChanges(tuple(sorted(ending)), tuple(started), tuple(resumed))


class RequestKind(StrEnum):
    """What a unit may ask for."""

    EXTENSION = "extension"
    RETURN = "return"
    SUSPENSION = "suspension"


class RequestState(StrEnum):
    """What became of it."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    ARBITRATION = "arbitration"
    """It went to arbitration, whose dispatch decides it."""
    WITHDRAWN = "withdrawn"


def movable(definition: Definition, standing: Standing) -> bool:
    """Return whether a case may be given to another unit without a dispatch: while a unit works on it."""
    return goes_on(standing.state) and definition.stage(standing.stage).kind == StageKind.WORK


def may_move(definition: Definition, standing: Standing) -> None:
    """Return where `movable` says yes. Raises StepRefused."""
    if not movable(definition, standing):
        raise StepRefused("Only a case that a unit works on is moved. From here it is dispatched.")


UNDECIDED = (RequestState.ASKED.value, RequestState.ARBITRATION.value)
"""States of a request that nobody has decided yet."""


def waits(state: str) -> bool:
    """Return whether a request waits for whoever decides it."""
    return state == RequestState.ASKED


def may_ask(definition: Definition, standing: Standing, kind: RequestKind, extensions: int) -> None:
    """Return where the unit may ask for this now; `extensions` were approved in this round. Raises StepRefused."""
    if not goes_on(standing.state) or definition.stage(standing.stage).kind != StageKind.WORK:
        raise StepRefused("Only a unit that is working on the case may ask for this.")
    if standing.suspended:
        raise StepRefused("The case is suspended; resume it first.")
    if kind == RequestKind.EXTENSION and extensions >= definition.extensions_at_most:
        raise StepRefused("The time was already extended as often as this case type allows.")
    if kind == RequestKind.RETURN and not any(way.step == Step.RETURN for way in ways(definition, standing)):
        raise StepRefused("This case cannot be returned any more.")


def may_decide(asked_by: int | None, by: int | None) -> None:
    """Return where this person may decide what that one asked for. Raises OwnWork."""
    if by is None or by == asked_by:
        raise OwnWork("Somebody other than whoever asked must decide.")


class Satisfaction(IntEnum):
    """The five levels of 好差评 (evaluation of government services)."""

    VERY_DISSATISFIED = 1
    DISSATISFIED = 2
    BASICALLY_SATISFIED = 3
    SATISFIED = 4
    VERY_SATISFIED = 5


def demands_call_back(level: Satisfaction) -> bool:
    """Return whether somebody must call: every bad rating is called back."""
    return level <= Satisfaction.DISSATISFIED


class LinkKind(StrEnum):
    """How one case has to do with another; read from the one that carries the link."""

    DUPLICATE_OF = "duplicate_of"
    PART_OF = "part_of"
    CAUSED_BY = "caused_by"
