"""What cases look like to programs."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from pydantic import BeforeValidator, Field

from jilink.core.cases.reads import CaseView
from jilink.core.cases.reads.one import Line as TimelineLine
from jilink.core.cases.rules.clocks import Clock
from jilink.core.cases.rules.workflow import LinkKind, RequestKind, RequestState, State
from jilink.kernel.errors import Refused
from jilink.webkit.api.shapes import Id, In, Latitude, Line, Long, Longitude, Out, TextOut, Time
from jilink.webkit.door import said

Answers = dict[str, Any]  # what a case type's form asks, which is data: text, number, choices, place, ids


class CaseRowOut(Out):
    """A case in a list. Degrees are WGS-84."""

    id: int
    number: str
    title: str
    organisation: int
    type: str
    type_label: TextOut
    stage: str
    stage_label: TextOut
    state: State
    priority: int
    priority_label: TextOut
    unit: int
    unit_name: str
    team: int | None
    assignee: int | None
    person: int | None
    asset: int | None
    area: str
    address: str
    latitude: float | None
    longitude: float | None
    channel: str
    opened_at: datetime
    updated_at: datetime
    due_at: datetime | None
    overdue: bool
    suspended: bool
    version: int


class WayOut(Out):
    """A step that may be taken now; `needs` are questions to be answered with it, `code` whether a closing code is needed."""

    key: str
    step: str
    label: TextOut
    target: str
    target_label: TextOut
    reason: bool
    code: bool
    needs: list[str]


class ClockOut(Out):
    """One clock; `percent` of its limit has run."""

    key: str
    label: TextOut
    round: int
    kind: Clock
    amount: int
    extended_by: int
    started_at: datetime
    due_at: datetime | None
    paused_at: datetime | None
    ended_at: datetime | None
    percent: int
    late: bool


class LineOut(Out):
    """One line of the timeline; `detail.kind` says what happened."""

    id: int
    number: str
    at: datetime
    actor: str
    detail: dict[str, Any]
    public: bool


class NoteOut(Out):
    """Words for colleagues."""

    id: int
    text: str
    actor: str
    at: datetime


def _said(failure: Refused | str | None) -> str:
    return said(failure) if isinstance(failure, Refused) else failure or ""


class ReplyOut(NoteOut):
    """Words for somebody outside, and what became of them."""

    recipient: str
    channel: str
    address: str
    state: str
    failure: Annotated[str, BeforeValidator(_said)]


class LinkOut(Out):
    """A link; without a number where the other case may not be seen."""

    kind: str
    other: int | None
    number: str
    title: str
    asset: int | None
    back: bool
    at: datetime


class CaseFileOut(Out):
    """A file of a case, by its id."""

    file: int
    question: str
    public: bool
    actor: str
    at: datetime


class RequestOut(Out):
    """What was asked for and what became of it."""

    id: int
    kind: RequestKind
    state: RequestState
    reason: str
    amount: int
    until: datetime | None
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    decision: str
    mine_to_decide: bool


class RatingOut(Out):
    """How it was rated, 1 to 5."""

    round: int
    level: int
    comment: str
    at: datetime
    called_back_at: datetime | None
    outcome: str


class CaseOut(CaseRowOut):
    """A case with all its parts. Sensitive answers are masked."""

    description: str
    answers: Answers
    round: int
    returns: int
    final: bool
    accuracy_m: float | None
    interaction: int | None
    dispatched_at: datetime | None
    closed_at: datetime | None
    closing_code: str
    merged_into: str
    ways: list[WayOut]
    may_ask: list[RequestKind]
    may_work: bool
    may_assign: bool
    clocks: list[ClockOut]
    timeline: list[LineOut]
    notes: list[NoteOut]
    replies: list[ReplyOut]
    links: list[LinkOut]
    files: list[CaseFileOut]
    requests: list[RequestOut]
    ratings: list[RatingOut]


class CaseIn(In):
    """What is known when a case is opened. What the contact knows need not be said again."""

    type: str = Field(max_length=40, description="Key of a case type in use.")
    title: Line
    description: str = Field("", max_length=10_000)
    answers: Answers = Field(default_factory=dict)
    person: Id | None = None
    asset: Id | None = None
    interaction: Id | None = None
    priority: int | None = Field(None, ge=1, le=9)
    channel: str = Field("", max_length=20)
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    accuracy_m: float | None = Field(None, ge=0, le=100_000)
    address: Line = ""
    area: str = Field("", max_length=160)


class NewCaseIn(CaseIn):
    """A new case."""

    organisation: Id


class OpenedOut(Out):
    """The new case: its id, and its number for the person."""

    case: int
    number: str


class SplitIn(In):
    """One more case for each further matter of the same contact."""

    parts: list[CaseIn] = Field(min_length=1, max_length=20)


class EditIn(In):
    """Fields and their new values; an answer's field is `answers.` and the question's key. `base` are the values that were read."""

    wanted: dict[str, Any] = Field(max_length=60)
    base: dict[str, Any] = Field(default_factory=dict, max_length=60)


class RecipientIn(In):
    """Who is to have it."""

    unit: Id
    team: Id | None = None
    assignee: Id | None = None


class StepIn(In):
    """What goes with a step. Without a recipient the rules of assignment decide at dispatch."""

    reason: Long = ""
    answers: Answers | None = None
    code: str = Field("", max_length=40)
    recipient: RecipientIn | None = None


class StateOut(Out):
    """The state that the case is in now."""

    state: State


class AssignIn(In):
    """A team or a person of the unit that has it; null takes it from them."""

    team: Id | None = None
    assignee: Id | None = None


class AssignManyIn(AssignIn):
    """Many cases and who is to have them."""

    cases: list[Id] = Field(min_length=1, max_length=500)


class PrioritiseManyIn(In):
    """Many cases and their priority."""

    cases: list[Id] = Field(min_length=1, max_length=500)
    priority: int = Field(ge=1, le=9)


class BulkOut(Out):
    """What was done, what was not and why (by case), the key that takes it back, and the run that keeps both."""

    done: list[int]
    refused: dict[int, str]
    undo: int | None
    undo_until: datetime | None
    run: int | None = None


class WordsIn(In):
    """Words for colleagues."""

    text: str = Field(min_length=1, max_length=10_000)


class ReplyIn(WordsIn):
    """Words for somebody outside."""

    recipient: str = Field(min_length=1, max_length=120)
    channel: str = Field(min_length=1, max_length=20)
    address: str = Field("", max_length=120)
    person: Id | None = None


class SettleIn(In):
    """What became of a reply: `sent` or `failed`."""

    state: str = Field(pattern="^(sent|failed)$")
    failure: Line = ""


class SettledOut(Out):
    """Whether that was new."""

    changed: bool


class LinkIn(In):
    """How the case has to do with another."""

    kind: LinkKind
    other: Id


class AssetLinkIn(In):
    """The thing it is about."""

    asset: Id


class MergeCaseIn(In):
    """The case as which it goes on."""

    into: Id


class AskIn(In):
    """What a unit asks for: `amount` more units of the clock of work, or to wait `until`."""

    kind: RequestKind
    reason: Long
    amount: int | None = Field(None, ge=1, le=10_000)
    until: Time | None = None


class AskedOut(Out):
    """The request, and whether it went to arbitration at once."""

    request: int
    arbitration: bool


class DecisionIn(In):
    """Whether it is approved, and why."""

    approve: bool
    reason: Long = ""


class RateIn(In):
    """How whoever was served found it: 1 very dissatisfied to 5 very satisfied (GB/T 39735)."""

    level: int = Field(ge=1, le=5)
    answers: Answers = Field(default_factory=dict)
    comment: str = Field("", max_length=2000)
    channel: str = Field("phone", max_length=20)


class CallBackIn(In):
    """What came of the call."""

    outcome: Long


class AttachIn(In):
    """A file that was uploaded."""

    file: Id
    question: str = Field("", max_length=40)
    public: bool = False


def case_out(view: CaseView) -> dict[str, object]:
    """Return a case as `CaseOut` has it."""
    row = {name: getattr(view.row, name) for name in CaseRowOut.model_fields}
    parts = {name: getattr(view, name) for name in CaseOut.model_fields if name not in CaseRowOut.model_fields}
    lines = [LineOut(**{**_fields(line), "detail": msgspec.to_builtins(line.detail)}) for line in view.timeline]
    return row | parts | {"answers": msgspec.to_builtins(view.answers), "timeline": lines}


def _fields(line: TimelineLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in LineOut.model_fields}
