"""Whose hands cases are in: taken, given up, moved to another unit, escalated, many at once; links for ratings; and who can do what."""

from datetime import datetime

from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Status
from pydantic import Field

from jilink.core.cases import actions, reads
from jilink.core.cases.actions import BulkResult, Recipient, StepData
from jilink.core.cases.assignment import actions as assignment_actions
from jilink.core.cases.assignment import reads as assignment_reads
from jilink.core.cases.rules.allowed import Many
from jilink.services.console.addresses import public_address
from jilink.services.console.api.case_shapes import BulkOut, StepIn
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.shapes import Flag, Id, In, Long, Out, Words

router = Router(tags=["cases"])


class MoveIn(In):
    """The unit that is to have it, a team of it, and why."""

    unit: Id
    team: Id | None = None
    assignee: Id | None = None
    reason: Long


class EscalateIn(In):
    """Why the supervisors are called, and whether the priority rises by a step."""

    reason: Long
    raise_priority: Flag = False


class CasesIn(In):
    """Many cases."""

    cases: list[Id] = Field(min_length=1, max_length=500)


class MoveManyIn(CasesIn):
    """Many cases, the unit that is to have them, and why."""

    unit: Id
    team: Id | None = None
    reason: Long


class StepManyIn(CasesIn, StepIn):
    """Many cases, the key of the step, and what goes with it."""

    key: str = Field(min_length=1, max_length=40)


class RunOut(Out):
    """What became of many cases: done, or refused and why. `lasting` where it could not be taken back."""

    id: int
    what: Many
    at: datetime
    done: list[int]
    refused: dict[int, str]
    undone: bool
    lasting: bool


class RatingLinkOut(Out):
    """An address for the person, and until when it leads anywhere."""

    url: str
    until: datetime


class SkillsOut(Out):
    """What one person can do; languages as `lang.ko`."""

    user: int
    skills: list[str]


class SkillsIn(In):
    """Everything that somebody can do; languages as `lang.ko`."""

    skills: list[Words] = Field(max_length=50)


@router.put("/cases/{int:case}/claim", response={204: None}, operation_id="claim_case")
def claim_case(request: HttpRequest, case: Id) -> Status[None]:
    """Take a case that nobody has."""
    actions.claim_case(case=case, by=actor_of(request))
    return Status(204, None)


@router.delete("/cases/{int:case}/claim", response={204: None}, operation_id="release_case")
def release_case(request: HttpRequest, case: Id) -> Status[None]:
    """Give up a case that one has oneself."""
    actions.release_case(case=case, by=actor_of(request))
    return Status(204, None)


@router.post("/cases/{int:case}/move", response={204: None}, operation_id="move_case")
def move_case(request: HttpRequest, case: Id, given: MoveIn) -> Status[None]:
    """Give a case to another unit without a dispatch. Its clocks run on."""
    unit, team, assignee = given.unit, given.team, given.assignee
    actions.move_case(case=case, unit=unit, team=team, assignee=assignee, reason=given.reason, by=actor_of(request))
    return Status(204, None)


@router.post("/cases/{int:case}/escalate", response={204: None}, operation_id="escalate_case")
def escalate_case(request: HttpRequest, case: Id, given: EscalateIn) -> Status[None]:
    """Call the supervisors of the unit and of the organisation that answers for the case."""
    actions.escalate_case(case=case, reason=given.reason, raise_priority=given.raise_priority, by=actor_of(request))
    return Status(204, None)


@router.delete("/cases/{int:case}/assets/{int:asset}", response={204: None}, operation_id="unlink_asset")
def unlink_asset(request: HttpRequest, case: Id, asset: Id) -> Status[None]:
    """Say that a case is not about a thing after all."""
    actions.unlink_asset(case=case, asset=asset, by=actor_of(request))
    return Status(204, None)


@router.post("/cases/claim", response=BulkOut, operation_id="claim_cases")
def claim_cases(request: HttpRequest, given: CasesIn) -> BulkResult:
    """Take many cases that nobody has; those that somebody has are named with the reason."""
    return actions.claim_many(cases=given.cases, by=actor_of(request))


@router.post("/cases/release", response=BulkOut, operation_id="release_cases")
def release_cases(request: HttpRequest, given: CasesIn) -> BulkResult:
    """Give up many cases that one has oneself."""
    return actions.release_many(cases=given.cases, by=actor_of(request))


@router.post("/cases/move", response=BulkOut, operation_id="move_cases")
def move_cases(request: HttpRequest, given: MoveManyIn) -> BulkResult:
    """Give many cases to another unit, for one reason."""
    return actions.move_many(cases=given.cases, unit=given.unit, team=given.team, reason=given.reason, by=actor_of(request))


@router.post("/cases/steps", response=BulkOut, operation_id="take_steps")
def take_steps(request: HttpRequest, given: StepManyIn) -> BulkResult:
    """Take the step of this key with many cases, closing included. It cannot be taken back."""
    to = given.recipient
    recipient = Recipient(unit=to.unit, team=to.team, assignee=to.assignee) if to is not None else None
    data = StepData(reason=given.reason, answers=given.answers, code=given.code, recipient=recipient)
    return actions.step_many(cases=given.cases, key=given.key, data=data, by=actor_of(request))


@router.get("/cases/bulk/{int:run}", response=RunOut, operation_id="read_bulk")
def read_bulk(request: HttpRequest, run: Id) -> dict[str, object]:
    """Return what became of many cases that one dealt with at once, for a week."""
    view = reads.bulk_run(actor_of(request), run)
    plain = {name: getattr(view, name) for name in ("id", "what", "at", "undone", "lasting")}
    return plain | {"done": list(view.done), "refused": {case: why.plain for case, why in view.refused.items()}}


@router.post("/cases/{int:case}/rating-link", response={201: RatingLinkOut}, operation_id="offer_rating")
def offer_rating(request: HttpRequest, case: Id) -> Status[dict[str, object]]:
    """Make a link by which the person rates a closed case, once, without signing in."""
    link = actions.offer_rating(case=case, by=actor_of(request))
    return Status(201, {"url": public_address(reverse("rate", args=[link.token]), request), "until": link.until})


@router.get("/organisations/{int:organisation}/skills", response=list[SkillsOut], operation_id="list_skills")
def list_skills(request: HttpRequest, organisation: Id) -> list[dict[str, object]]:
    """Return what people can do in an organisation."""
    found = assignment_reads.skills(actor_of(request), organisation)
    return [{"user": user, "skills": list(keys)} for user, keys in sorted(found.items())]


@router.put("/organisations/{int:organisation}/skills/{int:user}", response={204: None}, operation_id="set_skills")
def set_skills(request: HttpRequest, organisation: Id, user: Id, given: SkillsIn) -> Status[None]:
    """Say everything that somebody who works on the organisation's cases can do."""
    assignment_actions.set_skills(organisation=organisation, user=user, skills=given.skills, by=actor_of(request))
    return Status(204, None)
