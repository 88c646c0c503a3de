"""One case: everything known of it, everything that happened, and what may be done next."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.cases import actions, reads
from jilink.core.cases.reads import CaseView
from jilink.core.cases.rules.form import AnswersRefused
from jilink.core.cases.rules.workflow import LinkKind
from jilink.core.knowledge import reads as knowledge
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.people import reads as people
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import ArticleId, ContactId, OrganisationId
from jilink.services.console.actions import drafts, notices
from jilink.services.console.pages import case_edit, case_files, case_rating, new_case
from jilink.services.console.pages.case_deed import Posted
from jilink.services.console.pages.case_deeds import deeds
from jilink.services.console.pages.case_panel import person_of, recipients_of
from jilink.services.console.pages.case_questions import show_problems
from jilink.services.console.pages.case_show import numbered, show
from jilink.services.console.pages.case_words import language
from jilink.services.console.reads.channels import channels_out
from jilink.services.console.reads.places import where
from jilink.webkit.door import said, signed_in

_SKIPPED = frozenset({"csrfmiddlewaretoken"})


@require_safe
@signed_in
def case(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Show one case."""
    view = numbered(actor, number)
    if number != view.row.number:
        return redirect("console:case", view.row.number)
    notices.read_notices(by=actor, case=view.row.id)
    return show(request, actor, view, extra={"reply_text": _inserted(request, actor)})


def _inserted(request: HttpRequest, actor: Actor) -> str:
    """Return the words of an article that was chosen to go into the reply."""
    wanted = request.GET.get("insert", "")
    if not wanted.isascii() or not wanted.isdigit() or len(wanted) > 18:
        return ""
    try:
        return knowledge.article(actor, ArticleId(int(wanted))).body.in_(language())[:1500]
    except NotFound:
        return ""


@require_POST
@signed_in
def act(request: HttpRequest, actor: Actor, number: str, deed: str) -> HttpResponse:
    """Do one of the things that may be done now; where it is refused, everything typed is kept."""
    view = numbered(actor, number)
    posted: Posted = (deed, request.POST, request.FILES)
    offered = deeds(actor, view, utc_now(), posted)
    mine = next((each for each in offered if each.key == deed), None)
    if mine is None:
        typed = [value for name in request.POST if name not in _SKIPPED and (value := request.POST.get(name, "").strip())]
        lost: dict[str, object] = {
            "wrong": _("This cannot be done now. Somebody may have moved the case; look at it again."),
            "typed": typed,
        }
        return show(request, actor, view, extra=lost)
    if mine.form.is_valid():
        try:
            mine.do(mine.form)
        except NotFound:
            raise
        except AnswersRefused as error:
            show_problems(mine.form, error.problems)
        except Refused as error:
            mine.form.add_error(None, said(error))
        else:
            messages.success(request, _("Done: %(what)s") % {"what": mine.title})
            return _after(actor, view)
    return show(request, actor, view, found=offered)


def _after(actor: Actor, view: CaseView) -> HttpResponse:
    """Go on with the case; with the inbox where it is now beyond the actor's reach."""
    try:
        reads.case(actor, view.row.id, now=utc_now())
    except NotFound:
        return redirect("home")
    return redirect("console:case", view.row.number)


