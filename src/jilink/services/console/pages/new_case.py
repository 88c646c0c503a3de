"""A new case in three steps: who, what, where; then a look at it all, and it is opened."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from jilink.core.cases import reads
from jilink.core.cases.reads import Filter, cases
from jilink.core.cases.rules.numbers import NumberMisread, grouped
from jilink.core.interactions import actions as interactions_actions
from jilink.core.interactions import reads as interactions
from jilink.core.interactions.rules import Channel
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.people import actions as people_actions
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.reads import PersonView
from jilink.core.parties.people.rules import ContactKind, ContactRefused
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import InteractionId, OrganisationId, PersonId
from jilink.services.console.pages import new_case_draft as drafts
from jilink.services.console.pages.new_case_check import check
from jilink.services.console.pages.new_case_draft import Draft
from jilink.services.console.pages.new_case_what import what
from jilink.services.console.pages.new_case_where import where
from jilink.webkit.door import said, signed_in

Posted = object


class PersonForm(forms.Form):
    """A person nobody knows yet."""

    name = forms.CharField(required=False, max_length=120)
    phone = forms.CharField(required=False, max_length=40)

    def __init__(self, data: Posted = None, initial: dict[str, object] | None = None) -> None:
        super().__init__(data, initial=initial)  # type: ignore[arg-type] # -- a QueryDict or None
        self.fields["name"].label, self.fields["phone"].label = _("Name of the person"), _("Telephone")
        self.fields["phone"].widget.attrs |= {"type": "tel", "autocomplete": "off"}


class Beginning:
    """What the first step begins with: a contact, a case it is split from, or nothing."""

    def __init__(self, request: HttpRequest, actor: Actor) -> None:
        given = request.POST if request.method == "POST" else request.GET
        self.contact = (
            interactions.interaction(actor, InteractionId(int(number))) if (number := _digits(given.get("interaction"))) else None
        )
        self.split = given.get("split", "")
        self.case = _case(actor, self.split) if self.split else None
        self.places = parties.choices(actor, Permission.ADD_CASES)
        named = (
            self.case.row.organisation
            if self.case
            else self.contact.organisation
            if self.contact
            else int(_digits(given.get("organisation")) or 0)
        )
        self.organisation = OrganisationId(named or (self.places[0].id if self.places else 0))
        if self.organisation not in {each.id for each in self.places}:
            raise NotFound("There is no such thing, or you may not see it.")
        known = self.case.row.person if self.case else self.contact.person if self.contact else None
        self.person = int(_digits(given.get("person")) or 0) or known
        reachable = self.contact is not None and self.contact.channel in {Channel.CALL, Channel.TEXT, Channel.MAIL}
        self.caller = self.contact.masked if self.contact and reachable else ""


def _digits(text: str | None) -> str:
    return text if text and text.isascii() and text.isdigit() and len(text) < 18 else ""


def _case(actor: Actor, number: str) -> reads.CaseView:
    try:
        found = reads.case_numbered(actor, number, now=utc_now())
    except NumberMisread as error:
        raise NotFound("There is no such thing, or you may not see it.") from error
    if not found.may_work:
        raise NotFound("There is no such thing, or you may not see it.")
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def who(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Find who it is for, or say that nobody is known."""
    require_anywhere(actor, Permission.ADD_CASES)
    start = Beginning(request, actor)
    form = PersonForm(request.POST if "add" in request.POST else None)
    if request.method == "POST":
        begun = _begun(request, actor, start, form)
        if begun is not None:
            return redirect("console:new-case-step", begun, "what")
    context = {
        "start": start,
        "form": form,
        "person": _person(actor, start.person),
        "text": request.GET.get("q", ""),
        "found": _found(request, actor, start.organisation),
        "may_find": actor.may(Permission.VIEW_PEOPLE),
        "may_add": actor.may(Permission.MANAGE_PEOPLE),
        "open": _open_cases(actor, start.person),
        "drafts": [(key, each) for key, each in drafts.drafts(request) if each.title or each.type],
        "split_number": grouped(start.case.row.number) if start.case else "",
    }
    return render(request, "console/new_case_who.html", context, status=400 if form.errors else 200)


def _begun(request: HttpRequest, actor: Actor, start: Beginning, form: PersonForm) -> str | None:
    person = start.person
    if "nobody" in request.POST:
        person = None
    elif "add" in request.POST:
        person = _added(actor, start, form)
        if person is None:
            return None
    elif person is not None:
        person = people.person(actor, PersonId(person)).id
    contact, row = start.contact, start.case.row if start.case else None
    draft = Draft(
        organisation=start.organisation,
        person=person,
        interaction=contact.id if contact else None,
        split=start.split,
        title=contact.subject if contact else "",
        latitude=contact.latitude if contact else row.latitude if row else None,
        longitude=contact.longitude if contact else row.longitude if row else None,
        accuracy_m=contact.accuracy_m if contact else None,
        address=row.address if row else "",
    )
    return drafts.begin(request, draft)


def _added(actor: Actor, start: Beginning, form: PersonForm) -> int | None:
    if not form.is_valid():
        return None
    name, phone = str(form.cleaned_data["name"]), str(form.cleaned_data["phone"]).strip()
    if not name.strip() and not phone and not start.caller:
        form.add_error("name", _("Give a name or a telephone number."))
        return None
    contacts = (Contact(ContactKind.PHONE, phone),) if phone else ()
    try:
        if start.contact and start.caller and not phone:
            return interactions_actions.add_caller(interaction=start.contact.id, data=PersonData(name=name), by=actor)
        return people_actions.add_person(organisation=start.organisation, data=PersonData(name=name), contacts=contacts, by=actor)
    except NotFound:
        raise
    except ContactRefused as error:
        form.add_error("phone", said(error))
    except Refused as error:
        form.add_error("name", said(error))
    return None


def _person(actor: Actor, number: int | None) -> PersonView | None:
    if number is None or not actor.may(Permission.VIEW_PEOPLE):
        return None
    return people.person(actor, PersonId(number))


def _found(request: HttpRequest, actor: Actor, organisation: OrganisationId) -> list[people.PersonRow]:
    text = request.GET.get("q", "").strip()
    if not text or not actor.may(Permission.VIEW_PEOPLE):
        return []
    return people.find(actor, text, organisation=organisation, limit=12)


def _open_cases(actor: Actor, person: int | None) -> tuple[reads.CaseRow, ...]:
    return cases(actor, Filter(person=person), now=utc_now(), limit=8).rows if person is not None else ()


Step = Callable[[HttpRequest, Actor, str, Draft], HttpResponse]
STEPS: dict[str, Step] = {"what": what, "where": where, "check": check}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def step(request: HttpRequest, actor: Actor, draft: str, step: str) -> HttpResponse:
    """Go on with a new case that was begun."""
    require_anywhere(actor, Permission.ADD_CASES)
    held = drafts.load(request, draft)
    if step == "drop" and request.method == "POST":
        drafts.drop(request, draft)
        messages.success(request, _("The draft was discarded."))
        return redirect("console:new-case")
    if step not in STEPS:
        raise NotFound("There is no such step.")
    return STEPS[step](request, actor, draft, held)
