"""One case with all its parts: what is known, where it stands, what may be done, its clocks, and everything that happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from jilink.core.cases.models import Attachment, Case, Clock, Entry, Link, Note, Rating, Reply, Request
from jilink.core.cases.reads.ground import HIDDEN, Ground, answers_of, beyond, ground_of, limit_of, may, require
from jilink.core.cases.reads.lists import CaseRow, row_of
from jilink.core.cases.rules import allowed, clocks, numbers, timeline, workflow
from jilink.core.cases.rules.definition import Definition, Step
from jilink.core.cases.rules.form import Answer
from jilink.core.cases.rules.timeline import AnyDetail
from jilink.core.cases.rules.workflow import CALL_BACK, WHOLE, RequestKind, RequestState
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.refusals import refusal_from
from jilink.kernel.texts import Text

HIDDEN_ANSWER = "****"


@dataclass(frozen=True, slots=True)
class Way:
    """A transition that this actor may take now. `needs` are questions to be answered with it; `code` where a closing code is needed."""

    key: str
    step: Step
    label: Text
    target: str
    target_label: Text
    reason: bool
    code: bool
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClockView:
    """One clock. `percent` of the limit that has run, to now or to its end; `late` where it ran out before it ended."""

    key: str
    label: Text
    round: int
    kind: clocks.Clock
    amount: int
    extended_by: int
    started_at: datetime
    due_at: datetime | None
    paused_at: datetime | None
    ended_at: datetime | None
    percent: int
    late: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline; `number` is the case's own, or that of a case that was merged into it."""

    id: int
    number: str
    at: datetime
    actor: str
    detail: AnyDetail
    public: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A note (no recipient) or a reply (with recipient, channel and what became of it)."""

    id: int
    text: str
    actor: str
    at: datetime
    recipient: str = ""
    channel: str = ""
    address: str = ""
    state: str = ""
    failure: Refused | None = None


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link seen from this case; `back` where the other carries it. Without number where the actor may not see the other."""

    kind: str
    other: int | None
    number: str
    title: str
    asset: int | None
    back: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class RequestView:
    """What was asked for and what became of it. `mine_to_decide` where this actor may decide it."""

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