@require_POST
@signed_in
def note(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Write a note for colleagues."""
    view = numbered(actor, number)
    text = request.POST.get("text", "")
    try:
        actions.add_note(case=view.row.id, text=text, by=actor)
    except NotFound:
        raise
    except Refused as error:
        return show(request, actor, view, extra={"wrong": said(error), "note_text": text})
    drafts.drop_draft(place=f"case:{view.row.number}:note", by=actor)
    return redirect(_story(view))


@require_POST
@signed_in
def reply(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Reply to the person of the case, by the channel that the button named."""
    view = numbered(actor, number)
    text, channel = request.POST.get("text", ""), request.POST.get("channel", "")
    leaving = channels_out(OrganisationId(view.row.organisation))
    to = next((each for each in recipients_of(person_of(actor, view, utc_now()), leaving) if each.channel == channel), None)
    try:
        recipient = to.name if to is not None else ""
        actions.send_reply(case=view.row.id, text=text, recipient=recipient, channel=channel if to else "", by=actor)
    except NotFound:
        raise
    except Refused as error:
        return show(request, actor, view, extra={"wrong": said(error), "reply_text": text})
    drafts.drop_draft(place=f"case:{view.row.number}:reply", by=actor)
    return redirect(_story(view))


def _story(view: CaseView) -> str:
    return reverse("console:case", args=[view.row.number]) + "#story"


@require_POST
@signed_in
def reveal(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Show a contact of the person, or a sensitive answer, whole; the read is in the audit."""
    view = numbered(actor, number)
    person = person_of(actor, view, utc_now())
    contact, question = request.POST.get("contact", ""), request.POST.get("question", "")
    if question:
        answer = reads.reveal_answer(actor, view.row.id, question, now=utc_now())
        return show(request, actor, view, extra={"revealed_question": question, "revealed": str(answer)})
    known = next((each for each in person.contacts if str(each.id) == contact), None) if person else None
    if known is None:
        raise NotFound("There is no such thing, or you may not see it.")
    return show(request, actor, view, extra={"revealed_contact": known.id, "revealed": people.reveal_contact(actor, ContactId(known.id))})


@require_POST
@signed_in
def confirm_area(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Say in which of two areas the place lies, where its accuracy reaches over a border."""
    view = numbered(actor, number)
    row = view.row
    if row.latitude is None or row.longitude is None:
        raise NotFound("There is no such thing, or you may not see it.")
    found = where(actor, row.longitude, row.latitude, view.accuracy_m, utc_now())
    chosen = request.POST.get("area", "")
    if chosen not in {each.path for each in (*found.areas, *found.doubtful)}:
        return show(request, actor, view, extra={"wrong": _("Please choose one of the areas.")})
    wanted, base = {"area": chosen, "accuracy_m": None}, {"area": row.area, "accuracy_m": view.accuracy_m}
    actions.edit_case(case=row.id, wanted=wanted, base=base, by=actor)
    messages.success(request, _("The area is confirmed."))
    return redirect("console:case", row.number)


@require_POST
@signed_in
def unlink(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Take a link to another case away, or a thing that the case is not about after all."""
    view = numbered(actor, number)
    asset = request.POST.get("asset", "")
    if asset.isascii() and asset.isdecimal() and len(asset) < 19:
        actions.unlink_asset(case=view.row.id, asset=int(asset), by=actor)
        messages.success(request, _("The link was removed."))
        return redirect("console:case", view.row.number)
    link = next((each for each in view.links if f"{each.kind}:{each.other}:{int(each.back)}" == request.POST.get("link")), None)
    if link is None or link.other is None:
        raise NotFound("There is no such thing, or you may not see it.")
    case, other = (link.other, view.row.id) if link.back else (view.row.id, link.other)
    actions.unlink_cases(case=case, kind=LinkKind(link.kind), other=other, by=actor)
    messages.success(request, _("The link was removed."))
    return redirect("console:case", view.row.number)


patterns: list[URLPattern] = [
    path("new", new_case.who, name="new-case"),
    path("new/<slug:draft>/<slug:step>", new_case.step, name="new-case-step"),
    path("<str:number>", case, name="case"),
    path("<str:number>/do/<str:deed>", act, name="case-act"),
    path("<str:number>/note", note, name="case-note"),
    path("<str:number>/reply", reply, name="case-reply"),
    path("<str:number>/reveal", reveal, name="case-reveal"),
    path("<str:number>/area", confirm_area, name="case-area"),
    path("<str:number>/unlink", unlink, name="case-unlink"),
    path("<str:number>/rating-link", case_rating.offer, name="case-rating-link"),
    path("<str:number>/edit", case_edit.edit, name="case-edit"),
    path("<str:number>/files", case_files.upload, name="case-files"),
    path("<str:number>/files/<int:file>", case_files.file, name="case-file"),
    path("<str:number>/files/<int:file>/small", case_files.small, name="case-file-small"),
    path("<str:number>/files/<int:file>/remove", case_files.remove, name="case-file-remove"),
]
