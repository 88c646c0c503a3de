"""Cases: opened, listed, read, moved through their stages, assigned, linked and merged."""

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from jilink.core.cases import actions, reads
from jilink.core.cases.actions import EditConflict, FieldRefused, NewCase, OpenedCase, Recipient, StepData
from jilink.core.cases.reads import Filter, Order, Whose
from jilink.core.cases.rules.form import AnswersRefused, Place
from jilink.core.cases.rules.workflow import LinkKind, State
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.console.api.case_shapes import (
    AssetLinkIn,
    AssignIn,
    AssignManyIn,
    BulkOut,
    CaseIn,
    CaseOut,
    CaseRowOut,
    EditIn,
    LinkIn,
    MergeCaseIn,
    NewCaseIn,
    OpenedOut,
    PrioritiseManyIn,
    SplitIn,
    StateOut,
    StepIn,
    case_out,
)
from jilink.services.console.api.people import VersionOut
from jilink.webkit.api import cursors, marks, problems
from jilink.webkit.api.assembly import VERSIONED
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Page, Paging
from jilink.webkit.api.problems import Fault
from jilink.webkit.api.shapes import Flag, Id, Time, Words

router = Router(tags=["cases"])
_SEARCHED = (
    "A number as typed or said, or pieces of words: of number, title, description, address, notes, replies and, where people may be seen, "
    "the person's name. Every piece must be there."
)
problems.conflicts(EditConflict)


def _answers(error: Refused) -> list[Fault]:
    found = error.problems if isinstance(error, AnswersRefused) else {}
    return [Fault(detail=str(refusal), pointer=f"/answers/{key}") for key, refusal in found.items()]


def _field(error: Refused) -> list[Fault]:
    return [Fault(detail=str(error), pointer=f"/wanted/{error.field}")] if isinstance(error, FieldRefused) else []


problems.explains(AnswersRefused, _answers)
problems.explains(FieldRefused, _field)


class Wanted(BaseModel):
    """What a list shows; every part narrows it, several values of one part widen it."""

    state: list[State] = Field([State.OPEN], description="Which states; all, where every one is named.")
    whose: Whose = Whose.ALL
    type: list[Words] = Field([], max_length=50)
    stage: list[Words] = Field([], max_length=50)
    priority: list[int] = Field([], max_length=9)
    organisation: list[Id] = Field([], max_length=200)
    unit: list[Id] = Field([], max_length=200)
    team: list[Id] = Field([], max_length=200)
    assignee: list[Id] = Field([], max_length=200)
    channel: list[Words] = Field([], max_length=20)
    area: Words = Field("", max_length=160, description="Path of an area; everything inside is shown.")
    overdue: Flag = False
    suspended: Flag = False
    requested: Flag = Field(False, description="Something was asked for and waits to be decided.")
    call_back: Flag = Field(False, description="Somebody dissatisfied waits to be called.")
    due_before: Time | None = None
    opened_from: Time | None = None
    opened_before: Time | None = None
    person: Id | None = None
    asset: Id | None = None
    interaction: Id | None = None
    q: Words = Field("", max_length=200, description=_SEARCHED)
    order: Order = Order.NEWEST


def filter_of(wanted: Wanted) -> Filter:
    """Return the filter that a request's parameters stand for."""
    return Filter(
        states=tuple(state.value for state in wanted.state),
        whose=wanted.whose,
        types=tuple(wanted.type),
        stages=tuple(wanted.stage),
        priorities=tuple(level for level in wanted.priority if 0 <= level <= 9),
        organisations=tuple(wanted.organisation),
        units=tuple(wanted.unit),
        teams=tuple(wanted.team),
        assignees=tuple(wanted.assignee),
        channels=tuple(wanted.channel),
        area=wanted.area,
        overdue=wanted.overdue,
        suspended=wanted.suspended,
        requested=wanted.requested,
        call_back=wanted.call_back,
        due_before=wanted.due_before,
        opened_from=wanted.opened_from,
        opened_before=wanted.opened_before,
        person=wanted.person,
        asset=wanted.asset,
        interaction=wanted.interaction,
        text=wanted.q,
    )


def _new(given: CaseIn) -> NewCase:
    return NewCase(
        type=given.type,
        title=given.title,
        description=given.description,
        answers=given.answers,
        person=given.person,
        asset=given.asset,
        interaction=given.interaction,
        priority=given.priority,
        channel=given.channel,
        place=Place(latitude=given.latitude, longitude=given.longitude, accuracy_m=given.accuracy_m, address=given.address),
        area=given.area,
    )


@router.get("/cases", response=Page[CaseRowOut], operation_id="list_cases")
def list_cases(request: HttpRequest, paging: Query[Paging], wanted: Query[Wanted]) -> dict[str, object]:
    """Return the cases within reach that the parameters let through, the open ones unless another state is named."""
    at = cursors.place(request, paging)
    page = reads.cases(actor_of(request), filter_of(wanted), now=utc_now(), order=wanted.order, cursor=at, limit=paging.limit)
    return {"items": page.rows, "next": cursors.after(request, page.next)}


