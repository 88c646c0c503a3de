"""A case type as data: what is asked, through which stages a case goes, how long each may take, and how it ends.

The words of a definition are both languages' (`Text`). A definition that contradicts itself is refused with every place and reason.
"""

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction

import msgspec

from jilink.core.cases.rules.clocks import Limit
from jilink.core.cases.rules.form import AnyQuestion, Choice
from jilink.core.cases.rules.problems import UNREADABLE, Problem
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text


class StageKind(StrEnum):
    """What a stage means to the rules; its name and number are the designer's."""

    INTAKE = "intake"
    """受理: it has come in and nobody has been sent."""
    DISPATCH = "dispatch"
    """派遣: somebody decides which unit it goes to."""
    WORK = "work"
    """处理: a unit has it."""
    CHECK = "check"
    """核查、回访: somebody else looks whether it was done."""
    ARBITRATION = "arbitration"
    """仲裁: units disagree whose it is; what is decided here is final."""
    CLOSED = "closed"
    """结案."""
    VOID = "void"
    """作废."""


ENDS = frozenset({StageKind.CLOSED, StageKind.VOID})


class Step(StrEnum):
    """What a transition does beside changing the stage."""

    ACCEPT = "accept"
    DISPATCH = "dispatch"
    """Sends it to a unit: the clock of the whole begins here, and nowhere later."""
    RETURN = "return"
    """The unit says it is not theirs: asked with a reason, then decided; no clock stops."""
    FINISH = "finish"
    """The unit says it is done; who says so may not check it."""
    CONFIRM = "confirm"
    REWORK = "rework"
    """返工: not done, so back to work with the time that was left."""
    CLOSE = "close"
    VOID = "void"
    REOPEN = "reopen"
    MOVE = "move"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long something may take, for each priority."""

    usual: Limit
    by_priority: Mapping[int, Limit] = {}

    def of(self, priority: int) -> Limit:
        """Return the limit that holds for a priority."""
        return self.by_priority.get(priority, self.usual)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage, and how long a case may stay in it."""

    key: str
    label: Text
    kind: StageKind
    limits: Limits | None = None


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One allowed way from a stage to another."""

    key: str
    step: Step
    label: Text
    source: str
    target: str
    permission: Permission
    requires: tuple[str, ...] = ()
    """Questions that must be answered by then."""
    reason: bool = False
    """A reason must be given."""


class PriorityLevel(msgspec.Struct, frozen=True, kw_only=True):
    """One priority: 1 is the lowest, 9 the highest, the same scale for all types."""

    rank: int
    label: Text


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One rung of the ladder: when a clock has run so far, who is told and what is done. Either `percent` or `overdue` is given."""

    key: str
    label: Text
    clocks: tuple[str, ...] = ("whole",)
    """Keys of stages, or ``whole``."""
    percent: int | None = None
    overdue: Limit | None = None
    notify: tuple[str, ...] = ()
    """Roles, or ``assignee`` and ``team``."""
    raise_priority: bool = False
    hand_up: bool = False
    """The unit above the one that has it takes it."""

    @property
    def share(self) -> Fraction:
        """Return the share of the limit at which it comes; 1 for one that counts from the due time on."""
        return Fraction(self.percent, 100) if self.percent is not None else Fraction(1)


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a case type."""

    label: Text
    description: Text = Text()
    calendar: str = "china"
    """Key of the working calendar that its clocks count by."""
    form: tuple[AnyQuestion, ...] = ()
    priorities: tuple[PriorityLevel, ...]
    usual_priority: int
    stages: tuple[Stage, ...]
    """The first is where a case begins."""
    transitions: tuple[Transition, ...]
    whole: Limits | None = None
    ladder: tuple[Rung, ...] = ()
    returns_before_arbitration: int = 1
    """So many returns are decided by the dispatcher; the next goes to arbitration."""
    extensions_at_most: int = 1
    longest_suspension_days: int = 90
    closing_codes: tuple[Choice, ...]
    reopen_within: Limit | None = None
    """How long after closing it may be reopened; None: always."""
    questions: tuple[AnyQuestion, ...] = ()
    """Asked beside the five levels of the rating."""
    call_back: Limit | None = None
    """How soon whoever was dissatisfied must be called back."""

    def stage(self, key: str) -> Stage:
        """Return a stage by its key; KeyError where there is none."""
        for stage in self.stages:
            if stage.key == key:
                return stage
        raise KeyError(key)

    def first_of(self, kind: StageKind) -> Stage | None:
        """Return the first stage of a kind."""
        return next((stage for stage in self.stages if stage.kind == kind), None)


class DefinitionRefused(Refused):
    """A definition contradicts itself or cannot be read."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.place}: {problem.words}" for problem in problems))
        self.problems = problems


def read_definition(text: str | bytes) -> Definition:
    """Return a definition from JSON without asking whether it makes sense (`checking.problems` does). Raises DefinitionRefused."""
    try:
        return msgspec.json.decode(text, type=Definition)
    except msgspec.DecodeError as error:
        reason, _, place = str(error).partition(" - at ")
        raise DefinitionRefused((Problem(place.strip("`") or "$", UNREADABLE, {"error": reason}),)) from error


def write_definition(definition: Definition) -> str:
    """Return a definition as JSON."""
    return msgspec.json.format(msgspec.json.encode(definition), indent=1).decode()
