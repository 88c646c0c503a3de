"""An agent's desk: state, phone, whoever calls and what is known of them, the call in course, the wrap-up."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from jilink.core.cases.reads import CaseRow, Filter, cases
from jilink.core.interactions import reads as interactions
from jilink.core.interactions.reads import InteractionView
from jilink.core.knowledge import reads as knowledge
from jilink.core.knowledge.reads import ArticleView
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.reads import PersonView
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import PersonId
from jilink.kernel.texts import Text
from jilink.services.contact.pages import desk_live, desk_orders, desk_written
from jilink.services.contact.pages.desk_phone import address_of, allow
from jilink.services.contact.pages.desk_preview import preview
from jilink.services.contact.pages.desk_words import AGENT_STATES, CONTACT_STATES, REASONS
from jilink.services.contact.reads import mine, sides
from jilink.services.contact.reads.mine import MyContact
from jilink.services.contact.reads.sides import Colleague
from jilink.services.contact.rules.states import ContactState
from jilink.webkit.door import signed_in

FEW = 5
ARTICLES = 3


@dataclass(frozen=True, slots=True)
class Card:
    """A contact and what is known of whoever it is, as far as the agent may see it."""

    contact: MyContact
    words: Promise
    person: PersonView | None
    cases: tuple[CaseRow, ...]
    before: list[InteractionView]
    articles: list[ArticleView]


@require_safe
@signed_in
def desk(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the desk; asked by its own script, only the part that changes."""
    here, now = mine.desk(actor), utc_now()
    server = address_of(request)
    context = {
        "desk": here,
        "now": now,
        "state_words": AGENT_STATES[here.state],
        "reasons": REASONS,
        "phones": mine.phones(actor, here.organisation),
        "server": server,
        "preview": preview(actor),
        "colleagues": _colleagues(actor, here.organisation) if here.contacts else (),
        "cards": [_card(actor, contact) for contact in here.contacts],
        "talks": desk_written.talks(actor),
        "canned": desk_written.canned(actor),
        "part": request.headers.get("X-Part") == "desk",
    }
    response = render(request, "contact/desk_part.html" if context["part"] else "contact/desk.html", context)
    response["Cache-Control"] = "no-store"
    allow(response, server)
    return response


def _colleagues(actor: Actor, organisation: int) -> list[tuple[Colleague, Promise]]:
    found = sides.colleagues(actor, organisation)
    return [(each, CONTACT_STATES[ContactState.TALKING] if each.busy else AGENT_STATES[each.state]) for each in found]


def _card(actor: Actor, contact: MyContact) -> Card:
    who = contact.interaction.person if contact.interaction else None
    person = _person(actor, who)
    return Card(
        contact,
        CONTACT_STATES[contact.state],
        person,
        _cases(actor, person),
        _before(actor, contact, person),
        _articles(actor, contact.queue),
    )


def _person(actor: Actor, who: PersonId | None) -> PersonView | None:
    try:
        return None if who is None else people.person(actor, who)
    except NotFound:
        return None


def _cases(actor: Actor, person: PersonView | None) -> tuple[CaseRow, ...]:
    try:
        return () if person is None else cases(actor, Filter(person=person.id), now=utc_now(), limit=FEW).rows
    except NotFound:
        return ()


def _before(actor: Actor, contact: MyContact, person: PersonView | None) -> list[InteractionView]:
    try:
        found = [] if person is None else interactions.interactions(actor, person=person.id, size=FEW + 1)
    except NotFound:
        return []
    return [each for each in found if contact.interaction is None or each.id != contact.interaction.id][:FEW]


def _articles(actor: Actor, queue: Text) -> list[ArticleView]:
    language = get_language() or "zh-hans"
    try:
        found = [each.article for each in knowledge.find(actor, queue.in_(language), language=language, size=ARTICLES)]
        return found or knowledge.published(actor, size=ARTICLES)[1]
    except NotFound:
        return []


patterns: list[URLPattern] = [path("desk/", desk, name="desk"), *desk_live.patterns, *desk_written.patterns, *desk_orders.patterns]