@dataclass(frozen=True, slots=True)
class RatingView:
    """How it was rated, and whether whoever was dissatisfied was called."""

    round: int
    level: int
    comment: str
    answers: Mapping[str, Answer]
    at: datetime
    called_back_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of the case, by the id the room of files knows; `question` it answers."""

    file: int
    question: str
    public: bool
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """One case with all its parts, as this actor may see it. Sensitive answers are masked (`reveal_answer`)."""

    row: CaseRow
    definition: Definition
    description: str
    answers: Mapping[str, Answer]
    round: int
    returns: int
    final: bool
    accuracy_m: float | None
    interaction: int | None
    dispatched_at: datetime | None
    closed_at: datetime | None
    closing_code: str
    merged_into: str
    ways: tuple[Way, ...]
    may_ask: tuple[RequestKind, ...]
    may_work: bool
    may_assign: bool
    may_move: bool
    """To another unit, without a dispatch."""
    may_be_rated: bool
    clocks: tuple[ClockView, ...]
    timeline: tuple[Line, ...]
    notes: tuple[Message, ...]
    replies: tuple[Message, ...]
    links: tuple[LinkView, ...]
    files: tuple[FileView, ...]
    requests: tuple[RequestView, ...]
    ratings: tuple[RatingView, ...]


def case(actor: Actor, case: int, *, now: datetime) -> CaseView:
    """Return one case with all its parts. Raises NotFound."""
    row = Case.objects.filter(pk=case).select_related("type", "unit", "organisation", "merged_into").first()
    return _view(ground_of(require(actor, Permission.VIEW_CASES, row), actor, now))


def case_numbered(actor: Actor, number: str, *, now: datetime) -> CaseView:
    """Return the case with a number as typed or said; that of a merged case shows where it went. Raises NotFound, NumberMisread."""
    pk = Case.objects.filter(number=numbers.parse(number)).values_list("pk", flat=True).first()
    return case(actor, pk or 0, now=now)


def reveal_answer(actor: Actor, case: int, question: str, *, now: datetime) -> Answer:
    """Return a sensitive answer and leave a line in the audit. Raises NotFound."""
    row = Case.objects.filter(pk=case).first()
    row = require(actor, Permission.REVEAL_PEOPLE, require(actor, Permission.VIEW_CASES, row))
    answers = answers_of(row)
    if question not in answers:
        raise NotFound(HIDDEN)
    with beyond(row):
        audit.record(actor, "case.revealed", f"case:{case}", row.organisation_id, detail=question, at=now)
    return answers[question]


def _view(ground: Ground) -> CaseView:
    row, definition = ground.row, ground.definition
    family = [row.pk, *_merged_below(row.pk)]
    return CaseView(
        row=row_of(row, ground.now),
        definition=definition,
        description=row.description,
        answers=_masked(row, definition),
        round=row.round,
        returns=row.returns,
        final=row.final,
        accuracy_m=row.accuracy_m,
        interaction=row.interaction,
        dispatched_at=row.dispatched_at,
        closed_at=row.closed_at,
        closing_code=row.closing_code,
        merged_into=row.merged_into.number if row.merged_into is not None else "",
        ways=_ways(ground),
        may_ask=_askable(ground),
        may_work=may(ground.by, Permission.WORK_CASES, row),
        may_assign=may(ground.by, Permission.ASSIGN_CASES, row),
        may_move=may(ground.by, Permission.ASSIGN_CASES, row) and workflow.movable(definition, ground.standing),
        may_be_rated=allowed.rateable(row.state, row.round, set(Rating.objects.filter(case=row).values_list("round", flat=True))),
        clocks=_clocks(ground),
        timeline=_timeline(family),
        notes=_notes(family),
        replies=_replies(family),
        links=_links(ground),
        files=tuple(
            FileView(one.file_id, one.question, one.public, one.actor, one.at) for one in Attachment.objects.filter(case=row).order_by("pk")
        ),
        requests=_requests(ground),
        ratings=tuple(
            RatingView(
                one.round,
                one.level,
                one.comment,
                msgspec.json.decode(one.answers, type=dict[str, Answer]),
                one.at,
                one.called_back_at,
                one.outcome,
            )
            for one in Rating.objects.filter(case=row).order_by("round")
        ),
    )


def _merged_below(case: int) -> list[int]:
    """Return every case that went on as this one, directly or by way of another."""
    found: list[int] = []
    line = [case]
    while line:
        line = list(Case.objects.filter(merged_into__in=line).values_list("pk", flat=True))
        found += line
    return found


def _masked(row: Case, definition: Definition) -> dict[str, Answer]:
    answers = answers_of(row)
    sensitive = {question.key for question in definition.form if question.sensitive}
    return {key: HIDDEN_ANSWER if key in sensitive else value for key, value in answers.items()}


def _ways(ground: Ground) -> tuple[Way, ...]:
    found = []
    own = ground.by.user is None or ground.by.user in ground.standing.doers
    for way in workflow.ways(ground.definition, ground.standing):
        if way.step == Step.RETURN or not may(ground.by, way.permission, ground.row):
            continue
        if way.step in {Step.CONFIRM, Step.REWORK} and own:
            continue
        target = ground.definition.stage(way.target)
        code = workflow.needs_code(workflow.state_of(target.kind))
        found.append(Way(way.key, way.step, way.label, way.target, target.label, way.reason, code, way.requires))
    return tuple(found)


def _askable(ground: Ground) -> tuple[RequestKind, ...]:
    if not may(ground.by, Permission.WORK_CASES, ground.row):
        return ()
    rows = Request.objects.filter(case=ground.row, round=ground.row.round)
    approved = rows.filter(kind=RequestKind.EXTENSION.value, state=RequestState.APPROVED.value).count()
    waiting = set(rows.filter(state=RequestState.ASKED.value).values_list("kind", flat=True))
    found = []
    for kind in RequestKind:
        try:
            workflow.may_ask(ground.definition, ground.standing, kind, approved)
        except workflow.StepRefused:
            continue
        if kind.value not in waiting:
            found.append(kind)
    return tuple(found)


def _clocks(ground: Ground) -> tuple[ClockView, ...]:
    names = {stage.key: stage.label for stage in ground.definition.stages}
    names |= {WHOLE: Text("全程", "The whole"), CALL_BACK: Text("不满意回访", "Call back")}
    found = []
    for clock in Clock.objects.filter(case=ground.row).prefetch_related("pauses").order_by("pk"):
        pauses = [(pause.paused_at, pause.resumed_at) for pause in sorted(clock.pauses.all(), key=lambda one: one.paused_at)]
        limit, until = limit_of(clock), clock.ended_at or ground.now
        run = clocks.elapsed(clock.started_at, until, limit.clock, ground.calendar, pauses)
        late = clock.due_at is not None and until > clock.due_at
        found.append(
            ClockView(
                key=clock.key,
                label=names.get(clock.key, Text(clock.key, clock.key)),
                round=clock.round,
                kind=limit.clock,
                amount=clock.amount,
                extended_by=clock.extended_by,
                started_at=clock.started_at,
                due_at=clock.due_at,
                paused_at=clock.paused_at,
                ended_at=clock.ended_at,
                percent=int(run * 100 / limit.amount),
                late=late,
            )
        )
    return tuple(found)


def _timeline(family: Sequence[int]) -> tuple[Line, ...]:
    rows = Entry.objects.filter(case__in=family).select_related("case").order_by("at", "pk")
    return tuple(Line(one.pk, one.case.number, one.at, one.actor, timeline.read(one.detail), one.public) for one in rows)


def _notes(family: Sequence[int]) -> tuple[Message, ...]:
    return tuple(Message(one.pk, one.text, one.actor, one.at) for one in Note.objects.filter(case__in=family).order_by("at", "pk"))


def _replies(family: Sequence[int]) -> tuple[Message, ...]:
    rows = Reply.objects.filter(case__in=family).order_by("at", "pk")
    return tuple(
        Message(one.pk, one.text, one.actor, one.at, one.recipient, one.channel, one.address, one.state, _failure(one)) for one in rows
    )


def _failure(one: Reply) -> Refused | None:
    return refusal_from(one.failure, one.failure_values) if one.failure else None


def _links(ground: Ground) -> tuple[LinkView, ...]:
    found = []
    for link in Link.objects.filter(case=ground.row).select_related("other").order_by("pk"):
        found.append(_link(ground, link, link.other, back=False))
    for link in Link.objects.filter(other=ground.row).select_related("case").order_by("pk"):
        found.append(_link(ground, link, link.case, back=True))
    return tuple(found)


def _link(ground: Ground, link: Link, other: Case | None, *, back: bool) -> LinkView:
    seen = other is not None and may(ground.by, Permission.VIEW_CASES, other)
    shown = other if seen else None
    return LinkView(
        kind=link.kind,
        other=shown.pk if shown is not None else None,
        number=shown.number if shown is not None else "",
        title=shown.title if shown is not None else "",
        asset=link.asset_id,
        back=back,
        at=link.at,
    )


def _requests(ground: Ground) -> tuple[RequestView, ...]:
    decides = may(ground.by, Permission.APPROVE_CASES, ground.row) and ground.by.user is not None
    return tuple(
        RequestView(
            id=one.pk,
            kind=RequestKind(one.kind),
            state=RequestState(one.state),
            reason=one.reason,
            amount=one.amount,
            until=one.until,
            asked_by=one.asked_by,
            asked_at=one.asked_at,
            decided_by=one.decided_by,
            decided_at=one.decided_at,
            decision=one.decision,
            mine_to_decide=decides and workflow.waits(one.state) and one.asked_by_user != ground.by.user,
        )
        for one in Request.objects.filter(case=ground.row).order_by("pk")
    )