@router.post("/cases", response={201: OpenedOut}, operation_id="open_case")
def open_case(request: HttpRequest, given: NewCaseIn) -> Status[OpenedCase]:
    """Open a case. 422 names every answer that does not fit, by its question."""
    return Status(201, actions.open_case(organisation=given.organisation, new=_new(given), by=actor_of(request)))


@router.get("/cases/{int:case}", response=CaseOut, operation_id="read_case")
def read_case(request: HttpRequest, case: Id) -> dict[str, object]:
    """Return one case with all its parts and the steps that may be taken."""
    return case_out(reads.case(actor_of(request), case, now=utc_now()))


@router.get("/cases/numbered/{number}", response=CaseOut, operation_id="read_case_numbered")
def read_case_numbered(request: HttpRequest, number: Words) -> dict[str, object]:
    """Return the case with a number as typed or said."""
    return case_out(reads.case_numbered(actor_of(request), number, now=utc_now()))


@router.patch("/cases/{int:case}", response=VersionOut, operation_id="edit_case", openapi_extra=VERSIONED)
def edit_case(request: HttpRequest, case: Id, given: EditIn) -> dict[str, int]:
    """Change fields, all or none. A field that somebody else changed since it was read (`base`, or If-Match for all) is a conflict."""
    version = marks.expected_version(request)
    return {"version": actions.edit_case(case=case, wanted=given.wanted, base=given.base, version=version, by=actor_of(request))}


@router.post("/cases/{int:case}/steps/{key}", response=StateOut, operation_id="take_step")
def take_step(request: HttpRequest, case: Id, key: Words, given: StepIn) -> dict[str, State]:
    """Take one of the steps that the case's `ways` name."""
    to = given.recipient
    recipient = Recipient(unit=to.unit, team=to.team, assignee=to.assignee) if to is not None else None
    data = StepData(reason=given.reason, answers=given.answers, code=given.code, recipient=recipient)
    return {"state": actions.take_step(case=case, key=key, data=data, by=actor_of(request))}


@router.put("/cases/{int:case}/assignee", response={204: None}, operation_id="assign_case")
def assign_case(request: HttpRequest, case: Id, given: AssignIn) -> Status[None]:
    """Give a case to a team or a person of the unit that has it."""
    actions.assign_case(case=case, team=given.team, assignee=given.assignee, by=actor_of(request))
    return Status(204, None)


@router.post("/cases/assign", response=BulkOut, operation_id="assign_cases")
def assign_cases(request: HttpRequest, given: AssignManyIn) -> actions.BulkResult:
    """Give many cases to a team or a person; those that cannot be given are named with the reason."""
    return actions.assign_many(cases=given.cases, team=given.team, assignee=given.assignee, by=actor_of(request))


@router.post("/cases/prioritise", response=BulkOut, operation_id="prioritise_cases")
def prioritise_cases(request: HttpRequest, given: PrioritiseManyIn) -> actions.BulkResult:
    """Give many cases a priority."""
    return actions.prioritise_many(cases=given.cases, priority=given.priority, by=actor_of(request))


@router.post("/cases/bulk/{int:run}/undo", response=BulkOut, operation_id="undo_bulk")
def undo_bulk(request: HttpRequest, run: Id) -> actions.BulkResult:
    """Take back, within ten seconds, what was done to many cases."""
    return actions.undo_bulk(run=run, by=actor_of(request))


@router.post("/cases/{int:case}/links", response={204: None}, operation_id="link_cases")
def link_cases(request: HttpRequest, case: Id, given: LinkIn) -> Status[None]:
    """Say how one case has to do with another."""
    actions.link_cases(case=case, kind=given.kind, other=given.other, by=actor_of(request))
    return Status(204, None)


@router.delete("/cases/{int:case}/links/{kind}/{int:other}", response={204: None}, operation_id="unlink_cases")
def unlink_cases(request: HttpRequest, case: Id, kind: LinkKind, other: Id) -> Status[None]:
    """Take a link away."""
    actions.unlink_cases(case=case, kind=kind, other=other, by=actor_of(request))
    return Status(204, None)


@router.post("/cases/{int:case}/assets", response={204: None}, operation_id="link_asset")
def link_asset(request: HttpRequest, case: Id, given: AssetLinkIn) -> Status[None]:
    """Say that a case is about a thing."""
    actions.link_asset(case=case, asset=given.asset, by=actor_of(request))
    return Status(204, None)


@router.post("/cases/{int:case}/merge", response={204: None}, operation_id="merge_case")
def merge_case(request: HttpRequest, case: Id, given: MergeCaseIn) -> Status[None]:
    """Let an open case go on as another; its number leads there."""
    actions.merge_cases(case=case, into=given.into, by=actor_of(request))
    return Status(204, None)


@router.post("/cases/{int:case}/split", response={201: list[OpenedOut]}, operation_id="split_case")
def split_case(request: HttpRequest, case: Id, given: SplitIn) -> Status[list[OpenedCase]]:
    """Open one more case for each further matter of the same contact."""
    return Status(201, actions.split_case(case=case, parts=[_new(part) for part in given.parts], by=actor_of(request)))
