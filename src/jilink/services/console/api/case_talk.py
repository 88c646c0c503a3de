"""What goes on in a case: notes and replies, requests and decisions, files, ratings."""

from django.http import HttpRequest, HttpResponse
from ninja import File, Router, Status
from ninja.files import UploadedFile

from jilink.core.cases import actions, reads
from jilink.core.cases.rules.workflow import RequestKind, Satisfaction
from jilink.core.files import actions as file_actions
from jilink.core.parties.access import organisations_of
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId
from jilink.services.console.actions.attaching import attach_uploads
from jilink.services.console.api.case_shapes import (
    AskedOut,
    AskIn,
    AttachIn,
    CallBackIn,
    DecisionIn,
    RateIn,
    ReplyIn,
    SettledOut,
    SettleIn,
    WordsIn,
)
from jilink.services.console.api.files import BYTES, sent
from jilink.services.console.api.people import RevealedOut
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.problems import Fault, Faulty
from jilink.webkit.api.shapes import Id, MadeOut, Words

router = Router(tags=["cases"])


@router.post("/cases/{int:case}/notes", response={201: MadeOut}, operation_id="add_note")
def add_note(request: HttpRequest, case: Id, given: WordsIn) -> Status[dict[str, int]]:
    """Write words for colleagues, which never leave the house."""
    return Status(201, {"id": actions.add_note(case=case, text=given.text, by=actor_of(request))})


@router.post("/cases/{int:case}/replies", response={201: MadeOut}, operation_id="send_reply")
def send_reply(request: HttpRequest, case: Id, given: ReplyIn) -> Status[dict[str, int]]:
    """Write to somebody outside; whoever carries the channel sends it."""
    made = actions.send_reply(
        case=case,
        text=given.text,
        recipient=given.recipient,
        channel=given.channel,
        address=given.address,
        person=given.person,
        by=actor_of(request),
    )
    return Status(201, {"id": made})


@router.post("/replies/{int:reply}/settle", response=SettledOut, operation_id="settle_reply")
def settle_reply(request: HttpRequest, reply: Id, given: SettleIn) -> dict[str, bool]:
    """Say, as the carrier of its channel, that a reply was sent or has failed; the first word stays."""
    return {"changed": actions.settle_reply(reply=reply, state=given.state, failure=given.failure, by=actor_of(request))}


@router.post("/cases/{int:case}/requests", response={201: AskedOut}, operation_id="ask_for")
def ask_for(request: HttpRequest, case: Id, given: AskIn) -> Status[actions.RequestMade]:
    """Ask for more time (`amount`), to wait (`until`), or to be rid of the order. Somebody else decides."""
    actor = actor_of(request)
    if given.kind is RequestKind.RETURN:
        return Status(201, actions.request_return(case=case, reason=given.reason, by=actor))
    if given.kind is RequestKind.EXTENSION:
        if given.amount is None:
            raise Faulty(Fault(detail="Say how many units more.", pointer="/amount"))
        return Status(201, actions.request_extension(case=case, amount=given.amount, reason=given.reason, by=actor))
    if given.until is None:
        raise Faulty(Fault(detail="Say until when.", pointer="/until"))
    return Status(201, actions.request_suspension(case=case, until=given.until, reason=given.reason, by=actor))


@router.post("/requests/{int:asked}/decide", response={204: None}, operation_id="decide_request")
def decide_request(request: HttpRequest, asked: Id, given: DecisionIn) -> Status[None]:
    """Approve or refuse what a unit asked for."""
    actions.decide_request(request=asked, approve=given.approve, reason=given.reason, by=actor_of(request))
    return Status(204, None)


@router.post("/cases/{int:case}/resume", response={204: None}, operation_id="resume_case")
def resume_case(request: HttpRequest, case: Id) -> Status[None]:
    """Let the clocks of a suspended case go on."""
    actions.resume_case(case=case, by=actor_of(request))
    return Status(204, None)


@router.post("/cases/{int:case}/rating", response={201: MadeOut}, operation_id="rate_case")
def rate_case(request: HttpRequest, case: Id, given: RateIn) -> Status[dict[str, int]]:
    """Keep what the person said when asked, once a round of the case."""
    made = actions.rate_case(
        case=case,
        level=Satisfaction(given.level),
        answers=given.answers,
        comment=given.comment,
        channel=given.channel,
        by=actor_of(request),
    )
    return Status(201, {"id": made})


@router.post("/cases/{int:case}/call-back", response={204: None}, operation_id="note_call_back")
def note_call_back(request: HttpRequest, case: Id, given: CallBackIn) -> Status[None]:
    """Note that whoever was dissatisfied was called."""
    actions.note_call_back(case=case, outcome=given.outcome, by=actor_of(request))
    return Status(204, None)


@router.post("/cases/{int:case}/answers/{question}/reveal", response=RevealedOut, operation_id="reveal_answer")
def reveal_answer(request: HttpRequest, case: Id, question: Words) -> dict[str, str]:
    """Return a sensitive answer whole; the read is audited."""
    return {"value": str(reads.reveal_answer(actor_of(request), case, question, now=utc_now()))}


@router.post("/cases/{int:case}/files", response={201: MadeOut}, operation_id="attach_file")
def attach_file(request: HttpRequest, case: Id, given: AttachIn) -> Status[dict[str, int]]:
    """Add a file that was uploaded with `upload_case_file`, or answers a photo question."""
    made = actions.attach_file(case=case, file=given.file, question=given.question, public=given.public, by=actor_of(request))
    return Status(201, {"id": made})


@router.post("/files", response={201: MadeOut}, operation_id="upload_case_file")
def upload_case_file(request: HttpRequest, organisation: Id, file: File[UploadedFile]) -> Status[dict[str, int]]:
    """Keep a file for a case of the organisation. Pictures are made anew, without what the camera said of its place."""
    actor = actor_of(request)
    place = OrganisationId(organisation)
    allowed = Permission.WORK_CASES if place in organisations_of(actor, Permission.WORK_CASES) else Permission.ADD_CASES
    made = file_actions.keep_file(organisation=place, data=file.read(), name=file.name or "", permission=allowed, by=actor)
    return Status(201, {"id": made})


@router.post("/cases/{int:case}/uploads", response={201: MadeOut}, operation_id="upload_to_case")
def upload_to_case(request: HttpRequest, case: Id, file: File[UploadedFile]) -> Status[dict[str, int]]:
    """Keep a file and add it to a case that one may work on, whoever else's cases one may see; `id` is the file's."""
    actor = actor_of(request)
    view = reads.case(actor, case, now=utc_now())
    (made,) = attach_uploads(view=view, uploads=[(file.read(), file.name or "")], by=actor)
    return Status(201, {"id": made})


@router.get("/cases/{int:case}/files/{int:file}", operation_id="read_case_file", openapi_extra=BYTES)
def read_case_file(request: HttpRequest, case: Id, file: Id) -> HttpResponse:
    """Return a file of a case."""
    return sent(*reads.case_file(actor_of(request), case, file))


@router.delete("/cases/{int:case}/files/{int:file}", response={204: None}, operation_id="detach_file")
def detach_file(request: HttpRequest, case: Id, file: Id) -> Status[None]:
    """Take a file away from a case; the timeline keeps that it was there."""
    actions.detach_file(case=case, file=file, by=actor_of(request))
    return Status(204, None)
