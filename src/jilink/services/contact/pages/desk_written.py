"""What waits at an agent's desk without a telephone, and what they write: chats and texts side by side, and new cases."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.cases.reads import CaseRow, Filter, cases, rows_of
from jilink.core.files.reads import HEADERS
from jilink.core.knowledge import reads as knowledge
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.reads import PersonView
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import PersonId, new_event_id
from jilink.services.contact.actions import writing
from jilink.services.contact.pages.desk_words import CONTACT_STATES
from jilink.services.contact.reads import mine
from jilink.services.contact.reads import writing as reads
from jilink.services.contact.reads.mine import MyContact
from jilink.services.contact.reads.writing import Talk
from jilink.services.contact.rules import written as rules
from jilink.webkit.door import said, signed_in

FEW = 5
CANNED = 20


@dataclass(frozen=True, slots=True)
class WrittenCard:
    """A contact without a telephone, with what was written and who it is, or the case that it is."""

    contact: MyContact
    words: Promise
    channel: str
    talk: Talk | None
    case: CaseRow | None
    person: PersonView | None
    cases: tuple[CaseRow, ...]


@require_safe
@signed_in
def written(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the part of the desk that changes as people write."""
    context = {"talks": talks(actor), "canned": canned(actor)}
    response = render(request, "contact/desk_written.html", context)
    response["Cache-Control"] = "no-store"
    return response


def talks(actor: Actor) -> list[WrittenCard]:
    """Return what an agent has, or is offered, without a telephone."""
    return [_card(actor, channel, leg, contact) for channel, leg, contact in mine.written(actor)]


def canned(actor: Actor) -> list[tuple[str, str]]:
    """Return replies to begin with: title and words of published articles."""
    language = get_language() or "zh-hans"
    try:
        found = knowledge.published(actor, size=CANNED)[1]
    except NotFound:
        return []
    return [(each.title.in_(language), each.body.in_(language)[: rules.LONGEST_WORDS]) for each in found]


def _card(actor: Actor, channel: str, leg: str, contact: MyContact) -> WrittenCard:
    conversation, case = rules.of_leg(leg)
    talk = reads.talk(actor, contact.id) if conversation else None
    row = next(iter(rows_of(actor, [case], now=utc_now())), None) if case else None
    who = contact.interaction.person if contact.interaction else row.person if row else None
    person: PersonView | None = None
    found: tuple[CaseRow, ...] = ()
    if who is not None:
        try:
            person = people.person(actor, PersonId(who))
            found = cases(actor, Filter(person=who), now=utc_now(), limit=FEW).rows
        except NotFound:
            person = None
    return WrittenCard(contact, CONTACT_STATES[contact.state], channel, talk, row, person, found)


@require_POST
@signed_in
def say(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Send what an agent wrote, or a file."""
    file = request.FILES.get("file")
    upload = (file.read(), file.name or "file") if file is not None and (file.size or 0) <= rules.MOST_UPLOAD else None
    client = request.POST.get("client", "")[:60] or str(new_event_id())
    try:
        if file is not None and upload is None:
            raise rules.ConversationRefused("That is too much at once.")
        writing.say_as_agent(contact=contact, words=request.POST.get("words", ""), client=client, upload=upload, by=actor)
    except NotFound:
        raise
    except Refused as error:
        if request.headers.get("X-Part"):
            return HttpResponse(said(error), status=400, content_type="text/plain; charset=utf-8")
        messages.error(request, said(error))
    return redirect("contact:desk-written" if request.headers.get("X-Part") else "contact:desk")


@require_POST
@signed_in
def read(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Note that an agent has read what was written up to a number."""
    upto = request.POST.get("upto", "")
    writing.mark_read(contact=contact, upto=int(upto) if upto.isascii() and upto.isdecimal() and len(upto) < 9 else 0, by=actor)
    return HttpResponse(status=204)


@require_POST
@signed_in
def typing(_request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Let the other side see that an agent writes."""
    writing.show_agent_typing(contact=contact, by=actor)
    return HttpResponse(status=204)


@require_safe
@signed_in
def file(_request: HttpRequest, actor: Actor, contact: int, number: int) -> HttpResponse:
    """Give a file of a conversation to the agent who has it."""
    view, data = reads.file_for_agent(actor, contact, number)
    response = HttpResponse(data, content_type=view.content_type, headers=HEADERS)
    kind = "inline" if view.inline else "attachment"
    response["Content-Disposition"] = f'{kind}; filename="{_("file")}-{number}"'.encode("ascii", "ignore").decode() or kind
    return response


patterns: list[URLPattern] = [
    path("desk/written", written, name="desk-written"),
    path("desk/<int:contact>/say", say, name="desk-say"),
    path("desk/<int:contact>/read", read, name="desk-read"),
    path("desk/<int:contact>/typing", typing, name="desk-typing"),
    path("desk/<int:contact>/files/<int:number>", file, name="desk-file"),
]
